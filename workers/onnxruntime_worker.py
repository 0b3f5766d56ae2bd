#!/usr/bin/env python3
"""Device worker for ONNX Runtime: times ONNX files for Swiftlet.

Speaks version 1 of the worker protocol (Docs/worker-protocol.md): one JSON object a line, requests
on stdin, answers on stdout. Needs onnxruntime and numpy.
"""

import base64
import json
import math
import os
import sys
import time

PROTOCOL = 1
MAX_LINE = 512 << 20  # bytes; an inline network is the longest thing in a request
MAX_REPEATS = 100_000

OPTIMIZATION = {
    "all": "ORT_ENABLE_ALL",
    "extended": "ORT_ENABLE_EXTENDED",
    "basic": "ORT_ENABLE_BASIC",
    "off": "ORT_DISABLE_ALL",
}


class Refusal(Exception):
    """A request this worker cannot fulfil: `code` is for programs, the message for people."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def field(request, name, kind, default=None):
    value = request.get(name, default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Refusal("bad-request", f"{request.get('type')}: '{name}' is missing or no {kind.__name__}")
    return value


def cpu_model():
    """The processor's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith(("model name", "Hardware", "Model")):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine() or "unknown"


def pin(cpus, threads):
    """Binds this process to `cpus`, or to the last `threads` of those it may use.

    The last ones, because the first processor commonly serves the interrupts. Returns the list in
    force, which is empty where the system cannot pin.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    if cpus is None:
        cpus = sorted(ALLOWED_CPUS)[-threads:]
    if len(set(cpus)) < threads:
        raise Refusal("bad-request", f"{threads} threads need as many processors, got {cpus}")
    try:
        os.sched_setaffinity(0, cpus)
    except (OSError, ValueError) as error:
        raise Refusal("bad-request", f"cannot run on processors {cpus}: {error}") from None
    return sorted(os.sched_getaffinity(0))


ALLOWED_CPUS = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def conditions(request, levels):
    """Threads, batch, level and processors of a load request, checked; pins the process."""
    threads = field(request, "threads", int, 1)
    batch = field(request, "batch", int, 1)
    level = field(request, "optimization", str, "all")
    precision = field(request, "precision", str, "float32")
    if threads < 1 or batch < 1:
        raise Refusal("bad-request", "threads and batch start at 1")
    if level not in levels:
        raise Refusal("bad-request", f"optimization '{level}' is none of {', '.join(levels)}")
    if precision != "float32":
        raise Refusal("unsupported", f"precision '{precision}': this worker runs float32 only")
    cpus = request.get("cpus")
    if cpus is not None and not (isinstance(cpus, list) and all(type(c) is int for c in cpus)):
        raise Refusal("bad-request", "'cpus' is a list of processor numbers")
    return threads, batch, level, pin(cpus, threads)


def source(request):
    """The network's path, or its bytes."""
    if ("path" in request) == ("inline" in request):
        raise Refusal("bad-request", "load: give either 'path' or 'inline'")
    if "path" in request:
        path = field(request, "path", str)
        if not os.path.isfile(path):
            raise Refusal("bad-network", f"{path}: no such file")
        return path
    try:
        return base64.b64decode(field(request, "inline", str), validate=True)
    except ValueError:
        raise Refusal("bad-request", "load: 'inline' is no base64") from None


class Network:
    """A loaded file with its inputs in place."""

    def __init__(self, request):
        import numpy
        import onnxruntime

        threads, batch, level, self.cpus = conditions(request, OPTIMIZATION)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = getattr(
            onnxruntime.GraphOptimizationLevel, OPTIMIZATION[level]
        )
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(
                source(request), options, providers=["CPUExecutionProvider"]
            )
        except Refusal:
            raise
        except Exception as error:  # the runtime's own classes are not public
            raise Refusal("bad-network", one_line(error)) from None

        generator = numpy.random.default_rng(field(request, "seed", int, 0))
        self.inputs = []
        self.binding = self.session.io_binding()
        for value in self.session.get_inputs():
            shape = resolve(value.name, value.shape, batch)
            array = random_array(numpy, generator, value.name, value.type, shape)
            self.binding.bind_cpu_input(value.name, array)
            self.inputs.append(
                {"name": value.name, "shape": list(shape), "elementType": value.type}
            )
        for value in self.session.get_outputs():
            self.binding.bind_output(value.name)
        session, binding = self.session, self.binding
        self.run = lambda: session.run_with_iobinding(binding)

    def measure(self, request):
        """Milliseconds of each timed run: at most `repeats`, and at most `seconds` in all."""
        warm_up = field(request, "warmUp", int, 0)
        repeats = field(request, "repeats", int)
        seconds = field(request, "seconds", float)
        if not (0 <= warm_up <= MAX_REPEATS and 1 <= repeats <= MAX_REPEATS and seconds > 0):
            raise Refusal("bad-request", f"measure: repeats are 1 to {MAX_REPEATS}, seconds above 0")
        if self.cpus:
            os.sched_setaffinity(0, self.cpus)
        try:
            return self.times(warm_up, repeats, seconds)
        except RuntimeError as error:  # both runtimes' errors are of this class
            message = one_line(error)
            # Another time there may be memory: no fault of the network's.
            if any(words in message for words in ("allocate memory", "bad_alloc", "bad allocation")):
                raise
            raise Refusal("bad-network", message) from None

    def times(self, warm_up, repeats, seconds):
        run, clock = self.run, time.perf_counter_ns
        deadline = clock() + int(seconds * 1e9)
        warmed = 0
        while warmed < warm_up and (warmed == 0 or clock() < deadline):
            run()
            warmed += 1
        times = []
        deadline = clock() + int(seconds * 1e9)
        while True:
            start = clock()
            run()
            end = clock()
            times.append((end - start) / 1e6)
            if len(times) >= repeats or end >= deadline:
                return times, warmed


