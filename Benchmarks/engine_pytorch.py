"""Times PyTorch and the engine on the same networks in the same run, and prints the ratios.

    python Benchmarks/engine_pytorch.py --ours .build/release/engine-bench

The two take turns (A B A B), each in a process of its own that sleeps while the other works. Both
use `--threads` threads, float32 and NHWC memory (channels_last). Figures are medians. A ratio above
1 means that the engine is that many times better. Writes Benchmarks/results/engine.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
NETWORKS = ["e6k7d4", "e4k5d3", "e3k3d2"]
KERNELS = [
    f"dw{k}.{way}" for k in (3, 5, 7) for way in ("forward", "input", "weight")
] + ["pointwise.forward", "pointwise.input", "pointwise.weight", "conv3.forward", "gemm"]
CHANNELS, SIDE, IMAGES = 144, 32, 16


# ---- PyTorch's side ------------------------------------------------------------------------------


def torch_task(task: str):
    """A function that runs `task` once."""
    import torch
    import torch.nn.functional as F
    from torch_networks import build, settled

    kind, name = task.split(":")
    cl = torch.channels_last
    if kind == "step":
        model = build(name).train()
        optimiser = torch.optim.SGD(
            model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4
        )
        if name == "mlp":
            x, y = torch.randn(256, 128), torch.randn(256, 1)
            loss_of = F.mse_loss
        else:
            x = torch.randn(64, 3, 32, 32).to(memory_format=cl)
            y = torch.randint(0, 10, (64,))
            loss_of = F.cross_entropy

        def step():
            optimiser.zero_grad(set_to_none=True)
            loss_of(model(x), y).backward()
            optimiser.step()

        return step
    if kind.startswith("infer"):
        model = settled(name)
        x = torch.randn(int(kind[5:]), 3, 32, 32).to(memory_format=cl)

        def infer():
            with torch.inference_mode():
                model(x)

        return infer
    return torch_kernel(name)


def torch_kernel(name: str):
    import torch

    cl = torch.channels_last
    if name == "gemm":
        a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
        return lambda: torch.mm(a, b)
    kind, way = name.split(".")
    kernel = {"pointwise": 1, "conv3": 3}.get(kind) or int(kind[2:])
    cin = 64 if kind == "conv3" else CHANNELS
    cout = cin
    groups = cin if kind.startswith("dw") else 1
    x = torch.randn(IMAGES, cin, SIDE, SIDE).to(memory_format=cl)
    w = torch.randn(cout, cin // groups, kernel, kernel).to(memory_format=cl)
    pad = [kernel // 2] * 2
    if way == "forward":

        def forward():
            with torch.inference_mode():
                torch.conv2d(x, w, None, 1, pad, 1, groups)

        return forward
    g = torch.randn(IMAGES, cout, SIDE, SIDE).to(memory_format=cl)
    mask = [way == "input", way == "weight", False]
    back = torch.ops.aten.convolution_backward
    return lambda: back(g, x, w, None, [1, 1], pad, [1, 1], False, [0, 0], groups, mask)


def gflop(name: str) -> float:
    """10^9 floating-point operations (2 a multiply-add) of one run of a kernel."""
    if name == "gemm":
        return 2 * 1024**3 / 1e9
    kind = name.split(".")[0]
    pixels = IMAGES * SIDE * SIDE
    if kind == "pointwise":
        return 2 * pixels * CHANNELS * CHANNELS / 1e9
    if kind == "conv3":
        return 2 * pixels * 64 * 64 * 9 / 1e9
    return 2 * pixels * CHANNELS * int(kind[2:]) ** 2 / 1e9


def serve(threads: int) -> None:
    """Reads `task repeats` lines, answers with milliseconds of each repeat."""
    import torch

    torch.set_num_threads(threads)
    tasks = {}
    for line in sys.stdin:
        task, repeats = line.split()
        if task not in tasks:
            tasks = {task: torch_task(task)}  # one at a time: memory and caches are its own
            for _ in range(2):
                tasks[task]()
        times = []
        for _ in range(int(repeats)):
            start = time.perf_counter()
            tasks[task]()
            times.append((time.perf_counter() - start) * 1e3)
        print(*(f"{t:.4f}" for t in times), flush=True)


def status(field: str) -> int:
    """VmRSS or VmHWM of this process in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    return 0


def memory(task: str, threads: int) -> None:
    """Prints the KiB by which three runs of a task raise the process's high-water mark."""
    import torch
    import torch.nn.functional as F  # noqa: F401

    torch.set_num_threads(threads)
    # A first tiny step loads what PyTorch loads lazily; that belongs to the baseline.
    w = torch.randn(8, 8, 3, 3, requires_grad=True)
    torch.conv2d(torch.randn(1, 8, 8, 8), w).sum().backward()
    torch.optim.SGD([w], lr=0.1).step()
    base = status("VmRSS")
    run = torch_task(task)
    for _ in range(3):
        run()
    print(status("VmHWM") - base)


# ---- ONNX Runtime's side -------------------------------------------------------------------------


