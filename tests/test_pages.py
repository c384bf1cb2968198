"""Pages as PAGE XML and ALTO: what is read of them, how lines are cut, what is written back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from recognizer.errors import RecognizerError
from recognizer.pages.background import even_light
from recognizer.pages.dewarping import dewarp
from recognizer.pages.image_lookup import find_image
from recognizer.pages.line_extraction import extract_line
from recognizer.pages.page import LineRegion, is_there, page_and_line
from recognizer.pages.parse import form_of, read_page

PCGTS = '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15">{}</PcGts>'
PAGE = PCGTS.format('<Page imageFilename="p.png" imageWidth="200" imageHeight="100">{}</Page>')
ALTO = (
    '<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><MeasurementUnit>pixel</MeasurementUnit>'
    "<sourceImageInformation><fileName>p.png</fileName></sourceImageInformation></Description><Layout>"
    '<Page WIDTH="200" HEIGHT="100"><PrintSpace><TextBlock>{}</TextBlock></PrintSpace></Page></Layout></alto>'
)
BOX = '<Coords points="10,20 90,20 90,40 10,40"/>'
ODD, NO_NUMBER = '<Coords points="1,2 3"/>', '<Coords points="1,nan"/>'
CORNERS = ((10, 20), (90, 20), (90, 40), (10, 40))


def page(folder: Path, xml: str) -> Path:
    """Write a page beside a white image of 200 x 100."""
    Image.new("L", (200, 100), 255).save(folder / "p.png")
    (folder / "p.xml").write_text(xml, encoding="utf-8")
    return folder / "p.xml"


def text_line(name: str, text: str, inner: str = BOX) -> str:
    return f'<TextLine id="{name}">{inner}<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>'


def test_page_xml_gives_outline_baseline_and_text(tmp_path: Path) -> None:
    inner = BOX + '<Baseline points="10,35 50.5,36 90,35"/>'
    xml = PAGE.format(f'<TextRegion id="r">{text_line("a", "caf&#233; &amp; tea", inner)}</TextRegion>')
    found = read_page(page(tmp_path, xml))
    assert (found.image, found.size) == ("p.png", (200, 100))
    (line,) = found.lines
    assert (line.id, line.text) == ("a", "café & tea")
    assert line.area == LineRegion(CORNERS, ((10, 35), (50.5, 36), (90, 35)))


def test_page_xml_before_2013_has_points_as_elements(tmp_path: Path) -> None:
    inner = "<Coords>" + "".join(f'<Point x="{x}" y="{y}"/>' for x, y in CORNERS) + "</Coords>"
    xml = PAGE.format(f"<TextRegion>{text_line('a', 'b', inner)}</TextRegion>").replace("2013-07-15", "2010-03-19")
    assert read_page(page(tmp_path, xml)).lines[0].area == LineRegion(CORNERS)


def test_the_reading_order_of_page_xml_goes_before_the_order_of_the_file(tmp_path: Path) -> None:
    regions = "".join(f'<TextRegion id="{r}">{text_line(r + "1", r)}</TextRegion>' for r in "abcd")
    order = (
        '<ReadingOrder><OrderedGroup id="g"><RegionRefIndexed index="1" regionRef="b"/>'
        '<OrderedGroupIndexed id="h" index="0"><RegionRefIndexed index="0" regionRef="c"/></OrderedGroupIndexed>'
        "</OrderedGroup></ReadingOrder>"
    )
    assert [line.text for line in read_page(page(tmp_path, PAGE.format(order + regions))).lines] == list("cbad")


def test_lines_in_cells_of_tables_and_in_regions_inside_regions_are_lines(tmp_path: Path) -> None:
    cells = "".join(f'<TableCell id="c{t}">{text_line(t, t)}</TableCell>' for t in "ab")
    inmost = f'<TextRegion id="inner">{text_line("d", "d")}</TextRegion>'
    inner = f'<TextRegion id="outer">{text_line("c", "c")}{inmost}</TextRegion>'
    order = '<ReadingOrder><OrderedGroup><RegionRefIndexed index="0" regionRef="inner"/></OrderedGroup></ReadingOrder>'
    xml = PAGE.format(order + f'<TableRegion id="t">{cells}</TableRegion>' + inner)
    assert [line.text for line in read_page(page(tmp_path, xml)).lines] == list("dabc")


def test_lines_without_ids_are_called_by_their_places_in_the_file(tmp_path: Path) -> None:
    lines = [text_line("x", text).replace('id="x"', "") for text in "ab"]
    order = '<ReadingOrder><OrderedGroup><RegionRefIndexed index="0" regionRef="r2"/></OrderedGroup></ReadingOrder>'
    regions = "".join(f'<TextRegion id="r{i}">{line}</TextRegion>' for i, line in enumerate(lines, 1))
    found = read_page(page(tmp_path, PAGE.format(order + regions))).lines
    assert [(line.id, line.text) for line in found] == [("line_2", "b"), ("line_1", "a")]


def test_of_alternatives_the_first_counts_and_words_where_a_line_has_no_text(tmp_path: Path) -> None:
    said = "".join(f'<TextEquiv index="{i}"><Unicode>{t}</Unicode></TextEquiv>' for i, t in ((1, "one"), (0, "nought")))
    words = "".join(f'<Word id="w{t}"><TextEquiv><Unicode>{t}</Unicode></TextEquiv></Word>' for t in ("two", "words"))
    lines = "".join(
        f'<TextLine id="{i}">{BOX}{inner}</TextLine>' for i, inner in zip("abc", (said, words, ""), strict=True)
    )
    found = read_page(page(tmp_path, PAGE.format(f"<TextRegion>{lines}</TextRegion>")))
    assert [line.text for line in found.lines] == ["nought", "two words", None]


def test_where_the_text_of_a_line_is_empty_another_form_of_it_speaks(tmp_path: Path) -> None:
    nothing, more = (
        "<TextEquiv index='0'><Unicode/></TextEquiv>",
        "<TextEquiv index='1'><Unicode>one</Unicode></TextEquiv>",
    )
    words = "".join(f"<Word>{equiv}</Word>" for equiv in (more, nothing, more))
    said = (nothing + more, words + nothing, nothing)
    lines = "".join(f'<TextLine id="{i}">{BOX}{inner}</TextLine>' for i, inner in zip("abc", said, strict=True))
    found = read_page(page(tmp_path, PAGE.format(f"<TextRegion>{lines}</TextRegion>")))
    assert [line.text for line in found.lines] == ["one", "one one", ""]


def test_the_text_of_a_region_without_lines_is_noted(tmp_path: Path) -> None:
    said = "<TextEquiv><Unicode>one</Unicode></TextEquiv>"
    with_line = f'<TextRegion><TextLine id="a">{BOX}{said}</TextLine>{said}</TextRegion>'
    assert read_page(page(tmp_path, PAGE.format(with_line))).notes == ()
    assert read_page(page(tmp_path, PAGE.format(f"{with_line}<TextRegion>{said}</TextRegion>"))).notes == (
        "page with text of a region that has no lines, which is not read",
    )


def test_alto_gives_outline_baseline_and_strings(tmp_path: Path) -> None:
    box = 'HPOS="10" VPOS="20" WIDTH="80" HEIGHT="20"'
    shape = '<Shape><Polygon POINTS="10 20 90 20 90 40"/></Shape>'
    one = f'<TextLine ID="a" BASELINE="10 35 90 36" {box}>{shape}<String CONTENT="a line"/></TextLine>'
    strings = '<String CONTENT="of"/><SP/><String CONTENT="wor"/><HYP CONTENT="-"/>'
    two = f'<TextLine ID="b" BASELINE="35" {box}>{strings}</TextLine>'
    three = f'<TextLine ID="c" {box}><String CONTENT="no"/><String CONTENT="SP"/></TextLine><TextLine ID="d"/>'
    found = read_page(page(tmp_path, ALTO.format(one + two + three)))
    assert [(line.id, line.text) for line in found.lines] == [
        ("a", "a line"),
        ("b", "of wor-"),
        ("c", "no SP"),
        ("d", None),
    ]
    assert found.lines[0].area == LineRegion(CORNERS[:3], ((10, 35), (90, 36)))
    assert found.lines[1].area == LineRegion(CORNERS, ((10, 35), (90, 35)))
    assert found.lines[2].area == LineRegion(CORNERS) and found.lines[3].area is None


AT_FAULT = {
    "broken": (PAGE.format("<TextRegion>"), "mismatched tag"),
    "a corpus of METS": ('<mets xmlns="x"/>', "XML of <mets>, expected PAGE XML"),
    "no page": (PCGTS.format(""), "<PcGts> without <Page>"),
    "millimetres": (ALTO.format("").replace("pixel", "mm10"), "places in mm10, expected ALTO in pixels"),
    "two pages": (ALTO.format("").replace("</Layout>", "<Page/></Layout>"), "2 pages, expected ALTO of one"),
}


@pytest.mark.parametrize("name", AT_FAULT)
def test_a_page_at_fault_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    xml, complaint = AT_FAULT[name]
    with pytest.raises(RecognizerError) as stopped:
        read_page(page(tmp_path, xml))
    assert complaint in str(stopped.value) and str(tmp_path / "p.xml") in str(stopped.value)


@pytest.mark.parametrize("bad", ["1,2 3", "1,nan 2,3", "1.84467e+19,1 2,3", "1,1 2," + "9" * 400, "x"])
def test_points_at_fault_cost_their_line_alone(bad: str, tmp_path: Path) -> None:
    lines = text_line("a", "b", f'<Coords points="{bad}"/>') + text_line("c", "d")
    found = read_page(page(tmp_path, PAGE.format(f"<TextRegion>{lines}</TextRegion>"))).lines
    assert [(line.id, bool(line.fault), line.area is None) for line in found] == [
        ("a", True, True),
        ("c", False, False),
    ]
    assert "expected pairs of numbers" in found[0].fault


def test_an_id_that_stands_twice_gets_a_name_of_its_own(tmp_path: Path) -> None:
    lines = text_line("a", "one") + text_line("a", "two") + text_line("b/c", "three")
    found = read_page(page(tmp_path, PAGE.format(f"<TextRegion>{lines}</TextRegion>")))
    assert [line.id for line in found.lines] == ["a", "a_2", "b_c"]
    assert found.notes == ("1 ids stand twice, the first 'a': the second line is called a_2",)
    assert [found.line(line.id).text for line in found.lines] == ["one", "two", "three"]


def custom(place: int) -> str:
    return f'custom="readingOrder {{index:{place};}}"'


def test_the_order_that_transkribus_states_is_followed(tmp_path: Path) -> None:
    lines = "".join(
        text_line(name, name).replace("<TextLine", f"<TextLine {custom(place)}")
        for name, place in (("c", 2), ("a", 0), ("b", 1))
    )
    regions = (
        f'<TextRegion id="r2" {custom(1)}>{text_line("d", "d")}</TextRegion><TextRegion id="r1" {custom(0)}>{lines}'
    )
    found = read_page(page(tmp_path, PAGE.format(regions + "</TextRegion>"))).lines
    assert [line.id for line in found] == ["a", "b", "c", "d"]


def test_where_a_line_has_no_place_lines_are_read_as_they_stand(tmp_path: Path) -> None:
    lines = text_line("b", "b").replace("<TextLine", f"<TextLine {custom(1)}") + text_line("a", "a")
    found = read_page(page(tmp_path, PAGE.format(f"<TextRegion>{lines}</TextRegion>"))).lines
    assert [line.id for line in found] == ["b", "a"]


def alto_line(name: str) -> str:
    return f'<TextLine ID="{name}" HPOS="10" VPOS="20" WIDTH="80" HEIGHT="20"><String CONTENT="{name}"/></TextLine>'


def test_the_orders_that_alto_states_are_followed(tmp_path: Path) -> None:
    references = "".join(f'<ElementRef ID="r{name}" REF="{name}"/>' for name in "cab")
    order = f'<ReadingOrder><OrderedGroup ID="g">{references}</OrderedGroup></ReadingOrder><Layout>'
    xml = ALTO.format("".join(map(alto_line, "abcd"))).replace("<Layout>", order)
    assert [line.id for line in read_page(page(tmp_path, xml)).lines] == ["c", "a", "b", "d"]
    (tmp_path / "chain").mkdir()
    blocks = [("2", 'IDNEXT="3"', "b"), ("3", "", "c"), ("1", 'IDNEXT="2"', "a")]
    chained = "</TextBlock>" + "".join(
        f'<TextBlock ID="{name}" {following}>{alto_line(line)}</TextBlock>' for name, following, line in blocks
    )
    xml = ALTO.format(chained + "<TextBlock>")
    assert [line.id for line in read_page(page(tmp_path / "chain", xml)).lines] == ["a", "b", "c"]


def test_strings_of_a_line_with_spaces_are_joined_without_one(tmp_path: Path) -> None:
    inner = '<String CONTENT="les"/><SP/><String CONTENT="clubs"/><String CONTENT=","/>'
    line = f'<TextLine ID="a" HPOS="10" VPOS="20" WIDTH="80" HEIGHT="20">{inner}</TextLine>'
    assert read_page(page(tmp_path, ALTO.format(line))).lines[0].text == "les clubs,"


def test_tags_of_a_line_and_of_its_region_are_known(tmp_path: Path) -> None:
    lines = text_line("a", "b").replace("<TextLine", '<TextLine custom="structure {type:print;}"') + text_line("c", "d")
    xml = PAGE.format(f'<TextRegion type="marginalia">{lines}</TextRegion>')
    assert [line.tags for line in read_page(page(tmp_path, xml)).lines] == [("marginalia", "print"), ("marginalia",)]
    tagged = alto_line("a").replace("<TextLine", '<TextLine TAGREFS="T1"')
    tags = '<Tags><OtherTag ID="T1" LABEL="Hand"/></Tags><Layout>'
    xml = ALTO.format(tagged + alto_line("b")).replace("<Layout>", tags)
    path = tmp_path / "q.xml"
    path.write_text(xml)
    assert [line.tags for line in read_page(path).lines] == [("Hand",), ()]


def test_xml_nested_too_deeply_is_refused_in_one_line(tmp_path: Path) -> None:
    deep = text_line("a", "b").replace("</TextLine>", '<Word id="w">' * 600 + "</Word>" * 600 + "</TextLine>")
    with pytest.raises(RecognizerError, match="256 deep"):
        read_page(page(tmp_path, PAGE.format(f"<TextRegion>{deep}</TextRegion>")))


def test_a_page_is_told_behind_a_long_comment(tmp_path: Path) -> None:
    path = page(
        tmp_path, f"<!-- {'licence ' * 2000} -->" + PAGE.format(f"<TextRegion>{text_line('a', 'b')}</TextRegion>")
    )
    assert form_of(path) == "PcGts" and len(read_page(path).lines) == 1


def white(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (20, 10), 255).save(path)
    return path


PLACES = {
    "a space as in an address": ("mon%20registre.png", "p.xml", "mon registre.png"),
    "another spelling of accents": ("été.png", "p.xml", "été.png"),
    "another suffix and capitals": ("Scan.TIF", "p.xml", "scan.jpg"),
    "the stem of the XML": ("page1.pdf_page_1.png", "page1.xml", "page1.png"),
    "no name": ("", "p.xml", "p.png"),
    "what is before a second dot": ("", "p.chocomufin.xml", "p.png"),
    "a folder of images beside that of the pages": ("p.png", "page/set/p.xml", "images/set/p.png"),
    "the path from the folder above, as OCR-D has it": ("OCR-D-IMG/p.png", "OCR-D-GT/x.xml", "OCR-D-IMG/p.png"),
}


@pytest.mark.parametrize("how", PLACES)
def test_the_image_is_found_where_people_put_it(how: str, tmp_path: Path) -> None:
    stated, xml, image = PLACES[how]
    path = tmp_path / "all" / xml
    there = white(tmp_path / "all" / image)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGE.format("").replace("p.png", stated), encoding="utf-8")
    found = find_image(path, stated)
    assert found.path.resolve() == there.resolve() and not found.note
    assert read_page(path).image_path() == found.path


def test_the_image_of_another_document_is_not_taken(tmp_path: Path) -> None:
    white(tmp_path / "all" / "one" / "0001.png")
    (tmp_path / "all" / "two").mkdir()
    (tmp_path / "all" / "two" / "0001.xml").write_text(PAGE.format("").replace("p.png", "0001.png"))
    with pytest.raises(RecognizerError, match=r"'0001\.png' is neither beside it"):
        find_image(tmp_path / "all" / "two" / "0001.xml", "0001.png")


def test_another_image_of_the_xml_s_own_name_is_taken_with_a_word(tmp_path: Path) -> None:
    white(tmp_path / "p.png")
    (tmp_path / "p.xml").write_text(PAGE.format("").replace("p.png", "autre.png"))
    found = find_image(tmp_path / "p.xml", "autre.png")
    assert found.path == tmp_path / "p.png"
    assert found.note == "its image 'autre.png' is not there, p.png of its own name was taken"


def test_the_image_stands_beside_the_page_or_a_folder_above(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    path = tmp_path / "page" / "p.xml"
    path.write_text(PAGE.format(""), encoding="utf-8")
    with pytest.raises(RecognizerError, match="its image 'p.png' is neither beside it nor in the folder above"):
        read_page(path).image_path()
    Image.new("L", (20, 10)).save(tmp_path / "p.png")
    assert read_page(path).image_path() == tmp_path / "p.png"


def test_an_image_of_another_suffix_is_that_of_the_page_where_there_is_one(tmp_path: Path) -> None:
    path = page(tmp_path, PAGE.format("").replace("p.png", "scans/p.tif"))
    assert read_page(path).image_path() == tmp_path / "p.png"
    Image.new("L", (20, 10)).save(tmp_path / "p.jpg")
    with pytest.raises(RecognizerError, match="'p.tif' is not there, but p.png and p.jpg are, expected one"):
        read_page(path).image_path()
    Image.new("L", (20, 10)).save(tmp_path / "p.tif")
    assert read_page(path).image_path() == tmp_path / "p.tif"


def test_a_form_is_told_by_the_first_element(tmp_path: Path) -> None:
    begin = '<?xml version="1.0"?>\n<!-- <alto> -->\n'
    for name, text, form in (
        ("a.xml", begin + '<p:PcGts xmlns:p="x"/>', "PcGts"),
        ("b.xml", "\ufeff<alto/>", "alto"),
        ("c.xml", '<ink xmlns="x"/>', ""),
        ("d.txt", "<alto/>", ""),
        ("e.xml", "alto <alto/>", ""),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert form_of(tmp_path / name) == form, name
    (tmp_path / "f.xml").write_text('<?xml version="1.0" encoding="UTF-16"?><alto/>', encoding="utf-16")
    assert form_of(tmp_path / "f.xml") == "alto"


def test_a_line_is_called_file_and_id(tmp_path: Path) -> None:
    path = page(tmp_path, PAGE.format(f"<TextRegion>{text_line('a#1', 'b')}</TextRegion>"))
    name = read_page(path).name_of(read_page(path).lines[0])
    assert name.name == "p.xml#a#1" and page_and_line(name) == (path, "a#1") and is_there(name)
    assert page_and_line(path) is None and page_and_line(tmp_path / "x.png#a") is None
    assert not is_there(tmp_path / "q.xml#a")
    name.write_text("a file of that name is a file")
    assert page_and_line(name) is None


def ink(values: np.ndarray) -> np.ndarray:
    """Return the mean row of what is darker than grey in each column that has some."""
    dark = values < 128
    return np.array([np.flatnonzero(column).mean() for column in dark.T if column.any()])


def test_a_sloping_line_is_cut_level() -> None:
    image = Image.new("L", (400, 300), 230)
    ImageDraw.Draw(image).line([(50, 100), (350, 200)], fill=20, width=5)
    area = LineRegion(((40, 70), (350, 175), (350, 220), (40, 125)), ((50, 100), (350, 200)))
    cut = extract_line(np.asarray(image), area)
    rows = ink(cut.values)[5:-5]
    assert np.ptp(rows) <= 2 and abs(cut.top + rows.mean() - cut.strip.above) < 2
    assert abs(len(rows) + 10 - np.hypot(300, 100)) < 8


def test_a_bent_line_is_cut_level_and_a_straight_cut_keeps_the_bend() -> None:
    along = np.linspace(0, 600, 61)
    bend = [(float(x), 150 + 40 * float(np.sin(x / 200))) for x in along]
    image = Image.new("L", (601, 300), 255)
    ImageDraw.Draw(image).line(bend, fill=0, width=5)
    outline = (*((x, y - 30) for x, y in bend), *((x, y + 20) for x, y in reversed(bend)))
    level, straight = (
        extract_line(np.asarray(image), LineRegion(outline, tuple(bend[::6])), flat) for flat in (False, True)
    )
    assert np.ptp(ink(level.values)) < 5 < 30 < np.ptp(ink(straight.values))


def test_what_lies_outside_the_outline_is_paper() -> None:
    grey = np.full((120, 200), 200, np.uint8)
    grey[30:34] = 10  # the line
    grey[60:90] = 10  # its neighbour, of which the right half of the outline takes some
    outline = ((0, 20), (200, 20), (200, 80), (120, 80), (120, 40), (0, 40))
    cut = extract_line(grey, LineRegion(outline, ((0, 36), (200, 36))))
    page_row, page_column = 20 - cut.strip.spread + cut.top, cut.left - cut.strip.spread
    left, right = (cut.values[:, round(column - page_column)] for column in (60, 180))
    ends = [
        (round(page_row + (v < 128).nonzero()[0].min()), round(page_row + (v < 128).nonzero()[0].max()))
        for v in (left, right)
    ]
    assert ends[0] == (30, 33) and ends[1][0] == 30 and ends[1][1] >= 80
    assert left[(left >= 128).nonzero()].min() > 150


def test_a_line_is_trimmed_to_its_ink_with_a_margin() -> None:
    grey = np.full((200, 400), 255, np.uint8)
    grey[90:110, 150:250] = 0
    cut = extract_line(grey, LineRegion(((50, 50), (350, 50), (350, 150), (50, 150)), ((50, 110), (350, 110))))
    assert cut.strip.size == (320, 120) and (cut.left, cut.top) == (104, 44)
    assert cut.values.shape == (32, 112) and not cut.values[6:-6, 6:-6].any() and cut.values[0].min() == 255


def test_a_line_without_ink_is_cut_whole() -> None:
    cut = extract_line(np.full((100, 100), 240, np.uint8), LineRegion(CORNERS))
    assert cut.values.shape == cut.strip.size[::-1] == (24, 84) and (cut.values == 240).all()


def test_a_stroke_that_a_tight_outline_cuts_is_whole() -> None:
    grey = np.full((200, 400), 255, np.uint8)
    grey[43:157, 100] = 0  # 114 pixels high, the outline 100
    cut = extract_line(grey, LineRegion(((50, 50), (350, 50), (350, 150), (50, 150)), ((50, 130), (350, 130))))
    assert 112 <= (cut.values < 128).sum() / max(1, (cut.values < 128).any(0).sum()) <= 116


def test_a_baseline_from_right_to_left_does_not_turn_the_writing_over() -> None:
    grey = np.full((60, 200), 255, np.uint8)
    grey[10:14, :100] = 0  # a bar, and at its left end a stroke down
    grey[10:40, :4] = 0
    corners = ((0, 0), (200, 0), (200, 50), (0, 50))
    for baseline in (((0, 40), (200, 40)), ((200, 40), (0, 40)), ()):
        dark = extract_line(grey, LineRegion(corners, baseline)).values < 128
        assert dark.any(0).sum() in (99, 100, 101) and dark.any(1).sum() in (29, 30, 31)
        assert dark[: len(dark) // 2].sum() > 2 * dark[len(dark) // 2 :].sum()
        assert dark[:, :20].sum() > dark[:, 20:40].sum()


def test_writing_up_the_margin_is_cut_level() -> None:
    grey = np.full((300, 60), 255, np.uint8)
    grey[100:200, 28:32] = 0  # a stroke along the baseline, which goes upwards
    values = extract_line(grey, LineRegion(((0, 0), (60, 0), (60, 300), (0, 300)), ((40, 300), (40, 0)))).values
    assert values.shape[1] > 4 * values.shape[0] and np.ptp(ink(values)) < 2 and 98 <= len(ink(values)) <= 102


def test_places_along_a_strip_are_places_on_the_page() -> None:
    strip = dewarp(LineRegion(((100, 80), (300, 80), (300, 120), (100, 120)), ((110, 110), (290, 110))))
    assert strip.size == (208, 48) and strip.spread == 4
    around = strip.around(24, 64)
    assert around[0] == (120, 80) and around[-1] == (120, 120) and {y for _, y in around} == {80, 120}
    assert max(x for x, _ in around) == 160 and strip.around(4, 5)[0] == (100, 80)


@pytest.mark.parametrize("outline", [((300, 210), (400, 210), (400, 230)), ((-90, -90), (-50, -90), (-50, -50))])
def test_an_outline_outside_the_page_is_refused_or_blank(outline: tuple[tuple[int, int], ...]) -> None:
    grey = np.full((100, 200), 255, np.uint8)
    grey[40:60, 50:150] = 0
    try:
        cut = extract_line(grey, LineRegion(outline))
    except RecognizerError as error:
        assert "holds no pixel of the page" in str(error)
    else:
        assert min(cut.values.shape) < 8 and cut.values.min() == 255, "too small for a signal, which says so"


def test_paper_in_shadow_becomes_white_and_strokes_keep_their_contrast() -> None:
    paper = np.linspace(250, 120, 400)[None].repeat(300, 0)
    page = paper.copy()
    page[50:250:25] *= 0.3
    made = even_light(page.astype(np.uint8)).astype(float)
    rows = np.zeros(300, bool)
    rows[50:250:25] = True
    assert made[~rows].min() > 230 and 60 < made[rows].min() and made[rows].max() < 100


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<a>" * 400 + "</a>" * 400, "elements more than 256 deep in one another, line 1, column"),
        (f'<Page note="{"x" * 10_000_001}"/>', "an attribute, text or comment of more than ten million characters"),
        (f"<!--{'x' * 10_000_001}-->", "an attribute, text or comment of more than ten million characters, line 1"),
        (f"<{'x' * 60_000}/>", "a name of more than 50,000 characters, line 1, column"),
        ("&b;" * 10_000, "entities that grow without bounds, line 1, column"),
        ("&c;", "entities that grow without bounds, line 1, column"),
    ],
    ids=["deep", "attribute", "comment", "name", "entity", "loop"],
)
def test_xml_beyond_the_limits_of_its_reader_is_one_line_for_its_owner(
    tmp_path: Path, inside: str, reason: str
) -> None:
    path = tmp_path / "x.xml"
    entities = f'<!ENTITY b "{"x" * 10_000}"><!ENTITY c "&c;">'
    path.write_text(f"<!DOCTYPE PcGts [{entities}]><PcGts>{inside}</PcGts>")
    with pytest.raises(RecognizerError) as raised:
        read_page(path)
    said = str(raised.value).removeprefix(f"{path}: ")
    assert said.startswith(reason)
    assert said.endswith(": no page needs it, take it out or export the page again; expected PAGE XML or ALTO")
