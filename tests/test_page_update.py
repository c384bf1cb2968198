"""XML that is written is valid, keeps what it held, and no longer says what is not true of its new texts."""

from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.formats.formats import format_page, format_reading
from recognizer.formats.page_update import Document
from recognizer.formats.result import Result
from recognizer.pages.parse import read_page

# What the schemas of PAGE (2013 to 2019) and ALTO 4 say of the parts that are written: which elements in which order,
# and ids that stand once (checked beside it, since RELAX NG leaves that to the DTD).
PAGE_GRAMMAR = """
<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="{ns}"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start><element name="PcGts"><element name="Metadata"><element name="Creator"><text/></element>
    <element name="Created"><data type="dateTime"/></element><element name="LastChange"><data type="dateTime"/>
    </element></element><element name="Page"><attribute name="imageFilename"/><attribute name="imageWidth">
    <data type="int"/>
    </attribute><attribute name="imageHeight"><data type="int"/></attribute>
    <zeroOrMore><ref name="region"/></zeroOrMore></element></element></start>
  <define name="region"><element name="TextRegion"><ref name="id"/><ref name="coords"/>
    <zeroOrMore><ref name="line"/></zeroOrMore><zeroOrMore><ref name="said"/></zeroOrMore></element></define>
  <define name="line"><element name="TextLine"><ref name="id"/><optional><attribute name="custom"/></optional>
    <ref name="coords"/><optional><element name="Baseline"><ref name="points"/></element></optional>
    <zeroOrMore><element name="Word"><ref name="id"/><ref name="coords"/><zeroOrMore><ref name="said"/></zeroOrMore>
    </element></zeroOrMore><zeroOrMore><ref name="said"/></zeroOrMore></element></define>
  <define name="said"><element name="TextEquiv"><optional><attribute name="conf"><data type="float">
    <param name="minInclusive">0</param><param name="maxInclusive">1</param></data></attribute></optional>
    <element name="Unicode"><text/></element></element></define>
  <define name="coords"><element name="Coords"><ref name="points"/></element></define>
  <define name="points"><attribute name="points"><data type="string">
    <param name="pattern">([0-9]+,[0-9]+ )+([0-9]+,[0-9]+)</param></data></attribute></define>
  <define name="id"><attribute name="id"><data type="ID"/></attribute></define>
</grammar>
"""
ALTO_GRAMMAR = """
<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="http://www.loc.gov/standards/alto/ns-v4#"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start><element name="alto"><element name="Description"><ref name="anything"/></element>
    <element name="Layout"><element name="Page"><ref name="id"/><attribute name="PHYSICAL_IMG_NR"/>
    <attribute name="WIDTH"/><attribute name="HEIGHT"/><element name="PrintSpace"><ref name="box"/>
    <zeroOrMore><element name="TextBlock"><ref name="id"/><ref name="box"/><oneOrMore><ref name="line"/></oneOrMore>
    </element></zeroOrMore></element></element></element></element></start>
  <define name="line"><element name="TextLine"><ref name="id"/><ref name="box"/>
    <optional><attribute name="BASELINE"/></optional><optional><element name="Shape"><ref name="anything"/></element>
    </optional><ref name="string"/><zeroOrMore><element name="SP"><empty/></element><ref name="string"/></zeroOrMore>
  </element></define>
  <define name="string"><element name="String"><ref name="id"/><attribute name="CONTENT"/><ref name="box"/>
    <optional><attribute name="WC"><data type="float"><param name="minInclusive">0</param>
    <param name="maxInclusive">1</param></data></attribute></optional></element></define>
  <define name="box"><attribute name="HPOS"><data type="float"/></attribute><attribute name="VPOS"><data type="float"/>
    </attribute><attribute name="WIDTH"><data type="float"/></attribute><attribute name="HEIGHT"><data type="float"/>
    </attribute></define>
  <define name="anything"><zeroOrMore><choice><attribute><anyName/></attribute><text/><element><anyName/>
    <ref name="anything"/></element></choice></zeroOrMore></define>
  <define name="id"><attribute name="ID"><data type="ID"/></attribute></define>
</grammar>
"""
NS = "http://schema.primaresearch.org/PAGE/gts/pagecontent/{}"
BEFORE = """<?xml version="1.0" encoding="UTF-8"?>
<?history made by hand?>
<!-- a licence -->
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"><Metadata><Creator>x</Creator>
<Created>2020-01-01T00:00:00</Created><LastChange>2020-01-01T00:00:00</LastChange></Metadata>
<Page imageFilename="p.png" imageWidth="700" imageHeight="390"><TextRegion id="word_1_2"><Coords points="0,0 9,0 9,9"/>
<!-- inside --><TextLine id="a" custom="readingOrder {{index:0;}} person {{offset:0; length:4;}} {more}">
<Coords points="40,30 527,30 527,92 40,92"/><Baseline points="40,70 527,70"/>
<Word id="word_1_1"><Coords points="1,1 2,1 2,2"/></Word><TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>
<TextLine id="a"><Coords points="40,140 527,140 527,212"/></TextLine></TextRegion></Page></PcGts>"""


