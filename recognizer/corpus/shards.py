"""A corpus in one packed file or in several, its shards, which are read as one."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from recognizer.corpus.alphabet import Alphabet
from recognizer.corpus.integrity import CURE
from recognizer.corpus.store import FILE, STRAY, Header, Store, Unusable, read_head
from recognizer.errors import RecognizerError

NAME = re.compile(r"corpus-(\d{5})-of-(\d{5})\.pack")  # of a shard: its number, from 1, and how many there are
MOST = 99_999  # shards


def shard_name(number: int, shards: int) -> str:
    """Return the file name of a shard, counted from 1."""
    return f"corpus-{number:05}-of-{shards:05}.pack"


def is_packed(path: Path) -> bool:
    """Return whether a path is a packed corpus, or a folder that holds one or shards of one."""
    return path.suffix == ".pack" or (path / FILE).is_file() or bool(shards_in(path))


def open_store(path: Path) -> Store:
    """Open what `prepare` made: a packed corpus, the folder that holds one, or a folder of shards.

    Raises:
        RecognizerError: missing, foreign, truncated, damaged or of another format; shards that are missing, of
            different corpora, or beside a corpus in one file.
    """
    shards = shards_in(path)
    if not shards:
        return Store(path)
    if (path / FILE).is_file():
        raise RecognizerError(f"{path}: {FILE} and {shards[0].name} in one folder, expected a corpus in one form")
    return Shards(path)


def refuse_other_form(folder: Path, shards: int) -> None:
    """Refuse a folder that holds a corpus divided otherwise, beside which another could not be opened.

    Args:
        folder: that a corpus is about to be packed into.
        shards: that it will have, 0 for one file that is no shard.

    Raises:
        RecognizerError: there is such a corpus.
    """
    there = [path.name for path in (folder / FILE,) if shards and path.is_file()]
    there += [path.name for path in shards_in(folder) if not shards or path.name[-10:-5] != f"{shards:05}"]
    if there:
        raise RecognizerError(
            f"{folder}: {there[0]} is there, a corpus divided otherwise, beside which none can be opened: "
            "remove it, or give another --out"
        )


class Shards(Store):
    """The shards of a folder as one store; a shard's index is read when its first sample is asked for."""

    def __init__(self, path: Path) -> None:
        """Open the heads of all shards in the folder `path`.

        Raises:
            RecognizerError: as `open_store`.
        """
        self.path, self._paths = path, _whole(path, shards_in(path))
        heads = [read_head(one) for one in self._paths]
        self.header = _common(self._paths, [head.header for head in heads])
        self._ends = list(accumulate(head.samples for head in heads))
        self._opened: dict[int, Store] = {}

    def __reduce__(self) -> tuple[type["Shards"], tuple[Path]]:
        """Travel to another process as a path; the memory maps are shared through the files."""
        return Shards, (self.path,)

    def __len__(self) -> int:
        """Return the number of samples."""
        return self._ends[-1]

    @cached_property
    def counts(self) -> np.ndarray:  # type: ignore[override]
        """Steps of each signal (samples,)."""
        return np.concatenate([one.counts for one in self._all()])

    @cached_property
    def extents(self) -> np.ndarray:  # type: ignore[override]
        """Length of each file in its own unit (samples,)."""
        return np.concatenate([one.extents for one in self._all()])

    def signal(self, index: int) -> np.ndarray:
        """Return the signal (T, ...) of a sample as a read-only view of its file."""
        store, inside = self._place(index)
        return store.signal(inside)

    def blocks(self, index: int, steps: int) -> Iterator[np.ndarray]:
        """Yield the signal of a sample in blocks of so many steps, read from the file and not held in memory."""
        store, inside = self._place(index)
        return store.blocks(inside, steps)

    def column(self, name: str) -> list[str]:
        """Return one string of each sample: a name of COLUMNS."""
        return [value for one in self._all() for value in one.column(name)]

    def unusable(self) -> list[Unusable]:
        """Return the files that `prepare` could not use, each with its reason."""
        return [file for one in self._all() for file in one.unusable()]

    def faults(self) -> dict[int, list[str]] | None:
        """Return what `prepare` found suspect about signals, by sample; None where it has not looked at all of them."""
        found: dict[int, list[str]] = {}
        for number, one in enumerate(self._all()):
            faults = one.faults()
            if faults is None:
                return None
            found |= {self._start(number) + index: few for index, few in faults.items()}
        return found

    def frames_needed(self, alphabet: Alphabet) -> list[int]:
        """Return the fewest output frames that CTC can spell each text in."""
        return [frames for one in self._all() for frames in one.frames_needed(alphabet)]

    def digest(self, index: int) -> str:
        """Return the SHA-256 of a sample's source file."""
        store, inside = self._place(index)
        return store.digest(inside)

    def fingerprint(self) -> str:
        """Return a SHA-256 over the source hashes, texts and splits: that of the same corpus in one file."""
        digest = hashlib.sha256()
        for one in self._all():
            digest.update(one.hashes())
        for one in self._all():
            for text, split in zip(one.column("text"), one.column("split"), strict=True):
                digest.update(f"{text}\0{split}\0".encode(errors=STRAY))
        return digest.hexdigest()

    def _string(self, index: int, name: str) -> str:
        store, inside = self._place(index)
        return store._string(inside, name)

    def _all(self) -> Iterator[Store]:
        return map(self._shard, range(len(self._paths)))

    def _place(self, index: int) -> tuple[Store, int]:
        """Return the shard of a sample and its index there."""
        index = range(len(self))[index]
        number = int(np.searchsorted(self._ends, index, side="right"))
        return self._shard(number), index - self._start(number)

    def _start(self, number: int) -> int:
        return self._ends[number - 1] if number else 0

    def _shard(self, number: int) -> Store:
        """Return a shard, opened the first time that it is asked for."""
        if number not in self._opened:
            store = Store(self._paths[number])
            if len(store) != self._ends[number] - self._start(number):
                raise RecognizerError(
                    f"{store.path}: changed while it was in use, expected a corpus that stays: {CURE}"
                )
            self._opened[number] = store
        return self._opened[number]


