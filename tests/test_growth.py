"""Work that grows no faster than what it is given."""

import time
import tracemalloc
from pathlib import Path

import numpy as np

from recognizer.pages.dewarping import dewarp
from recognizer.pages.page import LineRegion
from recognizer.pages.parse import read_page

PAGE = """<PcGts><Page imageFilename="p.png" imageWidth="100" imageHeight="100">
<ReadingOrder><OrderedGroup>{order}</OrderedGroup></ReadingOrder>{regions}</Page></PcGts>"""
LINE = '<TextLine id="{0}"><Coords points="0,0 9,0 9,9"/><TextEquiv><Unicode>{0}</Unicode></TextEquiv></TextLine>'


def wave(points: int) -> tuple[tuple[float, float], ...]:
    x = np.linspace(0, 2000, points)
    return tuple(zip(x.tolist(), (100 + 20 * np.sin(x / 300)).tolist(), strict=True))


def test_an_outline_of_thousands_of_points_takes_little_memory_and_the_same_strip() -> None:
    def region(points: int) -> LineRegion:
        bend = wave(points)
        outline = (*((x, y - 30) for x, y in bend), *((x, y + 20) for x, y in reversed(bend)))
        return LineRegion(outline, bend)

    few = dewarp(region(100))
    tracemalloc.start()
    many = dewarp(region(3000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 60e6
    np.testing.assert_allclose(many.size, few.size, atol=2)
    ends = np.linspace(few.along[0], few.along[-1], 20)
    np.testing.assert_allclose([many.corners(p) for p in ends], [few.corners(p) for p in ends], atol=2.0)


def test_a_reading_order_that_names_the_same_nested_regions_again_and_again_is_followed_once(tmp_path: Path) -> None:
    depth = 100
    regions = "".join(f'<TextRegion id="r{i}">' + LINE.format(f"l{i}") for i in range(depth)) + "</TextRegion>" * depth
    order = "".join(f'<RegionRefIndexed index="{i}" regionRef="r{i % depth}"/>' for i in range(80 * depth))
    (tmp_path / "p.xml").write_text(PAGE.format(order=order, regions=regions))
    begin = time.process_time()
    page = read_page(tmp_path / "p.xml")
    assert time.process_time() - begin < 2
    assert [line.id for line in page.lines] == [f"l{i}" for i in range(depth)]


def test_the_order_named_goes_before_the_order_of_the_file(tmp_path: Path) -> None:
    inner = '<TextRegion id="b">' + LINE.format("b1") + "</TextRegion>"
    regions = (
        f'<TextRegion id="a">{LINE.format("a1")}{inner}</TextRegion><TextRegion id="c">{LINE.format("c1")}</TextRegion>'
    )
    order = "".join(f'<RegionRefIndexed index="{i}" regionRef="{r}"/>' for i, r in enumerate("cba"))
    (tmp_path / "p.xml").write_text(PAGE.format(order=order, regions=regions))
    assert [line.id for line in read_page(tmp_path / "p.xml").lines] == ["c1", "b1", "a1"]
