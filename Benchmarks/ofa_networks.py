"""A once-for-all space of `searchspaces/` written with the layers of the published `ofa` package.

Spaces after MobileNetV3: convolution, stages of inverted residuals, two head convolutions around the
global pool, classifier. The package's own OFAMobileNetV3 has ImageNet's strides and widths built in;
everything but its constructor is used as published.
"""

import re
from pathlib import Path

import torch
import torch.nn.functional as F
import yaml
from torch import nn

import ofa_package  # noqa: F401
from ofa.imagenet_classification.elastic_nn.modules.dynamic_layers import (
    DynamicMBConvLayer,
)
from ofa.imagenet_classification.elastic_nn.networks import OFAMobileNetV3
from ofa.imagenet_classification.elastic_nn.utils import set_running_statistics
from ofa.imagenet_classification.networks import MobileNetV3
from ofa.utils.layers import (
    ConvLayer,
    IdentityLayer,
    LinearLayer,
    MBConvLayer,
    ResidualBlock,
)

SPACES = Path(__file__).resolve().parent.parent / "searchspaces"
ACTIVATIONS = {"relu": "relu", "hswish": "h_swish"}


def numbers(value) -> list:
    return value if isinstance(value, list) else [value]


class SpaceNetwork(OFAMobileNetV3):
    """The supernet of a space file."""

    def __init__(self, name: str):
        space = yaml.safe_load((SPACES / f"{name}.yaml").read_text())
        convolutions, blocks = [], []
        self.block_group_info = []
        channels, depths, kernels, expands = 3, set(), set(), set()
        for layer in space["layers"]:
            (kind, options), = layer.items()
            if kind == "conv":
                convolutions.append(
                    ConvLayer(
                        channels, options["out"], options.get("kernel", 1),
                        options.get("stride", 1), use_bn=options.get("norm", True),
                        act_func=ACTIVATIONS[options["activation"]]))
                channels = options["out"]
            elif kind == "stage":
                stage = self.stage(channels, options)
                channels = options["out"]
                block = options["block"]["mbconv"]
                if isinstance(options["depth"], list):
                    first = len(blocks)
                    self.block_group_info.append(list(range(first, first + len(stage))))
                    depths |= set(options["depth"])
                    kernels |= set(block["kernel"])
                    expands |= set(block["expand"])
                blocks += stage
        first, expand, mix = convolutions
        MobileNetV3.__init__(
            self, first, blocks, expand, mix, LinearLayer(channels, space["classes"]))
        self.set_bn_param(momentum=0.1, eps=space.get("epsilon", 1e-5))
        self.ks_list, self.expand_ratio_list, self.depth_list = map(
            sorted, (kernels, expands, depths))
        self.runtime_depth = [len(group) for group in self.block_group_info]

    @staticmethod
    def stage(channels: int, options: dict) -> list[nn.Module]:
        block, out = options["block"]["mbconv"], options["out"]
        activation, se = ACTIVATIONS[block["activation"]], block.get("se", False)
        result = []
        for i in range(max(numbers(options["depth"]))):
            stride = options.get("stride", 1) if i == 0 else 1
            if isinstance(options["depth"], list):
                conv = DynamicMBConvLayer(
                    [channels], [out], block["kernel"], block["expand"], stride, activation, se)
            else:
                conv = MBConvLayer(
                    channels, out, block["kernel"], stride, block["expand"], act_func=activation,
                    use_se=se)
            keeps = stride == 1 and channels == out
            result.append(ResidualBlock(conv, IdentityLayer(out, out) if keeps else None))
            channels = out
        return result

    def activate(self, architecture: str) -> int:
        """Sets the subnet of an id of this project; its resolution in pixels."""
        resolution, *stages = architecture.split(":")[1].split("-")
        assert len(stages) == len(self.block_group_info), architecture
        kernels, expands, depths = [], [], []
        for stage, group in zip(stages, self.block_group_info):
            blocks = [re.fullmatch(r"k(\d+)e(\d+)", block).groups() for block in stage.split("_")]
            depths.append(len(blocks))
            blocks += [blocks[-1]] * (len(group) - len(blocks))  # these do not run
            kernels += [int(k) for k, _ in blocks]
            expands += [int(e) for _, e in blocks]
        self.set_active_subnet(ks=kernels, e=expands, d=depths)
        return int(resolution[1:])

    def cost(self, architecture: str) -> dict[str, int]:
        """Multiply-accumulates of one image, and parameters, of the extracted subnet."""
        side = self.activate(architecture)
        subnet = self.get_active_subnet(preserve_weight=False).eval()
        macs = 0

        def count(module, _, output):
            nonlocal macs
            macs += output.numel() * module.weight[0].numel()

        for module in subnet.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                module.register_forward_hook(count)
        with torch.no_grad():
            subnet(torch.zeros(1, 3, side, side))
        return {"macs": macs, "parameters": sum(p.numel() for p in subnet.parameters())}


