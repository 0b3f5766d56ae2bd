"""The published `ofa` package and our supernets: same weights in, same numbers out.

    ofa_equality.py [--seed S] [--subnets N] [--space NAME ...] [--probe FILE] [--processes N]

For each space the package's network gets random weights and random BatchNorm statistics, and its state
dict is read by name. For N random subnets the logits must agree to 1e-4 of the largest of them: computed
as a view, after extraction, after recalibration on the same images, and after channel sorting. So must
loss and gradients of a training step.
The state dict that we write must load into the package and compute the same. Subnets are divided into
parts of 25, each with the same supernet, which several processes of one thread work off.
"""

import argparse
import copy
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Benchmarks"))

import ofa_package  # noqa: E402, F401
from ofa.imagenet_classification.elastic_nn.networks import (  # noqa: E402
    OFAMobileNetV3,
    OFAProxylessNASNets,
    OFAResNets,
)
from ofa.imagenet_classification.elastic_nn.utils import set_running_statistics  # noqa: E402

TOLERANCE = 1e-4
# Gradients are compared with float64's, tensor by tensor. A value near a ReLU's kink falls on one
# side in float64 and on the other in float32, which changes the gradients behind it by some per cent.
BOUNDS = {"gradients, worst tensor": 0.25}
PART = 25
# Layers know no resolution: images may be smaller than what subnets are meant for. Even and odd
# sizes on the way down; as many pixels as keep the statistics' rounding errors small.
SIDES = [96, 88]
RECALIBRATION = [16, 10]  # images a batch: statistics are weighted by images, not by batches
KERNELS, EXPANDS, DEPTHS = [3, 5, 7], [3, 4, 6], [2, 3, 4]
RESNET_EXPANDS, WIDTHS = [0.2, 0.25, 0.35], [0.65, 0.8, 1.0]


def mobile(kind, width):
    return kind(
        dropout_rate=0, width_mult=width, ks_list=KERNELS, expand_ratio_list=EXPANDS,
        depth_list=DEPTHS)


def resnet():
    return OFAResNets(
        dropout_rate=0, depth_list=[0, 1, 2], expand_ratio_list=RESNET_EXPANDS,
        width_mult_list=WIDTHS)


SPACES = {
    "ofa-mobilenetv3": lambda: mobile(OFAMobileNetV3, 1.0),
    "ofa-mobilenetv3-w1.2": lambda: mobile(OFAMobileNetV3, 1.2),
    "ofa-proxylessnas": lambda: mobile(OFAProxylessNASNets, 1.3),
    "ofa-resnet50": resnet,
}


def sample_mobile(rng, stages, resolution):
    """Our id and the package's settings of a random subnet; `stages` are the blocks of each stage."""
    kernels, expands, depths, parts = [], [], [], []
    for blocks in stages:
        genes = [(rng.choice(KERNELS), rng.choice(EXPANDS)) for _ in range(blocks)]
        depth = rng.choice(DEPTHS) if blocks > 1 else 1
        kernels += [k for k, _ in genes]
        expands += [e for _, e in genes]
        depths.append(depth)
        parts.append("_".join(f"k{k}e{e}" for k, e in genes[:depth]))
    return f"r{resolution}-" + "-".join(parts), dict(ks=kernels, e=expands, d=depths)


def sample_resnet(rng, resolution):
    # Every third subnet has all stages at full width; see the last comparison.
    widths = [rng.randrange(3) for _ in range(6)]
    if rng.randrange(3) == 0:
        widths[2:] = [2] * 4
    keeps = rng.randrange(2)
    depths = [2 * keeps] + [rng.randrange(3) for _ in range(4)]
    expands = [rng.choice(RESNET_EXPANDS) for _ in range(18)]
    parts = [f"r{resolution}", f"w{WIDTHS[widths[0]]:g}", f"d{keeps}", f"w{WIDTHS[widths[1]]:g}"]
    start = 0
    for stage, base in enumerate([2, 2, 4, 2]):
        blocks = expands[start:start + base + depths[stage + 1]]
        parts.append("_".join([f"w{WIDTHS[widths[stage + 2]]:g}"] + [f"e{e:g}" for e in blocks]))
        start += base + 2
    return "-".join(parts), dict(d=depths, e=expands, w=widths)