def shards_in(folder: Path) -> list[Path]:
    """Return the shards in a folder, by name."""
    return sorted(path for path in folder.glob("corpus-*-of-*.pack") if NAME.fullmatch(path.name))


def _whole(folder: Path, paths: list[Path]) -> list[Path]:
    """Return the shards of a folder in order.

    Raises:
        RecognizerError: there are those of two divisions, or some are missing.
    """
    totals = sorted({int(path.name[-10:-5]) for path in paths})
    if len(totals) > 1:
        numbers = " and ".join(map(str, totals))
        raise RecognizerError(f"{folder}: shards of divisions by {numbers} in one folder, expected one division")
    there = {path.name for path in paths}
    missing = [name for number in range(1, totals[0] + 1) if (name := shard_name(number, totals[0])) not in there]
    if missing:
        raise RecognizerError(
            f"{folder}: {len(missing)} of {totals[0]} shards missing, first {missing[0]}: prepare these with --shard"
        )
    return paths


def _common(paths: list[Path], headers: list[Header]) -> Header:
    """Return the head of a corpus whose shards have these heads; what was left out is summed.

    Raises:
        RecognizerError: they are of different corpora, or were prepared in different forms.
    """
    first = headers[0]
    for path, header in zip(paths, headers, strict=True):
        if replace(header, left_out={}) != replace(first, left_out={}):
            raise RecognizerError(f"{path}: prepared otherwise than {paths[0].name}, expected shards of one corpus")
    left_out = sum((Counter(header.left_out) for header in headers), Counter[str]())
    return replace(first, left_out=dict(left_out))