def resized(images: torch.Tensor, side: int) -> torch.Tensor:
    if images.shape[2] == side:
        return images
    return F.interpolate(
        images, size=side, mode="bilinear", antialias=True, align_corners=False)


class Workload:
    """The training steps and evaluations of `plan`, see `engine-bench supernet`."""

    def __init__(self, plan: dict, memory_format: torch.memory_format):
        torch.manual_seed(1)
        self.plan, self.format = plan, memory_format
        self.network, self.teacher = (self.made() for _ in range(2))
        decayed = [p for p in self.network.parameters() if p.dim() > 1]
        others = [p for p in self.network.parameters() if p.dim() <= 1]
        self.optimiser = torch.optim.SGD(
            [{"params": decayed, "weight_decay": 3e-5}, {"params": others}], lr=0.01,
            momentum=0.9, nesterov=True)
        self.images = self.random(plan["batch"])
        self.labels = torch.randint(0, plan["classes"], (plan["batch"],))
        self.judging = None

    def made(self) -> SpaceNetwork:
        network = SpaceNetwork(self.plan["space"])
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
        return network.to(memory_format=self.format).train()

    def random(self, count: int) -> torch.Tensor:
        side = self.plan["side"]
        return torch.randn(count, 3, side, side).contiguous(memory_format=self.format)

    def step(self, kind: str, number: int) -> None:
        """`sandwich`: the first subnet learns labels and teaches the others. `shrinking`: all learn
        labels and from a network of their own, which computes in training mode, as published."""
        soft = None
        if kind == "shrinking":
            with torch.no_grad():
                self.teacher.set_max_net()
                soft = self.teacher(self.images).softmax(1)
        self.optimiser.zero_grad(set_to_none=True)
        for position, subnet in enumerate(self.plan["steps"][kind][number]):
            x = resized(self.images, self.network.activate(subnet))
            logits = self.network(x)
            loss = 0
            if position == 0 or kind == "shrinking":
                loss = F.cross_entropy(logits, self.labels, label_smoothing=0.1)
            if soft is None:
                soft = logits.detach().softmax(1)
            else:
                loss = loss + F.cross_entropy(logits, soft)
            loss.backward()
        self.optimiser.step()

    def evaluate(self, number: int) -> float:
        """Accuracy of a subnet with statistics of its own, by the published functions."""
        if self.judging is None:
            count, judged = self.plan["recalibration"], self.plan["validation"]
            self.judging = (
                [(batch, None) for batch in self.random(count).split(200)],
                [(batch, torch.randint(0, self.plan["classes"], (len(batch),)))
                 for batch in self.random(judged).split(200)])
        training, validation = self.judging
        side = self.network.activate(self.plan["evaluated"][number])
        with torch.inference_mode():
            subnet = self.network.get_active_subnet(preserve_weight=True)
            subnet = subnet.to(memory_format=self.format).eval()
            set_running_statistics(subnet, [(resized(x, side), None) for x, _ in training])
            hits = sum(
                int((subnet(resized(x, side)).argmax(1) == labels).sum())
                for x, labels in validation)
        return hits / self.plan["validation"]
