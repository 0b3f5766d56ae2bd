#!/usr/bin/env python3
"""Device worker for OpenVINO: times ONNX files for Swiftlet on the processor.

Speaks version 1 of the worker protocol (Docs/worker-protocol.md), with the ONNX Runtime worker's
code for it, which has to lie in the same folder. Needs openvino and numpy. OpenVINO's graph
optimisation cannot be turned down, so `all` is the only level.
"""

import onnxruntime_worker as base

LEVELS = ("all",)


class Network(base.Network):
    """A compiled model with its inputs in place."""

    def __init__(self, request):
        import numpy
        import openvino

        threads, batch, _, self.cpus = base.conditions(request, LEVELS)
        core = openvino.Core()
        try:
            model = core.read_model(base.source(request))
            shapes = {port: list(shape_of(port, batch)) for port in model.inputs}
            model.reshape(shapes)
            compiled = core.compile_model(model, "CPU", options(threads))
        except base.Refusal:
            raise
        except Exception as error:  # the runtime's own classes are not public
            raise base.Refusal("bad-network", base.one_line(error)) from None

        generator = numpy.random.default_rng(base.field(request, "seed", int, 0))
        self.inputs = []
        self.compiled = compiled
        self.infer = compiled.create_infer_request()
        for index, port in enumerate(compiled.inputs):
            kind = TYPES.get(port.element_type.get_type_name(), port.element_type.get_type_name())
            name, shape = port.any_name, tuple(port.shape)
            array = base.random_array(numpy, generator, name, kind, shape)
            self.infer.set_input_tensor(index, openvino.Tensor(array))
            self.inputs.append({"name": name, "shape": list(shape), "elementType": kind})
        self.run = self.infer.infer


TYPES = {
    "f32": "tensor(float)",
    "f64": "tensor(double)",
    "f16": "tensor(float16)",
    "i64": "tensor(int64)",
    "i32": "tensor(int32)",
    "i8": "tensor(int8)",
    "u8": "tensor(uint8)",
    "boolean": "tensor(bool)",
}


def options(threads):
    """One stream that computes in float32 with `threads` threads."""
    return {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",
        # The worker pins the process itself.
        "ENABLE_CPU_PINNING": False,
    }


def shape_of(port, batch):
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        raise base.Refusal("bad-network", f"input '{port.any_name}' has no known rank")
    sizes = [size.get_length() if size.is_static else None for size in shape]
    return base.resolve(port.any_name, sizes, batch)


class Worker(base.Worker):
    network_type = Network
    levels = LEVELS

    @staticmethod
    def runtime():
        import openvino

        return "openvino", openvino.__version__.split("-")[0]


if __name__ == "__main__":
    base.main(Worker())
