"""Draws what each setting of augment.lines does to a line: a picture each, for docs/lab/augmentation.md.

    python scripts/draw_augmentation.py --out docs/images/augmentation

The lines are those of the rendered corpus that ships inside the package (CC0). A picture has the line as it was and
three changes of it by one setting alone, as strong as in STRENGTHS, as the network sees them.
"""

import argparse
import io
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor  # noqa: E402

from recognizer.commands.exit_codes import DONE, run_and_exit  # noqa: E402
from recognizer.common.atomic_write import write_atomically  # noqa: E402
from recognizer.inputs.lines.augment import LineAugment, LineAugmentSettings  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "recognizer" / "demo_data" / "demo.zip"
HEIGHT = 64  # pixels of a line
COLUMNS = 560  # of a picture: more is cut off
BETWEEN = 6  # pixels between two lines of a picture
CHANGES = 3  # lines below the first
GREYS = 16  # levels that are kept: what makes the pictures small
OFF = {field.name: 0.0 for field in fields(LineAugmentSettings)}
STRENGTHS = {
    "width": 0.2,
    "height": 0.15,
    "slant": 0.3,
    "slope": 0.1,
    "shift": 0.06,
    "elastic": 1.0,
    "thickness": 0.7,
    "contrast": 0.4,
    "blur": 0.6,
    "noise": 0.04,
    "shadow": 0.15,
    "gaps": 5.0,
    "margins": 1.0,
    "neighbours": 1.0,
    "curve": 0.1,
    "cram": 0.3,
    "tight": 0.08,
    "pencil": 1.0,
    "bleed": 1.0,
    "ruled": 1.0,
    "folds": 1.0,
    "stamps": 1.0,
    "surround": 1.0,
}


def main() -> int:
    """Write a picture a setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "augmentation", help="folder")
    parser.add_argument("--seed", type=int, default=4)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    ink, counts = lines(CHANGES + 1)
    for name, strength in STRENGTHS.items():
        picture = drawn(ink, counts, LineAugmentSettings(**{**OFF, "share": 1.0, name: strength}), chosen.seed)
        write_atomically(chosen.out / f"{name}.png", picture)
    return DONE


def lines(number: int) -> tuple[Tensor, Tensor]:
    """Return ink (number, T, HEIGHT) of the demo's widest lines, the first one again and again, and their counts.

    Every second is another line, since some changes take the ink of the next line in the batch.
    """
    with zipfile.ZipFile(DEMO) as file:
        names = [name for name in file.namelist() if name.endswith((".png", ".webp"))][:40]
        images = [Image.open(io.BytesIO(file.read(name))).convert("L") for name in names]
    scaled = [image.resize((round(image.width * HEIGHT / image.height), HEIGHT)) for image in images]
    wide = sorted((image for image in scaled if image.width <= COLUMNS - 60), key=lambda image: -image.width)[:2]
    batch = torch.zeros(2 * number, wide[0].width, HEIGHT)
    for i in range(2 * number):
        columns = 1.0 - torch.from_numpy(np.asarray(wide[i % 2], np.float32).T.copy()) / 255.0
        batch[i, : len(columns)] = columns
    return batch, torch.tensor([wide[i % 2].width for i in range(2 * number)])


def drawn(ink: Tensor, counts: Tensor, settings: LineAugmentSettings, seed: int) -> bytes:
    """Return a PNG: a line as it was and CHANGES changes of it, one below the other."""
    generator = torch.Generator().manual_seed(seed)
    changed, _ = LineAugment(settings)(ink, counts, torch.ones_like(counts), generator)
    rows = [ink[0], *changed[0 : 2 * CHANGES : 2]]
    picture = np.full((len(rows) * (HEIGHT + BETWEEN) - BETWEEN, COLUMNS), 255, np.uint8)
    for i, row in enumerate(rows):
        grey = ((1.0 - row[:COLUMNS]).clamp(0.0, 1.0) * 255).round().to(torch.uint8).T.numpy()
        picture[i * (HEIGHT + BETWEEN) : i * (HEIGHT + BETWEEN) + HEIGHT, : grey.shape[1]] = grey
    stream = io.BytesIO()
    Image.fromarray(picture).quantize(GREYS).save(stream, "PNG", optimize=True)
    return stream.getvalue()


if __name__ == "__main__":
    run_and_exit("draw_augmentation", main)
