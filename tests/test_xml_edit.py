"""Edits of a page's XML: what is not edited stays to the byte."""

from pathlib import Path

import pytest

from recognizer.errors import RecognizerError
from recognizer.pages.parse import read_page
from recognizer.pages.xml_edit import EditedLine, EditedWord, edit_lines

PAGE = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<?xml-model href="rules.rng"?>
<!-- made by hand -->
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15" xmlns:x='urn:other'>
  <Metadata><Creator>me</Creator></Metadata>
  <Page imageFilename="a.png" imageWidth="400" imageHeight="300">
    <TextRegion id="r1"   custom="readingOrder {index:0;}">
      <Coords points="0,0 400,0 400,100 0,100"/>
      <TextLine id="l1" custom="structure {type:heading;} bold {offset:0; length:3;}">
        <Coords points="10,10 200,10 200,40 10,40"/>
        <Baseline points="10,35 200,35"/>
        <Word id="w1"><Coords points="10,10 20,10 20,40"/><TextEquiv><Unicode>old</Unicode></TextEquiv></Word>
        <TextEquiv conf="0.5"><Unicode>old &amp; tired</Unicode></TextEquiv>
        <x:mine>stays</x:mine>
      </TextLine>
      <TextLine id="l2"><Coords points="10,50 200,50 200,80 10,80"/></TextLine>
    </TextRegion>
    <TextRegion id="r2"><Coords points="0,100 400,100 400,200 0,200"/>
      <TextLine id="l3"><Coords points="10,110 200,110 200,140 10,140"/></TextLine>
    </TextRegion>
  </Page>
