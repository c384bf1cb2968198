"""An image file of any form, depth and orientation to the grey values of one of its pages."""

import functools
import logging
import os
import re
import stat
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from recognizer.errors import RecognizerError
from recognizer.inputs.native_messages import without_native_messages
from recognizer.pages.image_lookup import FRAME
from recognizer.pages.parse import HEAD, begins_as_xml

MEGAPIXELS = 50  # of an image, checked before it is decoded; the variable LIMIT of the environment says another number
LIMIT = "RECOGNIZER_MAX_MEGAPIXELS"
# What is opened, and no more: Pillow starts Ghostscript for EPS, and knows many forms that nobody scans to.
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "DIB", "PPM", "JPEG2000")
ONE_PICTURE = ("MPO",)  # what JPEG becomes when cameras add previews and depth maps behind the picture
ORIENTATION = 0x0112  # tag of EXIF and TIFF
SUBFILE, REDUCED_OR_MASK = 254, 0b101  # tag of TIFF: a small copy of another page, or its mask, is no page
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # tag of TIFF and that value of it by which the largest value is black
MAX_FRAMES = 10_000  # that are counted in a file
FULL = 99.9  # percentile of the values of an image of more than eight bits that tells how many of them are in use
LEAST_LEVELS = 64  # that are left of colour of 16 bits, of which 8 are kept; fewer spoil it
logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it says of damage is said by the error already
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf", b"Rar!")  # what they begin with
NO_CONVERSION = re.compile(r"conversion from (\w+) to \w+ not supported")  # as Pillow says it
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, AttributeError, OverflowError,
    ZeroDivisionError, AssertionError, struct.error,
)  # fmt: skip
"""What Pillow says of a damaged file."""


@dataclass(frozen=True)
class ImagePage:
    """One page of an image file.

    Args:
        grey: uint8 (rows, columns), upright, 255 white.
        orientation: 1 to 8, as EXIF counts, by which the pixels as stored were turned to make them upright.
    """

    grey: np.ndarray
    orientation: int = 1

    def stored(self) -> np.ndarray:
        """Return the grey values as they are stored in the file, not turned."""
        return turned_back(self.grey, self.orientation)


def turned_back(grey: np.ndarray, orientation: int) -> np.ndarray:
    """Return an upright image (rows, columns) as a file of that EXIF orientation, 1 to 8, stores it."""
    back = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(back[orientation](grey)) if orientation in back else grey


def max_pixels() -> int:
    """Return how many pixels an image may have.

    Raises:
        RecognizerError: the environment's limit is no number.
    """
    given = os.environ.get(LIMIT, str(MEGAPIXELS))
    try:
        megapixels = float(given)
    except ValueError:
        megapixels = float("nan")
    if not 0 < megapixels < 1e6:
        raise RecognizerError(f"{LIMIT} is {given!r}, expected a number of megapixels such as {MEGAPIXELS}")
    return round(megapixels * 1e6)


def file_and_page(path: Path) -> tuple[Path, int]:
    """Return file and page, from 1, of a name FILE[2]; page 0 where a name speaks of a file as a whole."""
    found = FRAME.fullmatch(path.name)
    if not found or path.exists():
        return path, 0
    return path.with_name(found[1]), int(found[2])


def pages_of(path: Path) -> list[Path]:
    """Return the pages of an image file, FILE[1] and so on; the file where it is one image, or cannot be opened."""
    try:
        with opened_image(path, str(path)) as image:
            count = len(_pages(image))
    except RecognizerError:  # reading it says what is wrong
        return [path]
    return [path.with_name(f"{path.name}[{number}]") for number in range(1, count + 1)] if count > 1 else [path]


def image_pages(source: Path | BinaryIO, name: str) -> Iterator[tuple[int, ImagePage | RecognizerError]]:
    """Yield each page of an image file with its number from 1, or 0 where it is the only one; each is decoded once.

    Of several a page at fault is yielded as what is wrong with it, so that the others are read.

    Raises:
        RecognizerError: missing, empty, no image, damaged, too large.
    """
    only = None
    with opened_image(source, name) as image:
        pages = _pages(image)
        if len(pages) == 1:
            only = _page(image, pages[0], name)
    if only is not None:
        yield 0, only
        return
    with _file(source, name) as file:
        yield from enumerate(_in_turn(file, pages, name), start=1)


