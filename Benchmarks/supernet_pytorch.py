"""Times training and evaluation of a once-for-all supernet beside the published `ofa` package's
layers in PyTorch, in the same run, and prints the ratios.

    python Benchmarks/supernet_pytorch.py --ours .build/release/engine-bench

Both sides have the same space, subnets, resolutions, losses, distillation and SGD with Nesterov
momentum; multiply-accumulates and parameters of the subnets must be equal. Tasks:

    step:sandwich    largest, smallest, two random subnets; the largest teaches the others
    step:shrinking   four random subnets and a teacher beside them
    evaluate         statistics from 2,000 images, hits on 5,000 (`set_running_statistics`)

The sides take turns (A B A B) on the same steps and subnets, each in processes of its own that sleep
while the other works. PyTorch gets what is fastest for it here: channels_last or plain memory, and
for the evaluation one process of `--threads` threads or as many processes of one. `torch.compile`
is left out: it would compile anew for every subnet. Figures are medians over the turns' steps; a
ratio above 1 means that ours is that many times faster. Writes Benchmarks/results/supernet.json;
with `--only` the other tasks' rows in it stay.
"""

import argparse
import importlib.metadata
import json
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TASKS = ["step:sandwich", "step:shrinking", "evaluate"]
FORMATS = ["channels_last", "contiguous_format"]
# Steps and subnets before the timed ones.
WARM_UP = 2


def serve(plan: str, threads: int, memory_format: str) -> None:
    """Reads `TASK FIRST COUNT` lines, answers milliseconds: of each step, or of all subnets."""
    import torch
    from ofa_networks import Workload

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    workload = Workload(json.loads(Path(plan).read_text()), getattr(torch, memory_format))
    for line in sys.stdin:
        task, first, count = line.split()
        times, start = [], time.perf_counter()
        for number in range(int(first), int(first) + int(count)):
            if task == "evaluate":
                workload.evaluate(number)
            else:
                workload.step(task.removeprefix("step:"), number)
                times.append((time.perf_counter() - start) * 1e3)
                start = time.perf_counter()
        if task == "evaluate":
            times = [(time.perf_counter() - start) * 1e3]
        print(*(f"{t:.4f}" for t in times), flush=True)


class Side:
    """A process that answers timing requests."""

    def __init__(self, name: str, command: list[str], greets: bool = False):
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
        self.greeting = self.answer() if greets else ""

    def answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"no answer: {self.process.args}")
        return line

    def time(self, task: str, first: int, count: int) -> list[float]:
        self.process.stdin.write(f"{task} {first} {count}\n")
        self.process.stdin.flush()
        times = [float(t) for t in self.answer().split()]
        time.sleep(0.02)  # threads that spin after their work come to rest
        return times

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Team:
    """Processes that share evaluations, each taking the next subnet."""

    def __init__(self, name: str, sides: list[Side]):
        self.name, self.sides = name, sides

    def time(self, task: str, first: int, count: int) -> list[float]:
        numbers = queue.SimpleQueue()
        for number in range(first, first + count):
            numbers.put(number)

        def work(side: Side) -> None:
            while True:
                try:
                    number = numbers.get_nowait()
                except queue.Empty:
                    return
                side.time(task, number, 1)

        start = time.perf_counter()
        with ThreadPoolExecutor(len(self.sides)) as pool:
            list(pool.map(work, self.sides))
        return [(time.perf_counter() - start) * 1e3]

    def close(self) -> None:
        for side in self.sides:
            side.close()


def peers(plan: str, threads: int, task: str) -> list[Side | Team]:
    """PyTorch's ways to do a task."""
    here = [sys.executable, str(Path(__file__).resolve()), "--serve", plan]

    def side(memory_format: str, threads: int) -> Side:
        return Side(
            f"{memory_format}, {threads} threads",
            here + ["--format", memory_format, "--threads", str(threads)])

    found: list[Side | Team] = [side(memory_format, threads) for memory_format in FORMATS]
    if task == "evaluate" and threads > 1:
        found += [
            Team(f"{memory_format}, {threads} processes",
                 [side(memory_format, 1) for _ in range(threads)])
            for memory_format in FORMATS]
    return found


