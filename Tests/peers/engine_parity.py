"""PyTorch's answers for every operator and layer: values and gradients, computed in float64.

    python Tests/peers/engine_parity.py                       # rewrites the committed goldens
    python Tests/peers/engine_parity.py --seed 7 --out /tmp/p.safetensors
    SWIFTLET_PARITY=/tmp/p.safetensors swift test -c release --filter Parity   # a live run

Each case holds its inputs (`case/in.NAME`, `case/param.PATH`), the upstream gradient `case/g`, the
output `case/out`, and the gradients of sum(out * g): `case/grad.in.NAME`, `case/grad.param.PATH`.
`case/terms` is the length of the longest sum in the case, from which the Swift side derives its
tolerance. Images are NHWC, weights as PyTorch has them. Whole numbers are stored as floats.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

GOLDEN = Path(__file__).parent.parent / "NetworksTests" / "Goldens" / "engine_parity.safetensors"


class Writer:
    def __init__(self, seed: int):
        self.tensors: dict[str, torch.Tensor] = {}
        self.generator = torch.Generator().manual_seed(seed)

    def random(self, *shape: int) -> torch.Tensor:
        """Normal numbers that float32 holds exactly."""
        return torch.randn(shape, generator=self.generator).double()

    def put(self, key: str, value: torch.Tensor) -> None:
        self.tensors[key] = value.detach().float().contiguous().clone()

    def case(self, name: str, run, terms: int, inputs=None, module: nn.Module | None = None,
             images: bool = False, constants=None) -> None:
        """`run(**inputs, **constants)`; `images`: 4-d inputs and outputs are NCHW in PyTorch."""
        inputs, constants = inputs or {}, constants or {}

        def layout(t: torch.Tensor, key: str = "") -> torch.Tensor:
            return t.permute(0, 2, 3, 1) if images and t.dim() == 4 and key != "weight" else t

        leaves = {k: v.clone().requires_grad_() for k, v in inputs.items()}
        if module is not None:
            self.randomise(module)
            for path, parameter in module.state_dict().items():
                if parameter.is_floating_point():
                    self.put(f"{name}/param.{path}", parameter)
        out = run(**leaves, **constants)
        g = self.random(*out.shape) if out.dim() else torch.ones(())
        (out * g).sum().backward()
        for key, leaf in leaves.items():
            self.put(f"{name}/in.{key}", layout(leaf, key))
            self.put(f"{name}/grad.in.{key}", layout(leaf.grad, key))
        for key, value in constants.items():
            self.put(f"{name}/in.{key}", value)
        if module is not None:
            for path, parameter in module.named_parameters():
                self.put(f"{name}/grad.param.{path}", parameter.grad)
            for path, buffer in module.named_buffers():  # running statistics after the step
                if buffer.is_floating_point():
                    self.put(f"{name}/after.{path}", buffer)
        self.put(f"{name}/g", layout(g))
        self.put(f"{name}/out", layout(out))
        self.put(f"{name}/terms", torch.tensor(float(terms)))

    def randomise(self, module: nn.Module) -> None:
        """Norms with scale near 1, everything else with 1 / sqrt(fan in)."""
        module.double()
        for path, value in module.state_dict().items():
            if not value.is_floating_point():
                continue
            drawn = self.random(*value.shape)
            if path.endswith("running_var"):
                drawn = drawn.abs() + 0.5
            elif value.dim() > 1:
                drawn = drawn / value[0].numel() ** 0.5
            elif path.endswith("weight"):
                drawn = 1 + drawn / 4
            else:
                drawn = drawn / 4
            value.copy_(drawn.float().double())


# ---- Operators -----------------------------------------------------------------------------------


def convolutions(w: Writer) -> None:
    #        name          cin cout kernel stride padding dilation groups
    cases = [("dense3", 5, 7, 3, 1, 1, 1, 1), ("dense3s2", 6, 4, 3, 2, 1, 1, 1),
             ("dense5", 3, 8, 5, 1, 2, 1, 1), ("dilated", 4, 5, 3, 1, 2, 2, 1),
             ("grouped", 6, 9, 3, 1, 1, 1, 3), ("valid", 4, 3, 3, 1, 0, 1, 1),
             ("pointwise", 11, 9, 1, 1, 0, 1, 1), ("pointwises2", 6, 5, 1, 2, 0, 1, 1)]
    cases += [(f"dw{k}s{s}", 19, 19, k, s, k // 2, 1, 19) for k in (3, 5, 7) for s in (1, 2)]
    for name, cin, cout, k, stride, pad, dilation, groups in cases:
        w.case(f"conv.{name}",
               lambda x, weight, bias: F.conv2d(x, weight, bias, stride, pad, dilation, groups),
               terms=max(k * k * cin // groups, 2 * 7 * 9), images=True,
               inputs={"x": w.random(2, cin, 7, 9), "bias": w.random(cout),
                       "weight": w.random(cout, cin // groups, k, k)})
    # 1 row above, 2 below, 0 columns left, 1 right.
    w.case("conv.asymmetric", lambda x, weight: F.conv2d(F.pad(x, (0, 1, 1, 2)), weight, None, 2),
           terms=126, images=True,
           inputs={"x": w.random(2, 4, 7, 9), "weight": w.random(5, 4, 3, 3)})


def activations(w: Writer) -> None:
    functions = {"relu": F.relu, "relu6": F.relu6, "hardSwish": F.hardswish, "swish": F.silu,
                 "hardSigmoid": F.hardsigmoid, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
                 "gelu": F.gelu}
    for name, f in functions.items():
        w.case(f"activation.{name}", f_of(f), terms=1, inputs={"x": 3 * w.random(7, 37)})
    for name, f in {"exp": torch.exp, "abs": torch.abs, "square": torch.square,
                    "softplus": F.softplus}.items():
        w.case(f"unary.{name}", f_of(f), terms=1, inputs={"x": w.random(5, 9)})
    for name, f in {"log": torch.log, "sqrt": torch.sqrt}.items():
        w.case(f"unary.{name}", f_of(f), terms=1, inputs={"x": w.random(5, 9).abs() + 0.125})


def f_of(f):
    return lambda x: f(x)


def arithmetic(w: Writer) -> None:
    pairs = {"same": ((3, 4, 5), (3, 4, 5)), "row": ((3, 4, 5), (5,)), "middle": ((3, 4, 5), (4, 1)),
             "both": ((3, 1, 5), (1, 4, 1)), "scalar": ((3, 4), ())}
    for shape, (a, b) in pairs.items():
        for name, f in {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul,
                        "divide": torch.div}.items():
            right = w.random(*b)
            right = right.sign() * (right.abs() + 0.5) if name == "divide" else right
            w.case(f"binary.{name}.{shape}", (lambda f: lambda a, b: f(a, b))(f), terms=60,
                   inputs={"a": w.random(*a), "b": right})
    w.case("matmul", lambda a, b: a @ b, terms=13,
           inputs={"a": w.random(7, 13), "b": w.random(13, 6)})
    w.case("sum", lambda x: x.sum(1), terms=7, inputs={"x": w.random(4, 7, 3)})
    w.case("mean", lambda x: x.mean((0, 1)), terms=28, inputs={"x": w.random(4, 7, 3)})
    w.case("softmax", lambda x: F.softmax(x, -1), terms=13, inputs={"x": 3 * w.random(5, 13)})
    w.case("logSoftmax", lambda x: F.log_softmax(x, -1), terms=13, inputs={"x": 3 * w.random(5, 13)})
    w.case("concat", lambda a, b: torch.cat([a, b], 1), terms=1, images=True,
           inputs={"a": w.random(2, 3, 4, 5), "b": w.random(2, 6, 4, 5)})
    w.case("channelSlice", lambda x: x[:, 2:7], terms=1, images=True,
           inputs={"x": w.random(2, 9, 3, 4)})
    w.case("channelShuffle", lambda x: F.channel_shuffle(x, 3), terms=1, images=True,
           inputs={"x": w.random(2, 12, 3, 4)})
    w.case("embedding", lambda table, ids: F.embedding(ids.long(), table), terms=6,
           inputs={"table": w.random(11, 4)},
           constants={"ids": torch.tensor([[1, 0, 1], [10, 1, 4]])})


def pools(w: Writer) -> None:
    x = {"x": w.random(2, 5, 7, 9)}
    w.case("pool.max3s2", lambda x: F.max_pool2d(x, 3, 2, 1), 9, x, images=True)
    w.case("pool.max2", lambda x: F.max_pool2d(x, 2), 4, x, images=True)
    w.case("pool.average3s2", lambda x: F.avg_pool2d(x, 3, 2, 1), 9, x, images=True)
    w.case("pool.average3exclusive",
           lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), 9, x, images=True)
    w.case("pool.adaptive", lambda x: F.adaptive_avg_pool2d(x, (3, 4)), 12, x, images=True)
    w.case("pool.global", lambda x: x.mean((2, 3)), 63, x, images=True)


def losses(w: Writer) -> None:
    logits, labels = {"x": 2 * w.random(6, 10)}, torch.tensor([3, 1, 9, 0, 5, 5])
    soft = torch.softmax(w.random(6, 10), -1).float().double()
    w.case("loss.crossEntropy", lambda x, labels: F.cross_entropy(x, labels), 60, logits,
           constants={"labels": labels})
    w.case("loss.smoothed", lambda x, labels: F.cross_entropy(x, labels, label_smoothing=0.1), 60,
           logits, constants={"labels": labels})
    w.case("loss.soft", lambda x, target: F.cross_entropy(x, target), 60, logits,
           constants={"target": soft})
    w.case("loss.huber", lambda x, target: F.huber_loss(x, target, delta=0.75), 60, logits,
           constants={"target": w.random(6, 10)})
    w.case("loss.mse", lambda x, target: F.mse_loss(x, target), 60, logits,
           constants={"target": w.random(6, 10)})
    w.case("loss.kl", lambda x, target: F.kl_div(F.log_softmax(x, -1), target, reduction="batchmean"),
           60, logits, constants={"target": soft})

    def ranking(x, target, pair):
        better = (target[:, None] > target[None, :]).double()
        return (better * pair(x[:, None] - x[None, :])).sum() / better.sum()

    scores, target = {"x": w.random(9)}, {"target": w.random(9)}
    w.case("loss.rankingLogistic", lambda x, target: ranking(x, target, lambda d: F.softplus(-d)), 36,
           scores, constants=target)
    w.case("loss.rankingHinge", lambda x, target: ranking(x, target, lambda d: F.relu(0.1 - d)), 36,
           scores, constants=target)


# ---- Layers --------------------------------------------------------------------------------------


class ConvNorm(nn.Module):
    def __init__(self, cin, cout, k, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        return self.bn(self.conv(x))


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduced):
        super().__init__()
        self.fc = nn.ModuleDict({"reduce": nn.Conv2d(channels, reduced, 1),
                                 "expand": nn.Conv2d(reduced, channels, 1)})

    def forward(self, x):
        y = F.relu(self.fc["reduce"](x.mean((2, 3), keepdim=True)))
        return x * F.hardsigmoid(self.fc["expand"](y))


class MBConv(nn.Module):
    """Paths as in once-for-all's networks."""

    def __init__(self, cin, cout, k, stride, expand, act, se=False):
        super().__init__()
        mid = cin * expand
        self.act, self.skip = act, stride == 1 and cin == cout
        self.inverted_bottleneck = ConvNorm(cin, mid, 1)
        self.depth_conv = ConvNorm(mid, mid, k, stride, mid)
        if se:
            self.depth_conv.se = SqueezeExcite(mid, 8)
        self.point_linear = ConvNorm(mid, cout, 1)

    def forward(self, x):
        y = self.act(self.inverted_bottleneck(x))
        y = self.act(self.depth_conv(y))
        if hasattr(self.depth_conv, "se"):
            y = self.depth_conv.se(y)
        y = self.point_linear(y)
        return x + y if self.skip else y


