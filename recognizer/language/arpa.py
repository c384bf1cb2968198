"""n-gram models as ARPA files, plain or gzip: the form that KenLM and SRILM write and read."""

import gzip
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from recognizer.common.atomic_write import replacing
from recognizer.errors import RecognizerError
from recognizer.language.text import END, START, UNKNOWN
from recognizer.language.trie import Trie, find

ROWS = 1 << 16  # n-grams that become text at once
# What KenLM gives a word that the file has no <unk> for.
NO_UNKNOWN = -100.0
IMPOSSIBLE = -99.0  # what SRILM writes for a logarithm of zero, which others write as -inf
PREAMBLE = 1000  # lines of any text that may stand before \\data\\, as the format allows


def write(trie: Trie, path: Path) -> None:
    """Write `trie` as an ARPA file, gzip where the name ends in .gz."""
    with replacing(path) as file:
        if path.suffix != ".gz":
            file.writelines(_text(trie))
            return
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="", compresslevel=6) as packed:
            packed.writelines(_text(trie))


def _text(trie: Trie) -> Iterator[bytes]:
    yield b"\\data\\\n"
    yield "".join(f"ngram {order}={size}\n" for order, size in enumerate(trie.sizes, 1)).encode()
    for order, size in enumerate(trie.sizes, 1):
        yield f"\n\\{order}-grams:\n".encode()
        for start in range(0, size, ROWS):
            yield "".join(_entries(trie, order, start, min(start + ROWS, size))).encode()
    yield b"\n\\end\\\n"


def _entries(trie: Trie, order: int, start: int, stop: int) -> Iterator[str]:
    first = trie.slice_of(order).start
    probs = trie.probs[first + start : first + stop].tolist()
    rows = trie.rows(order, start, stop).tolist()
    name = trie.words.__getitem__
    if order == trie.order:
        return (f"{p:.7g}\t{' '.join(map(name, row))}\n" for p, row in zip(probs, rows, strict=True))
    backoffs = trie.backoffs[first + start : first + stop].tolist()
    both = zip(probs, rows, backoffs, strict=True)
    return (f"{p:.7g}\t{' '.join(map(name, row))}\t{b:.7g}\n" for p, row, b in both)


@dataclass
class _Lines:
    """The lines of a file with the number of the last one, so that a fault can be named."""

    path: Path
    lines: Iterator[bytes]
    number: int = 0

    def next(self, wanted: str) -> bytes:
        """Return the next line that holds anything; as bytes, whose white space is ASCII, as it is in ARPA files."""
        if (line := self.any()) is None:
            raise self.fault(f"the file ends, expected {wanted}")
        return line

    def any(self) -> bytes | None:
        """Return the next line that holds anything, None where there is none."""
        for raw in self.lines:
            self.number += 1
            if line := raw.strip():
                return line
        return None

    def fault(self, message: str) -> RecognizerError:
        """Return the error that names this line."""
        return RecognizerError(f"{self.path}:{self.number}: {message}")


