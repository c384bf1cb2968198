"""Lines of a page as pictures and as signals, cut where the draft says that they stand."""

import functools
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image import HandwritingSettings, read_grey
from recognizer.inputs.lines.image_file import opened_image
from recognizer.inputs.lines.page_line import line_signal
from recognizer.inputs.signal import Signal
from recognizer.pages.background import even_light
from recognizer.pages.line_extraction import extract_line
from recognizer.pages.page import LineRegion, Page, PageLine, file_of
from recognizer.pages.parse import read_page
from recognizer.pages.rules import erase_rules
from recognizer.web.drafts import Draft, DraftLine
from recognizer.web.project import ProjectFile

PICTURE_HEIGHT = 120  # pixels of a line's picture at most
SHOWN_BY_BROWSERS = ("JPEG", "PNG", "WEBP", "GIF")
UPRIGHT = (None, 1)  # values of EXIF's orientation


def image_of(file: ProjectFile) -> Path:
    """Return the image of a page or of a line."""
    return read_page(file.path).image_path() if file.kind == "page" else file.path


def shown_image(file: ProjectFile) -> tuple[bytes, str]:
    """Return an image as a browser shows it, upright, with its media type.

    Raises:
        RecognizerError: it cannot be decoded, or is too large.
    """
    path = image_of(file)
    if file_of(path) != path:  # a page of an image that holds several
        return _as_jpeg(Image.fromarray(read_grey(path)))
    grey = functools.partial(read_grey, path)
    with opened_image(path, path.name) as image:
        if image.format in SHOWN_BY_BROWSERS and image.getexif().get(0x0112) in UPRIGHT:
            return path.read_bytes(), f"image/{image.format.lower()}"
        eight_bit = image.mode in ("RGB", "L", "P", "1", "CMYK", "RGBA")
        colour = ImageOps.exif_transpose(image).convert("RGB") if eight_bit else None
    return _as_jpeg(colour or Image.fromarray(grey()))


def _as_jpeg(image: Image.Image) -> tuple[bytes, str]:
    """Return an image as JPEG, with its media type."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue(), "image/jpeg"


def region_on_image(file: ProjectFile, draft: Draft, line: DraftLine) -> tuple[np.ndarray, LineRegion]:
    """Return a page as grey values, evenly lit, with where a line stands in its pixels.

    Raises:
        RecognizerError: the line has no place, or the image is at fault.
    """
    if len(line.outline) < 3:
        raise RecognizerError(f"{draft.name}: line {line.id!r} has no outline, expected one")
    path = image_of(file)
    grey = _page(path, file_of(path).stat().st_mtime_ns, draft.found)
    across, down = (grey.shape[1] / draft.size[0], grey.shape[0] / draft.size[1]) if draft.size[0] else (1.0, 1.0)
    outline, baseline = (tuple((x * across, y * down) for x, y in part) for part in (line.outline, line.baseline))
    return grey, LineRegion(outline, baseline, **({"spread": 0.0} if draft.found else {}))


def signal_of(file: ProjectFile, draft: Draft, line: DraftLine, settings: HandwritingSettings) -> Signal:
    """Return the signal of a line of a page, as `transcribe` would make it of the same place."""
    grey, area = region_on_image(file, draft, line)
    return line_signal(grey, area, settings, f"{draft.name}: line {line.id!r}")


def picture_of(file: ProjectFile, draft: Draft, line: DraftLine) -> bytes:
    """Return a line's picture as PNG, level; from its left to its right edge are the places of its words."""
    grey, area = region_on_image(file, draft, line)
    cut = extract_line(grey, area)
    paper = int(np.percentile(cut.values, 80))
    right = max(0, cut.strip.size[0] - cut.left - cut.values.shape[1])
    values = np.pad(cut.values, ((0, 0), (cut.left, right)), constant_values=paper)
    picture = Image.fromarray(values)
    picture.thumbnail((16 * picture.width, PICTURE_HEIGHT))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def page_of(file: ProjectFile, draft: Draft) -> Page:
    """Return the page that a draft describes."""
    spread = {"spread": 0.0} if draft.found else {}
    lines = tuple(
        PageLine(line.id, line.text, LineRegion(line.outline, line.baseline, **spread) if line.outline else None)
        for line in draft.lines
    )
    name = read_page(file.path).image if file.kind == "page" else file.path.name
    return Page(file.path, name, draft.size, lines)


@functools.lru_cache(maxsize=3)
def _page(path: Path, _changed: int, found: bool) -> np.ndarray:
    grey = even_light(read_grey(path))
    return erase_rules(grey) if found else grey
