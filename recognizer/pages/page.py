"""A page: its image and the lines that stand on it."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.pages.image_lookup import IMAGES, find_image

__all__ = ["IMAGES", "LineRegion", "Page", "PageLine", "clipped", "file_of", "is_there", "page_and_line"]
SUFFIX = ".xml"
MARK = "#"  # between the name of a page's XML file and the id of one of its lines
LINE = re.compile(rf"(.+?{re.escape(SUFFIX)}){MARK}(.+)", re.IGNORECASE)
PART = re.compile(r"(.+)\[([\d., -]+)\]")  # a part of a file: its page, or its seconds

Points = tuple[tuple[float, float], ...]  # x to the right, y downwards, in pixels of the page's image


@dataclass(frozen=True)
class LineRegion:
    """Where a line stands.

    Args:
        outline: corners of the polygon around it.
        baseline: points of the line that it is written on, in reading direction; empty where the page names none.
        spread: of the line's height: by how much the outline is widened, since outlines are mostly drawn tight.
    """

    outline: Points
    baseline: Points = ()
    spread: float = 0.1


@dataclass(frozen=True)
class PageLine:
    """One line of a page.

    Args:
        id: its name in the XML.
        text: what it says, None where the page does not tell.
        area: where it stands, None where the page names no outline.
        fault: what is wrong with what the XML says of it, "" for nothing; it costs the line, not its page.
        tags: what the XML calls it or its region, such as "print" or "handwritten-cursive".
    """

    id: str
    text: str | None
    area: LineRegion | None
    fault: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page as its XML describes it.

    Args:
        path: of the XML.
        image: name of the image as the XML states it.
        size: width and height of that image as the XML states them, (0, 0) where it does not.
        lines: in reading order.
        notes: what was found odd about the XML.
    """

    path: Path
    image: str
    size: tuple[int, int]
    lines: tuple[PageLine, ...]
    notes: tuple[str, ...] = ()

    def name_of(self, line: PageLine) -> Path:
        """Return what a line is called among files: FILE#ID."""
        return self.path.with_name(f"{self.path.name}{MARK}{line.id}")

    def line(self, name: str) -> PageLine:
        """Return the line whose id is `name`.

        Raises:
            RecognizerError: there is none.
        """
        for line in self.lines:
            if line.id == name:
                return line
        raise RecognizerError(f"{self.path}: no line {name!r}, it has {len(self.lines)}", "no such line")

    def image_path(self) -> Path:
        """Return where the image is (see `find_image`).

        Raises:
            RecognizerError: it is nowhere, or several are.
        """
        return find_image(self.path, self.image).path


def clipped(area: LineRegion, size: tuple[int, int]) -> LineRegion:
    """Return an area whose outline ends at the edges of an image of `size` (width, height), where that is known."""
    width, height = size
    if not width or not height:
        return area
    outline = tuple((min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in area.outline)
    return replace(area, outline=outline)


def page_and_line(path: Path) -> tuple[Path, str] | None:
    """Return page and line that a name FILE#ID speaks of; None where it is the name of a file."""
    found = LINE.fullmatch(path.name)
    if not found or _exists(path):
        return None
    return path.with_name(found[1]), found[2]


def file_of(path: Path) -> Path:
    """Return the file that a name speaks of: of a line FILE#ID, a page FILE[2], a stretch of sound FILE[1-2.5]."""
    if _exists(path):
        return path
    if found := page_and_line(path):
        return found[0]
    part = PART.fullmatch(path.name)
    return path.with_name(part[1]) if part else path


def mark_of(path: Path) -> str:
    """Return what stands behind the name of the file that a name speaks of: "#ID", "[2]", "" for the whole file."""
    return path.name.removeprefix(file_of(path).name)


def stem_of(name: str) -> str:
    """Return what files beside one are called, but for the suffix; a line, a page, a stretch of sound keep their mark.

    So does a file that is itself called like one, or what is beside it would take the place of the whole of another's.
    """
    part = LINE.fullmatch(name) or PART.fullmatch(name)
    file = part[1] if part else name
    return f"{Path(file).stem}{name.removeprefix(file)}"


def is_there(path: Path) -> bool:
    """Return whether the file that a name speaks of is there."""
    try:
        return file_of(path).is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
