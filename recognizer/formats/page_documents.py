"""Readings of pages, or of images of one line, as hOCR, PAGE XML and ALTO made from nothing."""

import re
from datetime import datetime, timezone
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from recognizer import __version__
from recognizer.errors import RecognizerError
from recognizer.formats.layout import LayoutLine, Outline, PageLayout, box_around, corners

PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
MADE_BY = f"recognizer {__version__}"  # in a comment before the root of what is written
XHTML = "http://www.w3.org/1999/xhtml"
NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # that XML 1.0 has no way to write


def hocr(sheet: PageLayout) -> str:
    """Return hOCR 1.2: ocr_page, ocr_line, ocrx_word with boxes and confidences from 0 to 100."""
    root = Element("html", xmlns=XHTML)
    head = SubElement(root, "head")
    SubElement(head, "title").text = sheet.image
    SubElement(head, "meta", {"name": "ocr-system", "content": f"recognizer {__version__}"})
    SubElement(head, "meta", {"name": "ocr-capabilities", "content": "ocr_page ocr_line ocrx_word"})
    quoted = sheet.image.replace('"', "'")
    page = SubElement(SubElement(root, "body"), "div", {"class": "ocr_page", "id": "page_1"})
    page.set("title", f'image "{quoted}"; bbox 0 0 {sheet.size[0]} {sheet.size[1]}')
    for row, part in enumerate(sheet.lines, 1):
        line = SubElement(page, "span", {"class": "ocr_line", "id": part.id, "title": _bbox(part.outline)})
        line.tail = "\n" if len(sheet.lines) > 1 else None
        for number, (word, outline) in enumerate(zip(part.hypothesis.words, part.words, strict=True), 1):
            title = f"{_bbox(outline)}; x_wconf {round(100 * word.confidence)}"
            element = SubElement(line, "span", {"class": "ocrx_word", "id": f"word_{row}_{number}", "title": title})
            element.text, element.tail = word.text, " "
    return written_xml(root, sheet.image)


def page_xml(sheet: PageLayout) -> str:
    """Return PAGE XML of 2019: one region with its lines and their words; confidences from 0 to 1."""
    width, height = sheet.size
    root = Element("PcGts", xmlns=PAGE)
    metadata = SubElement(root, "Metadata")
    SubElement(metadata, "Creator").text = f"recognizer {__version__}"
    for name in ("Created", "LastChange"):
        SubElement(metadata, name).text = now()
    sizes = {"imageWidth": str(width), "imageHeight": str(height)}
    page = SubElement(root, "Page", {"imageFilename": sheet.image, **sizes})
    region = SubElement(page, "TextRegion", id="region_1")
    SubElement(region, "Coords", points=page_points(corners((0, 0, width, height))))
    for row, part in enumerate(sheet.lines, 1):
        line = SubElement(region, "TextLine", id=part.id)
        SubElement(line, "Coords", points=page_points(part.outline))
        if part.baseline:
            SubElement(line, "Baseline", points=page_points(part.baseline))
        line.extend(page_words(part, row, ""))
        line.append(page_text("", part.hypothesis.text, part.hypothesis.confidence))
    ElementTree.indent(root)
    return written_xml(root, sheet.image)


def alto(sheet: PageLayout) -> str:
    """Return ALTO 4: one block with its lines of strings and spaces; confidences (WC) from 0 to 1."""
    width, height = sheet.size
    root = Element("alto", xmlns=ALTO)
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    SubElement(SubElement(description, "sourceImageInformation"), "fileName").text = sheet.image
    software = SubElement(SubElement(description, "Processing", ID="processing_1"), "processingSoftware")
    SubElement(software, "softwareName").text = "recognizer"
    SubElement(software, "softwareVersion").text = __version__
    whole = _place(corners((0, 0, width, height)))
    page = SubElement(SubElement(root, "Layout"), "Page", ID="page_1", PHYSICAL_IMG_NR="1")
    page.attrib |= {"WIDTH": str(width), "HEIGHT": str(height)}
    block = SubElement(SubElement(page, "PrintSpace", whole), "TextBlock", {"ID": "block_1", **whole})
    for row, part in enumerate(sheet.lines, 1):
        line = SubElement(block, "TextLine", {"ID": part.id, **_place(part.outline)})
        if part.baseline:
            line.set("BASELINE", _flat(part.baseline))
            SubElement(SubElement(line, "Shape"), "Polygon", POINTS=_flat(part.outline))
        line.extend(alto_strings(part, row, ""))
    ElementTree.indent(root)
    return written_xml(root, sheet.image)


def page_words(line: LayoutLine, row: int, namespace: str) -> list[Element]:
    """Return the <Word>s of line number `row`; `namespace` stands before the name of each element, as "{...}"."""
    made = []
    for number, (word, outline) in enumerate(zip(line.hypothesis.words, line.words, strict=True), 1):
        element = Element(f"{namespace}Word", id=f"word_{row}_{number}")
        SubElement(element, f"{namespace}Coords", points=page_points(outline))
        element.append(page_text(namespace, word.text, word.confidence))
        made.append(element)
    return made


def page_text(namespace: str, text: str, confidence: float | None) -> Element:
    """Return <TextEquiv>."""
    element = Element(f"{namespace}TextEquiv", {} if confidence is None else {"conf": f"{confidence:.3f}"})
    SubElement(element, f"{namespace}Unicode").text = text
    return element


def alto_strings(line: LayoutLine, row: int, namespace: str) -> list[Element]:
    """Return the <String>s of line number `row` with an <SP> between two of them."""
    made: list[Element] = []
    for number, (word, outline) in enumerate(zip(line.hypothesis.words, line.words, strict=True), 1):
        said = {"ID": f"word_{row}_{number}", "CONTENT": word.text, "WC": f"{word.confidence:.3f}"}
        made += [Element(f"{namespace}SP")] if number > 1 else []
        made.append(Element(f"{namespace}String", {**said, **_place(outline)}))
    # The schema wants a string in each line, also in one that nothing was read of.
    return made or [Element(f"{namespace}String", {"ID": f"word_{row}_1", "CONTENT": ""} | _place(line.outline))]


def page_points(outline: Outline) -> str:
    """Return points as PAGE XML writes them."""
    return " ".join(f"{x},{y}" for x, y in outline)


def now() -> str:
    """Return the time as PAGE XML writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def written_xml(root: Element, image: str) -> str:
    """Return an XML file about an image.

    Raises:
        RecognizerError: the name of the image, or what was read, holds a character that XML cannot.
    """
    text = ElementTree.tostring(root, encoding="unicode")
    if found := NO_XML.search(text):
        where = "its name" if found[0] in image else "its text"
        raise RecognizerError(
            f"{image}: U+{ord(found[0]):04X} stands in {where}, which XML cannot hold, expected it without, or JSON"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {MADE_BY} -->\n{text}\n'


def _bbox(outline: Outline) -> str:
    return "bbox " + " ".join(map(str, box_around(outline)))


def _flat(outline: Outline) -> str:
    return " ".join(f"{x} {y}" for x, y in outline)


def _place(outline: Outline) -> dict[str, str]:
    left, top, right, bottom = box_around(outline)
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}
