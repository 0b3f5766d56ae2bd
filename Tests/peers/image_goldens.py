"""Writes the images that NetworksTests compares with: what Pillow decodes and resizes.

    python Tests/peers/image_goldens.py

Needs Pillow (Tests/peers/requirements.txt). Deterministic; the files are committed.
"""

from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(__file__).parent.parent / "NetworksTests" / "Goldens" / "images"
SIZES = [(20, 20), (64, 40), (13, 31), (37, 29)]  # width, height


def picture(width: int, height: int) -> np.ndarray:
    """Smooth waves under noise: exercises rounding and clamping."""
    noise = np.random.default_rng(7).uniform(-60, 60, (height, width, 3))
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 127 * np.sin(x / (3 + c) + y / (5 - c)) for c in range(3)]
    return np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    source = Image.fromarray(picture(37, 29))
    source.save(OUT / "source.png")
    for width, height in SIZES:
        resized = source.resize((width, height), Image.Resampling.BILINEAR)
        resized.save(OUT / f"resized_{width}x{height}.png")
    source.save(OUT / "source.jpg", quality=90, subsampling=0)
    Image.open(OUT / "source.jpg").save(OUT / "source_jpg.png")
    source.convert("L").save(OUT / "grey.jpg", quality=90)
    Image.open(OUT / "grey.jpg").convert("RGB").save(OUT / "grey_jpg.png")
    alpha = source.convert("RGBA")
    alpha.putalpha(128)
    alpha.save(OUT / "alpha.png")


if __name__ == "__main__":
    main()