</PcGts>
"""
ALTO = b"""<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>a.png</fileName></sourceImageInformation></Description>
<Layout><Page ID="p" PHYSICAL_IMG_NR="1" WIDTH="400" HEIGHT="300"><PrintSpace><TextBlock ID="b">
<TextLine ID="l1" HPOS="10" VPOS="10" WIDTH="190" HEIGHT="30" BASELINE="10 35 200 35">
<Shape><Polygon POINTS="10 10 200 10 200 40 10 40"/></Shape><String CONTENT="old" WC="0.5"/></TextLine>
<TextLine ID="l2" HPOS="10" VPOS="50" WIDTH="190" HEIGHT="30"/>
</TextBlock></PrintSpace></Page></Layout></alto>
"""
BOX = ((10.0, 150.0), (200.0, 150.0), (200.0, 180.0), (10.0, 180.0))


def written(folder: Path, data: bytes) -> Path:
    path = folder / "page.xml"
    path.write_bytes(data)
    return path


def unchanged(*names: str) -> list[EditedLine]:
    return [EditedLine(name) for name in names]


def test_a_page_of_which_nothing_is_edited_stays_to_the_byte(tmp_path: Path) -> None:
    assert edit_lines(written(tmp_path, PAGE), unchanged("l1", "l2", "l3")) == PAGE
    assert edit_lines(written(tmp_path, ALTO), unchanged("l1", "l2")) == ALTO


def test_only_the_line_that_is_corrected_changes(tmp_path: Path) -> None:
    path = written(tmp_path, PAGE)
    word = EditedWord("<new>", ((10, 10), (40, 10), (40, 40), (10, 40)), 0.875)
    made = edit_lines(path, [EditedLine("l1", "<new> text", words=(word,)), *unchanged("l2", "l3")])
    before, after = PAGE.decode().splitlines(), made.decode().splitlines()
    assert [line for line in after if line not in before] == [
        '      <TextLine id="l1" custom="structure {type:heading;}">',
        '        <Word id="l1_word_1">',
        '           <Coords points="10,10 40,10 40,40 10,40"/>',
        '           <TextEquiv conf="0.875"><Unicode>&lt;new&gt;</Unicode></TextEquiv>',
        "        </Word>",
        "        <TextEquiv><Unicode>&lt;new&gt; text</Unicode></TextEquiv>",
    ]
    assert [line.strip() for line in before if line not in after] == [
        '<TextLine id="l1" custom="structure {type:heading;} bold {offset:0; length:3;}">',
        '<Word id="w1"><Coords points="10,10 20,10 20,40"/><TextEquiv><Unicode>old</Unicode></TextEquiv></Word>',
        '<TextEquiv conf="0.5"><Unicode>old &amp; tired</Unicode></TextEquiv>',
    ]
    path.write_bytes(made)
    assert read_page(path).lines[0].text == "<new> text"


def test_a_baseline_moves_and_a_line_without_text_gets_one(tmp_path: Path) -> None:
    path = written(tmp_path, PAGE)
    moved = EditedLine("l1", baseline=((12, 36), (201, 33)))
    path.write_bytes(edit_lines(path, [moved, EditedLine("l2", "two", BOX), EditedLine("l3")]))
    page = read_page(path)
    assert page.lines[0].area and page.lines[0].area.baseline == ((12, 36), (201, 33))
    assert page.lines[0].text == "old & tired"
    assert page.lines[1].text == "two" and page.lines[1].area and page.lines[1].area.outline == BOX
    assert b"<x:mine>stays</x:mine>" in path.read_bytes() and b"<!-- made by hand -->" in path.read_bytes()


@pytest.mark.parametrize("data", [PAGE, ALTO])
def test_lines_are_added_removed_and_put_in_another_order(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path, data)
    others = unchanged("l3") if data is PAGE else []
    path.write_bytes(edit_lines(path, [EditedLine("l2"), EditedLine("new", "added", BOX), EditedLine("l1"), *others]))
    assert [line.id for line in read_page(path).lines] == ["l2", "new", "l1", *(["l3"] if others else [])]
    assert read_page(path).lines[1].text == "added"
    path.write_bytes(edit_lines(path, [EditedLine("new"), *others]))
    assert [line.id for line in read_page(path).lines] == ["new", *(["l3"] if others else [])]
    path.write_bytes(edit_lines(path, []))
    assert read_page(path).lines == ()


def test_alto_gets_text_places_and_a_moved_line(tmp_path: Path) -> None:
    path = written(tmp_path, ALTO)
    first = EditedLine("l1", "a b", BOX, ((10.0, 175.0), (200.0, 175.0)))
    path.write_bytes(edit_lines(path, [first, EditedLine("l2", "c")]))
    page = read_page(path)
    assert [line.text for line in page.lines] == ["a b", "c"]
    assert page.lines[0].area and page.lines[0].area.outline == BOX
    assert b"WC" not in path.read_bytes(), "nobody knows how sure a person was"


def test_text_of_a_region_and_date_follow_its_lines(tmp_path: Path) -> None:
    stated = PAGE.replace(
        b"</TextRegion>\n    <TextRegion", b"<TextEquiv><Unicode>x</Unicode></TextEquiv></TextRegion>\n    <TextRegion"
    )
    stated = stated.replace(b"</Creator>", b"</Creator><LastChange>1999-01-01T00:00:00Z</LastChange>")
    path = written(tmp_path, stated)
    made = edit_lines(path, [EditedLine("l1", "one"), EditedLine("l2", "two"), EditedLine("l3")])
    assert b"<Unicode>one\ntwo</Unicode>" in made and b"1999" not in made


@pytest.mark.parametrize(
    ("ids", "names"), [(("l1", "l1"), ("l1", "l1_2")), (("a/b", "l2"), ("a_b", "l2")), (("", "l2"), ("line_1", "l2"))]
)
def test_lines_are_called_as_the_reader_calls_them(
    tmp_path: Path, ids: tuple[str, str], names: tuple[str, str]
) -> None:
    data = PAGE.replace(b'id="l2"', f'id="{ids[1]}"'.encode()).replace(b'"l1"', f'"{ids[0]}"'.encode())
    path = written(tmp_path, data)
    assert [line.id for line in read_page(path).lines] == [*names, "l3"]
    made = edit_lines(path, [EditedLine(names[0], "one"), EditedLine(names[1], "two"), EditedLine("l3")])
    path.write_bytes(made)
    assert [(line.id, line.text) for line in read_page(path).lines] == [
        (names[0], "one"),
        (names[1], "two"),
        ("l3", None),
    ]
    assert made.count(f'<TextLine id="{ids[0]}"'.encode()) == ids.count(ids[0])


def test_a_new_line_needs_a_place(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="no outline"):
        edit_lines(written(tmp_path, PAGE), [*unchanged("l1", "l2", "l3"), EditedLine("new", "x")])
    with pytest.raises(RecognizerError, match="no region"):
        bare = b'<PcGts><Page imageFilename="a.png"/></PcGts>'
        edit_lines(written(tmp_path, bare), [EditedLine("new", "x", BOX)])
