"""ResNet-20 on CIFAR-10 with one short recipe, in PyTorch and in the engine, three seeds each.

    python Benchmarks/resnet20_cifar10.py DATA --epochs 4 --seeds 1 2 3
    python Benchmarks/resnet20_cifar10.py DATA --epochs 2 --seeds 1 2 3 --shared

DATA holds train/<class>/*.jpg and test/<class>/*.jpg. Recipe: batch 128, SGD with Nesterov momentum
0.9, weight decay 5e-4 (none for norms and biases), rate 0.2 with one epoch of linear warm-up and a
cosine to 0, pad-4 random crop and flip, label smoothing none. Accuracy is the last epoch's, on all
test images. With --shared both sides start from the same weights and see the same batches (two epochs
take 1.3 GB on disk), so that rounding alone tells them apart. Writes
Benchmarks/results/resnet20_cifar10[_shared].json.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RATE, DECAY, BATCH = 0.2, 5e-4, 128


def decoded(folder: Path):
    """All images as uint8 [N, H, W, 3] and their labels, classes and files in sorted order."""
    import numpy as np
    import torch
    from PIL import Image

    pixels, labels = [], []
    for label, name in enumerate(sorted(p.name for p in folder.iterdir())):
        for file in sorted((folder / name).iterdir()):
            pixels.append(np.asarray(Image.open(file).convert("RGB")))
            labels.append(label)
    return torch.from_numpy(np.stack(pixels)), torch.tensor(labels)


class Task:
    """The images, and how they are shown."""

    def __init__(self, data: Path):
        (self.x, self.y), (self.tx, self.ty) = decoded(data / "train"), decoded(data / "test")
        scaled = self.x[::5].float().div(255)
        self.mean, self.deviation = scaled.mean((0, 1, 2)), scaled.std((0, 1, 2))
        self.steps = len(self.x) // BATCH

    def normalised(self, images):
        """uint8 to float, [N, H, W, 3]."""
        return (images.float() / 255 - self.mean) / self.deviation

    def epoch(self):
        """Shuffled, cropped and flipped batches of PyTorch's random numbers."""
        import torch
        import torch.nn.functional as F

        order = torch.randperm(len(self.x))
        for step in range(self.steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            padded = F.pad(self.x[rows], (0, 0, 4, 4, 4, 4))
            shift = torch.randint(0, 9, (BATCH, 2))
            line = torch.arange(32)
            images = padded[
                torch.arange(BATCH)[:, None, None],
                (shift[:, :1] + line)[:, :, None],
                (shift[:, 1:] + line)[:, None, :],
            ]
            flip = torch.rand(BATCH) < 0.5
            images[flip] = images[flip].flip(2)
            yield self.normalised(images), self.y[rows]


def network():
    import torch
    from torch_networks import ResNet20

    model = ResNet20().to(memory_format=torch.channels_last)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return model


def train_torch(data: Path, epochs: int, seed: int, threads: int) -> None:
    """Prints `seconds accuracy`; seconds are those of training steps with their augmentation."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    task = Task(data)
    model = network()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    optimiser = torch.optim.SGD(
        [{"params": decayed, "weight_decay": DECAY}, {"params": plain}],
        lr=RATE, momentum=0.9, nesterov=True,
    )
    total, seconds, i = task.steps * epochs, 0.0, 0
    for epoch in range(epochs):
        model.train()
        start = time.perf_counter()
        for images, labels in task.epoch():
            if i < task.steps:
                factor = (i + 1) / task.steps
            else:
                factor = (1 + math.cos(math.pi * (i - task.steps) / max(1, total - task.steps))) / 2
            for group in optimiser.param_groups:
                group["lr"] = RATE * factor
            optimiser.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(images.permute(0, 3, 1, 2)), labels)
            loss.backward()
            optimiser.step()
            i += 1
        seconds += time.perf_counter() - start
        print(f"torch seed {seed} epoch {epoch}: loss {loss:.3f} {seconds:.0f} s", file=sys.stderr)
    model.eval()
    with torch.inference_mode():
        right = sum(
            (model(task.normalised(a).permute(0, 3, 1, 2)).argmax(1) == b).sum().item()
            for a, b in zip(task.tx.split(500), task.ty.split(500))
        )
    print(f"{seconds:.2f} {right / len(task.ty):.4f}")


def shared_runs(data: Path, epochs: int, seeds: list[int], threads: int, ours: str):
    """Yields accuracies of both sides from the same weights on the same batches."""
    import torch

    sys.path.insert(0, str(HERE.parent / "Tests" / "peers"))
    import training_parity

    if epochs != 2:
        sys.exit("--shared takes --epochs 2: half of its steps warm up")
    torch.set_num_threads(threads)
    task = Task(data)
    test = task.normalised(task.tx)
    for seed in seeds:
        torch.manual_seed(seed)
        state = {k: v.contiguous() for k, v in network().state_dict().items()}
        images = torch.empty(task.steps * epochs, BATCH, 32, 32, 3)
        labels = torch.empty(task.steps * epochs, BATCH, dtype=torch.long)
        for epoch in range(epochs):
            for step, batch in enumerate(task.epoch(), epoch * task.steps):
                images[step], labels[step] = batch
        work = (state, images, labels, test, RATE)
        sides = {
            "ours": lambda: training_parity.engine_trained(ours, *work, threads),
            "torch": lambda: training_parity.trained(*work, torch.float32),
        }
        for side, train in sides.items():
            start = time.perf_counter()
            logits = train()["logits"]
            yield {"side": side, "seed": seed, "seconds": round(time.perf_counter() - start, 2),
                   "accuracy": (logits.argmax(1) == task.ty).float().mean().item()}


def separate_runs(data: Path, options, ours: str):
    """Yields accuracies of both sides, each with random numbers of its own."""
    for seed in options.seeds:  # by turns, so that both meet the same machine
        for side, command in {
            "ours": [ours, "resnet20", str(data), str(options.epochs), str(seed),
                     str(options.threads)],
            "torch": [sys.executable, __file__, str(data), "--epochs", str(options.epochs),
                      "--threads", str(options.threads), "--torch-seed", str(seed)],
        }.items():
            done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
            seconds, accuracy = map(float, done.stdout.split())
            yield {"side": side, "seed": seed, "seconds": seconds, "accuracy": accuracy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--ours", default=".build/release/engine-bench")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--shared", action="store_true", help="same weights and batches")
    parser.add_argument("--torch-seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = Path(options.data).resolve()
    if options.torch_seed is not None:
        return train_torch(data, options.epochs, options.torch_seed, options.threads)
    ours = str(Path(options.ours).resolve())
    found = (
        shared_runs(data, options.epochs, options.seeds, options.threads, ours)
        if options.shared else separate_runs(data, options, ours))
    runs = []
    for run in found:
        runs.append(run)
        print(run, flush=True)
    summary = {}
    for side in ("ours", "torch"):
        mine = [r for r in runs if r["side"] == side]
        accuracies = [r["accuracy"] for r in mine]
        summary[side] = {
            "accuracyMean": round(statistics.mean(accuracies), 4),
            "accuracySpread": round(max(accuracies) - min(accuracies), 4),
            "secondsMedian": statistics.median(r["seconds"] for r in mine),
        }
    if not options.shared:  # there the engine's batches come from a file
        summary["speedRatio"] = round(
            summary["torch"]["secondsMedian"] / summary["ours"]["secondsMedian"], 3)
    print(summary)
    name = "resnet20_cifar10_shared" if options.shared else "resnet20_cifar10"
    out = HERE / "results" / f"{name}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({
        "schema": "swiftlet.benchmark", "version": 1, "epochs": options.epochs,
        "threads": options.threads, "runs": runs, "summary": summary}, indent=1) + "\n")


if __name__ == "__main__":
    main()
