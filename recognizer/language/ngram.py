"""An n-gram model asked for many states and words in one call."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recognizer.corpus.alphabet import TextSettings
from recognizer.language.text import END, SPACE, START, UNKNOWN, split
from recognizer.language.trie import Floats, Ints, Trie, find, minimal_states, suffixes

LN10 = math.log(10.0)
STATED = ("weight", "word_bonus", "beam", "prior_weight", "temperature")  # what a file may state for decoders


@dataclass(frozen=True)
class About:
    """What a packed model says of itself.

    Args:
        unit: "character" or "word".
        text: the normalisation of the text it was built from.
        notes: what its making or reading had to say.
        weight: of its log-probabilities in a decoder, where nobody chooses another; None where its makers did not say.
        word_bonus: of that decoder, likewise.
        beam: prefixes that it keeps, likewise.
        prior_weight: power of the network's label priors that its probabilities are divided by, likewise.
        temperature: what the network's log-probabilities are divided by, likewise.
    """

    unit: str
    text: TextSettings = TextSettings()
    notes: tuple[str, ...] = ()
    weight: float | None = None
    word_bonus: float | None = None
    beam: int | None = None
    prior_weight: float | None = None
    temperature: float | None = None


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
        spelling: model of characters for the words that a model of words lacks, None where there is none.
    """

    words: tuple[str, ...]
    about: About
    sizes: tuple[int, ...]
    keys: Ints
    probs: Floats
    states: npt.NDArray[np.int32]
    backoffs: Floats
    links: npt.NDArray[np.int32]
    spelling: "NGram | None" = None

    def __post_init__(self) -> None:
        """Number the words."""
        object.__setattr__(self, "_numbers", {word: i for i, word in enumerate(self.words)})

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

    def scalar(self) -> Callable[[int, int], tuple[float, int]]:
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


def of_trie(trie: Trie, about: About, spelling: NGram | None = None, links: Ints | None = None) -> NGram:
    """Return the model of `trie` with what queries follow.

    Args:
        trie: its n-grams.
        about: what it says of itself.
        spelling: model of characters for the words that it lacks.
        links: as `suffixes` returns them, where they are known already.
    """
    links = suffixes(trie) if links is None else links
    states = minimal_states(trie, links).astype(np.int32)
    contexts = 1 + sum(trie.sizes[:-1])
    backoffs = np.concatenate([np.zeros(1, np.float32), trie.backoffs[: contexts - 1] * np.float32(LN10)])
    probs = trie.probs * np.float32(LN10)
    short = links[:contexts].astype(np.int32)
    return NGram(trie.words, about, trie.sizes, trie.keys, probs, states, backoffs, short, spelling)
