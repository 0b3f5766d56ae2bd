"""Trains ResNet-20 from the same weights on the same batches in PyTorch and in the engine.

    python Tests/peers/training_parity.py --ours .build-test/release/engine-bench

Prints how far PyTorch's float32 and ours are from PyTorch's float64: in each step's loss, in every
trained tensor and running statistic at the end, and in the logits of an evaluation. Rounding
grows from step to step in any float32 run (at a rate of 0.2 a hundredfold in ten steps, hence the
small default); the engine must stay as close to float64 as PyTorch's float32 does, up to a factor
of 10.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks"))
from torch_networks import ResNet20  # noqa: E402


def factor(step: int, warm_up: int, total: int) -> float:
    """Linear warm-up, then half a cosine."""
    if step < warm_up:
        return (step + 1) / warm_up
    return (1 + math.cos(math.pi * (step - warm_up) / max(1, total - warm_up))) / 2


def trained(state, images, labels, test, rate: float, dtype) -> dict[str, torch.Tensor]:
    """What the engine writes: losses, logits, network/PATH."""
    model = ResNet20().to(dtype)
    model.load_state_dict({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()})
    model.train()
    optimiser = torch.optim.SGD(
        [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 5e-4},
         {"params": [p for p in model.parameters() if p.dim() <= 1]}],
        lr=rate, momentum=0.9, nesterov=True,
    )
    losses = []
    for step, (x, y) in enumerate(zip(images, labels)):
        for group in optimiser.param_groups:
            group["lr"] = rate * factor(step, len(images) // 2, len(images))
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x.permute(0, 3, 1, 2).to(dtype)), y)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    model.eval()
    with torch.inference_mode():
        logits = torch.cat([model(x.permute(0, 3, 1, 2).to(dtype)) for x in test.split(500)])
    found = {f"network/{k}": v for k, v in model.state_dict().items() if v.is_floating_point()}
    return {**found, "losses": torch.stack(losses), "logits": logits}


def engine_trained(ours: str, state, images, labels, test, rate: float, threads: int):
    with tempfile.TemporaryDirectory() as folder:
        source, result = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
        weights = {f"network/{k}": v for k, v in state.items() if v.is_floating_point()}
        save_file({**weights, "images": images, "labels": labels.float(), "test": test,
                   "rate": torch.tensor([rate])}, source)
        subprocess.run([ours, "trajectory", source, result, str(threads)], check=True)
        return load_file(result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", default=".build/release/engine-bench")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(2)
    state = ResNet20().state_dict()
    # Classes that can be learnt: a pattern for each, under noise.
    patterns = torch.randn(10, 32, 32, 3)
    labels = torch.randint(0, 10, (options.steps, options.batch))
    images = patterns[labels] + torch.randn(options.steps, options.batch, 32, 32, 3)
    test = patterns + torch.randn(10, 32, 32, 3)
    data = (state, images, labels, test, options.rate)
    ours = engine_trained(str(Path(options.ours).resolve()), *data, threads=2)
    exact, single = trained(*data, torch.float64), trained(*data, torch.float32)
    fine = exact.keys() == ours.keys()
    for key, reference in exact.items():
        scale = reference.abs().max()
        peer, mine = ((found[key] - reference).abs().max() / scale for found in (single, ours))
        # A float's own rounding is the least to be expected.
        good = mine <= 10 * max(peer, 2.0**-23)
        fine = fine and bool(good)
        if not good or "/" not in key:
            print(f"{key:36} PyTorch {peer:.1e} ours {mine:.1e} {'' if good else 'TOO FAR'}")
    print("agree" if fine else "DISAGREE")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
