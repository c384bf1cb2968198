"""Tests of outlines that lie elsewhere than the baselines of their lines."""

from pathlib import Path

import numpy as np

from recognizer.pages.page import LineRegion, Page, PageLine
from recognizer.pages.stray_outlines import with_believable_outlines


def line(number: int, scale: float = 1.0) -> PageLine:
    """Return a line 100 below the one before, its outline drawn in pixels `scale` as large."""
    low = 100.0 * number
    corners = ((50.0, low - 60.0), (850.0, low - 60.0), (850.0, low + 30.0), (50.0, low + 30.0))
    outline = tuple((x * scale, y * scale) for x, y in corners)
    return PageLine(f"l{number}", "text", LineRegion(outline, ((60.0, low), (400.0, low + 4.0), (840.0, low))))


def page(*lines: PageLine) -> Page:
    return Page(Path("a.xml"), "a.jpg", (1000, 1200), lines)


def test_outlines_around_their_baselines_stay() -> None:
    good = page(*map(line, range(1, 6)))
    assert with_believable_outlines(good) == good


def test_an_outline_in_other_pixels_is_drawn_anew_around_its_baseline() -> None:
    mended = with_believable_outlines(page(line(1), line(2), *(line(n, 1.7) for n in range(3, 8))))
    assert mended.lines[:2] == (line(1), line(2))
    assert mended.notes == ("5 outlines apart from their baselines, drawn anew around these",)
    for number, one in enumerate(mended.lines[2:], 3):
        assert one.area is not None
        low, high = np.min(one.area.outline, axis=0), np.max(one.area.outline, axis=0)
        assert low[0] < 60.0 and high[0] > 840.0
        assert 100 * number - 80 < low[1] < 100 * number - 60 and 100 * number + 20 < high[1] < 100 * number + 50


def test_a_single_line_tells_no_height_and_stays() -> None:
    alone = page(line(5, 1.7))
    assert with_believable_outlines(alone) == alone


def test_a_line_without_baseline_stays() -> None:
    bare = PageLine("l", "text", LineRegion(((0.0, 0.0), (9.0, 0.0), (9.0, 9.0))))
    assert with_believable_outlines(page(bare, line(2), line(3))).lines[0] == bare
