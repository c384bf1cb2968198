"""Makers of pages of handwriting from the lines of the shipped demo, whose images are rendered and free (CC0)."""

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

import recognizer

DEMO = Path(recognizer.__file__).parent / "demo_data" / "demo.zip"
WIDTH, LEFT, TOP, STEP, SCALE = 1000, 90, 90, 96, 1.35  # of a page, in pixels
FONT = "kalam-400"


@dataclass(frozen=True)
class MadeLine:
    """A line of a made page: its text, and left, top, right, bottom, baseline in pixels."""

    text: str
    box: tuple[int, int, int, int]
    base: int


def demo_lines(split: str, font: str = FONT) -> list[tuple[str, Image.Image]]:
    """Return texts and images of the demo's lines in one hand."""
    with zipfile.ZipFile(DEMO) as archive:
        table = csv.DictReader(
            io.StringIO(archive.read("manifest.tsv").decode()), "file text split group".split(), delimiter="\t"
        )
        rows = [row for row in table if row["split"] == split and row["group"] == font]
        return [(row["text"], Image.open(io.BytesIO(archive.read(row["file"]))).convert("L")) for row in rows]


def write_page(path: Path, number: int, lines: int = 8, split: str = "test", xml: bool = True) -> list[MadeLine]:
    """Write page `number` as `path`.jpg, with PAGE XML without texts beside it; return what stands on it."""
    parts = demo_lines(split)
    random = np.random.default_rng(number)
    height = 2 * TOP + STEP * lines
    paper = np.clip(random.normal(238, 2.5, (height, WIDTH)), 0, 255).astype(np.uint8)
    page = Image.fromarray(paper)
    made = []
    for row in range(lines):
        two = [parts[(2 * (number * lines + row) + i) % len(parts)] for i in range(2)]
        left, top, texts = LEFT + int(random.integers(-12, 12)), TOP + STEP * row, []
        begin = left
        for text, image in two:
            image = image.resize((round(image.width * SCALE), round(image.height * SCALE)), Image.Resampling.BICUBIC)
            if left + image.width > WIDTH - 30:
                break
            under = page.crop((left, top, left + image.width, top + image.height))
            page.paste(Image.fromarray(np.minimum(np.asarray(under), np.asarray(image))), (left, top))
            texts.append(text)
            left += image.width + 14
        bottom = top + round(48 * SCALE)
        made.append(MadeLine(" ".join(texts), (begin, top, left - 14, bottom), top + round(33 * SCALE)))
    page.save(path.with_suffix(".jpg"), quality=90)
    if xml:
        path.with_suffix(".xml").write_text(page_xml(path.with_suffix(".jpg").name, (WIDTH, height), made))
    return made


def page_xml(image: str, size: tuple[int, int], lines: list[MadeLine]) -> str:
    """Return PAGE XML that says where lines stand and not what they say."""
    rows = []
    for number, line in enumerate(lines, 1):
        left, top, right, bottom = line.box
        rows.append(
            f'      <TextLine id="l{number}">\n'
            f'        <Coords points="{left},{top} {right},{top} {right},{bottom} {left},{bottom}"/>\n'
            f'        <Baseline points="{left},{line.base} {right},{line.base}"/>\n      </TextLine>\n'
        )
    width, height = size
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made for a test -->\n'
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">\n'
        f'  <Page imageFilename="{escape(image)}" imageWidth="{width}" imageHeight="{height}">\n'
        f'    <TextRegion id="r1">\n      <Coords points="0,0 {width},0 {width},{height} 0,{height}"/>\n'
        + "".join(rows)
        + "    </TextRegion>\n  </Page>\n</PcGts>\n"
    )