def onnx_session(name: str, threads: int):
    """The network exported by PyTorch, in ONNX Runtime's own optimised form."""
    import io

    import onnxruntime as ort
    import torch
    from torch_networks import settled

    file = io.BytesIO()
    torch.onnx.export(
        settled(name), (torch.randn(1, 3, 32, 32),), file, opset_version=17, dynamo=False
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(
        file.getvalue(), options, providers=["CPUExecutionProvider"]
    )
    feed = {session.get_inputs()[0].name: torch.randn(1, 3, 32, 32).numpy()}
    return lambda: session.run(None, feed)


def serve_onnx(threads: int) -> None:
    sessions = {}
    for line in sys.stdin:
        task, repeats = line.split()
        if task not in sessions:
            sessions[task] = onnx_session(task.split(":")[1], threads)
            for _ in range(10):
                sessions[task]()
        times = []
        for _ in range(int(repeats)):
            start = time.perf_counter()
            sessions[task]()
            times.append((time.perf_counter() - start) * 1e3)
        print(*(f"{t:.4f}" for t in times), flush=True)


# ---- The run -------------------------------------------------------------------------------------


class Side:
    """A process that answers timing requests."""

    def __init__(self, command: list[str]):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
        )

    def time(self, task: str, repeats: int) -> list[float]:
        self.process.stdin.write(f"{task} {repeats}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"no answer to {task}: {self.process.args}")
        time.sleep(0.02)  # threads that spin after their work come to rest
        return [float(t) for t in answer.split()]


def compare(ours: Side, peer: Side, task: str, seconds: float) -> tuple[float, float]:
    """Medians in ms, the two taking turns until each has had about `seconds`."""
    first = (ours.time(task, 3)[-1], peer.time(task, 3)[-1])
    rounds = 5
    ms = [[], []]
    for _ in range(rounds):
        for side, times, guess in ((ours, ms[0], first[0]), (peer, ms[1], first[1])):
            times += side.time(task, max(1, min(200, int(seconds * 1e3 / rounds / guess))))
    return statistics.median(ms[0]), statistics.median(ms[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", default="../.build/release/engine-bench")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3, help="a side and task")
    parser.add_argument("--only", default="", help="tasks that contain this text")
    parser.add_argument("--out", default=str(HERE / "results" / "engine.json"))
    parser.add_argument("--serve", choices=["torch", "onnx"], help=argparse.SUPPRESS)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        return memory(options.memory, options.threads)
    if options.serve:
        return (serve if options.serve == "torch" else serve_onnx)(options.threads)

    bench = str((Path.cwd() / options.ours).resolve())
    here = [sys.executable, str(Path(__file__).resolve())]
    rows = []

    def row(task: str, metric: str, ours: float, peer: float, ratio: float, peer_name="PyTorch"):
        rows.append(
            {"task": task, "metric": metric, "ours": round(ours, 3), "peer": round(peer, 3),
             "peerName": peer_name, "ratio": round(ratio, 3)}
        )
        print(f"{task:24} {metric:14} ours {ours:10.3f}  {peer_name} {peer:10.3f}  x{ratio:.2f}",
              flush=True)

    def wanted(tasks: list[str]) -> list[str]:
        return [task for task in tasks if options.only in task]

    timed = wanted(
        [f"{kind}:{n}" for kind in ("step", "infer64", "infer1") for n in NETWORKS]
        + ["step:e4k5d3se", "step:resnet20", "step:mlp"]
    )
    kernels = wanted([f"kernel:{k}" for k in KERNELS])
    if timed or kernels:
        ours = Side([bench, "serve", str(options.threads)])
        peer = Side(here + ["--serve", "torch", "--threads", str(options.threads)])
        for task in timed:
            a, b = compare(ours, peer, task, options.seconds)
            row(task, "ms", a, b, b / a)
        for task in kernels:
            a, b = compare(ours, peer, task, options.seconds / 4)
            work = gflop(task.split(":")[1])
            row(task, "GFLOP/s", work / a * 1e3, work / b * 1e3, b / a)
    single = wanted([f"onnx1:{n}" for n in NETWORKS])
    if single:
        ours = Side([bench, "serve", "1"])
        peer = Side(here + ["--serve", "onnx", "--threads", "1"])
        for task in single:
            task = "infer1:" + task.split(":")[1]
            a, b = compare(ours, peer, task, options.seconds)
            row(task + ":1thread", "ms", a, b, b / a, "ONNXRuntime")
    for name in NETWORKS:
        task = f"step:{name}"
        for _ in wanted([f"memory:{name}"]):
            a, b = (
                int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE)
                    .stdout) / 1024
                for command in (
                    [bench, "memory", task, str(options.threads)],
                    here + ["--memory", task, "--threads", str(options.threads)],
                )
            )
            row(f"memory:{name}", "MiB", a, b, b / a)
    if options.only:
        return
    import torch

    result = {
        "schema": "swiftlet.benchmark", "version": 1, "threads": options.threads,
        "torch": torch.__version__, "rows": rows,
        "machine": next(
            (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")), "unknown"),
    }
    Path(options.out).parent.mkdir(parents=True, exist_ok=True)
    Path(options.out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
