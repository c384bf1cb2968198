"""An n-gram model in one memory-mapped file, asked for many states and words in one call."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recognizer.atomic_write import replacing
from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language import arpa
from recognizer.language.text import END, SPACE, START, UNITS, UNKNOWN, split
from recognizer.language.trie import Floats, Ints, Trie, find, minimal_states, suffixes

MAGIC = b"recognizer n-gram 1\n"
ALIGN = 64  # bytes
LN10 = math.log(10.0)
# Array, type: contexts are the nodes that something may follow (all orders but the highest).
ARRAYS = {"keys": "<i8", "probs": "<f4", "states": "<i4", "backoffs": "<f4", "links": "<i4"}


@dataclass(frozen=True)
class About:
    """What a packed model says of itself.

    Args:
        unit: "character" or "word".
        text: the normalisation of the text it was built from.
        notes: what its making or reading had to say.
    """

    unit: str
    text: TextSettings = TextSettings()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NGram:
    """An n-gram model ready for questions. A state is the number of a context; all logarithms are natural.

    Args:
        words: the word of every number.
        about: unit, text normalisation, notes.
        sizes: how many n-grams each order has.
        keys: (nodes - 1,) int64, sorted: context node times len(words) plus last word.
        probs: (nodes - 1,) float32, log-probability of the last word.
        states: (nodes,) int32, the shortest context that stands for the node.
        backoffs: (contexts,) float32, back-off weight of a context.
        links: (contexts,) int32, the context without its first word.
    """

    words: tuple[str, ...]
    about: About
    sizes: tuple[int, ...]
    keys: Ints
    probs: Floats
    states: npt.NDArray[np.int32]
    backoffs: Floats
    links: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        """Number the words."""
        object.__setattr__(self, "_numbers", {word: i for i, word in enumerate(self.words)})

    @staticmethod
    def open(path: Path) -> "NGram":
        """Map a packed file into memory, or read an ARPA file into it.

        Raises:
            RecognizerError: the file is neither, is cut short, or is at fault.
        """
        try:
            with open(path, "rb") as file:
                packed = file.read(len(MAGIC)) == MAGIC
        except OSError as error:
            raise RecognizerError(f"{path}: cannot be read ({error.strerror})") from error
        if packed:
            return _map(path)
        trie, notes = arpa.read(path)
        return of_trie(trie, About(unit_of(trie.words), notes=notes))

    @property
    def order(self) -> int:
        """Words of the longest n-gram."""
        return len(self.sizes)

    @property
    def start(self) -> int:
        """The state at the start of a sentence."""
        return int(self.states[1 + self._ids[START]])

    @property
    def end(self) -> int:
        """The number of </s>."""
        return self._ids[END]

    @property
    def unknown(self) -> int:
        """The number of <unk>."""
        return self._ids[UNKNOWN]

    def tokens(self, text: str) -> list[str]:
        """Return the words or characters of an already normalised `text`, as this model spells them."""
        return split(text, self.about.unit)

    def ids(self, tokens: Sequence[str]) -> Ints:
        """Return the numbers of `tokens`, that of <unk> for what the model lacks."""
        unknown = self.unknown
        return np.array([self._ids.get(token, unknown) for token in tokens], np.int64)

    def scores(self, states: npt.ArrayLike, tokens: npt.ArrayLike) -> tuple[Floats, Ints]:
        """Return log-probabilities (M,) of `tokens` (M,) after `states` (M,), and the next states (M,).

        One binary search in one sorted array a level of backing off, for all M at once.
        """
        contexts, words = np.array(states, np.int64), np.asarray(tokens, np.int64)
        total, nodes = np.zeros(len(contexts), np.float32), np.zeros(len(contexts), np.int64)
        size = len(self.words)
        places, here = find(self.keys, contexts * size + words)
        nodes[here] = places[here] + 1
        left = np.flatnonzero(~here)
        while len(left):
            old = contexts[left]
            total[left] += self.backoffs[old]
            contexts[left] = self.links[old]
            places, here = find(self.keys, contexts[left] * size + words[left])
            nodes[left[here]] = places[here] + 1
            left = left[~here]
        return total + self.probs[nodes - 1], self.states[nodes].astype(np.int64)

    def one(self) -> Callable[[int, int], tuple[float, int]]:
        """Return what answers as `scores` does for one state and token, without arrays."""
        size, keys, probs, backoffs = len(self.words), self.keys, self.probs, self.backoffs
        asked: dict[int, tuple[float, int]] = {}

        def ask(context: int, token: int) -> tuple[float, int]:
            first = context * size + token
            if first in asked:
                return asked[first]
            total, wanted = np.float32(0.0), first
            while True:
                place = int(keys.searchsorted(wanted))
                if place < len(keys) and keys[place] == wanted:
                    answer = asked[first] = float(total + probs[place]), int(self.states[place + 1])
                    return answer
                total += backoffs[context]
                context = int(self.links[context])
                wanted = context * size + token

        return ask

    def finish(self, states: npt.ArrayLike) -> Floats:
        """Return the log-probabilities (M,) that the sentence ends after `states` (M,)."""
        contexts = np.asarray(states, np.int64)
        return self.scores(contexts, np.full(len(contexts), self.end))[0]

    def rescore(self, texts: Sequence[str]) -> Floats:
        """Return the log-probability (N,) of every normalised text with its end, all texts in step."""
        rows = [np.append(self.ids(self.tokens(text)), self.end) for text in texts]
        states = np.full(len(rows), self.start, np.int64)
        total = np.zeros(len(rows), np.float32)
        for step in range(max(map(len, rows), default=0)):
            alive = np.flatnonzero([len(row) > step for row in rows])
            log_probs, states[alive] = self.scores(states[alive], np.array([rows[i][step] for i in alive]))
            total[alive] += log_probs
        return total

    @property
    def _ids(self) -> dict[str, int]:
        return self.__dict__["_numbers"]  # type: ignore[no-any-return]


def unit_of(words: Sequence[str]) -> str:
    """Return the unit of a model by its words: "character" where the space is one of them ("▁"), else "word"."""
    return "character" if SPACE in words else "word"


def of_trie(trie: Trie, about: About) -> NGram:
    """Return the model of `trie` with the links that queries follow."""
    links = suffixes(trie)
    states = minimal_states(trie, links).astype(np.int32)
    contexts = 1 + sum(trie.sizes[:-1])
    backoffs = np.concatenate([np.zeros(1, np.float32), trie.backoffs[: contexts - 1] * np.float32(LN10)])
    probs = trie.probs * np.float32(LN10)
    return NGram(trie.words, about, trie.sizes, trie.keys, probs, states, backoffs, links[:contexts].astype(np.int32))


def pack(model: NGram, path: Path) -> None:
    """Write `model` as one file: a line of JSON, then its arrays as they lie in memory."""
    arrays = {name: np.ascontiguousarray(getattr(model, name), kind) for name, kind in ARRAYS.items()}
    header = {
        "words": list(model.words),
        "sizes": list(model.sizes),
        "about": asdict(model.about),
        "lengths": {name: len(array) for name, array in arrays.items()},
    }
    with replacing(path) as file:
        file.write(MAGIC + json.dumps(header, ensure_ascii=False).encode() + b"\n")
        for array in arrays.values():
            file.write(b"\0" * (-file.tell() % ALIGN))
            array.tofile(file)


def _map(path: Path) -> NGram:
    try:
        with open(path, "rb") as file:
            file.seek(len(MAGIC))
            header = json.loads(file.readline())
            offset = file.tell()
        arrays: dict[str, Any] = {}
        for name, kind in ARRAYS.items():
            offset += -offset % ALIGN
            arrays[name] = np.memmap(path, kind, "r", offset, (header["lengths"][name],))
            offset += arrays[name].nbytes
        about = header["about"]
        told = About(about["unit"], TextSettings(**about["text"]), tuple(about["notes"]))
        assert told.unit in UNITS
        return NGram(tuple(header["words"]), told, tuple(header["sizes"]), **arrays)
    except (ValueError, KeyError, TypeError, OSError, AssertionError) as error:
        raise RecognizerError(f"{path}: not a whole packed n-gram model ({error}), build it again") from error