class Basic(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.stride, self.extra = stride, cout - cin

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1 or self.extra:
            x = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(x, (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))
        return F.relu(x + y)


def layers(w: Writer) -> None:
    def layer(name, module, shape, terms, train=True):
        module.train(train)
        w.case(f"layer.{name}", lambda x: module(x), terms, {"x": w.random(*shape)}, module,
               images=len(shape) == 4)

    layer("conv", nn.Conv2d(5, 8, 3, 2, 1), (2, 5, 8, 8), 45)
    layer("linear", nn.Linear(13, 7), (6, 13), 13)
    layer("batchNorm.train", nn.BatchNorm2d(6), (4, 6, 5, 5), 100)
    layer("batchNorm.eval", nn.BatchNorm2d(6), (4, 6, 5, 5), 100, train=False)
    layer("layerNorm", nn.LayerNorm(24), (5, 24), 24)
    layer("mbconv.k3", MBConv(8, 8, 3, 1, 3, F.relu), (4, 8, 6, 6), 144)
    layer("mbconv.k5s2", MBConv(6, 10, 5, 2, 4, F.relu6), (4, 6, 8, 8), 256)
    layer("mbconv.k7se", MBConv(8, 8, 7, 1, 2, F.hardswish, se=True), (4, 8, 7, 7), 196)
    layer("mbconv.eval", MBConv(8, 8, 3, 1, 3, F.relu), (4, 8, 6, 6), 144, train=False)
    layer("basic", Basic(8, 8, 1), (4, 8, 6, 6), 144)
    layer("basic.s2", Basic(6, 12, 2), (4, 6, 6, 6), 144)
    attention = nn.MultiheadAttention(12, 3, batch_first=True)
    w.case("layer.attention", lambda x: attention(x, x, x, need_weights=False)[0], 36,
           {"x": w.random(2, 5, 12)}, attention)


# ---- Optimisers ----------------------------------------------------------------------------------


def optimisers(w: Writer) -> None:
    """Five steps of each on a fixed list of gradients: `PATH.step` for each step."""
    makers = {
        "sgd": lambda p: torch.optim.SGD(p, 0.1),
        "sgd.nesterov": lambda p: torch.optim.SGD(
            p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        "sgd.momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
        "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.01),
        "adamW": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
        "rmsProp": lambda p: torch.optim.RMSprop(
            p, 0.01, alpha=0.9, momentum=0.9, eps=1e-3, weight_decay=0.01),
    }
    start = w.random(3, 7)
    gradients = [w.random(3, 7) for _ in range(5)]
    w.put("optimiser/start", start)
    for i, g in enumerate(gradients):
        w.put(f"optimiser/gradient.{i}", g)
    for name, make in makers.items():
        parameter = start.clone().requires_grad_()
        optimiser = make([parameter])
        for i, g in enumerate(gradients):
            parameter.grad = g.clone()
            optimiser.step()
            w.put(f"optimiser/{name}.{i}", parameter)
    parts = [w.random(4, 5), w.random(6)]
    for i, part in enumerate(parts):
        w.put(f"clip/in.{i}", part)
        part.requires_grad_()
        part.grad = part.detach().clone()
    norm = nn.utils.clip_grad_norm_(parts, 1.5)
    w.put("clip/norm", norm)
    for i, part in enumerate(parts):
        w.put(f"clip/out.{i}", part.grad)


def wide_convolutions(w: Writer) -> None:
    """Large enough for the kernels without a patch matrix: odd channels, little and uneven padding."""
    w.case("conv.framed5", lambda x, weight, bias: F.conv2d(x, weight, bias, 1, 1), terms=225,
           images=True, inputs={"x": w.random(3, 9, 8, 13), "weight": w.random(11, 9, 5, 5),
                                "bias": w.random(11)})
    w.case("conv.framedAsymmetric", lambda x, weight: F.conv2d(F.pad(x, (0, 2, 1, 0)), weight),
           terms=153, images=True,
           inputs={"x": w.random(2, 17, 7, 8), "weight": w.random(8, 17, 3, 3)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default=str(GOLDEN))
    options = parser.parse_args()
    writer = Writer(options.seed)
    for part in (convolutions, activations, arithmetic, pools, losses, layers, optimisers,
                 wide_convolutions):
        part(writer)
    Path(options.out).parent.mkdir(parents=True, exist_ok=True)
    save_file(writer.tensors, options.out)
    print(f"{len(writer.tensors)} tensors, {Path(options.out).stat().st_size} bytes: {options.out}")


if __name__ == "__main__":
    main()