def fastest(sides: list[Side | Team], task: str, threads: int) -> Side | Team:
    """The quickest after a warm-up, which evaluations of many seconds don't need; the others end."""
    count = threads if task == "evaluate" else WARM_UP
    times = []
    for side in sides:
        if task != "evaluate":
            side.time(task, 0, count)
        times.append(sum(side.time(task, 0, count)))
    best = sides[times.index(min(times))]
    for side in sides:
        if side is not best:
            side.close()
    return best


def check(plan: dict) -> None:
    """Both sides must compute the same subnets."""
    from ofa_networks import SpaceNetwork

    network = SpaceNetwork(plan["space"])
    for architecture, cost in plan["costs"].items():
        found = network.cost(architecture)
        if found != cost:
            raise SystemExit(f"{architecture}: ours {cost}, the package's {found}")
    print(f"{len(plan['costs'])} subnets have equal multiply-accumulates and parameters", flush=True)


def compare(ours: Side, peer: Side | Team, task: str, options) -> tuple[float, float]:
    """Medians, of milliseconds a step or of subnets a second; the two take turns."""
    count = options.subnets if task == "evaluate" else options.steps
    if task != "evaluate":
        ours.time(task, 0, min(count, WARM_UP))
    found: tuple[list[float], list[float]] = [], []
    for turn in range(options.turns):
        for side, times in zip((ours, peer), found):
            answer = side.time(task, WARM_UP + turn * count, count)
            times += [count / answer[0] * 1e3] if task == "evaluate" else answer
    return statistics.median(found[0]), statistics.median(found[1])


def machine() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown"


def save(rows: list[dict], plan: dict, options) -> None:
    import torch

    path = Path(options.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(path.read_text())["rows"] if options.only and path.exists() else []
    done = {row["task"] for row in rows}
    rows = [row for row in kept if row["task"] not in done] + rows
    result = {
        "schema": "swiftlet.benchmark", "version": 1, "threads": options.threads,
        "space": plan["space"], "batch": plan["batch"], "torch": torch.__version__,
        "ofa": importlib.metadata.version("ofa"), "machine": machine(), "rows": rows,
    }
    path.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default="../.build/release/engine-bench")
    parser.add_argument("--space", default="ofa-mobilenetv3-cifar")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5, help="of each side")
    parser.add_argument("--steps", type=int, default=2, help="steps a turn")
    parser.add_argument("--subnets", type=int, default=4, help="subnets evaluated a turn")
    parser.add_argument("--only", choices=TASKS, help="one task")
    parser.add_argument("--out", default=str(HERE / "results" / "supernet.json"))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--format", choices=FORMATS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve, options.threads, options.format)

    bench = str((Path.cwd() / options.ours).resolve())
    wanted = WARM_UP + options.turns * max(options.steps, options.subnets)
    ours = Side("ours", [
        bench, "supernet", options.space, str(options.batch), str(options.threads), str(wanted),
    ], greets=True)
    plan = json.loads(ours.greeting)
    check(plan)
    rows = []
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(ours.greeting)
        file.flush()
        for task in [options.only] if options.only else TASKS:
            peer = fastest(peers(file.name, options.threads, task), task, options.threads)
            a, b = compare(ours, peer, task, options)
            peer.close()
            metric, ratio = ("subnets/s", a / b) if task == "evaluate" else ("ms", b / a)
            rows.append({
                "task": task, "metric": metric, "ours": round(a, 4), "peer": round(b, 4),
                "peerName": f"PyTorch, ofa ({peer.name})", "ratio": round(ratio, 3)})
            print(f"{task:16} {metric:10} ours {a:10.3f}  PyTorch {b:10.3f}  x{ratio:.2f}  "
                  f"({peer.name})", flush=True)
    ours.close()
    save(rows, plan, options)


if __name__ == "__main__":
    main()
