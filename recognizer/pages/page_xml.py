"""PAGE XML (PcGts) to a page; https://github.com/PRImA-Research-Lab/PAGE-XML has the schemas of each year."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from recognizer.errors import RecognizerError
from recognizer.pages.page import LineRegion, Page, PageLine, Points
from recognizer.pages.xml import child, children, plain_tag, points, whole


def pcgts_page(root: Element, path: Path) -> Page:
    """Return the page that <PcGts> describes.

    Raises:
        RecognizerError: no <Page>, or points at fault.
    """
    page = child(root, "Page")
    if page is None:
        raise RecognizerError(f"{path}: <PcGts> without <Page>, wanted PAGE XML", "XML of another kind")
    size = whole(page.get("imageWidth")), whole(page.get("imageHeight"))
    # By their places in the file, since `filled` counts them so.
    numbers = {id(line): i for i, line in enumerate((e for e in page.iter() if plain_tag(e) == "TextLine"), 1)}
    lines = (line for part in _ordered(page) for line in children(part, "TextLine"))
    named = tuple(_line(line, line.get("id") or f"line_{numbers[id(line)]}", path) for line in lines)
    return Page(path, page.get("imageFilename", ""), size, named)


def _ordered(page: Element) -> Iterator[Element]:
    """Yield what holds lines, be it a region or a table's cell: first by the reading order, then what it leaves out."""
    by_name = {part.get("id"): part for part in page.iter() if plain_tag(part).endswith("Region")}
    order = child(page, "ReadingOrder")
    first = [by_name[name] for name in _references(order) if name in by_name] if order is not None else []
    seen: set[int] = set()
    for root in (*first, page):
        waiting = [root]
        while waiting:  # each element is visited once, however often regions within each other are referred to
            part = waiting.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            if child(part, "TextLine") is not None:
                yield part
            waiting.extend(reversed(part))


def _references(group: Element) -> Iterator[str | None]:
    """Yield the names of the regions in the order of their indices, as they stand where there is none."""
    for part in sorted(group, key=lambda element: whole(element.get("index"))):
        if part.get("regionRef"):
            yield part.get("regionRef")
        yield from _references(part)


def _line(line: Element, name: str, path: Path) -> PageLine:
    outline, baseline = (_points(child(line, tag), path, name) for tag in ("Coords", "Baseline"))
    return PageLine(name, _text(line), LineRegion(outline, baseline) if len(outline) > 2 else None)


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
