"""What PAGE XML and ALTO have in common as XML."""

import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

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


class BadPointsError(ValueError):
    """Points of a line that are none; costs the line."""


def points(text: str) -> Points:
    """Return the points of "x,y x,y" (PAGE) or "x y x y" (ALTO).

    Raises:
        BadPointsError: anything but pairs of numbers of up to seven digits.
    """
    parts = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    if len(parts) % 2 or not all(NUMBER.fullmatch(part) for part in parts):
        odd = next((part for part in parts if not NUMBER.fullmatch(part)), text.strip())
        raise BadPointsError(f"points {odd[:40]!r}, expected pairs of numbers")
    numbers = [float(part) for part in parts]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def whole(text: str | None) -> int:
    """Return a size in pixels, 0 where there is none or it is no number."""
    return round(float(text)) if text and NUMBER.fullmatch(text.strip()) else 0


def own_names(ids: Sequence[str | None]) -> list[str]:
    """Return a name of its own for each line of a page, given their ids in the order of the file.

    What has no id is counted; an id that stood before gets a number behind it; a slash, which no name of a file may
    hold, becomes "_".
    """
    taken: set[str] = set()
    names = []
    for number, given in enumerate(ids, 1):
        plain = (given or f"line_{number}").replace("/", "_").replace("\0", "_")
        name, again = plain, 1
        while name in taken:
            again += 1
            name = f"{plain}_{again}"
        taken.add(name)
        names.append(name)
    return names


def notes_on_ids(ids: Sequence[str | None]) -> tuple[str, ...]:
    """Return what is odd about the ids of lines."""
    twice = sorted({given for given in ids if given and ids.count(given) > 1})
    if not twice:
        return ()
    return (f"{len(twice)} ids stand twice, the first {twice[0]!r}: the second line is called {twice[0]}_2",)
