"""What a beam can be told to prefer without a language model: a lexicon, hot words, bonuses."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.batched_beam_search import AskOne, State
from recognizer.decoding.frame_pruning import Certain
from recognizer.decoding.lexicon_trie import LOST, ROOT, Floats, Ints, breaks, spaces, word_trie
from recognizer.errors import RecognizerError


class WordListScorer:
    """Words of a list, on whose trie every prefix has its place: that node is the state."""

    scalar_limit = 12.0

    def __init__(self, name: str, words: Sequence[str], alphabet: Alphabet) -> None:
        """Take the distinct `words`, normalised and cut at white space; `name` is what messages call the list.

        Raises:
            RecognizerError: there is no word, the model lacks a character of one.
        """
        self.words = list(dict.fromkeys(part for word in words for part in alphabet.text.normalize(word).split()))
        if not self.words:
            raise RecognizerError(f"{name}: no words, expected at least one")
        for word in self.words:
            lacking = alphabet.unknown(word)
            if lacking:
                raise RecognizerError(f"{name}: {word!r} has {lacking[0]!r}, which the model lacks")
        self.trie, _ = word_trie(self.words, alphabet)
        self.breaks = breaks(alphabet, self.words)

    def initial(self, n: int) -> Ints:
        """Return the place before a word."""
        return np.full((n, 1), ROOT, dtype=np.int64)

    def walked(self, node: Ints, classes: Ints) -> tuple[NDArray[np.bool_], Ints]:
        """Return which `classes` (M,) end a word, and the node (M,) that each leads to."""
        ended = self.breaks[classes]
        return ended, np.where(ended, ROOT, self.trie.walk(node, classes))


class Lexicon(WordListScorer):
    """Words from a list; any other costs a penalty, without limit by default."""

    def __init__(self, words: Sequence[str], alphabet: Alphabet, penalty: float = math.inf) -> None:
        """Charge `penalty` (natural logarithm, positive) for a word outside `words`.

        Raises:
            RecognizerError: there is no word, the model lacks a character of one, the penalty is no positive number.
        """
        super().__init__("lexicon", words, alphabet)
        if not penalty > 0:
            raise RecognizerError(f"lexicon: penalty {penalty}, expected a positive number")
        self.penalty = penalty
        self.certain = Certain.NONE if math.isinf(penalty) else Certain.ALL

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Charge a word once: at the letter that leaves the list, or at its end where the list goes on."""
        node = states[:, 0]
        ended, after = self.walked(node, classes)
        left = ~ended & (after == LOST) & (node != LOST)
        return np.where(left | ended & self._cut(node), -self.penalty, 0.0), after[:, None]

    def scalar(self) -> AskOne:
        """Answer one by one."""
        breaks, penalty = self.breaks.tolist(), -self.penalty

        def ask(state: State, label: int) -> tuple[float, State]:
            (node,) = state
            if breaks[label]:
                return penalty if node > ROOT and self.trie.end(node) < 0 else 0.0, (ROOT,)
            after = self.trie.step(node, label)
            return penalty if after == LOST and node != LOST else 0.0, (after,)

        return ask

    def finish(self, states: Ints) -> Floats:
        """Charge a last word that is only the beginning of one."""
        return np.where(self._cut(states[:, 0]), -self.penalty, 0.0)

    def _cut(self, node: Ints) -> NDArray[np.bool_]:
        return (node > ROOT) & (self.trie.ends(node) < 0)


class HotWords(WordListScorer):
    """Words to prefer; the bonus grows with their letters and is taken back where another word comes of them."""

    certain = Certain.ALL

    def __init__(self, words: Sequence[str], alphabet: Alphabet, bonus: float) -> None:
        """Add `bonus` (natural logarithm) for every word of `words` read.

        Raises:
            RecognizerError: there is no word, the model lacks a character of one, the bonus is not a number.
        """
        super().__init__("hot words", words, alphabet)
        lengths = -np.array([len(word) for word in self.words], dtype=np.float64)
        shortest = -self.trie.best_below(lengths)
        shortest = np.where(self.trie.words >= 0, self.trie.depths, shortest)
        self.worth = np.append(number("hot words bonus", bonus) * self.trie.depths / shortest, 0.0)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return how much nearer to a hot word each class leads."""
        node = states[:, 0]
        ended, after = self.walked(node, classes)
        return np.where(ended, self._taken_back(node), self.worth[after] - self.worth[node]), after[:, None]

    def scalar(self) -> AskOne:
        """Answer one by one."""
        breaks, worth = self.breaks.tolist(), self.worth

        def ask(state: State, label: int) -> tuple[float, State]:
            (node,) = state
            if breaks[label]:
                return -float(worth[node]) if self.trie.end(node) < 0 else 0.0, (ROOT,)
            after = self.trie.step(node, label)
            return float(worth[after] - worth[node]), (after,)

        return ask

    def finish(self, states: Ints) -> Floats:
        """Take back the bonus of a last word that is only the beginning of one."""
        return self._taken_back(states[:, 0])

    def _taken_back(self, node: Ints) -> Floats:
        return np.where(self.trie.ends(node) < 0, -self.worth[node], 0.0)


class WordBonus:
    """A bonus for every word; its state is whether a word has begun."""

    certain = Certain.ALL
    scalar_limit = math.inf

    def __init__(self, alphabet: Alphabet, bonus: float) -> None:
        """Add `bonus` (natural logarithm) for every word."""
        self.bonus = number("word bonus", bonus)
        self.spaces = spaces(alphabet)

    def initial(self, n: int) -> Ints:
        """Return no word begun."""
        return np.zeros((n, 1), dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Pay at the first letter."""
        inside = ~self.spaces[classes]
        return self.bonus * (inside & (states[:, 0] == 0)), inside[:, None].astype(np.int64)

    def scalar(self) -> AskOne:
        """Answer one by one."""
        spaces, bonus, outside, inside = self.spaces.tolist(), self.bonus, (0,), (1,)

        def ask(state: State, label: int) -> tuple[float, State]:
            if spaces[label]:
                return 0.0, outside
            return 0.0 if state[0] else bonus, inside

        return ask

    def finish(self, states: Ints) -> Floats:
        """Add nothing."""
        return np.zeros(len(states))


def number(name: str, value: float) -> float:
    """Return `value`, refusing what is no finite number under its `name`."""
    if not math.isfinite(value):
        raise RecognizerError(f"{name}: {value}, expected a number")
    return value