def _in_turn(file: BinaryIO, frames: list[int], name: str) -> Iterator[ImagePage | RecognizerError]:
    """Yield the pages of a file that stays open: of a GIF each frame is drawn on those before it."""
    image = None
    for number, frame in enumerate(frames, start=1):
        own = f"{name}[{number}]"
        page: ImagePage | RecognizerError
        try:
            with _guarded(own):
                image = image or Image.open(file, formats=_formats())
                page = _page(image, frame, own)
                if image.format == "TIFF":  # whose pages Pillow decodes one over the other: what one lacks is black
                    image.paste(0, (0, 0, *image.size))
        except RecognizerError as error:
            image, page = None, error  # opened anew for the next: what Pillow is left with is not what is in the file
        yield page


def read_image(source: Path | BinaryIO, name: str = "", page: int = 0) -> ImagePage:
    """Read a page of an image file.

    Args:
        source: a path, maybe FILE[2], or a binary file object.
        name: what to call it in messages.
        page: which one of several, from 1; 0 takes the only one.

    Raises:
        RecognizerError: missing, empty, no image, cut short, too large, of several pages where none is chosen.
    """
    name = name or (str(source) if isinstance(source, Path) else "image")
    if isinstance(source, Path):
        given = source
        source, named = file_and_page(given)
        if source != given and not named:
            raise RecognizerError(f"{name}: there is no page 0, the first is {source.name}[1]", "no such page")
        page = page or named
    with opened_image(source, name) as image:
        pages = _pages(image)
        if not page and len(pages) > 1:
            raise RecognizerError(
                f"{name}: holds {len(pages)} pages, expected one: {name}[1] to {name}[{len(pages)}] are their names",
                "several pages",
            )
        if page > len(pages):
            raise RecognizerError(f"{name}: there is no page {page}, the file holds {len(pages)}", "no such page")
        return _page(image, pages[max(page, 1) - 1], name)


@contextmanager
def opened_image(source: Path | BinaryIO, name: str) -> Iterator[Image.Image]:
    """Yield an image of Pillow, its values not yet decoded; what Pillow says of a damaged one becomes one line.

    Raises:
        RecognizerError: missing, empty, no image, damaged, too large; of what is done with the image likewise.
    """
    # By its file object, not by its name: Pillow maps named files into memory as they lie, not turned.
    with _guarded(name), _file(source, name) as file:
        try:
            image = Image.open(file, formats=_formats())
        except UnidentifiedImageError:
            raise _no_image(file, name) from None
        with image:
            yield image


