"""An image of one line of writing to grey columns of a fixed height, and back."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFilter

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image_file import read_image
from recognizer.inputs.lines.skew import levelled
from recognizer.inputs.lines.surround import without_surround
from recognizer.inputs.signal import Signal

MIN_SIDE = 8  # pixels
MAX_COLUMNS = 20_000  # of a signal
PAPER_PERCENTILE, INK_PERCENTILE = 80.0, 0.5  # of the grey values of a line
MIN_CONTRAST = 48.0  # grey levels between ink and paper that are stretched no further
BLANK_CONTRAST = 16.0  # grey levels: less than this is an empty image
PAGE_HEIGHT = 150  # pixels: an image less high is never taken for a page
PAGE_BANDS = 5  # lines of ink, one below the other, that make a page
PAGE_LENGTH = 5.0  # times its height: a line of a page is at least so long
BAND_RISE = 0.4  # of the ink of the densest rows: where a line of a page begins
BAND_FALL = 0.25  # of the ink of its own densest row: where it ends
PAGE_WIDTH, PAGE_ROWS = 400, 800  # pixels: lines of ink are counted in a picture so wide, at most so high


@dataclass(frozen=True)
class HandwritingSettings:
    """How a line image becomes a signal.

    Args:
        height: of the signal in pixels; the width follows the image's own proportions.
        direction: "ltr" or "rtl" (columns are the sequence) or "ttb" (rows are the sequence, from the top).
        contrast: "stretch" sets paper to 255 and the darkest ink to 0, "keep" leaves the grey values.
    """

    height: int = 64
    direction: str = "ltr"
    contrast: str = "stretch"

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not 8 <= self.height <= 512:
            raise RecognizerError(f"signal.height is {self.height}, expected 8 to 512 pixels")
        if self.direction not in ("ltr", "rtl", "ttb"):
            raise RecognizerError(f"signal.direction is {self.direction!r}, expected ltr, rtl or ttb")
        if self.contrast not in ("stretch", "keep"):
            raise RecognizerError(f"signal.contrast is {self.contrast!r}, expected stretch or keep")


def read_line(source: Path | BinaryIO, settings: HandwritingSettings, name: str = "") -> Signal:
    """Read an image file of one line.

    Args:
        source: a path, or a binary file object.
        settings: the form of the signal.
        name: what to call a file object in messages.

    Raises:
        RecognizerError: missing, empty, no image, truncated, too small, too large, a page.
    """
    name = str(source) if isinstance(source, Path) else name or "image"
    return line_from_array(read_grey(source, name), settings, name)


def line_from_array(
    image: np.ndarray, settings: HandwritingSettings, name: str = "array", cut_from_page: bool = False
) -> Signal:
    """Make the signal of a grey image.

    Args:
        image: (rows, columns) grey or (rows, columns, 3) colour, uint8 0..255 or float 0..1.
        settings: the form of the signal.
        name: what to call the image in messages.
        cut_from_page: whether something has said where the line stands on its page, so that it is level, and no page.
    """
    made = line_or_page(image, settings, name, cut_from_page)
    if isinstance(made, Signal):
        return made
    raise RecognizerError(
        f"{name}: looks like a page of about {made.bands} lines, expected an image of one line, or PAGE XML or ALTO "
        "that says where its lines are",
        "looks like a page",
    )


TURNED = "much higher than wide, expected a line that runs along its width: is it turned by 90 degrees?"
UPRIGHT = 4  # times as high as wide is no line that runs along its width; a single narrow letter is three times


@dataclass(frozen=True)
class PageImage:
    """An image that shows a page, not a line.

    Args:
        grey: uint8 (rows, columns), as it was given.
        bands: lines of ink, one below the other, at least.
    """

    grey: np.ndarray
    bands: int


def line_or_page(
    image: np.ndarray, settings: HandwritingSettings, name: str = "array", cut_from_page: bool = False
) -> Signal | PageImage:
    """Return the signal of an image of a line as `line_from_array` does, or that it shows a page."""
    given = grey = _as_grey(image, name)
    rows, columns = grey.shape
    if rows < MIN_SIDE or columns < MIN_SIDE:
        raise RecognizerError(
            f"{name}: {columns} x {rows} pixels, expected a line of at least {MIN_SIDE} x {MIN_SIDE}", "too small"
        )
    whole = grey.T if settings.direction == "ttb" else grey
    freed = without_surround(whole)
    grey, notes = freed.grey, freed.notes
    if settings.direction != "ttb" and not cut_from_page:
        if bands := _page_bands(grey):
            return PageImage(given, bands)
        level = levelled(grey)
        grey = level.grey
        notes += (f"skewed by {level.degrees:.1f} degrees, levelled",) if level.degrees else ()
    if whole.shape[0] >= UPRIGHT * whole.shape[1]:
        notes += (TURNED,)
    if settings.contrast == "stretch":
        grey = _stretch(grey)
    extent = float(whole.shape[1])
    width = grey.shape[1]
    values = _scale(grey, settings.height, name).T
    mirrored = settings.direction == "rtl"
    values = np.ascontiguousarray(values[::-1] if mirrored else values)
    vertical = settings.direction == "ttb"
    places = None
    if width < whole.shape[1]:
        steps = freed.left + np.linspace(0.0, float(width), len(values) + 1)
        places = steps[::-1] if mirrored else steps
    return Signal(
        values, extent, "px", mirrored, tuple(notes), across=float(whole.shape[0]), vertical=vertical, places=places
    )


def picture(values: np.ndarray, settings: HandwritingSettings) -> Image.Image:
    """Return the image that a signal (columns, height) shows, as high as the signal: undoes `line_from_array`."""
    if settings.direction == "rtl":
        values = values[::-1]
    return Image.fromarray(np.ascontiguousarray(values if settings.direction == "ttb" else values.T))


def faults(values: np.ndarray) -> list[str]:
    """Return what is wrong with a signal (columns, height), each in a few words."""
    low, high = np.percentile(values, [INK_PERCENTILE, PAPER_PERCENTILE])
    found = []
    if high - low < BLANK_CONTRAST:
        found.append("blank image")
    if len(values) < values.shape[1] // 4:
        found.append("narrower than a quarter of its height")
    return found


def read_grey(source: Path | BinaryIO, name: str = "") -> np.ndarray:
    """Return the grey values of an image file of one page as uint8 (rows, columns), upright.

    Raises:
        RecognizerError: missing, empty, no image, truncated, too large, of several pages.
    """
    return read_image(source, name).grey


def _as_grey(image: np.ndarray, name: str) -> np.ndarray:
    """Return uint8 (rows, columns) of an array of grey or colour values."""
    colour = image.ndim == 3 and image.shape[2] == 3
    if image.ndim != 2 and not colour:
        raise RecognizerError(
            f"{name}: an array of shape {image.shape}, expected (rows, columns) or (rows, columns, 3)"
        )
    if not image.size:
        raise RecognizerError(f"{name}: an empty array of shape {image.shape}, expected rows and columns")
    if np.issubdtype(image.dtype, np.floating):
        if not (np.isfinite(image).all() and 0 <= image.min() <= image.max() <= 1):
            raise RecognizerError(f"{name}: numbers outside 0..1 or no numbers, expected uint8 0..255 or float 0..1")
        image = (image * 255 + 0.5).astype(np.uint8)
    if image.dtype != np.uint8:
        raise RecognizerError(f"{name}: an array of {image.dtype}, expected uint8 0..255 or float 0..1")
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("L")) if colour and image.size else image


def _stretch(grey: np.ndarray) -> np.ndarray:
    """Return the image with its paper at 255 and its darkest ink at 0, faint noise never blown up."""
    low, high = (float(value) for value in np.percentile(grey, [INK_PERCENTILE, PAPER_PERCENTILE]))
    # An empty image is made as light as paper, no more: its noise is not to look like writing.
    low = high - 255.0 if high - low < BLANK_CONTRAST else min(low, high - MIN_CONTRAST)
    return np.asarray(np.clip((grey - low) * (255.0 / (high - low)) + 0.5, 0, 255), dtype=np.uint8)


def _scale(grey: np.ndarray, height: int, name: str) -> np.ndarray:
    """Return the image scaled to `height` rows in its own proportions."""
    rows, columns = grey.shape
    width = max(1, round(columns * height / rows))
    if width > MAX_COLUMNS:
        raise RecognizerError(
            f"{name}: {width} columns at a height of {height}, expected at most {MAX_COLUMNS}", "too long"
        )
    if (rows, columns) == (height, width):
        return grey
    return np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize((width, height), Image.Resampling.BILINEAR))


def _page_bands(grey: np.ndarray) -> int:
    """Return how many lines of ink stand one below the other, 0 where it is too few for a page."""
    rows, columns = grey.shape
    if rows < PAGE_HEIGHT or columns > PAGE_LENGTH * rows:
        return 0
    bands, above, valley, peak = 0, False, 0.0, 0.0
    profile = _ink_of_rows(grey)
    least = BAND_RISE * float(np.percentile(profile, 97))
    for ink in profile.tolist():
        if above:
            peak = max(peak, ink)
            if ink < BAND_FALL * peak:
                above, valley = False, ink
        else:
            valley = min(valley, ink)
            if ink > least and BAND_FALL * ink > valley:
                above, peak, bands = True, ink, bands + 1
    return bands if bands >= PAGE_BANDS and columns * bands >= PAGE_LENGTH * rows else 0


def _ink_of_rows(grey: np.ndarray) -> np.ndarray:
    """Return the ink of each row of a small picture of the image: what is darker than its surroundings."""
    rows, columns = grey.shape
    size = (PAGE_WIDTH, max(8, min(round(rows * PAGE_WIDTH / columns), PAGE_ROWS)))
    small = Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BOX)
    around = small.filter(ImageFilter.BoxBlur(PAGE_WIDTH // 20))
    ink = (np.asarray(around, np.float32) - np.asarray(small, np.float32)).clip(min=0.0)
    # Edges of the scan and blots are darker than writing: no pixel counts for more than dark writing does.
    profile = np.minimum(ink, np.percentile(ink, 98)).mean(axis=1)
    smooth = np.convolve(np.pad(profile, 2, mode="edge"), np.array([1, 3, 4, 3, 1]) / 12, mode="valid")
    return np.asarray(smooth - smooth.min())
