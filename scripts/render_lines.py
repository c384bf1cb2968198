"""Renders lines of handwriting for training: images, and a manifest that `recognizer prepare` reads.

    python scripts/render_lines.py --fonts ../fonts --text french.txt.xz english.txt.xz --shares 0.6 0.4 \\
        --count 20000 --seed 1 --out ../rendered

Line i depends on the seed, i, the fonts, the texts alone; a line that is there already is not drawn again.
"""

import argparse
import re
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from rendering.fonts import Font, read_fonts
from rendering.line import render_line
from rendering.settings import RenderSettings
from rendering.text import line_text, read_sentences

from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError

QUALITY = 85  # of WebP, 0 to 100
SAID = 500  # lines from one word of progress to the next
FONTS_TRIED = 50
CAPITALS = re.compile("[A-ZÀ-Ý]{4}")  # a joined hand does not write words in capitals


@dataclass(frozen=True)
class Source:
    """What lines are made of: fonts by family, sentences of each text file, how often each file is used."""

    families: list[list[Font]]
    texts: list[list[str]]
    shares: list[float]
    seed: int
    out: Path
    suffix: str


@dataclass(frozen=True)
class Item:
    """One line before it is drawn."""

    text: str
    font: Font
    seed: int


def choose(source: Source, index: int) -> Item:
    """Choose text and font of line `index`; every family is as likely as any other."""
    rng = np.random.default_rng([source.seed, index])
    text = line_text(source.texts[int(rng.choice(len(source.texts), p=source.shares))], rng)
    for _ in range(FONTS_TRIED):
        family = source.families[int(rng.integers(len(source.families)))]
        font = family[int(rng.integers(len(family)))]
        if not font.missing(text) and not (font.joined and CAPITALS.search(text)):
            return Item(text, font, int(rng.integers(2**63)))
    raise RecognizerError(
        f"line {index}: none of {FONTS_TRIED} fonts can write {text!r}, expected fonts of all letters"
    )


def render(source: Source, index: int) -> str:
    """Draw line `index` unless it is there; return its row of the manifest."""
    item = choose(source, index)
    name = f"lines/{source.seed}-{index // 1000:03d}/{index:06d}.{source.suffix}"
    path = source.out / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        image = Image.fromarray(render_line(item.text, item.font, item.seed, RenderSettings()))
        image.save(part, source.suffix.upper(), quality=QUALITY, method=1)
        part.replace(path)
    return f"{name}\t{item.text}\ttrain\t{item.font.name}"


def open_source(arguments: argparse.Namespace) -> Source:
    """Open fonts and texts."""
    families: dict[str, list[Font]] = {}
    for font in read_fonts(arguments.fonts):
        families.setdefault(font.name.rpartition("-")[0] or font.name, []).append(font)
    shares = arguments.shares or [1.0] * len(arguments.text)
    if len(shares) != len(arguments.text) or min(shares) < 0 or sum(shares) <= 0:
        raise RecognizerError(
            f"--shares: {len(shares)} numbers, expected one for each of {len(arguments.text)} text files"
        )
    texts = [read_sentences(path) for path in arguments.text]
    shares = [share / sum(shares) for share in shares]
    return Source(list(families.values()), texts, shares, arguments.seed, arguments.out, arguments.format)


def every(arguments: argparse.Namespace, first: int) -> dict[int, str]:
    """Draw every `--workers`-th line from `first` on; return the rows of the manifest by line."""
    start, source, rows = time.monotonic(), open_source(arguments), {}
    for i in range(first, arguments.count, arguments.workers):
        rows[i] = render(source, i)
        if len(rows) % SAID == 0:
            print(f"worker {first}: {len(rows)} lines, {time.monotonic() - start:.0f} s", flush=True)
            if arguments.workers == 1:
                write_manifest(arguments.out, rows)
    return rows


def write_manifest(out: Path, rows: dict[int, str]) -> None:
    """Write the rows of the lines that are there, so that a long run can be used before its end."""
    table = ["file\ttext\tsplit\tgroup", *(rows[i] for i in sorted(rows)), ""]
    write_atomically(out / "manifest.tsv", "\n".join(table).encode())


def main() -> int:
    """Draw the lines, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True, help="folder of .woff, .ttf or .otf files")
    parser.add_argument(
        "--text", type=Path, nargs="+", required=True, help="text files, a sentence a line, plain or .xz"
    )
    parser.add_argument("--shares", type=float, nargs="+", help="how often each text file is used (default: equally)")
    parser.add_argument("--count", type=int, required=True, help="number of lines")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for lines/ and manifest.tsv")
    parser.add_argument("--format", choices=("webp", "png"), default="webp")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    rows: dict[int, str] = {}
    if arguments.workers == 1:
        rows = every(arguments, 0)
    else:
        with ProcessPoolExecutor(arguments.workers) as pool:
            for made in pool.map(partial(every, arguments), range(arguments.workers)):
                rows |= made
    write_manifest(arguments.out, rows)
    print(f"{arguments.count} lines in {arguments.out}")
    return 0


if __name__ == "__main__":
    run_and_exit("render_lines", main)