def randomize(network, generator):
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "_matrix" in name:  # the identity and some noise, as after training
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(0.1 * noise / parameter.shape[0] ** 0.5)
            elif parameter.dim() > 1:
                fan = parameter[0].numel()
                values = torch.randn(parameter.shape, generator=generator) * (1.0 / fan) ** 0.5
                parameter.copy_(distinct(values))
            elif name.endswith("weight"):
                parameter.copy_(0.5 + torch.rand(parameter.shape, generator=generator))
            else:
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.2 * torch.randn(buffer.shape, generator=generator))
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))


def distinct(values):
    """The weights with sums of absolute values that are exact and different for each input channel:
    channels are then ordered alike whatever the order of summation and the way of sorting."""
    values = (values * 65536).round()  # multiples of 2^-16
    if values.dim() == 4 and values.shape[1] > 1:
        seen = set()
        for channel in range(values.shape[1]):
            part = values[:, channel]
            importance = int(part.abs().sum())
            while importance in seen:
                part[0, 0, 0] += 1 if part[0, 0, 0] >= 0 else -1
                importance += 1
            seen.add(importance)
    return values / 65536


def state(network):
    return {
        name: value.contiguous().clone()
        for name, value in network.state_dict().items()
        if value.dtype == torch.float32
    }


def probe_path(given):
    if given:
        return Path(given)
    for build in (".build-test", ".build"):
        path = ROOT / build / "release" / "SupernetProbe"
        if path.exists():
            return path
    subprocess.run(
        ["swift", "build", "-c", "release", "--product", "SupernetProbe"], cwd=ROOT, check=True)
    return ROOT / ".build" / "release" / "SupernetProbe"


class Comparison:
    """The largest relative differences, by what was compared."""

    def __init__(self):
        self.worst = {}

    def add(self, what, ours, theirs):
        scale = theirs.abs().max().item()
        self.note(what, (ours - theirs).abs().max().item() / scale)

    def note(self, what, difference):
        if not difference <= self.worst.get(what, -1.0):
            self.worst[what] = difference

    def report(self, space, subnets):
        ok = all(value <= BOUNDS.get(what, TOLERANCE) for what, value in self.worst.items())
        for what, value in self.worst.items():
            print(f"{space}: {what}: {value:.2e} over {subnets} subnets", flush=True)
        return ok


def draw(space, rng, resolutions, count):
    """Our id, the resolution and the package's settings of random subnets."""
    subnets = []
    for _ in range(count):
        r = rng.choice(resolutions)
        if space == "ofa-resnet50":
            genes, setting = sample_resnet(rng, r)
        else:
            stages = [4] * 5 + ([1] if space == "ofa-proxylessnas" else [])
            genes, setting = sample_mobile(rng, stages, r)
        subnets.append((f"{space}:{genes}", r, setting))
    return subnets


def run(probe, folder, network, images, **job):
    """What our supernet computes with the package's weights."""
    files = {name: str(folder / f"{name}.safetensors") for name in ("weights", "images", "output")}
    save_file(state(network), files["weights"])
    save_file(images, files["images"])
    path = folder / "job.json"
    path.write_text(json.dumps(dict(job, **files, threads=1)))
    environment = dict(os.environ, SWIFTLET_ROOT=str(ROOT))
    subprocess.run([str(probe), str(path)], check=True, cwd=ROOT, env=environment)
    return load_file(files["output"])


