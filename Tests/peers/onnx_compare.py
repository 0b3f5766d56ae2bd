"""Runs pairs of models on the same random inputs and compares their results.

onnx_compare.py FOLDER [TOLERANCE]: for each FOLDER/NAME.again.onnx there is FOLDER/NAME.onnx, the original.
The checker has to pass where the original's does. Where the original runs in ONNX Runtime, the
other has to run and give the same results, to TOLERANCE (1e-4) of their largest magnitude. Prints a JSON line
{"checked", "compared"}; status 1 with every difference.
"""
import glob
import json
import sys

import numpy as np
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(4)
TOLERANCE = float(sys.argv[2]) if len(sys.argv) > 2 else 1e-4
TYPES = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16,
    "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(int16)": np.int16,
    "tensor(int8)": np.int8, "tensor(uint64)": np.uint64, "tensor(uint32)": np.uint32,
    "tensor(uint16)": np.uint16, "tensor(uint8)": np.uint8, "tensor(bool)": np.bool_,
}


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # As written: fusions round differently from one graph to another.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def valid(path):
    try:
        onnx.checker.check_model(path, full_check=True)
        return None
    except Exception as error:
        return str(error)


def run(path):
    opened = session(path)
    random = np.random.default_rng(0)
    feed = []
    for value in opened.get_inputs():
        shape = [axis if isinstance(axis, int) else 2 for axis in value.shape]
        values = np.abs(random.standard_normal(shape)) * 2
        feed.append(np.asarray(values).astype(TYPES[value.type]))
    names = [value.name for value in opened.get_inputs()]
    return opened.run(None, dict(zip(names, feed)))


def differs(first, second):
    if isinstance(first, list):
        return len(first) != len(second) or any(map(differs, first, second))
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or first.dtype != second.dtype:
        return True
    if first.dtype.kind not in "fc":
        return not np.array_equal(first, second)
    scale = np.nanmax(np.abs(first[np.isfinite(first)]), initial=1)
    return not np.allclose(
        first, second, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True)


problems, checked, compared = [], 0, 0
for again in sorted(glob.glob(f"{sys.argv[1]}/*.again.onnx")):
    original = again.replace(".again.onnx", ".onnx")
    if valid(original) is None:
        checked += 1
        if (error := valid(again)) is not None:
            problems.append(f"{again}: {error}")
            continue
    try:
        expected = run(original)
        if "random" in onnx.load(original).graph.node[0].op_type.lower():
            continue
        repeated = run(original)
    except Exception:
        continue  # The peer can't run it, or not on made-up inputs.
    if any(map(differs, expected, repeated)):
        continue  # Random by itself.
    compared += 1
    try:
        found = run(again)
    except Exception as error:
        problems.append(f"{again}: {error}")
        continue
    if any(map(differs, expected, found)):
        problems.append(f"{again}: other results")
print(json.dumps({"checked": checked, "compared": compared}))
for problem in problems:
    print(problem.replace("\n", " ")[:500], file=sys.stderr)
sys.exit(bool(problems))
