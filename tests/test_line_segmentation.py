"""Lines are found on pages of which nothing is known."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from makers import page_image, save_model, tone
from PIL import Image, ImageDraw, ImageFont
from terminal import said

import recognizer
from recognizer.errors import RecognizerError
from recognizer.pages.background import even_light
from recognizer.pages.line_segmentation import find_lines
from recognizer.pages.page import LineRegion
from recognizer.pages.parse import read_page
from recognizer.pages.rules import erase_rules, ink_of, small_picture, spacing_of


def middles(areas: list[LineRegion]) -> list[float]:
    return [float(np.mean([y for _, y in area.baseline])) for area in areas]


@pytest.mark.parametrize("lines", [6, 12, 25])
def test_as_many_lines_are_found_as_were_written_and_in_their_places(lines: int) -> None:
    step = 1100 // lines
    areas = find_lines(np.asarray(page_image(lines)))
    assert len(areas) == lines
    for number, (middle, area) in enumerate(zip(middles(areas), areas, strict=True)):
        top = 50 + number * step
        assert top + 0.3 * step < middle < top + 0.6 * step
        assert min(x for x, _ in area.outline) < 50 and max(x for x, _ in area.outline) > 100


def test_the_spacing_is_that_of_the_lines_and_no_multiple_of_it() -> None:
    for lines in (8, 20):
        image = page_image(lines)
        spacing = spacing_of(ink_of(small_picture(np.asarray(image))))
        assert spacing == pytest.approx((1100 // lines) * 1400 / image.height, rel=0.05)


@pytest.mark.parametrize("degrees", [-3.0, 3.0])
def test_lines_that_slope_are_followed(degrees: float) -> None:
    turned = page_image(14).rotate(degrees, fillcolor=255, resample=Image.Resampling.BICUBIC)
    areas = find_lines(np.asarray(turned))
    assert len(areas) == 14
    for area in areas:
        (x0, y0), (x1, y1) = area.baseline[0], area.baseline[-1]
        assert (y1 - y0) / (x1 - x0) == pytest.approx(-np.tan(np.radians(degrees)), abs=0.02)


def test_an_open_book_is_read_side_by_side() -> None:
    book = Image.new("L", (1800, 1200), 255)
    book.paste(page_image(12), (0, 0))
    book.paste(page_image(12), (900, 20))
    areas = find_lines(np.asarray(book))
    assert len(areas) == 24
    left = [max(x for x, _ in area.outline) < 900 for area in areas]
    assert left == [True] * 12 + [False] * 12
    assert middles(areas)[:12] == sorted(middles(areas)[:12]) and middles(areas)[12:] == sorted(middles(areas)[12:])


def test_the_left_page_of_a_book_comes_first_also_where_its_writing_begins_lower() -> None:
    book, sheet = Image.new("L", (1800, 1200), 255), page_image(12)
    book.paste(sheet.crop((0, 600, 900, 1200)), (0, 600))
    book.paste(sheet.crop((0, 0, 900, 590)), (900, 0))
    areas = find_lines(np.asarray(book))
    left = [max(x for x, _ in area.outline) < 900 for area in areas]
    assert len(areas) == 12 and left == sorted(left, reverse=True) and sum(left) == 6


def column(lines: int) -> Image.Image:
    """Return a column of writing, cut close, all of its lines as wide."""
    sheet = page_image(lines)
    ink = sheet.point(lambda value: 255 * (value < 128)).getbbox()
    assert ink is not None
    return sheet.crop((ink[0], 0, ink[2], 1200))


@pytest.mark.parametrize("rtl", [False, True])
@pytest.mark.parametrize("shift", [0, 40])  # of the second column: half the way from a line to the next
def test_columns_with_a_narrow_gap_are_read_one_after_the_other(shift: int, rtl: bool) -> None:
    one = column(14)
    gap = round(0.9 * 1100 / 14)
    sheet = Image.new("L", (2 * one.width + gap + 100, 1500), 255)
    font = ImageFont.load_default(40)
    ImageDraw.Draw(sheet).text((50, 30), "A heading that runs on over both " * 2, font=font, fill=0)
    for left, top in ((50, 100), (50 + one.width + gap, 100 + shift)):
        sheet.paste(one, (left, top))
    sheet = sheet.crop((0, 0, 100 + 2 * one.width + gap, 1500))
    areas = find_lines(np.asarray(sheet), rtl)
    assert len(areas) == 29, "nothing is joined, nothing is cut"
    split = 50 + one.width + gap / 2
    sides = [(min(x for x, _ in area.baseline) > split, max(x for x, _ in area.baseline) > split) for area in areas]
    first, second = ((True, True), (False, False)) if rtl else ((False, False), (True, True))
    assert sides == [(False, True), *[first] * 14, *[second] * 14]
    rows = middles(areas)
    assert rows[1:15] == sorted(rows[1:15]) and rows[15:] == sorted(rows[15:]) and rows[0] < min(rows[1:])


def test_spaces_between_words_are_no_gap_between_columns() -> None:
    sheet = Image.new("L", (900, 1200), 255)
    font = ImageFont.load_default(36)
    for number in range(14):  # the same wide space at nearly the same place, on few lines at a time
        words = ("one two", "three four five") if number % 4 else ("a longer first part of it", "then")
        ImageDraw.Draw(sheet).text((40, 50 + 78 * number), "   ".join(words), font=font, fill=0)
    assert len(find_lines(np.asarray(sheet))) == 14


def test_outlines_of_neighbours_do_not_share_ink() -> None:
    image = page_image(20)
    grey = np.asarray(image)
    share = np.zeros(grey.shape, int)
    for area in find_lines(grey):
        mask = Image.new("L", image.size)
        ImageDraw.Draw(mask).polygon(list(area.outline), fill=1)
        share += np.asarray(mask)
    ink = grey < 128
    assert (share[ink] == 1).mean() > 0.98


def test_rules_are_no_lines_and_are_erased_where_nothing_crosses_them() -> None:
    image = page_image(12)
    ruled = image.copy()
    draw = ImageDraw.Draw(ruled)
    for y in range(30, 1190, 45):
        draw.line([(20, y), (880, y + 4)], fill=120, width=2)
    draw.line([(25, 0), (25, 1199)], fill=90, width=3)
    assert len(find_lines(np.asarray(ruled))) == 12
    erased = erase_rules(np.asarray(ruled))
    before, after = (np.abs(np.asarray(image).astype(int) - v)[:, 40:860] for v in (np.asarray(ruled), erased))
    assert after.mean() < 0.3 * before.mean()


@pytest.mark.parametrize("picture", ["blank", pytest.param("noise", marks=pytest.mark.slow)])
def test_on_a_page_without_writing_nothing_is_found(picture: str) -> None:
    grey = np.full((1200, 900), 250, np.uint8)
    if picture == "noise":
        grey = np.random.default_rng(1).integers(230, 255, grey.shape).astype(np.uint8)
    assert find_lines(even_light(grey)) == []


def test_an_image_of_a_page_is_read_line_by_line_and_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    path = tmp_path / "p.png"
    page_image(12).save(path)
    code, out, err = said(capsys, "transcribe", path, "--model", model)
    assert (code, err) == (0, f"{path}: a page, 12 lines found on it\n") and len(out.splitlines()) == 12
    code, out, _ = said(capsys, "transcribe", path, "--model", model, "--format", "page")
    path.with_suffix(".xml").write_text(out, encoding="utf-8")
    named = read_page(path.with_suffix(".xml"))
    found, _ = recognizer.load(model).find_page(path)
    assert [line.id for line in named.lines] == [f"line_{i}" for i in range(1, 13)]
    for one, other in zip(named.lines, found.lines, strict=True):
        assert one.area and other.area and np.abs(np.subtract(one.area.baseline, other.area.baseline)).max() <= 0.5
    code, out, _ = said(capsys, "transcribe", path, "--model", model, "--format", "hocr")
    assert len([e for e in ElementTree.fromstring(out).iter() if e.get("class") == "ocr_line"]) == 12


def test_an_image_that_looks_like_no_page_is_one_where_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    path = tmp_path / "p.png"
    page_image(12).crop((0, 0, 900, 310)).save(path)
    assert said(capsys, "transcribe", path, "--model", model)[2] == ""
    code, out, err = said(capsys, "transcribe", path, "--model", model, "--find-lines")
    assert (code, err) == (0, f"{path}: a page, 3 lines found on it\n") and len(out.splitlines()) == 3
    Image.new("L", (900, 1200), 255).save(path)
    code, _, err = said(capsys, "transcribe", path, "--model", model, "--find-lines")
    assert code == 2 and err == f"recognizer: {path}: no line of writing is found on this page\n"


def test_a_model_of_speech_finds_no_lines(tmp_path: Path) -> None:
    model = recognizer.load(save_model("speech", tmp_path / "model.safetensors"))
    page_image(6).save(tmp_path / "p.png")
    with pytest.raises(RecognizerError, match="an image of a page, and the model reads speech"):
        model.find_page(tmp_path / "p.png")
    assert len(tone(0.1)), "sound stays sound"


@pytest.mark.slow
def test_lines_of_real_pages_are_found(shared: Path) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("bench_lines", Path(__file__).parents[1] / "scripts/bench_lines.py")
    assert spec and spec.loader
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    reader = recognizer.load("handwriting")
    known = hits = besides = 0
    for path in sorted((shared / "pages").rglob("*.xml")):
        page = read_page(path)
        found, _ = reader.find_page(page.image_path())
        matches = bench.match(page, [line.area for line in found.lines])
        known, hits, besides = known + len(page.lines), hits + len(matches), besides + len(found.lines) - len(matches)
    assert known == 104 and hits >= 100 and besides <= 5
