"""ResNet-20 on CIFAR-10 with one short recipe, in PyTorch and in the engine, three seeds each.

    python Benchmarks/resnet20_cifar10.py DATA --epochs 4 --seeds 1 2 3

DATA holds train/<class>/*.jpg and test/<class>/*.jpg. Recipe: batch 128, SGD with Nesterov momentum
0.9, weight decay 5e-4 (none for norms and biases), rate 0.2 with one epoch of linear warm-up and a
cosine to 0, pad-4 random crop and flip, label smoothing none. Accuracy is the last epoch's, on all
test images. Writes Benchmarks/results/resnet20_cifar10.json.
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


def train_torch(data: Path, epochs: int, seed: int, threads: int) -> None:
    """Prints `seconds accuracy`; seconds are those of training steps with their augmentation."""
    import torch
    import torch.nn.functional as F
    from torch_networks import ResNet20

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    (x, y), (tx, ty) = decoded(data / "train"), decoded(data / "test")
    scaled = x[::5].float().div(255)
    mean, deviation = scaled.mean((0, 1, 2)), scaled.std((0, 1, 2))
    del scaled

    def ready(batch):  # uint8 NHWC -> normalised, channels_last
        return ((batch.float() / 255 - mean) / deviation).permute(0, 3, 1, 2)

    model = ResNet20().to(memory_format=torch.channels_last)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    optimiser = torch.optim.SGD(
        [{"params": decayed, "weight_decay": DECAY}, {"params": plain}],
        lr=RATE, momentum=0.9, nesterov=True,
    )
    steps = len(x) // BATCH
    total, seconds = steps * epochs, 0.0
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(x))
        start = time.perf_counter()
        for step in range(steps):
            i = epoch * steps + step
            if i < steps:
                factor = (i + 1) / steps
            else:
                factor = (1 + math.cos(math.pi * (i - steps) / max(1, total - steps))) / 2
            for group in optimiser.param_groups:
                group["lr"] = RATE * factor
            rows = order[step * BATCH : (step + 1) * BATCH]
            padded = F.pad(x[rows], (0, 0, 4, 4, 4, 4))
            shift = torch.randint(0, 9, (BATCH, 2))
            line = torch.arange(32)
            images = padded[
                torch.arange(BATCH)[:, None, None],
                (shift[:, :1] + line)[:, :, None],
                (shift[:, 1:] + line)[:, None, :],
            ]
            flip = torch.rand(BATCH) < 0.5
            images[flip] = images[flip].flip(2)
            optimiser.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(ready(images)), y[rows])
            loss.backward()
            optimiser.step()
        seconds += time.perf_counter() - start
        print(f"torch seed {seed} epoch {epoch}: loss {loss:.3f} {seconds:.0f} s", file=sys.stderr)
    model.eval()
    with torch.inference_mode():
        right = sum(
            (model(ready(a)).argmax(1) == b).sum().item()
            for a, b in zip(tx.split(500), ty.split(500))
        )
    print(f"{seconds:.2f} {right / len(ty):.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--ours", default=".build/release/engine-bench")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--torch-seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = Path(options.data).resolve()
    if options.torch_seed is not None:
        return train_torch(data, options.epochs, options.torch_seed, options.threads)
    ours = str(Path(options.ours).resolve())
    runs = []
    for seed in options.seeds:  # by turns, so that both meet the same machine
        for side, command in {
            "ours": [ours, "resnet20", str(data), str(options.epochs), str(seed),
                     str(options.threads)],
            "torch": [sys.executable, __file__, str(data), "--epochs", str(options.epochs),
                      "--threads", str(options.threads), "--torch-seed", str(seed)],
        }.items():
            done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
            seconds, accuracy = map(float, done.stdout.split())
            runs.append({"side": side, "seed": seed, "seconds": seconds, "accuracy": accuracy})
            print(runs[-1], flush=True)
    summary = {}
    for side in ("ours", "torch"):
        mine = [r for r in runs if r["side"] == side]
        accuracies = [r["accuracy"] for r in mine]
        summary[side] = {
            "accuracyMean": round(statistics.mean(accuracies), 4),
            "accuracySpread": round(max(accuracies) - min(accuracies), 4),
            "secondsMedian": statistics.median(r["seconds"] for r in mine),
        }
    summary["speedRatio"] = round(
        summary["torch"]["secondsMedian"] / summary["ours"]["secondsMedian"], 3)
    print(summary)
    out = HERE / "results" / "resnet20_cifar10.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({
        "schema": "swiftlet.benchmark", "version": 1, "epochs": options.epochs,
        "threads": options.threads, "runs": runs, "summary": summary}, indent=1) + "\n")


if __name__ == "__main__":
    main()
