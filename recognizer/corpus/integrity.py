"""Whether the bytes of a packed corpus are those that were written: its structure, its checksums."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.errors import RecognizerError

KEYS = ("header", "arrays", "dtype", "shape", "size")  # of the head of every packed corpus
SEALS = ("checksums", "seal")  # of one with checksums besides; older ones lack both
KINDS = {  # of the arrays, by name
    "signals": "|u1",
    "starts": "<i8",
    "counts": "<i8",
    "extents": "<f8",
    "string_starts": "<i8",
    "strings": "|u1",
    "hashes": "|u1",
    "unusable": "|u1",
}
CHECKS = "checks"  # the array of the signals' checksums
FOUND = {"needed": "<i4", "faults": "|u1"}  # what `prepare` found: arrays of format 3
NUMBERS = ("|u1", "<i2", "<i4", "<f4", "<f8", "|i1", "<u2")  # types of signals
CURE = "prepare the corpus again"


def checksum(data: Any, before: int = 0) -> int:
    """Return the CRC-32 of bytes or of an array, behind data whose checksum is `before`."""
    return zlib.crc32(data, before)


def sealed(meta: Mapping[str, Any], checksums: Mapping[str, int]) -> dict[str, Any]:
    """Return the head of a packed corpus with the checksums of its arrays and its own."""
    whole = {**meta, "checksums": dict(checksums)}
    return {**whole, "seal": _seal(whole)}


def read_arrays(path: Path, version: int, meta: Any, data: np.ndarray, columns: int) -> dict[str, np.ndarray]:
    """Return the arrays of a packed corpus by name, having looked at all but the signals.

    Args:
        path: of the corpus.
        version: of its format.
        meta: its head.
        data: (bytes,) uint8, the file.
        columns: strings of a sample.

    Raises:
        RecognizerError: damaged.
    """
    try:
        expected = _expected(version, meta)
        _refuse_bad_head(meta, expected)
        arrays = {name: _array(data, meta["arrays"][name], kind) for name, kind in expected.items()}
        for name, value in meta.get("checksums", {}).items():
            if checksum(arrays[name]) != value:
                raise ValueError(f"the checksum of its {name} is another one")
        _refuse_bad_index(meta, arrays, columns)
        return arrays
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise RecognizerError(f"{path}: damaged ({error}): {CURE}") from None


def _expected(version: int, meta: Mapping[str, Any]) -> dict[str, str]:
    """Return the types of the arrays that there must be, by name."""
    found = FOUND if version >= 3 else {}
    return {**KINDS, **found, CHECKS: "<u4"} if "checksums" in meta else {**KINDS, **found}


def _refuse_bad_head(meta: Any, expected: Mapping[str, str]) -> None:
    if not isinstance(meta, dict) or set(meta) not in (set(KEYS), {*KEYS, *SEALS}):
        raise ValueError("its head has other parts")
    if "seal" in meta:
        rest = {name: value for name, value in meta.items() if name != "seal"}
        if meta["seal"] != _seal(rest):
            raise ValueError("the checksum of its head is another one")
        if set(meta["checksums"]) != set(expected) - {"signals"}:
            raise ValueError("its head lacks checksums")
    if meta["dtype"] not in NUMBERS or not all(isinstance(n, int) and 0 < n < 1 << 16 for n in meta["shape"]):
        raise ValueError(f"signals of {str(meta['dtype']):.20} {str(meta['shape']):.20}")


def _array(data: np.ndarray, place: Any, kind: str) -> np.ndarray:
    """Return an array of the file as a view."""
    start, size, stated = place
    if stated != kind or not 0 <= start <= start + size <= len(data):
        raise ValueError(f"an array at {start!r:.20}, {size!r:.20} bytes of {stated!r:.20}")
    return data[start : start + size].view(kind)


def _refuse_bad_index(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray], columns: int) -> None:
    """Refuse arrays that do not fit each other, so that nothing outside a sample is ever read as its own."""
    number = len(arrays["counts"])
    lengths = {"starts": number + 1, "extents": number, "string_starts": number * columns + 1, "hashes": 32 * number}
    lengths |= {name: number for name in (CHECKS, "needed") if name in arrays}
    for name, length in lengths.items():
        if len(arrays[name]) != length:
            raise ValueError(f"{len(arrays[name])} {name} for {number} samples")
    for starts, values in (("starts", "signals"), ("string_starts", "strings")):
        found = arrays[starts]
        if found[0] != 0 or found[-1] != len(arrays[values]) or bool((np.diff(found) < 0).any()):
            raise ValueError(f"its {starts} do not rise to the end of its {values}")
    step = np.dtype(meta["dtype"]).itemsize * int(np.prod(meta["shape"], dtype=np.int64))
    if bool((np.diff(arrays["starts"]) != arrays["counts"] * step).any()):
        raise ValueError("its counts are not those of its signals")


def _seal(whole: Mapping[str, Any]) -> int:
    return checksum(json.dumps(whole, sort_keys=True).encode())
