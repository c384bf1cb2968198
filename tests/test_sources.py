"""What a file is is told once, and it is decoded once, on its way through `transcribe`."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import makers
import numpy as np
import pytest
import tiny
from PIL import Image
from tiny import Run

from recognizer.decoding.options import DecoderOptions
from recognizer.formats import layout
from recognizer.formats.formats import format_page
from recognizer.inputs.lines import image, image_file
from recognizer.inputs.readable_files import readable_files
from recognizer.inputs.registry import identify
from recognizer.pages import line_extraction, parse
from recognizer.pages.parse import image_of_page
from recognizer.reading.transcription import TranscribeOptions, Transcript, transcribe

opened: Counter[str] = Counter()
watching = [False]


def _note(event: str, values: tuple[object, ...]) -> None:
    if watching[0] and event == "open" and isinstance(values[0], str | bytes):
        name = values[0].decode() if isinstance(values[0], bytes) else values[0]
        opened[Path(name).name] += 1


sys.addaudithook(_note)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count what is opened by name, images that are decoded, XML that is parsed, strips that are laid out."""
    opened.clear()

    def count(module: object, name: str) -> None:
        real = getattr(module, name)

        def wrapped(*values: object, **named: object) -> object:
            opened[name] += 1
            return real(*values, **named)

        monkeypatch.setattr(module, name, wrapped)

    count(image_file, "_decoded")
    count(parse, "parse_xml")
    count(line_extraction, "dewarp")
    count(layout, "dewarp")
    watching[0] = True
    yield opened
    watching[0] = False


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return the image of a page of seven lines."""
    makers.page_image(7).save(tmp_path / "page.png")
    return tmp_path / "page.png"


PAGE = (
    '<PcGts xmlns="x"><Page imageFilename="{}" imageWidth="{}" imageHeight="{}"><TextRegion id="r">{}</TextRegion>'
    "</Page></PcGts>"
)
LINE = '<TextLine id="l{0}"><Coords points="{1},{2} {3},{2} {3},{4} {1},{4}"/></TextLine>'


def described(page: Path) -> Path:
    """Write the PAGE XML of an image that has three lines, and return its path."""
    width, height = Image.open(page).size
    lines = "".join(LINE.format(i, 10, 10 + 60 * i, width - 10, 60 + 60 * i) for i in range(3))
    path = page.with_suffix(".xml")
    path.write_text(PAGE.format(page.name, width, height, lines))
    return path


def read(run: Run, *names: Path, find_lines: bool = False) -> list[Transcript]:
    options = TranscribeOptions(
        str(run.folder / "model.safetensors"), "cpu", DecoderOptions(), lambda _: None, find_lines
    )
    return list(transcribe(list(map(str, names)), options))


def test_an_image_of_a_line_is_opened_to_tell_what_it_is_and_to_decode_it(
    line_run: Run, tmp_path: Path, counted: Counter[str]
) -> None:
    tiny.draw_line("lo x", np.random.default_rng(1)).save(tmp_path / "a.png")
    counted.clear()
    (one,) = read(line_run, tmp_path / "a.png")
    assert not one.errors and len(one.records) == 1
    assert (counted["a.png"], counted["_decoded"]) == (2, 1)


@pytest.mark.parametrize("find_lines", [False, True])
def test_an_image_of_a_page_is_decoded_once(line_run: Run, page: Path, counted: Counter[str], find_lines: bool) -> None:
    counted.clear()
    (one,) = read(line_run, page, find_lines=find_lines)
    assert one.page and len(one.records) > 3 and not one.errors
    assert (counted["page.png"], counted["_decoded"]) == (2, 1)
    before = counted["dewarp"]
    assert format_page(one.page, one.records, "page").text.count("<TextLine") == len(one.records)
    assert counted["dewarp"] == before  # what was cut out is not laid out again


def test_every_page_of_a_file_is_decoded_once(line_run: Run, tmp_path: Path, counted: Counter[str]) -> None:
    images = [tiny.draw_line(text, np.random.default_rng(1)) for text in ("lo x", "xo", "l-l")]
    images[0].save(tmp_path / "m.tif", save_all=True, append_images=images[1:])
    counted.clear()
    found = read(line_run, tmp_path / "m.tif")
    assert [Path(one.name).name for one in found] == ["m.tif[1]", "m.tif[2]", "m.tif[3]"]
    assert counted["_decoded"] == 3 and not any(one.errors for one in found)


def test_a_page_is_parsed_once_and_its_image_decoded_once(line_run: Run, page: Path, counted: Counter[str]) -> None:
    path = described(page)
    counted.clear()
    (one,) = read(line_run, page.parent)
    assert one.name == str(path) and one.page and len(one.records) == 3 and not one.errors
    assert (counted["parse_xml"], counted["_decoded"], counted["page.png"]) == (1, 1, 1)
    before = counted["dewarp"]
    assert before == 3
    for form in ("page", "alto", "hocr"):
        assert "<" in format_page(one.page, one.records, form).text
    assert counted["dewarp"] == before


def test_a_recording_is_asked_once_what_it_is(sound_run: Run, sounds: Path, counted: Counter[str]) -> None:
    """One look at its first bytes, two where its length is, two where its sound is (a container has both elsewhere)."""
    file = sounds.parent / "files" / "000.wav"
    counted.clear()
    (one,) = read(sound_run, file)
    assert len(one.records) == 1 and counted["000.wav"] == 5


@pytest.mark.slow
def test_many_pages_of_a_folder_are_each_parsed_once(line_run: Run, page: Path, counted: Counter[str]) -> None:
    described(page)
    for number in range(12):  # more than are kept
        copy = page.with_name(f"p{number:02}.png")
        copy.write_bytes(page.read_bytes())
        described(copy)
    counted.clear()
    assert len(read(line_run, page.parent)) == 13
    assert counted["parse_xml"] == counted["_decoded"] == 13


def test_what_a_file_is(page: Path, sounds: Path, strokes: Path) -> None:
    xml = described(page)
    found = [identify(path) for path in (page, xml, xml.with_name(f"{xml.name}#l0"))]
    assert [(one.kind, one.page) for one in found] == [
        ("handwriting", False),
        ("handwriting", True),
        ("handwriting", False),
    ]
    assert identify(sounds.parent / "files" / "000.wav").kind == "speech"
    assert identify(strokes.parent / "files" / "000.inkml").kind == "strokes"


def test_files_of_a_folder_that_belong_to_others_are_not_read_by_themselves(page: Path) -> None:
    xml, line = described(page), page.with_name("line.png")
    line.write_bytes(page.read_bytes())
    ours = line.with_name("line.page.xml")
    ours.write_text(xml.read_text().replace(page.name, line.name).replace("<PcGts", "<!-- recognizer 1 --><PcGts"))
    broken = page.with_name("broken.xml")
    broken.write_text(xml.read_text().replace(page.name, "broken.png").replace("</PcGts>", ""))
    image_beside = page.with_name("broken.png")
    image_beside.write_bytes(page.read_bytes())
    files = sorted(page.parent.iterdir())
    assert readable_files(files) == [broken, line, xml]
    assert image_of_page(xml) == page


def test_alto_states_its_image_before_its_layout(tmp_path: Path) -> None:
    Image.new("L", (50, 50), 255).save(tmp_path / "scan.png")
    head = "<Description><sourceImageInformation><fileName> scan.png </fileName></sourceImageInformation></Description>"
    (tmp_path / "a.xml").write_text(f"<alto>{head}<Layout><Page ID='p'/></Layout></alto>")
    (tmp_path / "scan.xml").write_text("<alto><Layout><Page ID='p'/></Layout></alto>")  # by its own name
    assert [image_of_page(tmp_path / name).name for name in ("a.xml", "scan.xml")] == ["scan.png"] * 2


def test_an_image_is_a_line_or_a_page_by_one_look(page: Path) -> None:
    grey = image.read_grey(page)
    found = image.line_or_page(grey, image.HandwritingSettings())
    assert isinstance(found, image.PageImage) and found.bands > 4 and found.grey is grey