def _shown(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace"))


@dataclass
class _Parts:
    """What was read so far, order by order."""

    words: dict[bytes, int] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    keys: list[npt.NDArray[np.int64]] = field(default_factory=list)
    probs: list[npt.NDArray[np.float32]] = field(default_factory=list)
    backoffs: list[npt.NDArray[np.float32]] = field(default_factory=list)


def read(path: Path) -> tuple[Trie, tuple[str, ...]]:
    """Return the model in an ARPA file, plain or gzip, and notes on what it lacked.

    Raises:
        RecognizerError: the file cannot be read, or a line is at fault: a wrong count or order, a bad number,
            a word or a context that no shorter n-gram has, a missing \\end\\.
    """
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            return _read(_Lines(path, iter(_opened(file, packed))))
    except (OSError, EOFError, zlib.error) as error:
        raise RecognizerError(f"{path}: cannot be read ({error}), expected an ARPA file") from error


def _opened(file: BinaryIO, packed: bool) -> Iterable[bytes]:
    return gzip.GzipFile(fileobj=file) if packed else file


def _read(lines: _Lines) -> tuple[Trie, tuple[str, ...]]:
    sizes, line = _header(lines)
    parts = _Parts()
    for order, size in enumerate(sizes, 1):
        if line != f"\\{order}-grams:".encode():
            raise lines.fault(f"{_shown(line)}, expected \\{order}-grams:")
        line = _section(lines, parts, order, size, order == len(sizes))
    if line != b"\\end\\":
        raise lines.fault(f"{_shown(line)}, expected \\end\\ after {len(sizes)} orders")
    return _finished(lines, parts)


def _skip_preamble(lines: _Lines) -> None:
    """Read on to behind the line \\data\\: the format allows any text before it."""
    line: bytes | None = lines.next("\\data\\")
    first, number = line or b"", lines.number
    while line != b"\\data\\":
        if line is None or lines.number - number > PREAMBLE:
            raise RecognizerError(f"{lines.path}:{number}: {_shown(first)}, expected \\data\\ (an ARPA file)")
        line = lines.any()


def _header(lines: _Lines) -> tuple[list[int], bytes]:
    _skip_preamble(lines)
    sizes: list[int] = []
    while (line := lines.next("ngram counts")).startswith(b"ngram"):
        match = re.fullmatch(rb"ngram\s+(\d+)\s*=\s*(\d+)", line)
        if match is None or int(match[1]) != len(sizes) + 1:
            raise lines.fault(f"{_shown(line)}, expected ngram {len(sizes) + 1}=COUNT")
        sizes.append(int(match[2]))
    if not sizes:
        raise lines.fault(f"{_shown(line)}, expected ngram 1=COUNT")
    return sizes, line


def _section(lines: _Lines, parts: _Parts, order: int, size: int, top: bool) -> bytes:
    """Read the n-grams of one order into `parts`; return the line after them."""
    first = lines.number
    rows: list[int] = []
    values: list[float] = []
    places: list[int] = []
    while not (line := lines.next("\\end\\")).startswith(b"\\"):
        fields = line.split()
        if not order + 1 <= len(fields) <= order + 2 - top:
            weight = "" if top else " and perhaps a back-off weight"
            raise lines.fault(f"{len(fields)} fields, expected a log10 probability, {order} words{weight}")
        values += _numbers(lines, fields, order)
        rows += _words(lines, fields[1 : order + 1], parts, len(places))
        places.append(lines.number)
    if len(places) != size:
        raise lines.fault(f"{len(places)} {order}-grams since line {first}, expected the {size} of \\data\\")
    _append(lines, parts, np.array(rows, np.int64).reshape(-1, order), np.array(values), places)
    return line


def _numbers(lines: _Lines, fields: list[bytes], order: int) -> tuple[float, float]:
    try:
        prob, backoff = float(fields[0]), float(fields[order + 1]) if len(fields) > order + 1 else 0.0
    except ValueError:
        raise lines.fault(f"{_shown(fields[0])} or {_shown(fields[-1])} is not a number") from None
    prob, backoff = max(prob, IMPOSSIBLE), max(backoff, IMPOSSIBLE)  # which leaves what is no number as it is
    if not (math.isfinite(prob) and math.isfinite(backoff) and prob <= 0):
        raise lines.fault(f"{prob:g} with back-off {backoff:g}, expected a log10 probability of 0 or less")
    return prob, backoff


def _words(lines: _Lines, words: list[bytes], parts: _Parts, row: int) -> list[int]:
    if len(parts.sizes) == 0 and parts.words.setdefault(words[0], len(parts.words)) != row:
        raise lines.fault(f"the word {_shown(words[0])} stands twice")
    try:
        return [parts.words[word] for word in words]
    except KeyError as error:
        raise lines.fault(f"the word {_shown(error.args[0])} is not among the 1-grams") from None


def _append(
    lines: _Lines,
    parts: _Parts,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    places: list[int],
) -> None:
    """Sort the n-grams of one order by the node of their context."""
    order = rows.shape[1]
    if order == 1 and not parts.words:
        raise lines.fault("no 1-grams, expected at least <s> and </s>")
    contexts = np.zeros(len(rows), np.int64)
    used = 0
    for column in range(order - 1):
        at, here = find(parts.keys[column], contexts * len(parts.words) + rows[:, column])
        if not here.all():
            line = places[int(np.argmin(here))]
            raise RecognizerError(
                f"{lines.path}:{line}: its first {column + 1} words are no {column + 1}-gram of the file"
            )
        contexts = used + at + 1
        used += parts.sizes[column]
    keys = contexts * len(parts.words) + rows[:, -1]
    by_key = np.argsort(keys, kind="stable")
    keys = keys[by_key]
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        raise RecognizerError(f"{lines.path}:{places[int(by_key[twice[0] + 1])]}: the {order}-gram stands twice")
    pairs = values.reshape(-1, 2)[by_key].astype(np.float32)
    parts.sizes.append(len(rows))
    parts.keys.append(keys)
    parts.probs.append(pairs[:, 0])
    parts.backoffs.append(pairs[:, 1])


def _finished(lines: _Lines, parts: _Parts) -> tuple[Trie, tuple[str, ...]]:
    try:
        words = tuple(word.decode() for word in parts.words)
    except UnicodeDecodeError as error:
        raise RecognizerError(f"{lines.path}: the word {_shown(error.object)} is not UTF-8") from None
    for word in (START, END):
        if word not in words:
            raise lines.fault(f"{word} is not among the 1-grams, expected a model of sentences")
    probs, backoffs = np.concatenate(parts.probs), np.concatenate(parts.backoffs)
    trie = Trie(words, tuple(parts.sizes), np.concatenate(parts.keys), probs, backoffs)
    if UNKNOWN in words:
        return trie, ()
    return _with_unknown(trie), (f"{lines.path} has no {UNKNOWN}: it was given log10 probability {NO_UNKNOWN:g}",)


def _with_unknown(trie: Trie) -> Trie:
    """Return `trie` with <unk> as its last word; nodes behind the words move by one."""
    size = len(trie.words)
    contexts, words = np.divmod(trie.keys[size:], size)
    keys = np.concatenate([np.arange(size + 1), (contexts + (contexts > size)) * (size + 1) + words])
    probs = np.insert(trie.probs, size, np.float32(NO_UNKNOWN))
    backoffs = np.insert(trie.backoffs, size, np.float32(0))
    return Trie((*trie.words, UNKNOWN), (size + 1, *trie.sizes[1:]), keys, probs, backoffs)
