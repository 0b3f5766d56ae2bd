"""The benchmark networks in PyTorch; Sources/EngineBenchmarks builds the same ones in Swift."""

import torch
from torch import nn
import torch.nn.functional as F


def conv_norm(cin: int, cout: int, k: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
    ]


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, reduced: int):
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, reduced, 1), nn.Conv2d(reduced, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.expand(F.relu(self.reduce(x.mean((2, 3), keepdim=True)), inplace=True))
        return x * F.hardsigmoid(gate)


class MBConv(nn.Module):
    """`se`: hard swish for ReLU, and squeeze and excite by 4 behind the depthwise convolution."""

    def __init__(self, cin: int, cout: int, k: int, stride: int, expand: int, se: bool = False):
        super().__init__()
        mid = cin * expand
        activation = nn.Hardswish if se else nn.ReLU
        self.body = nn.Sequential(
            *conv_norm(cin, mid, 1), activation(inplace=True),
            *conv_norm(mid, mid, k, stride, mid), activation(inplace=True),
            *([SqueezeExcite(mid, mid // 4)] if se else []),
            *conv_norm(mid, cout, 1),
        )
        self.skip = stride == 1 and cin == cout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.skip else self.body(x)


def mobile(expand: int, kernel: int, depth: int, se: bool = False) -> nn.Module:
    """Stem 3x3 -> 16, stages 24 s1, 32 s2, 48 s2, 64 s1, head 1x1 -> 256, 10 classes."""
    layers: list[nn.Module] = [*conv_norm(3, 16, 3), nn.ReLU(inplace=True)]
    cin = 16
    for cout, stride in [(24, 1), (32, 2), (48, 2), (64, 1)]:
        for i in range(depth):
            layers.append(MBConv(cin, cout, kernel, stride if i == 0 else 1, expand, se))
            cin = cout
    layers += [*conv_norm(cin, 256, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 10))


class Basic(nn.Module):
    """ResNet's basic block with the parameter-free shortcut (He et al. 2015, option A)."""

    def __init__(self, cin: int, cout: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = conv_norm(cin, cout, 3, stride)
        self.conv2, self.bn2 = conv_norm(cout, cout, 3)
        self.stride, self.extra = stride, cout - cin

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1 or self.extra:
            x = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(x, (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self, classes: int = 10):
        super().__init__()
        self.conv1, self.bn1 = conv_norm(3, 16, 3)
        blocks, cin = [], 16
        for cout, stride in [(16, 1), (32, 2), (64, 2)]:
            for i in range(3):
                blocks.append(Basic(cin, cout, stride if i == 0 else 1))
                cin = cout
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(64, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


def mlp() -> nn.Module:
    sizes = [128, 400, 400, 400]
    layers: list[nn.Module] = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(400, 1))


def settled(name: str) -> nn.Module:
    """The network for inference. Its norms have seen data: with their initial statistics the
    activations would fade to denormal numbers, and time would be of those."""
    model = build(name).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over batches
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(64, 3, 32, 32).to(memory_format=torch.channels_last))
    return model.eval()


MOBILE = {"e6k7d4": (6, 7, 4), "e4k5d3": (4, 5, 3), "e3k3d2": (3, 3, 2),
          "e4k5d3se": (4, 5, 3, True)}


def build(name: str) -> nn.Module:
    torch.manual_seed(1)
    if name == "mlp":
        return mlp()
    model = ResNet20() if name == "resnet20" else mobile(*MOBILE[name])
    return model.to(memory_format=torch.channels_last)
