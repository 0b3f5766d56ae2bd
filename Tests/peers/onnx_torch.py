"""PyTorch's own exports of the network that SampleGraphs.mobile builds.

onnx_torch.py FOLDER: FOLDER/NAME.onnx for operator sets 9 to 20, with batch normalisation kept,
flattened by `flatten` or `view`, fixed or dynamic batch. Weights are random, and so distinct.
"""
import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")


def block(inputs, outputs, kernel, stride=1, groups=1, activation=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers + [nn.Hardswish()] * activation)


class Mobile(nn.Module):
    def __init__(self, view):
        super().__init__()
        self.view = view
        self.stem = block(3, 16, 3, 2)
        self.expand = block(16, 64, 1)
        self.depth = block(64, 64, 5, groups=64)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.gate = nn.Sequential(nn.Conv2d(64, 64, 1), nn.Hardsigmoid())
        self.project = block(64, 16, 1, activation=False)
        self.relu6 = nn.ReLU6()
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(16, 10)

    def forward(self, images):
        stem = self.stem(images)
        value = self.depth(self.expand(stem))
        value = value * self.gate(self.pool(value))
        value = self.relu6(self.project(value) + stem)
        value = self.pool(value)
        value = value.view(value.size(0), -1) if self.view else torch.flatten(value, 1)
        return self.classifier(self.dropout(value))


torch.manual_seed(0)
for view in (False, True):
    network = Mobile(view).eval()
    for opset in (9, 11, 13, 14, 17, 18, 20):
        for fold in (False, True):
            torch.onnx.export(
                network, torch.randn(1, 3, 32, 32),
                f"{sys.argv[1]}/{'view' if view else 'flatten'}-{opset}-{'fold' if fold else 'plain'}.onnx",
                opset_version=opset, dynamo=False, do_constant_folding=fold,
                training=torch.onnx.TrainingMode.PRESERVE)
