"""The files of n-gram models: named arrays under a line of JSON, with a checksum over everything.

A file is `MAGIC`, a line of JSON, the streams that it lists, each at a multiple of `ALIGN` bytes, and SHA-256 of all.
A stream is an array as it lies in memory, which is mapped and not read, or its bytes packed by LZMA, one plane of bytes
after the other. The older form "recognizer n-gram 1" (arrays as they lie in memory, no checksum) is read.
"""

import hashlib
import json
import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recognizer.common.atomic_write import replacing
from recognizer.errors import RecognizerError

MAGIC, OLD_MAGIC = b"recognizer n-gram 2\n", b"recognizer n-gram 1\n"
ALIGN = 64  # bytes
CHECK = hashlib.sha256().digest_size  # bytes at the end of the file
LONGEST_HEADER = 1 << 28  # bytes; the older form keeps its words there
BLOCK = 1 << 22  # bytes that are hashed at once
# Raw LZMA2: the file has its own checksum. A byte says nothing of the place of the next, so no bits go to places.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 0, "lp": 0, "pb": 0}]
OLD_ARRAYS = {"keys": "<i8", "probs": "<f4", "states": "<i4", "backoffs": "<f4", "links": "<i4"}

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Args:
        about: plain data that the model says of itself.
        arrays: by name.
        old: whether it has the form without a checksum.
    """

    about: dict[str, Any]
    arrays: Arrays
    old: bool = False


def is_packed(path: Path) -> bool:
    """Return whether a file is a packed n-gram model, of this form or the older one.

    Raises:
        RecognizerError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) in (MAGIC, OLD_MAGIC)
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror or error})") from error


def write(path: Path, about: Mapping[str, Any], arrays: Arrays, small: bool) -> None:
    """Write a file that `read` reads.

    Args:
        path: of the file.
        about: plain data.
        arrays: by name; one axis each.
        small: pack the bytes of every array, else leave all as they lie in memory.
    """
    streams = [(name, array, _packed(array) if small else array.tobytes()) for name, array in arrays.items()]
    listed = [
        {"name": name, "type": array.dtype.str, "length": len(array), "bytes": len(data), "packed": small}
        for name, array, data in streams
    ]
    header = json.dumps({"about": about, "streams": listed}, ensure_ascii=False).encode() + b"\n"
    with replacing(path) as file:
        digest = hashlib.sha256()
        for part in _parts(header, [data for _, _, data in streams]):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())


def _parts(header: bytes, streams: list[bytes]) -> Iterator[bytes]:
    yield MAGIC
    yield header
    used = len(MAGIC) + len(header)
    for data in streams:
        yield b"\0" * (-used % ALIGN)
        yield data
        used += -used % ALIGN + len(data)


def _packed(array: np.ndarray) -> bytes:
    """Return the bytes of an array plane by plane, the lowest first."""
    planes = np.ascontiguousarray(array).view(np.uint8).reshape(len(array), array.itemsize)
    return lzma.compress(planes.T.tobytes(), lzma.FORMAT_RAW, filters=FILTERS)


def _unpacked(data: bytes, kind: np.dtype[Any], length: int) -> np.ndarray:
    size = kind.itemsize * length
    planes = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=FILTERS).decompress(data, size + 1)
    if len(planes) != size:
        raise ValueError(f"{len(planes)} bytes where {size} are listed")
    bytes_of = np.frombuffer(planes, np.uint8).reshape(kind.itemsize, length).T
    return np.frombuffer(bytes_of.tobytes(), kind)


def read(path: Path) -> Contents:
    """Return what a packed file holds, after its checksum was compared.

    Raises:
        RecognizerError: the file is cut short, longer than it says, or not as it was written.
    """
    try:
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) == OLD_MAGIC:
                return _old(path, file)
            _check(path, file)
            header, offset = _header(file)
            arrays: dict[str, np.ndarray] = {}
            for one in header["streams"]:
                offset += -offset % ALIGN
                arrays[one["name"]] = _array(path, file, one, offset)
                offset += one["bytes"]
            return Contents(header["about"], arrays)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        OSError,
        lzma.LZMAError,
    ) as error:
        raise damaged(path, error) from error


def damaged(path: Path, reason: object) -> RecognizerError:
    """Return the error that names a packed file which cannot be used."""
    return RecognizerError(f"{path}: damaged, not a whole packed n-gram model ({reason}); build it again")


def _check(path: Path, file: BinaryIO) -> None:
    left = path.stat().st_size - CHECK
    digest = hashlib.sha256()
    file.seek(0)
    while left > 0 and (block := file.read(min(BLOCK, left))):
        digest.update(block)
        left -= len(block)
    if left or file.read() != digest.digest():
        raise ValueError("its checksum is not that of its bytes")


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    file.seek(len(MAGIC))
    line = file.readline(LONGEST_HEADER)
    header = json.loads(line)
    return header, len(MAGIC) + len(line)


def _array(path: Path, file: BinaryIO, one: dict[str, Any], offset: int) -> np.ndarray:
    kind, length = np.dtype(one["type"]), int(one["length"])
    if not one["packed"]:
        return np.memmap(path, kind, "r", offset, (length,)) if length else np.zeros(0, kind)
    file.seek(offset)
    return _unpacked(file.read(one["bytes"]), kind, length)


def _old(path: Path, file: BinaryIO) -> Contents:
    header, offset = _header(file)
    arrays: dict[str, np.ndarray] = {}
    for name, kind in OLD_ARRAYS.items():
        offset += -offset % ALIGN
        arrays[name] = np.memmap(path, kind, "r", offset, (header["lengths"][name],))
        offset += arrays[name].nbytes
    about = {**header["about"], "sizes": header["sizes"], "words": header["words"]}
    return Contents(about, arrays, old=True)