def _no_image(file: BinaryIO, name: str) -> RecognizerError:
    """Return what is wrong with a file that is none of the forms of images."""
    file.seek(0)
    head = file.read(HEAD)
    what = "not an image that can be read"
    if head.startswith(ARCHIVES):
        what = "an archive, whose files are read when it is unpacked"
    elif begins_as_xml(head):
        what = "XML, which is read as a page by the path of its file, with its image beside it"
    wanted = "expected PNG, JPEG, TIFF, WebP, JPEG 2000 or alike"
    return RecognizerError(f"{name}: {what}, {wanted}", "not an image")


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Turn what Pillow says of a damaged image, or of one that is too large, into one line."""
    try:
        with warnings.catch_warnings(), _LIMIT_OF_PILLOW.lent():
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError as error:
        # Of the numbers that Pillow names the largest is that of the pixels: the other one is the limit.
        raise _too_large(max(map(int, re.findall(r"\d+", str(error)))), name) from None
    except BROKEN as error:
        if colours := NO_CONVERSION.match(str(error)):
            raise RecognizerError(
                f"{name}: its colours are {colours[1]}, expected grey or RGB", "other colours"
            ) from None
        raise RecognizerError(
            f"{name}: cannot be decoded ({error}), expected a whole image", "cut short or damaged"
        ) from None
    except MemoryError:
        raise RecognizerError(f"{name}: needs more memory than there is", "too large") from None


class _LimitOfPillow:
    """Pillow's own limit, one for the process: `max_pixels` while any thread reads, then again what it was.

    Pillow takes memory for frames of a GIF while it opens it, and checks their size by this limit alone.
    """

    def __init__(self) -> None:
        self.lock, self.readers, self.before = threading.Lock(), 0, Image.MAX_IMAGE_PIXELS

    @contextmanager
    def lent(self) -> Iterator[None]:
        most = max_pixels()
        with self.lock:
            if not self.readers:
                self.before = Image.MAX_IMAGE_PIXELS
            self.readers += 1
            Image.MAX_IMAGE_PIXELS = (most + 1) // 2  # Pillow refuses what is more than twice as large
        try:
            yield
        finally:
            with self.lock:
                self.readers -= 1
                if not self.readers:
                    Image.MAX_IMAGE_PIXELS = self.before


_LIMIT_OF_PILLOW = _LimitOfPillow()


@functools.cache
def _formats() -> tuple[str, ...]:
    """Return those of FORMATS that this Pillow knows."""
    Image.init()
    return tuple(form for form in FORMATS if form in Image.OPEN)


@contextmanager
def _file(source: Path | BinaryIO, name: str) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        source.seek(0)
        if not source.read(1):
            raise RecognizerError(f"{name}: it is empty, expected an image", "empty file")
        source.seek(0)
        yield source
        return
    try:
        mode = source.stat().st_mode
        if not stat.S_ISREG(mode):
            raise RecognizerError(f"{name}: not a file, expected an image", "not a file")
        file = open(source, "rb")
    except FileNotFoundError:
        raise RecognizerError(f"{name}: no such file", "no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecognizerError(f"{name}: cannot be read ({reason}), expected an image") from None
    with file:
        if not os.fstat(file.fileno()).st_size:
            raise RecognizerError(f"{name}: the file is empty, expected an image", "empty file")
        yield file


def _too_large(pixels: int, name: str) -> RecognizerError:
    return RecognizerError(
        f"{name}: {pixels:,} pixels, expected at most {max_pixels():,} in all; {LIMIT}={-(-pixels // 1_000_000)} in "
        "the environment lets it in",
        "too large",
    )


def _pages(image: Image.Image) -> list[int]:
    """Return the numbers of the frames that are pages."""
    count = min(int(getattr(image, "n_frames", 1)), MAX_FRAMES)
    if count == 1 or image.format in ONE_PICTURE:
        return [0]
    if image.format != "TIFF":
        return list(range(count))
    pages = []
    for number in range(count):
        image.seek(number)
        tags = getattr(image, "tag_v2", {})
        if not number or not int(tags.get(SUBFILE, 0)) & REDUCED_OR_MASK:
            pages.append(number)
    return pages


def _page(image: Image.Image, frame: int, name: str) -> ImagePage:
    """Return a frame of an image, by its number from 0."""
    image.seek(frame)
    if (pixels := image.width * image.height) > max_pixels():
        raise _too_large(pixels, name)
    return _decoded(image, name)


def _decoded(image: Image.Image, name: str) -> ImagePage:
    """Return the frame of an image that was sought."""
    # Asked for now: an image that was decoded and turned has forgotten how it was stored.
    orientation = int(image.getexif().get(ORIENTATION, 1) or 1)
    white_is_zero = image.format == "TIFF" and getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
    tiles = getattr(image, "tile", ())
    deep_colour = any(";16" in str(tile[3]) for tile in tiles)
    with without_native_messages() if any(tile[0] == "libtiff" for tile in tiles) else nullcontext():
        upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        grey = _eight_bits(np.asarray(upright, dtype=np.float32))
        return ImagePage(255 - grey if white_is_zero else grey, orientation)
    grey = _flatten(upright)
    if deep_colour and (most := int(grey.max(initial=0))) < LEAST_LEVELS:
        raise RecognizerError(
            f"{name}: colour of 16 bits that uses {most + 1} of 256 levels, too few to read it: expected grey, or "
            "values that fill the 16 bits",
            "colour of unused bits",
        )
    return ImagePage(grey, orientation)


def _flatten(image: Image.Image) -> np.ndarray:
    """Return the grey uint8 values of an image of up to eight bits a channel, transparent parts as white paper."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("L"), dtype=np.uint8)


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Return uint8 of grey values of more than eight bits, whatever part of their container they fill.

    Cameras and scanners put 10, 12 or 14 bits into 16, and programs put 16 into 32: what counts as white is the least
    2^k - 1 above (almost) all values, or 1 for fractions; values below zero are lifted.
    """
    if not np.isfinite(values).all():
        raise ValueError("some pixels are not numbers")
    low, high = float(values.min(initial=0.0)), float(np.percentile(values, FULL)) if values.size else 0.0
    low = min(low, 0.0)
    reach = high - low
    full = 1.0 if reach <= 1.0 and not _are_whole(values) else 2.0 ** max(8, int(reach * (1 - 1e-6)).bit_length()) - 1.0
    return np.asarray(np.clip((values - low) * (255.0 / full) + 0.5, 0, 255), dtype=np.uint8)


def _are_whole(values: np.ndarray) -> bool:
    """Return whether all values are whole numbers, and not all of them 0 or 1."""
    return bool((values == np.floor(values)).all() and values.max(initial=0.0) > 1.0)