def check(space, seed, part, count, probe):
    """The largest differences over one part of the subnets."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    network = SPACES[space]()
    randomize(network, generator)
    network.eval()
    resolutions = [160, 192] if space == "ofa-mobilenetv3-w1.2" else [128, 160]
    images = {}
    for r, side in zip(resolutions, SIDES):
        images[f"images-{r}"] = torch.randn(2, 3, side, side, generator=generator)
        for batch, size in enumerate(RECALIBRATION):
            images[f"recalibration-{r}-{batch}"] = torch.randn(
                size, 3, side, side, generator=generator)
    subnets = draw(space, random.Random(f"{space} {seed} {part}"), resolutions, count)
    labels = [37 * i % 1000 for i in range(RECALIBRATION[0])]
    with tempfile.TemporaryDirectory() as folder:
        ours = run(
            probe, Path(folder), network, images, space=space, ids=[s[0] for s in subnets],
            sortings=2, labels=labels)

    comparison = Comparison()
    compare_gradients(comparison, ours, network, subnets[0], images, labels)
    written = SPACES[space]()
    written.load_state_dict(
        {k.removeprefix("state/"): v for k, v in ours.items() if k.startswith("state/")})
    written.eval()
    with torch.no_grad():
        for i, (_, r, setting) in enumerate(subnets):
            x = images[f"images-{r}"]
            network.set_active_subnet(**setting)
            whole = network(x)
            comparison.add("as a view", ours[f"logits/{i}"], whole)
            alone = network.get_active_subnet(preserve_weight=True).eval()
            comparison.add("extracted", ours[f"extracted/{i}"], alone(x))
            set_running_statistics(
                alone,
                [(images[f"recalibration-{r}-{b}"], None) for b in range(len(RECALIBRATION))])
            comparison.add("recalibrated", ours[f"recalibrated/{i}"], alone(x))
            written.set_active_subnet(**setting)
            comparison.add("our state dict in the package", written(x), whole)
        for stage in range(2):
            network.re_organize_middle_weights(expand_ratio_stage=stage)
            for i, (_, r, setting) in enumerate(subnets):
                if stage > 0 and "w" in setting:
                    # The package adds 1e5 to importances in float32, which makes ties that only the
                    # whole width does not depend on.
                    if any(w < 2 for w in setting["w"][2:]):
                        continue
                network.set_active_subnet(**setting)
                comparison.add(
                    f"channels sorted, stage {stage}", ours[f"sorted-{stage}/{i}"],
                    network(images[f"images-{r}"]))
    return comparison.worst


def compare_gradients(comparison, ours, network, subnet, images, labels):
    """Loss and gradients of a training pass of our first subnet with those of the package's."""
    _, r, setting = subnet
    network = copy.deepcopy(network).double().train()
    network.set_active_subnet(**setting)
    logits = network(images[f"recalibration-{r}-0"].double())
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    comparison.add("loss in training", ours["loss"].double(), loss.detach())
    theirs = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
    norm = sum(g.square().sum() for g in theirs.values()).sqrt()
    errors = []
    for name, gradient in theirs.items():
        # Biases before a norm have none: what float32 finds there is rounding.
        if gradient.norm() > 1e-7 * norm:
            found = ours[f"gradient/{name}"].double()
            errors.append(((found - gradient).norm() / gradient.norm()).item())
    comparison.note("gradients, worst tensor", max(errors))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--subnets", type=int, default=100)
    parser.add_argument("--space", action="append", choices=SPACES)
    parser.add_argument("--probe", help="SupernetProbe; found or built when left out")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    probe = probe_path(arguments.probe)
    good = True
    # Fresh processes: torch's threads do not survive a fork.
    pool = ProcessPoolExecutor(
        arguments.processes, mp_context=multiprocessing.get_context("spawn"))
    with pool:
        parts = {
            space: [
                pool.submit(
                    check, space, arguments.seed, part, min(PART, arguments.subnets - start), probe)
                for part, start in enumerate(range(0, arguments.subnets, PART))]
            for space in arguments.space or SPACES}
        for space, results in parts.items():
            comparison = Comparison()
            for result in results:
                for what, difference in result.result().items():
                    comparison.note(what, difference)
            good = comparison.report(space, arguments.subnets) and good
    if not good:
        sys.exit(f"differences above {TOLERANCE}")


if __name__ == "__main__":
    main()
