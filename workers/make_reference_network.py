#!/usr/bin/env python3
"""Makes Sources/Devices/ReferenceNetwork.swift: a small MobileNet-like network in a few kilobytes.

Its weights are constants that the runtime fills in when it loads the file, so the file is tiny while
the memory it touches is that of a real network. Needs the onnx package.
"""

import base64
import os
import textwrap

import onnx
from onnx import TensorProto, helper

STAGES = [(24, 3, 3, 2, 2), (40, 3, 3, 2, 2), (80, 3, 3, 2, 2), (112, 3, 3, 1, 2), (160, 3, 3, 2, 2)]


def reference():
    """Channels, kernel, expansion, stride and depth of each stage as in STAGES; input 1x3x224x224."""
    nodes, initializers, count = [], [], 0

    def name():
        nonlocal count
        count += 1
        return f"v{count}"

    def constant(shape, value):
        size, out = name(), name()
        initializers.append(helper.make_tensor(size, TensorProto.INT64, [len(shape)], shape))
        filled = helper.make_tensor("value", TensorProto.FLOAT, [1], [value])
        nodes.append(helper.make_node("ConstantOfShape", [size], [out], value=filled))
        return out

    def add(kind, inputs, **attributes):
        out = name()
        nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def conv(x, cin, cout, kernel, stride, group=1, relu=True):
        fan_in = cin // group * kernel * kernel
        weight = constant([cout, cin // group, kernel, kernel], 1 / fan_in)
        pads = [kernel // 2] * 4
        x = add("Conv", [x, weight], strides=[stride, stride], pads=pads, group=group)
        return add("Relu", [x]) if relu else x

    x, channels = conv("input", 3, 16, 3, 2), 16
    for width, kernel, expand, stage_stride, depth in STAGES:
        for index in range(depth):
            stride = stage_stride if index == 0 else 1
            middle = channels * expand
            y = conv(x, channels, middle, 1, 1)
            y = conv(y, middle, middle, kernel, stride, group=middle)
            y = conv(y, middle, width, 1, 1, relu=False)
            x = add("Add", [x, y]) if stride == 1 and channels == width else y
            channels = width
    x = conv(x, channels, 960, 1, 1)
    x = add("Flatten", [add("GlobalAveragePool", [x])])
    nodes.append(helper.make_node("MatMul", [x, constant([960, 1000], 1 / 960)], ["output"]))
    graph = helper.make_graph(
        nodes,
        "reference",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 224, 224])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", 1000])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def main():
    lines = textwrap.wrap(base64.b64encode(reference()).decode(), 96)
    body = "\\\n".join("    " + line for line in lines)
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "Sources", "Devices", "ReferenceNetwork.swift")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            "// Made by workers/make_reference_network.py; do not edit.\n\n"
            "/// The network against which a device's momentary speed is told: an ONNX file in base64.\n"
            "/// MobileNet-like, 224x224, weights filled in when loaded.\n"
            "enum ReferenceNetwork {\n"
            '  static let base64 = """\n' + body + '\n    """\n}\n'
        )


if __name__ == "__main__":
    main()
