"""Readings of line images as hOCR, PAGE XML and ALTO: the image is a page of one line."""

from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from recognizer import __version__
from recognizer.writers.record import Record

PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
XHTML = "http://www.w3.org/1999/xhtml"


def hocr(record: Record) -> str:
    """Return hOCR 1.2: ocr_page, ocr_line, ocrx_word with boxes and confidences from 0 to 100."""
    width, height = record.size
    root = Element("html", xmlns=XHTML)
    head = SubElement(root, "head")
    SubElement(head, "title").text = Path(record.name).name
    SubElement(head, "meta", {"name": "ocr-system", "content": f"recognizer {__version__}"})
    SubElement(head, "meta", {"name": "ocr-capabilities", "content": "ocr_page ocr_line ocrx_word"})
    whole = f"bbox 0 0 {width} {height}"
    quoted = Path(record.name).name.replace('"', "'")
    page = SubElement(SubElement(root, "body"), "div", {"class": "ocr_page", "id": "page_1"})
    page.set("title", f'image "{quoted}"; {whole}')
    line = SubElement(page, "span", {"class": "ocr_line", "id": "line_1", "title": whole})
    for number, word in enumerate(record.hypothesis.words, 1):
        title = f"bbox {_numbers(record.box(word))}; x_wconf {round(100 * word.confidence)}"
        element = SubElement(line, "span", {"class": "ocrx_word", "id": f"word_1_{number}", "title": title})
        element.text, element.tail = word.text, " "
    return _written(root)


def page_xml(record: Record) -> str:
    """Return PAGE XML of 2019: one region with one line with its words; confidences from 0 to 1."""
    width, height = record.size
    root = Element("PcGts", xmlns=PAGE)
    metadata = SubElement(root, "Metadata")
    SubElement(metadata, "Creator").text = f"recognizer {__version__}"
    for name in ("Created", "LastChange"):
        SubElement(metadata, name).text = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    sizes = {"imageWidth": str(width), "imageHeight": str(height)}
    page = SubElement(root, "Page", {"imageFilename": Path(record.name).name, **sizes})
    region = SubElement(page, "TextRegion", id="region_1")
    SubElement(region, "Coords", points=_corners((0, 0, width, height)))
    line = SubElement(region, "TextLine", id="line_1")
    SubElement(line, "Coords", points=_corners((0, 0, width, height)))
    for number, word in enumerate(record.hypothesis.words, 1):
        element = SubElement(line, "Word", id=f"word_1_{number}")
        SubElement(element, "Coords", points=_corners(record.box(word)))
        _equivalent(element, word.text, word.confidence)
    _equivalent(line, record.hypothesis.text, record.hypothesis.confidence)
    ElementTree.indent(root)
    return _written(root)


def alto(record: Record) -> str:
    """Return ALTO 4: one block with one line of strings and spaces; confidences (WC) from 0 to 1."""
    width, height = record.size
    root = Element("alto", xmlns=ALTO)
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    SubElement(SubElement(description, "sourceImageInformation"), "fileName").text = Path(record.name).name
    software = SubElement(SubElement(description, "Processing", ID="processing_1"), "processingSoftware")
    SubElement(software, "softwareName").text = "recognizer"
    SubElement(software, "softwareVersion").text = __version__
    whole = _place((0, 0, width, height))
    page = SubElement(SubElement(root, "Layout"), "Page", ID="page_1", PHYSICAL_IMG_NR="1")
    page.attrib |= {"WIDTH": str(width), "HEIGHT": str(height)}
    block = SubElement(SubElement(page, "PrintSpace", whole), "TextBlock", {"ID": "block_1", **whole})
    line = SubElement(block, "TextLine", {"ID": "line_1", **whole})
    for number, word in enumerate(record.hypothesis.words, 1):
        if number > 1:
            SubElement(line, "SP")
        said = {"ID": f"word_1_{number}", "CONTENT": word.text, "WC": f"{word.confidence:.3f}"}
        SubElement(line, "String", {**said, **_place(record.box(word))})
    ElementTree.indent(root)
    return _written(root)


def _equivalent(element: Element, text: str, confidence: float) -> None:
    SubElement(SubElement(element, "TextEquiv", conf=f"{confidence:.3f}"), "Unicode").text = text


def _numbers(box: tuple[int, int, int, int]) -> str:
    return " ".join(map(str, box))


def _corners(box: tuple[int, int, int, int]) -> str:
    left, top, right, bottom = box
    return f"{left},{top} {right},{top} {right},{bottom} {left},{bottom}"


def _place(box: tuple[int, int, int, int]) -> dict[str, str]:
    left, top, right, bottom = box
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}


def _written(root: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
