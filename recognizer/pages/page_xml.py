"""PAGE XML (PcGts) to a page; https://github.com/PRImA-Research-Lab/PAGE-XML has the schemas of each year."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from recognizer.errors import RecognizerError
from recognizer.pages.page import LineRegion, Page, PageLine, Points
from recognizer.pages.xml import BadPointsError, child, children, notes_on_ids, own_names, plain_tag, points, whole

REGION_TEXT = "page with text of a region that has no lines, which is not read"
GROUP = re.compile(r"([\w.-]+)\s*\{([^{}]*)\}")  # of the attribute custom: name {key:value; ...}
INDEX = re.compile(r"\bindex\s*:\s*(\d{1,9})")
TYPE = re.compile(r"\btype\s*:\s*([^;{}]+)")


def pcgts_page(root: Element, path: Path) -> Page:
    """Return the page that <PcGts> describes.

    Raises:
        RecognizerError: no <Page>.
    """
    page = child(root, "Page")
    if page is None:
        raise RecognizerError(f"{path}: <PcGts> without <Page>, expected PAGE XML", "XML of another kind")
    size = whole(page.get("imageWidth")), whole(page.get("imageHeight"))
    # By their places in the file, since an update counts them so.
    elements = [element for element in page.iter() if plain_tag(element) == "TextLine"]
    ids = [element.get("id") for element in elements]
    names = dict(zip(map(id, elements), own_names(ids), strict=True))
    lines = (
        _line(line, names[id(line)], part) for part in _ordered(page) for line in _sorted(children(part, "TextLine"))
    )
    return Page(path, page.get("imageFilename", ""), size, tuple(lines), (*notes_on_ids(ids), *_notes_on_regions(page)))


def _ordered(page: Element) -> Iterator[Element]:
    """Yield what holds lines, be it a region or a table's cell: first by the reading order, then what it leaves out."""
    by_name = {part.get("id"): part for part in page.iter() if plain_tag(part).endswith("Region")}
    order = child(page, "ReadingOrder")
    first = [by_name[name] for name in _references(order) if name in by_name] if order is not None else []
    others = _sorted(part for part in page if plain_tag(part).endswith("Region"))
    seen: set[int] = set()
    for root in (*first, *others, page):
        waiting = [root]
        while waiting:  # each element is visited once, however often regions within each other are referred to
            part = waiting.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            if child(part, "TextLine") is not None:
                yield part
            waiting.extend(reversed(part))


def _sorted(parts: Iterable[Element]) -> Sequence[Element]:
    """Return lines or regions in the order that Transkribus states in `custom`, as they stand where one has none."""
    parts = list(parts)
    places = [_custom_index(part) for part in parts]
    if not parts or None in places:
        return parts
    return [part for _, _, part in sorted(zip(places, range(len(parts)), parts, strict=True), key=lambda t: t[:2])]


def _custom_index(part: Element) -> int | None:
    """Return the index in custom="readingOrder {index:3;}", None where there is none."""
    for name, inner in GROUP.findall(part.get("custom", "")):
        if name == "readingOrder" and (found := INDEX.search(inner)):
            return int(found[1])
    return None


def _references(group: Element) -> Iterator[str | None]:
    """Yield the names of the regions in the order of their indices, as they stand where there is none."""
    for part in sorted(group, key=lambda element: whole(element.get("index"))):
        if part.get("regionRef"):
            yield part.get("regionRef")
        yield from _references(part)


def _line(line: Element, name: str, region: Element) -> PageLine:
    tags = tuple(dict.fromkeys((*_tags(region), *_tags(line))))
    try:
        outline, baseline = (_points(child(line, tag)) for tag in ("Coords", "Baseline"))
    except BadPointsError as error:
        return PageLine(name, _text(line), None, str(error), tags)
    return PageLine(name, _text(line), LineRegion(outline, baseline) if len(outline) > 2 else None, "", tags)


def _tags(part: Element) -> Iterator[str]:
    """Yield what a line or region is said to be: its type, how it was produced, its structure types in `custom`."""
    for attribute in ("type", "production"):
        if part.get(attribute):
            yield part.get(attribute, "").strip()
    for name, inner in GROUP.findall(part.get("custom", "")):
        if name == "structure" and (found := TYPE.search(inner)):
            yield found[1].strip()


def _points(element: Element | None) -> Points:
    """Return the points of Coords or Baseline: an attribute, or, before 2013, elements of their own."""
    if element is None:
        return ()
    if element.get("points") is not None:
        return points(element.get("points", ""))
    pairs = (f"{point.get('x', '')},{point.get('y', '')}" for point in children(element, "Point"))
    return points(" ".join(pairs))


def _text(line: Element) -> str | None:
    """Return the text of a line: its first alternative that has some, else the texts of its words."""
    said = sorted(children(line, "TextEquiv"), key=lambda element: whole(element.get("index")))
    forms = (child(equivalent, tag) for equivalent in said for tag in ("Unicode", "PlainText"))
    texts = ["".join(form.itertext()) for form in forms if form is not None]
    if any(text.strip() for text in texts):
        return next(text for text in texts if text.strip())
    words = [text for word in children(line, "Word") if (text := _text(word)) and text.strip()]
    return " ".join(words) if words else next(iter(texts), None)


def _notes_on_regions(page: Element) -> tuple[str, ...]:
    """Return whether a region says something, and has no line that it stands on."""
    for region in page.iter():
        if plain_tag(region) == "TextRegion" and all(plain_tag(part) != "TextLine" for part in region.iter()):
            if (_text(region) or "").strip():
                return (REGION_TEXT,)
    return ()
