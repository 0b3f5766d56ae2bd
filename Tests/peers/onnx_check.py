"""Checks ONNX files with their own tools: the full checker, and a run in ONNX Runtime.

onnx_check.py FILE...: one JSON line a file, {"file", "outputs": [[shape, mean, deviation]],
"nodes", "weights": {name: [shape, mean, deviation]}, "metadata"}; status 1 with the tool's words
at the first file that fails.
"""
import json
import sys

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime


def moments(array):
    array = np.asarray(array, dtype=np.float64)
    return [list(array.shape), float(array.mean()), float(array.std())]


def check(path):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64,
             "tensor(bool)": np.bool_, "tensor(float16)": np.float16}
    feed = {}
    for value in session.get_inputs():
        shape = [axis if isinstance(axis, int) else 2 for axis in value.shape]
        feed[value.name] = np.asarray(random.standard_normal(shape)).astype(types[value.type])
    results = session.run(None, feed)
    return {
        "file": path,
        "outputs": [moments(result) for result in results],
        "outputNames": [value.name for value in session.get_outputs()],
        "nodes": len(model.graph.node),
        "weights": {
            tensor.name: moments(onnx.numpy_helper.to_array(tensor))
            for tensor in model.graph.initializer
            if tensor.data_type != onnx.TensorProto.STRING
        },
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "irVersion": model.ir_version,
        "producer": model.producer_name,
    }


for path in sys.argv[1:]:
    print(json.dumps(check(path)))
