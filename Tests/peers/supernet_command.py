"""The supernet commands as a new user meets them, judged from outside: `supernet_command.py SWIFTLET`.

Makes a small folder of images, a small space and a recipe; trains, once straight through and once killed
with -9 on the way, and compares the weights bit for bit; evaluates, exports, fine-tunes; ONNX Runtime must
compute what the file promises; bad input must be refused in one line.
"""

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file

SIDE = 16
SPACE = """schema: 1
name: tiny
resolution: {from: 12, to: 16, step: 4}
classes: 10
layers:
  - conv: {name: first_conv, out: 8, kernel: 3, activation: hswish}
  - stage: {depth: 1, out: 8, block: {mbconv: {kernel: 3, expand: 1, activation: relu}}}
  - stage: {depth: 1, out: 8, block: {linear_block: {kernel: 3, expand: [2, 3], activation: relu}}}
  - stage:
      depth: [1, 2]
      out: 16
      stride: 2
      block: {mbconv: {kernel: [3, 5], expand: [2, 3], activation: hswish, se: true}}
  - global_pool:
  - linear: {name: classifier}
"""
RECIPE = """schema: 1
batch: 20
validation: 60
recalibration: 100
weight_decay: 1.0e-4
dropout: 0.1
phases:
  - {name: largest, epochs: 2, warm_up: 1, rate: 0.1}
  - {name: depth, epochs: 1, rate: 0.05, sampling: sampled, count: 2, teacher: largest, expand: 3}
  - {name: sandwich, epochs: 2, rate: 0.05, sampling: sandwich, count: 1, sort_channels: true}
  - {name: attentive, epochs: 1, rate: 0.02, sampling: sandwich, count: 1, sampler: best-up,
     divergence: alpha}
"""


