"""What PAGE XML and ALTO have in common as XML."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from recognizer.errors import RecognizerError
from recognizer.pages.page import Points

NUMBER = re.compile(r"[-+]?\d{1,7}(?:\.\d*)?")  # of pixels: no page has ten million


def plain_tag(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element, *tags: str) -> Iterator[Element]:
    """Yield the children of an element that have one of the names, in order."""
    return (child for child in element if plain_tag(child) in tags)


def child(element: Element, tag: str) -> Element | None:
    """Return the first child of that name."""
    return next(children(element, tag), None)


def points(text: str, path: Path, line: str) -> Points:
    """Return the points of "x,y x,y" (PAGE) or "x y x y" (ALTO).

    Raises:
        RecognizerError: anything but pairs of numbers.
    """
    parts = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    if len(parts) % 2 or not all(NUMBER.fullmatch(part) for part in parts):
        raise RecognizerError(f"{path}: line {line!r}: points {text[:40]!r}, wanted pairs of numbers", "bad points")
    numbers = [float(part) for part in parts]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def whole(text: str | None) -> int:
    """Return a size in pixels, 0 where there is none or it is no number."""
    return round(float(text)) if text and NUMBER.fullmatch(text.strip()) else 0
