"""A page with what was read of its lines, in pixels of its image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recognizer.decoding.hypothesis import Hypothesis
from recognizer.formats.result import Result
from recognizer.pages.dewarping import DewarpedLine, dewarp
from recognizer.pages.page import LineRegion, Page, PageLine, Points, clipped

Outline = tuple[tuple[int, int], ...]  # corners, from the upper left one on


@dataclass(frozen=True)
class LayoutLine:
    """A line that was read.

    Args:
        id: its name on the page.
        outline: around it.
        baseline: points that it stands on, if known.
        hypothesis: what was read.
        words: an outline around each of its words.
    """

    id: str
    outline: Outline
    baseline: Outline
    hypothesis: Hypothesis
    words: tuple[Outline, ...]


@dataclass(frozen=True)
class PageLayout:
    """A page that was read.

    Args:
        image: the name of its image.
        size: width and height of that image.
        lines: in reading order; those that could not be read are not here.
    """

    image: str
    size: tuple[int, int]
    lines: tuple[LayoutLine, ...]


def layout_of_image(record: Result) -> PageLayout:
    """Return the image of one line as a page of one line."""
    width, height = record.size
    words = tuple(corners(record.box(word)) for word in record.hypothesis.words)
    line = LayoutLine("line_1", corners((0, 0, width, height)), (), record.hypothesis, words)
    return PageLayout(Path(record.name).name, record.size, (line,))


def layout_of_page(page: Page, records: Sequence[Result]) -> PageLayout:
    """Return a page with what was read of it, in the pixels that its XML counts in.

    Args:
        page: the page.
        records: of its lines, called as the page calls them.
    """
    named = {record.name: record for record in records}
    read = [(line, named.get(str(page.name_of(line)))) for line in page.lines]
    lines = tuple(_line(page, line, record) for line, record in read if record)
    return PageLayout(page.image, page.size, lines)


def corners(box: tuple[int, int, int, int]) -> Outline:
    """Return the corners of left, top, right, bottom."""
    left, top, right, bottom = box
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def box_around(outline: Outline) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what holds an outline."""
    across, down = zip(*outline, strict=True)
    return min(across), min(down), max(across), max(down)


def _line(page: Page, line: PageLine, record: Result) -> LayoutLine:
    assert line.area is not None  # what has no outline was not read
    area, said = clipped(line.area, page.size), record.hypothesis
    outline, baseline = (tuple((round(x), round(y)) for x, y in part) for part in (line.area.outline, area.baseline))
    strip = dewarp(area, record.vertical) if record.strip is None else record.strip
    words = [_word(strip, word.start / record.extent, word.end / record.extent, record.vertical) for word in said.words]
    inside = [tuple((round(x), round(y)) for x, y in clipped(LineRegion(word), page.size).outline) for word in words]
    return LayoutLine(line.id, outline, baseline, said, tuple(inside))


def _word(strip: DewarpedLine, start: float, end: float, vertical: bool) -> Points:
    """Return the outline of the part of a strip between two shares of its length, or, where it is vertical, height."""
    if not vertical:
        length = float(strip.along[-1])
        return tuple(strip.around(start * length, end * length))
    (left, top), (right, bottom) = strip.corners(0.0)[0], strip.corners(float(strip.along[-1]))[1]
    down = bottom - top
    left, right = round(float(left + strip.spread)), round(float(right - strip.spread))
    return corners((left, round(float(top + start * down)), right, round(float(top + end * down))))
