"""PAGE XML (PcGts) to a page; https://github.com/PRImA-Research-Lab/PAGE-XML has the schemas of each year."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from recognizer.errors import RecognizerError
from recognizer.pages.page import Area, Page, PageLine, Points
from recognizer.pages.tree import child, children, plain_tag, points, whole


def pcgts_page(root: Element, path: Path) -> Page:
    """Return the page that <PcGts> describes.

    Raises:
        RecognizerError: no <Page>, or points at fault.
    """
    page = child(root, "Page")
    if page is None:
        raise RecognizerError(f"{path}: <PcGts> without <Page>, wanted PAGE XML", "XML of another kind")
    size = whole(page.get("imageWidth")), whole(page.get("imageHeight"))
    lines = [line for region in _ordered(page) for line in children(region, "TextLine")]
    named = tuple(_line(line, line.get("id") or f"line_{number}", path) for number, line in enumerate(lines, 1))
    return Page(path, page.get("imageFilename", ""), size, named)


def _ordered(page: Element) -> Iterator[Element]:
    """Yield the regions, those of the reading order first and in it, each before the regions inside it."""
    regions = {id(region): region for region in page.iter() if plain_tag(region).endswith("Region")}
    by_name = {region.get("id"): region for region in regions.values()}
    order = child(page, "ReadingOrder")
    first = [by_name[name] for name in _references(order) if name in by_name] if order is not None else []
    for region in [*first, *regions.values()]:
        if regions.pop(id(region), None) is not None:
            yield region


def _references(group: Element) -> Iterator[str | None]:
    """Yield the names of the regions in the order of their indices, as they stand where there is none."""
    for part in sorted(group, key=lambda element: whole(element.get("index"))):
        if part.get("regionRef"):
            yield part.get("regionRef")
        yield from _references(part)


def _line(line: Element, name: str, path: Path) -> PageLine:
    outline, baseline = (_points(child(line, tag), path, name) for tag in ("Coords", "Baseline"))
    return PageLine(name, _text(line), Area(outline, baseline) if len(outline) > 2 else None)


def _points(element: Element | None, path: Path, line: str) -> Points:
    """Return the points of Coords or Baseline: an attribute, or, before 2013, elements of their own."""
    if element is None:
        return ()
    if element.get("points") is not None:
        return points(element.get("points", ""), path, line)
    pairs = (f"{point.get('x', '')},{point.get('y', '')}" for point in children(element, "Point"))
    return points(" ".join(pairs), path, line)


def _text(line: Element) -> str | None:
    """Return the text of a line, its first alternative, or the texts of its words."""
    said = sorted(children(line, "TextEquiv"), key=lambda element: whole(element.get("index")))
    for equivalent in said:
        for tag in ("Unicode", "PlainText"):
            found = child(equivalent, tag)
            if found is not None:
                return "".join(found.itertext())
    words = [text for word in children(line, "Word") if (text := _text(word)) is not None]
    return " ".join(words) if words else None
