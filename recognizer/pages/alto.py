"""ALTO to a page; https://www.loc.gov/standards/alto/ has the schemas."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from recognizer.errors import RecognizerError
from recognizer.pages.page import LineRegion, Page, PageLine, Points
from recognizer.pages.xml import (
    NUMBER,
    BadPointsError,
    child,
    children,
    notes_on_ids,
    own_names,
    plain_tag,
    points,
    whole,
)  # fmt: skip

PIXEL = "pixel"
HOLDERS = ("TextBlock", "ComposedBlock")


def alto_page(root: Element, path: Path) -> Page:
    """Return the page that <alto> describes.

    Raises:
        RecognizerError: no <Page> or more than one, or places in other units than pixels.
    """
    unit = next((e.text or "" for e in root.iter() if plain_tag(e) == "MeasurementUnit"), PIXEL).strip()
    if unit != PIXEL:
        raise RecognizerError(f"{path}: places in {unit}, expected ALTO in {PIXEL}s", "places not in pixels")
    pages = [element for element in root.iter() if plain_tag(element) == "Page"]
    if len(pages) != 1:
        raise RecognizerError(f"{path}: {len(pages)} pages, expected ALTO of one", "not one page")
    image = next((e.text or "" for e in root.iter() if plain_tag(e) == "fileName"), "").strip()
    size = whole(pages[0].get("WIDTH")), whole(pages[0].get("HEIGHT"))
    elements = [element for element in pages[0].iter() if plain_tag(element) == "TextLine"]
    ids = [element.get("ID") for element in elements]
    names = dict(zip(map(id, elements), own_names(ids), strict=True))
    labels, blocks = _labels(root), _blocks_of(pages[0])
    lines = tuple(
        _line(line, names[id(line)], _tags((blocks.get(id(line)), line), labels)) for line in _ordered(root, pages[0])
    )
    return Page(path, image, size, lines, notes_on_ids(ids))


def _ordered(root: Element, page: Element) -> Iterator[Element]:
    """Yield the lines: as <ReadingOrder> says (ALTO 4.3), then along IDNEXT from block to block, then as they stand."""
    by_name = {element.get("ID"): element for element in page.iter() if element.get("ID")}
    order = next((element for element in root.iter() if plain_tag(element) == "ReadingOrder"), None)
    named = [part.get("REF") for part in order.iter() if plain_tag(part) == "ElementRef"] if order is not None else []
    first = [by_name[name] for name in named if name in by_name]
    seen: set[int] = set()
    for part in (*first, *_along_next(page, by_name), page):
        for line in part.iter():
            if plain_tag(line) == "TextLine" and id(line) not in seen:
                seen.add(id(line))
                yield line


def _along_next(page: Element, by_name: dict[str | None, Element]) -> Iterator[Element]:
    """Yield blocks, each followed by the one that its IDNEXT names; none where no block has one."""
    blocks = [element for element in page.iter() if plain_tag(element) in HOLDERS]
    followers = {element.get("IDNEXT") for element in blocks} - {None}
    seen: set[int] = set()
    # Chains begin where nothing leads to; what is left stands in a circle, which is cut at its first block.
    starts = [block for block in blocks if block.get("ID") not in followers] if followers else []
    for start in (*starts, *(blocks if followers else ())):
        block: Element | None = start
        while block is not None and id(block) not in seen:
            seen.add(id(block))
            yield block
            block = by_name.get(block.get("IDNEXT")) if block.get("IDNEXT") else None


def _labels(root: Element) -> dict[str, str]:
    """Return what the tags of an ALTO file say, by their ids."""
    tags = (element for element in root.iter() if plain_tag(element).endswith("Tag") and element.get("ID"))
    return {element.get("ID", ""): element.get("LABEL") or element.get("TYPE") or "" for element in tags}


def _blocks_of(page: Element) -> dict[int, Element]:
    """Return the block that each line stands in."""
    blocks = (element for element in page.iter() if plain_tag(element) == "TextBlock")
    return {id(line): block for block in blocks for line in children(block, "TextLine")}


def _tags(parts: tuple[Element | None, ...], labels: dict[str, str]) -> tuple[str, ...]:
    named = (name for part in parts if part is not None for name in part.get("TAGREFS", "").split())
    return tuple(dict.fromkeys(labels[name] for name in named if labels.get(name)))


def _line(line: Element, name: str, tags: tuple[str, ...]) -> PageLine:
    shape = child(line, "Shape")
    polygon = child(shape, "Polygon") if shape is not None else None
    box = _box(line)
    try:
        outline = points(polygon.get("POINTS", "")) if polygon is not None else box
        area = LineRegion(outline, _baseline(line, box)) if len(outline) > 2 else None
    except BadPointsError as error:
        return PageLine(name, _text(line), None, str(error), tags)
    return PageLine(name, _text(line), area, "", tags)


def _box(line: Element) -> Points:
    """Return the corners of a line's box, none where it has no box."""
    given = [line.get(name, "") for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if not all(NUMBER.fullmatch(number) for number in given):
        return ()
    left, top, width, height = map(float, given)
    return ((left, top), (left + width, top), (left + width, top + height), (left, top + height))


def _baseline(line: Element, box: Points) -> Points:
    """Return the baseline: points, or, before ALTO 4.1, one number, its height."""
    given = line.get("BASELINE", "").strip()
    if NUMBER.fullmatch(given):
        return ((box[0][0], float(given)), (box[1][0], float(given))) if box else ()
    return points(given)


def _text(line: Element) -> str | None:
    """Return the text of a line: its strings, a space for SP, the hyphen of HYP.

    Strings that nothing stands between are words all the same where a line has no SP at all, as some programs write
    none; where it has some they are parts of one word, such as a comma behind it.
    """
    spaced = any(plain_tag(part) == "SP" for part in line)
    parts: list[str] = []
    for part in children(line, "String", "SP", "HYP"):
        if plain_tag(part) == "String" and parts and not spaced:
            parts.append(" ")
        parts.append(" " if plain_tag(part) == "SP" else part.get("CONTENT", ""))
    return "".join(parts) if any(plain_tag(part) == "String" for part in line) else None