def resolve(name, shape, batch):
    """The input's shape with numbers everywhere; a free first dimension becomes the batch."""
    if not shape:
        return ()
    first, rest = shape[0], shape[1:]
    if not all(isinstance(size, int) and size > 0 for size in rest):
        raise Refusal("bad-network", f"input '{name}' has free dimensions besides the batch: {shape}")
    if isinstance(first, int) and first > 0 and first != batch:
        raise Refusal("bad-network", f"input '{name}' is fixed to batch {first}, asked for {batch}")
    return (batch, *rest)


def random_array(numpy, generator, name, kind, shape):
    kinds = {
        "tensor(float)": numpy.float32,
        "tensor(double)": numpy.float64,
        "tensor(float16)": numpy.float16,
        "tensor(int64)": numpy.int64,
        "tensor(int32)": numpy.int32,
        "tensor(int8)": numpy.int8,
        "tensor(uint8)": numpy.uint8,
        "tensor(bool)": numpy.bool_,
    }
    if kind not in kinds:
        raise Refusal("bad-network", f"input '{name}' has the element type {kind}")
    if math.prod(shape) > 1 << 30:
        raise Refusal("bad-network", f"input '{name}' is too large: {shape}")
    if kind in ("tensor(float)", "tensor(double)", "tensor(float16)"):
        return generator.standard_normal(shape, dtype=numpy.float32).astype(kinds[kind])
    return numpy.zeros(shape, dtype=kinds[kind])


def one_line(error):
    text = " ".join(str(error).split())
    return text[:500] or type(error).__name__


class Worker:
    """Answers requests; a worker for another runtime overrides the class members."""

    network_type = Network
    levels = tuple(OPTIMIZATION)

    def __init__(self):
        self.networks = {}
        self.last = 0

    def answer(self, request):
        kind = request.get("type")
        if kind == "hello":
            return self.hello(request)
        if kind == "load":
            network = self.network_type(request)
            self.last += 1
            self.networks[self.last] = network
            return {
                "type": "loaded",
                "network": self.last,
                "inputs": network.inputs,
                "cpus": network.cpus,
            }
        if kind == "measure":
            times, warmed = self.network(request).measure(request)
            return {"type": "measured", "times": times, "warmUp": warmed}
        if kind == "unload":
            self.network(request)
            del self.networks[request["network"]]
            return {"type": "unloaded"}
        if kind == "shutdown":
            return {"type": "bye"}
        raise Refusal("bad-request", f"unknown request type {kind!r}")

    def network(self, request):
        number = field(request, "network", int)
        if number not in self.networks:
            raise Refusal("bad-request", f"network {number} is not loaded")
        return self.networks[number]

    def hello(self, request):
        if request.get("protocol") != PROTOCOL:
            raise Refusal(
                "protocol", f"this worker speaks protocol {PROTOCOL}, not {request.get('protocol')!r}"
            )
        try:
            import numpy  # noqa: F401  (needed later; told now)

            runtime, version = self.runtime()
        except ImportError as error:
            package = (error.name or "onnxruntime").split(".")[0]
            raise Refusal(
                "unavailable", f"{one_line(error)}: {sys.executable} -m pip install {package} numpy"
            ) from None
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "runtime": runtime,
            "runtimeVersion": version,
            "cpu": cpu_model(),
            "cpuCount": len(ALLOWED_CPUS) or os.cpu_count() or 1,
            "capabilities": ["path", "inline", "float32"]
            + (["pinning"] if hasattr(os, "sched_setaffinity") else [])
            + ["optimization:" + level for level in self.levels],
        }

    @staticmethod
    def runtime():
        """Name and version of the runtime; raises ImportError where it is missing."""
        import onnxruntime

        return "onnxruntime", onnxruntime.__version__


def lines(descriptor):
    """The lines of a pipe, as bytes, until it closes."""
    line = bytearray()
    while chunk := os.read(descriptor, 1 << 20):
        for index, piece in enumerate(chunk.split(b"\n")):
            if index > 0:
                yield line
                line = bytearray()
            line += piece
            if len(line) > MAX_LINE:
                raise SystemExit("a request longer than the limit")


def serve(worker):
    """Answers the requests on stdin until it ends."""
    # Whatever a library prints must not end up between the answers.
    out = os.dup(1)
    os.dup2(2, 1)
    for line in lines(0):
        if not line.strip():
            continue
        request = {}
        try:
            try:
                request = json.loads(line)
            except ValueError:
                raise Refusal("bad-request", "the line is no JSON") from None
            if not isinstance(request, dict):
                request = {}
                raise Refusal("bad-request", "the line is no JSON object")
            reply = worker.answer(request)
        except Refusal as refusal:
            reply = {"type": "error", "code": refusal.code, "message": str(refusal)}
        except MemoryError:
            reply = {"type": "error", "code": "failed", "message": "out of memory"}
        except Exception as error:  # the runtime may raise anything; the worker stays
            reply = {"type": "error", "code": "failed", "message": one_line(error)}
        if "request" in request:
            reply["request"] = request["request"]
        data = (json.dumps(reply) + "\n").encode()
        while data:
            data = data[os.write(out, data):]
        if reply["type"] == "bye":
            return


def main(worker):
    try:
        serve(worker)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)


if __name__ == "__main__":
    main(Worker())
