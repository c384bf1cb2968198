"""ALTO to a page; https://www.loc.gov/standards/alto/ has the schemas."""

from pathlib import Path
from xml.etree.ElementTree import Element

from recognizer.errors import RecognizerError
from recognizer.pages.page import LineRegion, Page, PageLine, Points
from recognizer.pages.xml import NUMBER, child, children, plain_tag, points, whole

PIXEL = "pixel"


def alto_page(root: Element, path: Path) -> Page:
    """Return the page that <alto> describes.

    Raises:
        RecognizerError: no <Page> or more than one, places in other units than pixels, or points at fault.
    """
    unit = next((e.text or "" for e in root.iter() if plain_tag(e) == "MeasurementUnit"), PIXEL).strip()
    if unit != PIXEL:
        raise RecognizerError(f"{path}: places in {unit}, wanted ALTO in {PIXEL}s", "places not in pixels")
    pages = [element for element in root.iter() if plain_tag(element) == "Page"]
    if len(pages) != 1:
        raise RecognizerError(f"{path}: {len(pages)} pages, wanted ALTO of one", "not one page")
    image = next((e.text or "" for e in root.iter() if plain_tag(e) == "fileName"), "").strip()
    size = whole(pages[0].get("WIDTH")), whole(pages[0].get("HEIGHT"))
    lines = [element for element in pages[0].iter() if plain_tag(element) == "TextLine"]
    named = tuple(_line(line, line.get("ID") or f"line_{number}", path) for number, line in enumerate(lines, 1))
    return Page(path, image, size, named)


def _line(line: Element, name: str, path: Path) -> PageLine:
    shape = child(line, "Shape")
    polygon = child(shape, "Polygon") if shape is not None else None
    box = _box(line)
    outline = points(polygon.get("POINTS", ""), path, name) if polygon is not None else box
    area = LineRegion(outline, _baseline(line, box, path, name)) if len(outline) > 2 else None
    return PageLine(name, _text(line), area)


def _box(line: Element) -> Points:
    """Return the corners of a line's box, none where it has no box."""
    given = [line.get(name, "") for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if not all(NUMBER.fullmatch(number) for number in given):
        return ()
    left, top, width, height = map(float, given)
    return ((left, top), (left + width, top), (left + width, top + height), (left, top + height))


def _baseline(line: Element, box: Points, path: Path, name: str) -> Points:
    """Return the baseline: points, or, before ALTO 4.1, one number, its height."""
    given = line.get("BASELINE", "").strip()
    if NUMBER.fullmatch(given):
        return ((box[0][0], float(given)), (box[1][0], float(given))) if box else ()
    return points(given, path, name)


def _text(line: Element) -> str | None:
    """Return the text of a line: its strings, a space for SP, the hyphen of HYP."""
    parts: list[str] = []
    for part in children(line, "String", "SP", "HYP"):
        before = plain_tag(part) == "String" and parts and parts[-1] != " "
        # Strings that nothing stands between are words all the same, as some programs write no SP.
        parts += [" "] if before else []
        parts.append(" " if plain_tag(part) == "SP" else part.get("CONTENT", ""))
    return "".join(parts) if any(plain_tag(part) == "String" for part in line) else None
