"""A line of a page, FILE#ID, to the signal of a line."""

import functools
import hashlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image import HandwritingSettings, line_from_array, line_or_page, read_grey
from recognizer.inputs.lines.image_file import read_image
from recognizer.inputs.lines.page_placement import Placement, placed_image, placement_of
from recognizer.inputs.signal import Signal
from recognizer.pages.background import even_light
from recognizer.pages.image_lookup import find_image
from recognizer.pages.line_extraction import extract_line
from recognizer.pages.line_segmentation import find_lines
from recognizer.pages.page import LineRegion, Page, PageLine, file_of
from recognizer.pages.parse import read_page
from recognizer.pages.rules import erase_rules

PAGE_NOTE, TAG_NOTE = "page: ", "tag: "  # how notes on a line begin that are of its page, or that are its tags


def read_page_line(path: Path, line: str, settings: HandwritingSettings, name: str) -> Signal:
    """Cut a line out of its page and make its signal; places count in pixels along the strip around its baseline.

    Args:
        path: PAGE XML or ALTO.
        line: its id there.
        settings: the form of the signal.
        name: what to call the line in messages.

    Raises:
        RecognizerError: the page, its image or the line is at fault.
    """
    page = read_page(path)
    found = page.line(line)
    if found.fault:
        raise RecognizerError(f"{name}: {found.fault}", "bad points")
    if found.area is None:
        raise RecognizerError(f"{name}: the page names no outline of this line, expected one", "line without outline")
    image = find_image(path, page.image)
    changed = path.stat().st_mtime_ns, file_of(image.path).stat().st_mtime_ns
    grey, placement = _page_image(path, image.path, changed)
    signal = line_signal(grey, placement.of(found.area), settings, name)
    notes = tuple(f"{PAGE_NOTE}{note}" for note in (image.note, *page.notes, *placement.notes) if note)
    # In the pixels of the XML, where these are those of the image, no writer needs to lay the strip out again.
    same = placement.of(found.area) is found.area and page.size == grey.shape[::-1]
    notes = (*signal.notes, *notes, *(f"{TAG_NOTE}{tag}" for tag in found.tags))
    return replace(signal, notes=notes, strip=signal.strip if same else None)


def find_page(source: Path | BinaryIO, settings: HandwritingSettings, name: str) -> tuple[Page, list[Signal]]:
    """Find the lines of an image of a whole page, and make a signal of each.

    Args:
        source: the image.
        settings: the form of the signals.
        name: what to call a file object.

    Raises:
        RecognizerError: the image is at fault, no line is found on it, or lines run from the top down.
    """
    return lines_of(read_grey(source, name), source if isinstance(source, Path) else Path(name), settings, name)


def page_notes(signal: Signal) -> list[str]:
    """Return what is to be said of the page that a line's signal was cut from."""
    return [note.removeprefix(PAGE_NOTE) for note in signal.notes if note.startswith(PAGE_NOTE)]


def line_or_lines(
    grey: np.ndarray, path: Path, settings: HandwritingSettings, name: str
) -> Signal | tuple[Page, list[Signal]]:
    """Return the signal of a decoded image of a line, or, of an image of a page, the page with a signal of each line.

    Raises:
        RecognizerError: as `read_line` and `find_page` do.
    """
    made = line_or_page(grey, settings, name)
    return made if isinstance(made, Signal) else lines_of(grey, path, settings, name)


def lines_of(grey: np.ndarray, path: Path, settings: HandwritingSettings, name: str) -> tuple[Page, list[Signal]]:
    """Find the lines of a decoded image of a page as `find_page` does; `path` is what the page is called."""
    if settings.direction == "ttb":
        raise RecognizerError(f"{name}: lines from the top down are not found on pages, expected PAGE XML or ALTO")
    grey = erase_rules(even_light(grey))
    lines: list[PageLine] = []
    signals: list[Signal] = []
    for area in find_lines(grey, settings.direction == "rtl"):
        line = PageLine(f"line_{len(lines) + 1}", None, area)
        with suppress(RecognizerError):  # what cannot be cut, being too small, was no line
            signals.append(line_signal(grey, area, settings, line.id))
            lines.append(line)
    if not lines:
        raise RecognizerError(f"{name}: no line of writing is found on this page", "a page without lines")
    return Page(path, path.name, (grey.shape[1], grey.shape[0]), tuple(lines)), signals


def line_signal(grey: np.ndarray, area: LineRegion, settings: HandwritingSettings, name: str) -> Signal:
    """Cut a line out of an evenly lit page and make its signal; places count along the strip around its baseline."""
    try:
        cut = extract_line(grey, area, settings.direction == "ttb")
    except RecognizerError as error:
        raise RecognizerError(f"{name}: {error}", error.reason) from None
    signal = line_from_array(cut.values, settings, name, cut_from_page=True)
    width, height = cut.strip.size
    whole, before = (height, cut.top) if signal.vertical else (width, cut.left)
    steps = np.linspace(0.0, signal.extent, len(signal.values) + 1)
    places = before + (steps[::-1] if signal.mirrored else steps)
    across = float(width if signal.vertical else height)
    return replace(signal, extent=float(whole), across=across, places=places, strip=cut.strip)


def page_line_digest(path: Path, line: str) -> bytes:
    """Return a SHA-256 of a page's image and of where a line stands on it."""
    page = read_page(path)
    image = page.image_path()
    file = file_of(image)
    digest = _image_digest(file, file.stat().st_mtime_ns).copy()
    if file != image:  # a page of an image that holds several
        digest.update(image.name.encode(errors="surrogateescape"))
    digest.update(repr(page.line(line).area).encode())
    return digest.digest()


@functools.lru_cache(maxsize=2)
def _page_image(path: Path, image: Path, _changed: tuple[int, int]) -> tuple[np.ndarray, Placement]:
    """Return the evenly lit image of a page in the pixels that its XML counts, and how places come onto it.

    Both are decoded and looked at once for all lines of a page.
    """
    decoded = read_image(image)
    placement = placement_of(read_page(path), decoded)
    return even_light(placed_image(decoded, placement)), placement


@functools.lru_cache(maxsize=2)
def _image_digest(path: Path, _changed: int) -> "hashlib._Hash":
    return hashlib.sha256(path.read_bytes())
