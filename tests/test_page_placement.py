"""Where the places of a page's XML come onto its image: sizes that disagree, cameras' orientations, blank cuts."""

from pathlib import Path

import numpy as np
import pytest
from makers import line_image
from PIL import Image

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image import HandwritingSettings
from recognizer.inputs.lines.image_file import read_image
from recognizer.inputs.lines.page_line import read_page_line
from recognizer.inputs.lines.page_placement import placement_of
from recognizer.pages.page import LineRegion, Page, PageLine

TEXTS = ("one line of writing", "two", "three lines of it")
TOPS = (20, 160, 240)  # not symmetric: upside down they are elsewhere


def sheet() -> np.ndarray:
    """Return a page of 600 x 400 with three lines."""
    page = np.full((400, 600), 235, np.uint8)
    for text, top in zip(TEXTS, TOPS, strict=True):
        line = np.asarray(line_image(text))[:50, :400]
        page[top : top + len(line), 40 : 40 + line.shape[1]] = np.minimum(line, 235)
    return page


def lines(scale: float = 1.0, left: float = 40.0) -> tuple[PageLine, ...]:
    boxes = [((left, top), (left + 400, top), (left + 400, top + 50), (left, top + 50)) for top in TOPS]
    areas = [LineRegion(tuple((x * scale, y * scale) for x, y in box)) for box in boxes]
    return tuple(PageLine(f"l{number}", "text", area) for number, area in enumerate(areas))


def page(path: Path, size: tuple[int, int], made: tuple[PageLine, ...]) -> Page:
    return Page(path.with_suffix(".xml"), path.name, size, made)


def saved(path: Path, orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(sheet()).save(path, exif=exif)
    return path


def test_places_of_the_stated_size_that_is_the_image_s_are_taken_without_a_word(tmp_path: Path) -> None:
    found = placement_of(page(tmp_path / "p.png", (600, 400), lines()), read_image(saved(tmp_path / "p.png")))
    assert (found.stored, found.across, found.down, found.notes) == (False, 1.0, 1.0, ())


def test_places_of_an_image_twice_as_large_are_scaled_with_a_word(tmp_path: Path) -> None:
    found = placement_of(page(tmp_path / "p.png", (1200, 800), lines(2.0)), read_image(saved(tmp_path / "p.png")))
    assert (found.across, found.down) == (0.5, 0.5)
    assert found.notes == ("the XML states 1200 x 800 pixels, the image has 600 x 400: places are scaled by 0.5",)


@pytest.mark.parametrize("size", [(1200, 800), (300, 200), (1000, 900)])
def test_places_that_are_in_pixels_of_the_image_already_are_left(size: tuple[int, int], tmp_path: Path) -> None:
    found = placement_of(page(tmp_path / "p.png", size, lines()), read_image(saved(tmp_path / "p.png")))
    assert (found.across, found.down) == (1.0, 1.0)
    assert "places are taken as they are, for there the writing is" in found.notes[0]


def test_an_image_of_another_shape_is_refused_where_places_do_not_fit_it(tmp_path: Path) -> None:
    image = read_image(saved(tmp_path / "p.png"))
    with pytest.raises(RecognizerError, match="its page says 1000 x 900 pixels, p.png has 600 x 400"):
        placement_of(page(tmp_path / "p.png", (1000, 900), lines(left=450.0)), image)


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_places_in_pixels_as_stored_are_told_from_the_size_or_from_the_ink(orientation: int, tmp_path: Path) -> None:
    image = read_image(saved(tmp_path / "p.jpg", orientation))
    found = placement_of(page(tmp_path / "p.jpg", (600, 400), lines()), image)
    assert found.stored and found.notes


def test_places_of_an_image_that_is_upright_are_told_too(tmp_path: Path) -> None:
    for orientation in (3, 6):
        path = tmp_path / f"{orientation}.png"
        image = Image.fromarray(sheet())
        turned = image.transpose(Image.Transpose.ROTATE_180 if orientation == 3 else Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned.save(path, exif=exif)
        assert placement_of(page(path, (600, 400), lines()), read_image(path)) == placement_of(
            page(path, (600, 400), lines()), read_image(saved(tmp_path / "plain.png"))
        )


def test_lines_that_stand_where_nothing_is_written_are_named(tmp_path: Path) -> None:
    away = tuple(
        PageLine(str(top), "text", LineRegion(((480, top), (590, top), (590, top + 40), (480, top + 40))))
        for top in (90, 320)
    )
    found = placement_of(page(tmp_path / "p.png", (600, 400), away), read_image(saved(tmp_path / "p.png")))
    assert found.notes == (
        "where its 2 lines stand there is no more writing than elsewhere: places or image may be wrong",
    )


XML = (
    '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"><Page imageFilename="p.png" '
    'imageWidth="1200" imageHeight="800"><TextRegion id="r" type="marginalia">{}</TextRegion></Page></PcGts>'
)


def test_what_was_found_odd_about_a_page_is_noted_on_each_of_its_lines(tmp_path: Path) -> None:
    saved(tmp_path / "p.png")
    line = '<TextLine id="{}"><Coords points="40,{} 440,{} 440,{} 40,{}"/></TextLine>'
    (tmp_path / "p.xml").write_text(
        XML.format("".join(line.format(f"l{top}", top, top, top + 50, top + 50) for top in TOPS))
    )
    signal = read_page_line(tmp_path / "p.xml", f"l{TOPS[0]}", HandwritingSettings(), "a line")
    assert [note.partition(":")[0] for note in signal.notes] == ["page", "tag"]
    assert signal.notes[1] == "tag: marginalia"
    assert (signal.values < 128).mean() > 0.02


def test_a_line_that_the_xml_names_is_never_asked_whether_it_is_a_page(tmp_path: Path) -> None:
    from makers import page_image

    page_image(12).save(tmp_path / "p.png")
    coords = '<Coords points="0,0 900,0 900,1200 0,1200"/>'
    (tmp_path / "p.xml").write_text(
        XML.format(f'<TextLine id="a">{coords}</TextLine>').replace('"1200"', '"900"').replace('"800"', '"1200"')
    )
    assert len(read_page_line(tmp_path / "p.xml", "a", HandwritingSettings(), "a line").values)