def problems(document: str) -> list[str]:
    """Return what the grammar of a document's form, and ids that stand twice, complain of."""
    root = etree.fromstring(document.encode())
    name = etree.QName(root)
    grammar = PAGE_GRAMMAR.format(ns=name.namespace) if name.localname == "PcGts" else ALTO_GRAMMAR
    relaxed = etree.RelaxNG(etree.fromstring(grammar))
    ids = [one.get("id") or one.get("ID") for one in root.iter(etree.Element) if one.get("id") or one.get("ID")]
    twice = [f"id {one} stands twice" for one in sorted(set(ids)) if ids.count(one) > 1]
    return twice + ([] if relaxed.validate(root) else [str(error) for error in relaxed.error_log])


def result(name: str, text: str) -> Result:
    words = tuple(Span(word, 100.0 * i, 100.0 * i + 80.0, 0.5) for i, word in enumerate(text.split()))
    return Result(name, Hypothesis(text, 0.5, words, words), "px", 480.0, 60.0)


def updated(folder: Path, text: str = "Jean Durand", more: str = "", said: str = "les clubs") -> Document:
    Image.new("L", (700, 390), 255).save(folder / "p.png")
    path = folder / "p.xml"
    path.write_text(BEFORE.format(text=text, more=more))
    return format_page(read_page(path), [result(f"{path}#a", said), result(f"{path}#a_2", "two words")], "page")


def test_what_stands_outside_the_root_and_comments_stay(tmp_path: Path) -> None:
    text = updated(tmp_path).text
    for kept in ("<?history made by hand?>", "<!-- a licence -->", "<!-- inside -->", "<!-- recognizer "):
        assert text.count(kept) == 1
    assert text.count("<?xml ") == 1


def test_new_words_get_ids_that_nothing_has_and_lines_of_one_id_get_their_own_texts(tmp_path: Path) -> None:
    root = etree.fromstring(updated(tmp_path).text.encode())
    ids = [one.get("id") for one in root.iter(etree.Element) if one.get("id")]
    assert [one for one in ids if ids.count(one) > 1] == ["a", "a"]  # as it was before
    texts = ["".join(line.xpath("*[local-name()='TextEquiv']/*/text()")) for line in root.iter("{*}TextLine")]
    assert texts == ["les clubs", "two words"]


def test_tags_that_count_characters_go_with_the_text_that_they_counted(tmp_path: Path) -> None:
    made = updated(tmp_path, more="abbrev {offset:5; length:2; expansion:et;}")
    assert 'custom="readingOrder {index:0;}"' in made.text and "offset" not in made.text
    assert made.notes == (f"{tmp_path / 'p.xml'}: 2 tags with offsets into a text that changed were taken out",)
    same = updated(tmp_path, text="les clubs")
    assert "person {offset:0; length:4;}" in same.text and same.notes == ()


def test_an_updated_page_is_valid(tmp_path: Path) -> None:
    text = updated(tmp_path).text
    assert problems(text.replace('<TextLine id="a">', '<TextLine id="b">')) == []
    assert problems(text)[0] == "id a stands twice"
    assert problems(text.replace("<Baseline", "<Baselines")) != []


@pytest.mark.parametrize("form", ["page", "alto"])
@pytest.mark.parametrize("said", ["les clubs de la ville", ""])
def test_documents_made_from_nothing_are_valid(form: str, said: str) -> None:
    assert problems(format_reading(result("line.png", said), form)) == []


def test_a_page_written_in_the_other_form_is_valid(tmp_path: Path) -> None:
    updated(tmp_path)
    path = tmp_path / "p.xml"
    records = [result(f"{path}#a", "les clubs"), result(f"{path}#a_2", "")]
    assert problems(format_page(read_page(path), records, "alto").text) == []