def make_images(folder, count, seed):
    """Three classes: stripes across, stripes along, checks; under noise."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    for label, name in enumerate(["across", "along", "checks"]):
        target = folder / name
        target.mkdir(parents=True)
        for index in range(count):
            phase, length = generator.uniform(0, 6.3, 2), generator.uniform(3, 6)
            waves = [np.sin(6.3 * y / length + phase[0]), np.sin(6.3 * x / length + phase[1])]
            waves.append(waves[0] * waves[1])
            grey = 128 + 70 * waves[label][..., None] + generator.normal(0, 30, (SIDE, SIDE, 3))
            Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(target / f"{index:03}.png")


class Commands:
    def __init__(self, swiftlet, folder):
        self.swiftlet = swiftlet
        self.folder = folder
        self.environment = dict(
            os.environ, SWIFTLET_SPACES=str(folder), SWIFTLET_STORE=str(folder / "store.sqlite"))

    def start(self, *arguments, largest_file=None):
        """A process; files that it writes may have `largest_file` bytes, as if the disk were full."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        return subprocess.Popen(
            [self.swiftlet, *map(str, arguments)], cwd=self.folder, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=limit if largest_file else None)

    def run(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, f"{arguments}: {process.returncode} {err}"
        return out

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json", "--quiet"))

    def refused(self, words, *arguments, status=65, largest_file=None):
        process = self.start(*arguments, largest_file=largest_file)
        _, err = process.communicate(timeout=600)
        # Notes may come before it, nothing after it.
        line = err.rstrip("\n").splitlines()[-1]
        assert process.returncode == status, f"{arguments}: {process.returncode} {err}"
        assert line.startswith("error") and words in line, f"{arguments}: {err}"
        assert err.count("\nerror") + err.startswith("error") == 1, f"{arguments}: {err}"


def train_and_kill(commands, arguments):
    """Kills the training again and again until it gets through."""
    kills = 0
    while True:
        process = commands.start(*arguments)
    
        delay = 0.2 + 0.1 * kills
        try:
            _, err = process.communicate(timeout=delay)
            assert process.returncode == 0, err
            return kills
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            assert kills < 60, "the training does not get on"


def train_on_a_full_disk(commands, folder, common, expected):
    """No room for the next checkpoint: one line, the last one stays, and the run goes on from it."""
    arguments = ["supernet", "train", *common, "-o", "full", "--quiet"]
    target = folder / "full"
    checkpoint = target / "checkpoint.safetensors"
    process = commands.start(*arguments)
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # What a kill has left half written is not what is looked at here.
    for left in target.glob("*.tmp"):
        left.unlink()
    before, names = checkpoint.read_bytes(), sorted(target.iterdir())
    commands.refused(
        "checkpoint.safetensors: File too large; make room and try again; what the file held before "
        "is still there", *arguments, status=1, largest_file=len(before) // 2)
    assert checkpoint.read_bytes() == before, "the last good checkpoint is gone"
    found = [path for path in sorted(target.iterdir()) if path.stem != "log"]
    assert found == [path for path in names if path.stem != "log"], found
    commands.run(*arguments)
    weights = load_file(target / "supernet.safetensors")
    assert all((weights[key] == expected[key]).all() for key in expected), "other bits"


def go_on_by_a_longer_recipe(commands, folder):
    """A phase that is added later is trained as if it had been there; one that began must stay."""
    longer = RECIPE + "  - {name: more, epochs: 1, rate: 0.01, sampling: sandwich}\n"
    (folder / "longer.yaml").write_text(longer)
    common = ["supernet", "train", "--space", "tiny", "--data", "images", "--quiet"]
    for target in ["killed", "longer"]:
        commands.run(*common, "--recipe", "longer.yaml", "-o", target)
    one, two = (load_file(folder / name / "supernet.safetensors") for name in ["killed", "longer"])
    assert all((one[key] == two[key]).all() for key in one), "an added phase computes other bits"
    with open(folder / "killed" / "log.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == [str(i) for i in range(1, 8)]
    (folder / "faster.yaml").write_text(longer.replace("rate: 0.1}", "rate: 0.2}"))
    for recipe in ["recipe.yaml", "faster.yaml"]:
        commands.refused("another recipe", *common, "--recipe", recipe, "-o", "longer")


def start_from_other_weights(commands, folder, ids):
    """`--from`: a supernet's file, packed or not, or a bare state dict; other classes, other weights."""
    (folder / "tune.yaml").write_text(RECIPE.split("phases:")[0] + (
        "phases:\n  - {name: tune, epochs: 1, rate: 1.0e-6, sampling: sandwich, sort_channels: true}\n"))
    source = folder / "straight" / "supernet.safetensors"
    weights = load_file(source)
    save_file(weights, folder / "bare.safetensors")
    common = ["supernet", "train", "--space", "tiny", "--recipe", "tune.yaml", "--from"]
    mine = [*common, source, "--data", "images"]
    tuned = commands.json(*mine, "-o", "tuned")
    before = commands.json("supernet", "evaluate", "--checkpoint", source, "--data", "images", *ids[:2])
    for name, found in zip(["largest", "smallest"], before["evaluations"]):
        difference = tuned["validation"][name] - found["measuredAccuracy"]
        assert abs(difference) <= 2 / 60 + 1e-9, (name, tuned, before)
    said = metadata(folder / "tuned" / "supernet.safetensors")
    assert said["origin"].endswith(", 6 epochs") and said["epochs"] == "7", said
    with open(folder / "tuned" / "log.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["7"]
    # Killed and gone on with, it computes the same bits.
    train_and_kill(commands, [*mine, "-o", "tuned-killed"])
    one, two = (
        load_file(folder / name / "supernet.safetensors") for name in ["tuned", "tuned-killed"])
    assert all((one[key] == two[key]).all() for key in one), "a killed run computes other bits"
    # Its batches are not those that the weights have seen: a bare state dict does not tell.
    commands.run(*common, "bare.safetensors", "--data", "images", "-o", "bare")
    two = load_file(folder / "bare" / "supernet.safetensors")
    changed = [key for key in one if (one[key] != two[key]).any()]
    assert changed, "the batches of the earlier training came again"
    for key, value in one.items():
        if "running" not in key:
            # Channels stand in another order.
            for found in [value, two[key]]:
                difference = np.sort(found, axis=None) - np.sort(weights[key], axis=None)
                assert np.abs(difference).max() < 1e-3, key
    # Other classes, fewer or as many: the classifier is another one, the rest stays.
    for name in ["across", "along"]:
        shutil.copytree(folder / "images" / "train" / name, folder / "two" / name)
    shutil.copytree(folder / "images" / "train", folder / "renamed")
    (folder / "renamed" / "checks").rename(folder / "renamed" / "squares")
    for data, classes in [("two", 2), ("renamed", 3)]:
        commands.run(*common, source, "--data", data, "-o", f"from-{data}")
        two = load_file(folder / f"from-{data}" / "supernet.safetensors")
        head, stem = "classifier.linear.weight", "first_conv.conv.weight"
        assert two[head].shape[0] == classes, two[head].shape
        assert classes < 3 or np.abs(two[head] - weights[head]).max() > 1e-3, "the old classifier"
        assert np.abs(two[stem] - weights[stem]).max() < 1e-3
    commands.refused(
        "from other weights", *common, "straight/largest.safetensors", "--data", "images", "-o", "tuned")
    (folder / "seed.yaml").write_text((folder / "tune.yaml").read_text() + "seed: 2\n")
    process = commands.start("supernet", "train", "--space", "tiny", "--recipe", "seed.yaml", "--data",
        "images", "--from", source, "-o", "seed")
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0 and "images that are held out now" in err, err


def train_on_grey_images(commands, folder):
    """IDX files have one channel; networks that take three see it three times, in ONNX files too."""
    generator = np.random.default_rng(5)
    target = folder / "idx"
    target.mkdir()
    shown = {}
    for prefix, count in [("train", 200), ("t10k", 50)]:
        labels = generator.integers(0, 10, count).astype(np.uint8)
        images = generator.integers(0, 60, (count, SIDE, SIDE)).astype(np.uint8)
        for image, label in zip(images, labels):
            image[label : label + 3] += 150
        shown[prefix] = images, labels
        header = np.array([0x0803, count, SIDE, SIDE], ">u4").tobytes()
        (target / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = np.array([0x0801, count], ">u4").tobytes()
        (target / f"{prefix}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    (folder / "grey.yaml").write_text(RECIPE.split("  - {name: depth")[0])
    commands.run("supernet", "train", "--space", "tiny", "--data", "idx", "--recipe", "grey.yaml", "-o", "grey")
    weights = ["--checkpoint", "grey/supernet.safetensors", "--data", "idx"]
    id = commands.json(
        "supernet", "sample", "tiny", "-n", "1", "--rule", "sandwich")["subnets"][0]["id"]
    tested = commands.json("supernet", "evaluate", *weights, "--test", id)
    commands.run("export", id, *weights, "-o", "grey.onnx")
    properties = {p.key: p.value for p in onnx.load(folder / "grey.onnx").metadata_props}
    assert properties["swiftlet.classes"] == "\n".join(map(str, range(10))), properties
    mean, deviation = (
        np.array([float(v) for v in properties[f"swiftlet.{key}"].split(",")], np.float32)
        for key in ("mean", "deviation"))
    pixels, labels = shown["t10k"]
    grey = np.repeat(pixels[..., None].astype(np.float32) / 255, 3, axis=3)
    images = [(((p - mean) / deviation).transpose(2, 0, 1), l) for p, l in zip(grey, labels)]
    check_onnx(folder / "grey.onnx", images, tested["evaluations"][0]["measuredAccuracy"])


def notice_other_images(commands, folder, id, weights):
    """Accuracies, checkpoints and what was trained alone belong to their images."""
    shutil.copytree(folder / "images", folder / "more")
    again = ["supernet", "evaluate", "--checkpoint", weights[1], "--test", id, "--data"]
    assert commands.json(*again, "images")["evaluated"] == 0
    make_images(folder / "spare-test", 1, 9)
    for kind in ["across", "along", "checks"]:
        (folder / "spare-test" / kind / "000.png").rename(
            folder / "more" / "test" / kind / "more.png")
    other = commands.json(*again, "more")
    assert other["evaluated"] == 1 and other["evaluations"][0]["images"] == 123, other
    common = ["supernet", "train", "--space", "tiny", "--recipe", "recipe.yaml", "-o", "straight"]
    commands.refused("with other images", *common, "--data", "more")
    alone = ["supernet", "alone", id, "--recipe", "recipe.yaml", "--data", "images", "-o", "alone"]
    commands.refused("made by another training", *alone, "--epochs", "1")


def metadata(path):
    with open(path, "rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]


def check_onnx(path, images, expected):
    """Accuracy in ONNX Runtime of a file on normalised images, against the command's."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    name = session.get_inputs()[0].name
    hits = sum(
        int(session.run(None, {name: pixels[None]})[0].argmax()) == label
        for pixels, label in images)
    assert abs(hits / len(images) - expected) <= 0.0005, f"{path}: {hits / len(images)} {expected}"
    return session


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = Commands(str(Path(sys.argv[1]).resolve()), folder)
        (folder / "tiny.yaml").write_text(SPACE)
        (folder / "recipe.yaml").write_text(RECIPE)
        make_images(folder / "images" / "train", 100, 1)
        make_images(folder / "images" / "test", 40, 2)
        common = ["--space", "tiny", "--data", "images", "--recipe", "recipe.yaml"]

        straight = commands.json("supernet", "train", *common, "-o", "straight")
        kills = train_and_kill(commands, ["supernet", "train", *common, "-o", "killed", "--quiet"])
        one = load_file(folder / "straight" / "supernet.safetensors")
        two = load_file(folder / "killed" / "supernet.safetensors")
        assert one.keys() == two.keys()
        assert all((one[key] == two[key]).all() for key in one), "a killed run computes other bits"
        train_on_a_full_disk(commands, folder, common, one)
        with open(folder / "straight" / "log.csv") as file:
            assert [row["epoch"] for row in csv.DictReader(file)] == [str(i) for i in range(1, 7)]
        assert "sandwich from here" in (folder / "straight" / "log.svg").read_text()
        assert straight["validation"]["largest"] > 0.6, straight
        go_on_by_a_longer_recipe(commands, folder)

        weights = ["--checkpoint", "straight/supernet.safetensors", "--data", "images"]
        drawn = commands.json("supernet", "sample", "tiny", "-n", "4", "--rule", "sandwich")
        # Two resolutions; two linear blocks; one inverted residual (4 choices) or two (16).
        assert drawn["architectures"] == str(2 * 2 * (4 + 16)), drawn
        ids = [subnet["id"] for subnet in drawn["subnets"]]
        first = commands.json("supernet", "evaluate", *weights, "--random", "5", "-o", "out.csv")
        assert first["evaluated"] == 5
        again = commands.json("supernet", "evaluate", *weights, "--random", "5")
        assert again["evaluated"] == 0 and again["evaluations"] == first["evaluations"]
        anew = commands.json("supernet", "evaluate", *weights, "--random", "5", "--again")
        assert anew["evaluated"] == 5
        tested = commands.json("supernet", "evaluate", *weights, "--test", ids[0])
        accuracy = tested["evaluations"][0]["measuredAccuracy"]
        assert accuracy > 0.6, tested

        # The largest subnet sees images as they are; mean and deviation are in the file.
        said = metadata(folder / "straight" / "supernet.safetensors")
        mean, deviation = (
            np.array([float(v) for v in said[key].split(",")], np.float32)
            for key in ("mean", "deviation"))
        images = []
        for label, kind in enumerate(["across", "along", "checks"]):
            for path in sorted((folder / "images" / "test" / kind).iterdir()):
                pixels = np.asarray(Image.open(path), np.float32) / 255
                images.append((((pixels - mean) / deviation).transpose(2, 0, 1), label))
        commands.run("export", ids[0], *weights, "-o", "plain.onnx")
        feeding = {p.key: p.value for p in onnx.load(folder / "plain.onnx").metadata_props}
        assert feeding["swiftlet.crop"] == str(SIDE) and "swiftlet.resize" not in feeding, feeding
        counts = commands.json("export", ids[0], *weights, "--fold", "-o", "folded.onnx")
        plain = check_onnx(folder / "plain.onnx", images, accuracy)
        folded = check_onnx(folder / "folded.onnx", images, accuracy)
        x = {plain.get_inputs()[0].name: images[0][0][None]}
        a, b = plain.run(None, x)[0], folded.run(None, x)[0]
        assert np.abs(a - b).max() <= 1e-4 * np.abs(a).max()
        operators = [
            [node.op_type for node in onnx.load(folder / f"{name}.onnx").graph.node]
            for name in ("plain", "folded")]
        norms, convolutions, additions = (
            operators[0].count(op) - operators[1].count(op)
            for op in ("BatchNormalization", "Conv", "Add"))
        # The linear block is one convolution, its shortcut a part of the kernel.
        assert "BatchNormalization" not in operators[1] and counts["foldedNorms"] == norms, counts
        assert (convolutions, additions) == (1, 1) and counts["foldedLinear"] == 2, counts
        # The smallest sees them in another size: bilinear and widened, as PyTorch has it.
        small = [
            (torch.nn.functional.interpolate(
                torch.from_numpy(pixels)[None], size=12, mode="bilinear", antialias=True,
                align_corners=False)[0].numpy(), label)
            for pixels, label in images]
        tested = commands.json("supernet", "evaluate", *weights, "--test", ids[1])
        commands.run("export", ids[1], *weights, "-o", "small.onnx")
        check_onnx(folder / "small.onnx", small, tested["evaluations"][0]["measuredAccuracy"])
        commands.run("export", ids[1], *weights, "--finetune", "1", "-o", "tuned.onnx")
        alone = commands.json(
            "supernet", "alone", ids[1], "--data", "images", "--recipe", "recipe.yaml", "--epochs",
            "2", "-o", "alone")
        assert 0 < alone["networks"][0]["test"] <= 1
        commands.run("supernet", "evaluate", *weights, "--test", *ids[:2], "-o", "shared.csv")
        commands.run(
            "supernet", "alone", *ids[:2], "--data", "images", "--recipe", "recipe.yaml",
            "--epochs", "2", "-o", "alone")
        compared = commands.json("samples", "compare", "shared.csv", "alone/test.csv")
        assert compared["networks"] == 2 and compared["column"] == "accuracy", compared

        start_from_other_weights(commands, folder, ids)
        train_on_grey_images(commands, folder)
        notice_other_images(commands, folder, ids[1], weights)
        check_packed(commands, folder, ids[0], weights)

        assert kills > 0, "the training was over before it could be killed"
        check_refusals(commands, folder, common, weights, ids)
        print(f"killed {kills} times, same bits; largest {accuracy:.3f} in ONNX Runtime too")


def statistics(path):
    """Running means and variances of an ONNX file's norms, one behind the other."""
    graph = onnx.load(path).graph
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    norms = [node for node in graph.node if node.op_type == "BatchNormalization"]
    return np.concatenate([arrays[name] for node in norms for name in node.input[3:5]])


def check_packed(commands, folder, id, weights):
    """Made-up images stand in for the training images better than shared statistics do."""
    packed = commands.json(
        "supernet", "pack", *weights, "--images", "64", "--steps", "150", "--subnets", "4",
        "--tried", "2", "-o", "packed.safetensors")
    assert len(packed["trials"]) == 2, packed
    whole = (folder / weights[1]).stat().st_size
    pixels = 2 * 64 * SIDE * SIDE * 3
    assert (folder / "packed.safetensors").stat().st_size < 0.6 * whole + pixels
    exports = {
        "data": [*weights], "shared": weights[:2], "packed": ["--checkpoint", "packed.safetensors"]}
    found = {}
    for name, options in exports.items():
        said = commands.json("export", id, *options, "-o", f"from-{name}.onnx")["weights"]
        assert {"data": "training", "shared": "shared", "packed": "made-up"}[name] in said, said
        found[name] = np.log(np.abs(statistics(folder / f"from-{name}.onnx")) + 1e-3)
    error = {k: np.abs(v - found["data"]).mean() for k, v in found.items()}
    assert error["packed"] < error["shared"], error
    commands.run("supernet", "train", "--space", "tiny", "--recipe", "tune.yaml", "--data", "images",
        "--from", "packed.safetensors", "-o", "from-packed")
    commands.refused("--images", "supernet", "pack", *weights, "--images", "3", "-o", "x.safetensors",
        status=64)
    commands.refused("is the supernet itself", "supernet", "pack", *weights, "-o", weights[1], status=64)


def check_refusals(commands, folder, common, weights, ids):
    train = ["supernet", "train", "--space", "tiny", "--recipe", "recipe.yaml", "-o", "refused"]
    make_images(folder / "spare", 2, 3)
    (folder / "single").mkdir()
    (folder / "spare" / "along").rename(folder / "single" / "along")
    commands.refused("one class", *train, "--data", "single")
    broken = folder / "images" / "train" / "along" / "zzz.png"
    broken.write_bytes(b"no image")
    commands.refused("zzz.png", *train, "--data", "images")
    commands.run(*train, "--data", "images", "--skip-broken")
    # What comes after it leaves the same image out.
    skipping = ["--checkpoint", "refused/supernet.safetensors", "--data", "images"]
    assert len(commands.json("supernet", "evaluate", *skipping, ids[0])["evaluations"]) == 1
    broken.unlink()
    (folder / "away").mkdir()
    (folder / "away" / "away.yaml").write_text(SPACE.replace("name: tiny", "name: away"))
    commands.refused(
        "would not be found later", "supernet", "train", "--space", "away/away.yaml", "--data", "images",
        "--recipe", "recipe.yaml", "-o", "refused-away")
    (folder / "greedy.yaml").write_text(RECIPE.replace("validation: 60", "validation: 300"))
    commands.refused(
        "lower its 'validation'", "supernet", "train", "--space", "tiny", "--data", "images", "--recipe",
        "greedy.yaml", "-o", "refused-greedy")
    commands.refused(
        "--recalibration 0", "supernet", "evaluate", *weights, ids[0], "--recalibration", "0", status=64)
    (folder / "wrong.yaml").write_text(RECIPE.replace("warm_up", "warmup"))
    commands.refused(
        "warm_up", "supernet", "train", "--space", "tiny", "--data", "images", "--recipe",
        "wrong.yaml", "-o", "refused")
    other = (folder / "tiny.yaml").read_text().replace("name: tiny", "name: other")
    (folder / "other.yaml").write_text(other)
    commands.refused("other", "export", ids[0].replace("tiny:", "other:"), *weights, "-o", "x.onnx")
    commands.refused(
        "from other weights or for another space", "supernet", "train", "--space", "other", "--data",
        "images", "--recipe", "recipe.yaml", "-o", "straight")
    commands.refused(
        "space 'tiny', not of 'other'", "supernet", "train", "--space", "other", "--data", "images",
        "--recipe", "recipe.yaml", "--from", weights[1], "-o", "refused-weights")
    (folder / "cut.safetensors").write_bytes(
        (folder / "straight" / "supernet.safetensors").read_bytes()[:5000])
    commands.refused(
        "cut.safetensors", "export", ids[0], "--checkpoint", "cut.safetensors", "-o", "x.onnx")


if __name__ == "__main__":
    main()
