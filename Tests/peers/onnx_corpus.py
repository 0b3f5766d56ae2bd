"""Writes the models that the onnx package carries, with what it knows about them.

onnx_corpus.py FOLDER [CASE...]: all models, or only the named node cases; FOLDER/NNNN.onnx, and FOLDER/index.json, a list of {"file", "name",
"nodes", "values": {name: [element type, shape or null]}, "bare"}. Shapes come from the model and
from onnx.shape_inference; an axis is a number, a name or null. A model appears twice: as it is,
and `bare`, with the shapes of all results removed, so that a reader has to infer them.
"""
import glob
import json
import os
import sys

import onnx
from onnx import TensorProto
from onnx.backend.test.case.node import collect_testcases


def type_of(value):
    if not value.type.HasField("tensor_type"):
        return None
    tensor = value.type.tensor_type
    shape = None
    if tensor.HasField("shape"):
        shape = [
            axis.dim_value if axis.HasField("dim_value") else axis.dim_param or None
            for axis in tensor.shape.dim
        ]
    return [TensorProto.DataType.Name(tensor.elem_type).lower(), shape]


def count(graph):
    total = len(graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                total += count(attribute.g)
            total += sum(count(inner) for inner in attribute.graphs)
    return total


def known(model):
    """Types of the outermost graph's results, by name."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # The peer can't; the model's own words stay.
        inferred = model
    values = {}
    for source in (inferred, model):
        for value in list(source.graph.value_info) + list(source.graph.output):
            if (found := type_of(value)) is not None:
                values[value.name] = found
    return values


def write(model, name, folder, index):
    for node in model.graph.node:
        node.name = ""  # So that readers name a node by its first result.
    values, nodes = known(model), count(model.graph)
    for bare in (False, True):
        if bare:
            del model.graph.value_info[:]
            for value in model.graph.output:
                if value.type.HasField("tensor_type"):
                    value.type.tensor_type.ClearField("shape")
        file = f"{len(index):04d}.onnx"
        with open(os.path.join(folder, file), "wb") as out:
            out.write(model.SerializeToString())
        index.append({"file": file, "name": name, "nodes": nodes, "values": values, "bare": bare,
                      "functions": len(model.functions), "bytes": model.ByteSize()})


folder, chosen, index = sys.argv[1], set(sys.argv[2:]), []
root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
for path in sorted(glob.glob(os.path.join(root, "**", "*.onnx"), recursive=True)):
    if not chosen:
        write(onnx.load(path), os.path.relpath(path, root), folder, index)
for case in collect_testcases(None):
    if case.model is not None and (not chosen or case.name in chosen):
        write(case.model, case.name, folder, index)
with open(os.path.join(folder, "index.json"), "w") as out:
    json.dump(index, out)
print(len(index))
