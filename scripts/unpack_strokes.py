"""Writes pen strokes that lie in one file as files of their own: InkML, or images to try a model of images on.

    python scripts/unpack_strokes.py --strokes lines.jsonl.gz --out ../unipen
    recognizer prepare ../unipen/manifest.tsv --out data/unipen
    recognizer train --data.corpus data/unipen --run runs/unipen

    python scripts/unpack_strokes.py --strokes lines.jsonl.gz --form png --split test --out ../drawn
    python scripts/unpack_strokes.py --strokes lines.jsonl.gz --form png --hands w067 w190 w216 --out ../three-hands
    python scripts/unpack_strokes.py --strokes lines.jsonl.gz --form varied --split train --out ../pens

Each line of the source is JSON: id, writer, split, text, strokes [[x0, y0, x1, y1, ...], ...] with y downwards.
"""

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from rendering.varied_pens import varied_line

from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError
from recognizer.inputs.strokes.strokes import Stroke, strokes_of, write_inkml

ROWS = 64  # pixels of an image
MARGIN = 5  # pixels around the ink
FINER = 4  # times: drawn so large, then scaled down
PARTS = ((0.8, "train"), (0.9, "valid"), (1.0, "test"))  # of the texts of chosen hands, up to this share
INK = 30  # grey of the strokes, 0 black


@dataclass(frozen=True)
class Line:
    """One line as it was written: its name, writer, split, text, strokes (points, 2) in any unit."""

    name: str
    writer: str
    split: str
    text: str
    strokes: list[Stroke]

    @property
    def transcript(self) -> str:
        """The text with single spaces inside and none outside."""
        return " ".join(self.text.split())


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a JSON-lines file, plain or .gz.

    Raises:
        RecognizerError: no such file, or a line of another form.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            for number, row in enumerate(file, 1):
                try:
                    yield _line(json.loads(row))
                except (ValueError, KeyError, TypeError) as error:
                    wanted = "expected JSON with id, writer, split, text, strokes"
                    raise RecognizerError(f"{path}:{number}: {type(error).__name__} {error}, {wanted}") from None
    except (OSError, EOFError) as error:
        raise RecognizerError(f"{path}: cannot be read ({error}), expected lines of pen strokes") from None


def _line(row: dict[str, Any]) -> Line:
    strokes = [stroke for stroke in strokes_of(row) if len(stroke)]
    if not strokes:
        raise ValueError("no stroke has a point")
    return Line(row["id"], row["writer"], row["split"], row["text"], strokes)


def parted(lines: list[Line]) -> list[Line]:
    """Return the lines with splits of their own, no text in two of them; the same lines are always parted alike."""
    texts = sorted({line.transcript for line in lines})
    random.Random(1).shuffle(texts)
    place = {text: i / len(texts) for i, text in enumerate(texts)}
    return [replace(line, split=next(split for end, split in PARTS if place[line.transcript] < end)) for line in lines]


def draw(line: Line, pen: float) -> Image.Image:
    """Return the image of a line, `ROWS` high, its ink filling the height; `pen` is the thickness in pixels."""
    left, top = (min(float(stroke[:, axis].min()) for stroke in line.strokes) for axis in (0, 1))
    right, bottom = (max(float(stroke[:, axis].max()) for stroke in line.strokes) for axis in (0, 1))
    # A dash alone would fill the height: no line is taken for less high than an eighth of its length.
    tall = max(bottom - top, (right - left) / 8.0 / max(1.0, len(line.text) / 4.0), 1.0)
    scale = (ROWS - 2 * MARGIN) / tall
    columns = round((right - left) * scale) + 2 * MARGIN
    image = Image.new("L", (columns * FINER, ROWS * FINER), 255)
    brush, radius = ImageDraw.Draw(image), pen * FINER / 2
    for stroke in line.strokes:
        points = [
            (((x - left) * scale + MARGIN) * FINER, ((y - top) * scale + MARGIN) * FINER) for x, y in stroke.tolist()
        ]
        brush.line(points, INK, round(2 * radius), "curve")
        for x, y in (points[0], points[-1]):
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), INK)
    return image.resize((columns, ROWS), Image.Resampling.BOX)


def main() -> int:
    """Write the lines and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=Path, required=True, help="JSON lines, plain or .gz")
    parser.add_argument(
        "--form", choices=["inkml", "png", "varied"], default="inkml", help="of the files; varied: images of many pens"
    )
    parser.add_argument("--split", help="of the lines that are written (default all)")
    parser.add_argument("--seen", metavar="NAME", help="split for test lines whose text some training line has")
    parser.add_argument(
        "--hands",
        metavar="NAME",
        nargs="+",
        help="only these writers, parted anew into train, valid, test (8 : 1 : 1 texts)",
    )
    parser.add_argument("--pen", type=float, default=2.0, help="thickness of drawn strokes in pixels (default 2)")
    parser.add_argument("--out", type=Path, required=True, help="folder for lines/ and manifest.tsv")
    given = parser.parse_args()
    (given.out / "lines").mkdir(parents=True, exist_ok=True)
    learned = {line.text for line in read_lines(given.strokes) if line.split == "train"} if given.seen else set()
    lines = [line for line in read_lines(given.strokes) if given.split in (None, line.split)]
    if given.hands:
        if strangers := set(given.hands) - {line.writer for line in lines}:
            raise RecognizerError(
                f"{given.strokes}: no lines of {', '.join(sorted(strangers))}, expected writers of it"
            )
        lines = parted([line for line in lines if line.writer in given.hands])
    rows = ["file\ttext\tsplit\tgroup"]
    for line in lines:
        name = f"lines/{line.name}.{'inkml' if given.form == 'inkml' else 'png'}"
        if given.form == "png":
            draw(line, given.pen).save(given.out / name)
        elif given.form == "varied":
            varied_line(line.name, line.strokes).save(given.out / name)
        else:
            (given.out / name).write_bytes(write_inkml(stroke.ravel().tolist() for stroke in line.strokes))
        split = given.seen if line.split == "test" and line.text in learned else line.split
        rows.append(f"{name}\t{line.transcript}\t{split}\t{line.writer}")
    if len(rows) == 1:
        raise RecognizerError(f"{given.strokes}: no line of the split {given.split}, expected one that is there")
    write_atomically(given.out / "manifest.tsv", "\n".join([*rows, ""]).encode())
    print(f"{len(rows) - 1} lines in {given.out}")
    return 0


if __name__ == "__main__":
    run_and_exit("unpack_strokes", main)
