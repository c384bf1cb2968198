"""An image of one line of writing to grey columns of a fixed height, and back."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from recognizer.errors import RecognizerError
from recognizer.signals.signal import Signal

MAX_PIXELS = 50_000_000  # of an image, checked before it is decoded
MIN_SIDE = 8  # pixels
MAX_COLUMNS = 20_000  # of a signal
PAPER_PERCENTILE, INK_PERCENTILE = 80.0, 0.5  # of the grey values of a line
MIN_CONTRAST = 48.0  # grey levels between ink and paper that are stretched no further
BLANK_CONTRAST = 16.0  # grey levels: less than this is an empty image
PAGE_HEIGHT = 150  # pixels: an image less high is never taken for a page
PAGE_BANDS = 3  # lines of ink, one below the other, that make a page
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".pgm", ".ppm", ".jp2")


@dataclass(frozen=True)
class HandwritingSettings:
    """How a line image becomes a signal.

    Args:
        height: of the signal in pixels; the width follows the image's own proportions.
        direction: "ltr" or "rtl" (columns are the sequence) or "ttb" (rows are the sequence, from the top).
        contrast: "stretch" sets paper to 255 and the darkest ink to 0, "keep" leaves the grey values.
    """

    height: int = 48
    direction: str = "ltr"
    contrast: str = "stretch"

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not 8 <= self.height <= 512:
            raise RecognizerError(f"signal.height is {self.height}, wanted 8 to 512 pixels")
        if self.direction not in ("ltr", "rtl", "ttb"):
            raise RecognizerError(f"signal.direction is {self.direction!r}, wanted ltr, rtl or ttb")
        if self.contrast not in ("stretch", "keep"):
            raise RecognizerError(f"signal.contrast is {self.contrast!r}, wanted stretch or keep")


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
    return line_from_array(_decode(source, name), settings, name)


def line_from_array(image: np.ndarray, settings: HandwritingSettings, name: str = "array") -> Signal:
    """Make the signal of a grey image.

    Args:
        image: (rows, columns) grey or (rows, columns, 3) colour, uint8 0..255 or float 0..1.
        settings: the form of the signal.
        name: what to call the image in messages.
    """
    grey = _as_grey(image, name)
    rows, columns = grey.shape
    if rows < MIN_SIDE or columns < MIN_SIDE:
        raise RecognizerError(f"{name}: {columns} x {rows} pixels, wanted a line of at least {MIN_SIDE} x {MIN_SIDE}")
    notes = []
    if _is_inverted(grey):
        grey = 255 - grey
        notes.append("light on dark, inverted")
    if settings.direction == "ttb":
        grey = grey.T
    elif bands := _page_bands(grey):
        raise RecognizerError(f"{name}: looks like a page of about {bands} lines, wanted an image of one line")
    if settings.contrast == "stretch":
        grey = _stretch(grey)
    extent = float(grey.shape[1])
    values = _scale(grey, settings.height, name).T
    mirrored = settings.direction == "rtl"
    return Signal(np.ascontiguousarray(values[::-1] if mirrored else values), extent, "px", mirrored, tuple(notes))


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


def _decode(source: Path | BinaryIO, name: str) -> np.ndarray:
    """Return the grey values of an image file as uint8 (rows, columns), upright."""
    if isinstance(source, Path) and not source.exists():
        raise RecognizerError(f"{name}: no such file")
    if isinstance(source, Path) and source.stat().st_size == 0:
        raise RecognizerError(f"{name}: the file is empty, wanted an image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source) as image:
                columns, rows = image.size
                if columns * rows > MAX_PIXELS:
                    raise RecognizerError(f"{name}: {columns} x {rows} pixels, wanted at most {MAX_PIXELS:,} in all")
                return _flatten(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise RecognizerError(f"{name}: not an image that can be read") from None
    except Image.DecompressionBombError:
        raise RecognizerError(f"{name}: too many pixels, wanted at most {MAX_PIXELS:,} in all") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise RecognizerError(f"{name}: the image cannot be decoded ({error})") from None


def _flatten(image: Image.Image) -> np.ndarray:
    """Return the grey uint8 values of an image of any mode, transparent parts as white paper."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float32)
        scale = 257.0 if values.max(initial=0.0) > 255.0 else 1.0
        return np.clip(values / scale + 0.5, 0, 255).astype(np.uint8)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("L"))


def _as_grey(image: np.ndarray, name: str) -> np.ndarray:
    """Return uint8 (rows, columns) of an array of grey or colour values."""
    if image.ndim == 3 and image.shape[2] in (3, 4):
        image = image[:, :, :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        image = image if image.max(initial=0.0) <= 1.0 else np.clip(image + 0.5, 0, 255).astype(np.uint8)
    if image.ndim != 2:
        raise RecognizerError(f"{name}: an array of shape {image.shape}, wanted (rows, columns) or (rows, columns, 3)")
    if image.dtype == np.uint8:
        return image
    if np.issubdtype(image.dtype, np.floating) and np.isfinite(image).all() and 0 <= image.min() <= image.max() <= 1:
        return (image * 255 + 0.5).astype(np.uint8)
    raise RecognizerError(f"{name}: an array of {image.dtype} outside the range, wanted uint8 0..255 or float 0..1")


def _is_inverted(grey: np.ndarray) -> bool:
    """Return whether most of the image is nearer to its darkest than to its lightest grey."""
    low, middle, high = np.percentile(grey, [1, 50, 99])
    return bool(high - low >= BLANK_CONTRAST and middle < (low + high) / 2 - BLANK_CONTRAST / 4)


def _stretch(grey: np.ndarray) -> np.ndarray:
    """Return the image with its paper at 255 and its darkest ink at 0, faint noise never blown up."""
    low, high = np.percentile(grey, [INK_PERCENTILE, PAPER_PERCENTILE])
    low = min(float(low), float(high) - MIN_CONTRAST)
    return np.clip((grey - low) * (255.0 / (high - low)) + 0.5, 0, 255).astype(np.uint8)


def _scale(grey: np.ndarray, height: int, name: str) -> np.ndarray:
    """Return the image scaled to `height` rows in its own proportions."""
    rows, columns = grey.shape
    width = max(1, round(columns * height / rows))
    if width > MAX_COLUMNS:
        raise RecognizerError(f"{name}: {width} columns at a height of {height}, wanted at most {MAX_COLUMNS}")
    if (rows, columns) == (height, width):
        return grey
    return np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize((width, height), Image.Resampling.BILINEAR))


def _page_bands(grey: np.ndarray) -> int:
    """Return how many lines of ink stand one below the other, 0 where it is too few for a page."""
    rows, columns = grey.shape
    if rows < PAGE_HEIGHT or columns > 6 * rows:
        return 0
    small = np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize((200, min(rows, 800)), Image.Resampling.BOX))
    ink = 255.0 - small.astype(np.float32)
    profile = (ink > ink.mean() + ink.std()).mean(axis=1)
    width = max(3, len(profile) // 100)
    smooth = np.convolve(profile, np.ones(width) / width, mode="same")
    above = smooth > 0.5 * smooth.mean() + 0.25 * smooth.max()
    bands = int((above[1:] & ~above[:-1]).sum() + above[0])
    return bands if bands >= PAGE_BANDS else 0
