"""Renders the small corpus that ships inside the package, recognizer/demo_data/demo.zip.

    python scripts/render_demo.py --fonts ../fonts --text french-novels.txt.xz english-novels.txt.xz --seed 1 \\
        --out recognizer/demo_data
"""

import argparse
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from rendering.fonts import Font
from rendering.line import render_line
from rendering.settings import MILD
from rendering.text import plain, read_sentences

from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError

FONTS = {"patrick-hand-400": "Patrick Hand, by Patrick Wagesreiter", "kalam-400": "Kalam, by the Indian Type Foundry"}
COUNTS = {"train": 1000, "valid": 100, "test": 120}
LENGTHS = (8, 28)  # characters
ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzàçèéêADEILMPST .,'!?-")
GREYS = 8  # levels that are kept: what makes the images small
OLD = (1980, 1, 1, 0, 0, 0)  # the date of every member, so that the same command makes the same bytes
LICENCE = """# Where these lines come from

The images are rendered, no person wrote them. They may be used without condition (CC0 1.0).

- Fonts, each under the SIL Open Font License 1.1, which does not extend to images made with a font:
{fonts}
- Texts: parts of sentences of novels printed from 1840 to 1920, in the public domain, from the collections
  ELTeC-fra and ELTeC-eng (`COST-ELTeC` on GitHub).
- Made by `python scripts/render_demo.py --fonts FONTS --text {texts} --seed {seed} --out recognizer/demo_data`, fonts
  fetched by `python scripts/fetch_fonts.py --out FONTS`.

{counts}, {low} to {high} characters each, {height} pixels high. No test or validation text occurs in a training text.
"""


def texts_of(sentences: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """Return `count` different texts, each the beginning or the end of a sentence of its own."""
    found: dict[str, None] = {}
    for at in rng.permutation(len(sentences)):
        text = piece(plain(sentences[at]), rng)
        if text and not any(text in other or other in text for other in found):
            found[text] = None
        if len(found) == count:
            return list(found)
    raise RecognizerError(f"the text gives {len(found)} lines for the demo, expected {count}")


def piece(sentence: str, rng: np.random.Generator) -> str:
    """Return words from the start or the end of `sentence`, as many as fit; "" where none do."""
    words = re.sub(r" ([;:!?])", r"\1", sentence).split(" ")
    wanted, back = int(rng.integers(LENGTHS[0] + 4, LENGTHS[1] + 1)), bool(rng.random() < 0.5)
    ordered = words[::-1] if back else words
    kept: list[str] = []
    while len(kept) < len(ordered) and len(" ".join([*kept, ordered[len(kept)]])) <= wanted:
        kept.append(ordered[len(kept)])
    text = " ".join(kept[::-1] if back else kept)
    return text if LENGTHS[0] <= len(text) and text[0] != "-" and ALPHABET.issuperset(text) else ""


def picture(text: str, font: Font, seed: int) -> bytes:
    """Return a rendered line as a PNG of GREYS levels."""
    values = render_line(text, font, seed, MILD).astype(np.float32)
    levels = np.round(values / 255 * (GREYS - 1)).astype(np.uint8)
    image = Image.frombytes("P", levels.shape[::-1], levels.tobytes())
    image.putpalette([channel for i in range(GREYS) for channel in [round(i * 255 / (GREYS - 1))] * 3])
    memory = io.BytesIO()
    image.save(memory, "PNG", optimize=True, bits=3)
    return memory.getvalue()


def members(fonts: list[Font], texts: list[str], licence: str, seed: int) -> Iterable[tuple[str, bytes]]:
    """Yield name and content of each file of the archive."""
    splits = [split for split, count in COUNTS.items() for _ in range(count)]
    rows = ["file\ttext\tsplit\tgroup"]
    for i, (text, split) in enumerate(zip(texts, splits, strict=True)):
        rng = np.random.default_rng([seed, i])
        font = fonts[int(rng.integers(len(fonts)))]
        name = f"lines/{i:04d}.png"
        yield name, picture(text, font, int(rng.integers(2**63)))
        rows.append("\t".join((name, text, split, font.name)))
    yield "manifest.tsv", "\n".join([*rows, ""]).encode()
    yield "LICENCE.md", licence.encode()


def main() -> int:
    """Cut texts, draw them, pack them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True, help="folder that scripts/fetch_fonts.py filled")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="text files, used in equal parts")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for demo.zip and LICENCE.md")
    given = parser.parse_args()
    fonts = [Font(given.fonts / f"{name}.woff") for name in FONTS]
    rng, wanted = np.random.default_rng(given.seed), sum(COUNTS.values())
    sentences = [
        some for path in given.text for some in rng.permutation(np.array(read_sentences(path), dtype=object))[:40000]
    ]
    licence = LICENCE.format(
        fonts="\n".join(f"  - {name}: {who}" for name, who in FONTS.items()),
        texts=" ".join(path.name for path in given.text),
        seed=given.seed,
        counts=", ".join(f"{count} {split}" for split, count in COUNTS.items()) + " lines",
        low=LENGTHS[0],
        high=LENGTHS[1],
        height=MILD.height,
    )
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in members(fonts, texts_of(sentences, wanted, rng), licence, given.seed):
            archive.writestr(zipfile.ZipInfo(name, OLD), content, zipfile.ZIP_DEFLATED)
    write_atomically(given.out / "demo.zip", memory.getvalue())
    write_atomically(given.out / "LICENCE.md", licence.encode())
    print(f"{wanted} lines, {len(memory.getvalue())} bytes in {given.out / 'demo.zip'}")
    return 0


if __name__ == "__main__":
    run_and_exit("render_demo", main)
