"""What Python callers hand over, as the files and arrays that are read."""

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from recognizer.errors import RecognizerError

WANTED = "expected a path, bytes of a file, a binary file, a Pillow image, a numpy array or a torch tensor"
CHANNELS = 8  # at most, of sound whose first axis may be channels
MAX_RATE = 10_000_000  # Hz

File = Path | BinaryIO | np.ndarray


def sources_of(sources: Any) -> list[Any] | None:
    """Return several sources as a list, None where it is one source.

    Raises:
        RecognizerError: a dictionary or a set, which have no order to answer in.
    """
    if isinstance(sources, (str, bytes, bytearray, memoryview, os.PathLike, np.ndarray)) or _is_one(sources):
        return None
    if isinstance(sources, (Mapping, set, frozenset)):
        raise RecognizerError(f"a {type(sources).__name__} of sources, expected a list")
    return list(sources) if isinstance(sources, Iterable) else None


def source_of(value: Any, kind: str) -> File:
    """Return one source as what is read of its kind.

    Args:
        value: what a caller handed over.
        kind: of input that is expected, which says what the axes of an array are.

    Raises:
        RecognizerError: it is nothing that can be read.
    """
    if isinstance(value, (str, os.PathLike)):
        return Path(os.fsdecode(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return io.BytesIO(bytes(value))
    if isinstance(value, np.ndarray):
        return _array(np.asarray(value) if isinstance(value, np.matrix) else value, kind)
    library = type(value).__module__.partition(".")[0]
    if library == "PIL" or any(base.__module__.startswith("PIL.") for base in type(value).__mro__):
        from recognizer.inputs.lines.pillow_image import image_file

        return image_file(value)
    if library == "torch" and hasattr(value, "detach"):
        return _array(_numpy(value), kind)
    if hasattr(value, "read"):
        return _file(value)
    raise RecognizerError(f"{_named(value)} cannot be read, {WANTED}")


def page_path(value: Any) -> Path:
    """Return the path of a page: of XML, or of an image.

    Raises:
        RecognizerError: it is none.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise RecognizerError(f"{_named(value)} is no page, expected a path")
    return Path(os.fsdecode(value))


def rate_of(rate: Any) -> int | None:
    """Return a sample rate as a whole number of Hz, None where none is given.

    Raises:
        RecognizerError: no whole number above 0.
    """
    if rate is None:
        return None
    try:
        number = int(rate)
        if isinstance(rate, (bool, str, bytes)) or number != rate or not 0 < number <= MAX_RATE:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise RecognizerError(f"rate is {rate!r:.40}, expected a whole number of Hz above 0") from None
    return number


def _is_one(value: Any) -> bool:
    """Return whether a value that can be gone through is one source all the same."""
    return hasattr(value, "read") or hasattr(value, "detach") or hasattr(value, "tobytes")


def _numpy(tensor: Any) -> np.ndarray:
    """Return the numbers of a torch tensor, wherever it lies."""
    try:
        plain = tensor.detach().cpu()
        if str(plain.dtype) in ("torch.bfloat16", "torch.float16"):
            plain = plain.float()
        return cast(np.ndarray, plain.numpy())
    except (TypeError, RuntimeError) as error:  # NotImplementedError is one
        raise RecognizerError(f"a tensor that cannot be used ({error}), expected a dense one of numbers") from None


def _array(array: np.ndarray, kind: str) -> np.ndarray:
    """Return an array with its axes in the order that is read: images (rows, columns[, 3]), sound (samples[, n])."""
    if isinstance(array, np.ma.MaskedArray):
        raise RecognizerError("an array with a mask, expected one without, such as array.filled(255)")
    if array.dtype.kind not in "biuf":
        raise RecognizerError(f"an array of {array.dtype}, expected numbers")
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if kind == "speech":
        return _sound(array)
    return _image(array) if kind == "handwriting" else array


def _sound(array: np.ndarray) -> np.ndarray:
    """Return sound with its samples first, as soundfile has them; torchaudio has the channels first."""
    if array.ndim == 2 and 0 < array.shape[0] <= CHANNELS < array.shape[1]:
        return np.transpose(array)
    return array


def _image(array: np.ndarray) -> np.ndarray:
    """Return an image with its colours last and on white paper where it is transparent."""
    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim == 3 and array.shape[2] == 1:
        return array[:, :, 0]
    if array.ndim == 3 and array.shape[2] == 4:
        return _on_white(array)
    return array


def _on_white(array: np.ndarray) -> np.ndarray:
    """Return an image (rows, columns, 4) with its last number, how far it covers, put into effect."""
    full = 1.0 if array.dtype.kind == "f" else float(np.iinfo(array.dtype).max)
    cover = array[:, :, 3:].astype(np.float64) / full
    mixed = array[:, :, :3] * cover + full * (1.0 - cover)
    return mixed.astype(array.dtype) if array.dtype.kind == "f" else np.rint(mixed).astype(array.dtype)


def _file(value: Any) -> BinaryIO:
    """Return a binary file in which one can go back: what cannot, such as a pipe, is read to its end."""
    if isinstance(value, io.TextIOBase):
        raise RecognizerError("a file opened as text, expected one opened with mode 'rb'")
    try:
        if value.seekable() and value.readable():
            return value  # type: ignore[no-any-return]
    except (AttributeError, ValueError, OSError):
        pass
    try:
        data = value.read()
    except (OSError, ValueError) as error:  # one opened for writing too
        raise RecognizerError(f"a file that cannot be read ({error}), expected an open one") from None
    if not isinstance(data, bytes):
        raise RecognizerError(f"a file of {type(data).__name__}, expected one of bytes")
    return io.BytesIO(data)


def _named(value: Any) -> str:
    """Return what a value is, for a message."""
    hint = " (a number: perhaps of Hz, which rate=... takes)" if isinstance(value, (int, float)) else ""
    return f"{'None' if value is None else 'a value of type ' + type(value).__name__}{hint}"
