"""What a beam can be told to prefer: language models, lexicons, hot words, bonuses, and their sum."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.alphabet import Alphabet, TextSettings
from recognizer.decoding.search import Scorer
from recognizer.decoding.words import LOST, ROOT, Floats, Ints, breaks, spaces, word_trie
from recognizer.errors import RecognizerError


class Model(Protocol):
    """A language model that answers for many states and tokens in one call; natural logarithms."""

    @property
    def start(self) -> int:
        """The state at the start of a sentence."""

    @property
    def unknown(self) -> int:
        """The number of the token for what the model lacks."""

    def ids(self, tokens: Sequence[str]) -> Ints:
        """Return the numbers of `tokens`."""

    def scores(self, states: Ints, tokens: Ints) -> tuple[NDArray[np.floating[Any]], Ints]:
        """Return (M,) log-probabilities and (M,) next states."""

    def finish(self, states: Ints) -> NDArray[np.floating[Any]]:
        """Return (M,) log-probabilities of the end."""


class Sum:
    """The sum of several scorers."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        """Add up `scorers`, at least one."""
        self.scorers = tuple(scorers)
        self.edges = np.cumsum([0, *(scorer.initial(1).shape[1] for scorer in scorers)]).tolist()
        self.closed = any(scorer.closed for scorer in scorers)

    def initial(self, n: int) -> Ints:
        """Return the columns of all side by side."""
        return np.concatenate([scorer.initial(n) for scorer in self.scorers], 1)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Ask each about its own columns."""
        answers = [scorer.score(part, classes) for scorer, part in self._parts(states)]
        gains = answers[0][0] if len(answers) == 1 else np.add.reduce([gain for gain, _ in answers])
        return gains, np.concatenate([after for _, after in answers], 1)

    def finish(self, states: Ints) -> Floats:
        """Ask each about the end."""
        return np.asarray(np.sum([scorer.finish(part) for scorer, part in self._parts(states)], 0))

    def _parts(self, states: Ints) -> list[tuple[Scorer, Ints]]:
        return [(s, states[:, a:b]) for s, a, b in zip(self.scorers, self.edges, self.edges[1:], strict=False)]


class CharacterModel:
    """A language model of characters; its state is one column."""

    closed = False

    def __init__(self, model: Model, alphabet: Alphabet, weight: float, text: TextSettings, space: str = " ") -> None:
        """Take `weight` of the log-probabilities of `model`, which knows text as `text` and the space as `space`."""
        self.model, self.weight = model, _number("language model weight", weight)
        folded = [space if symbol.isspace() else _folded(symbol, text) for symbol in alphabet.symbols]
        self.tokens = np.concatenate(([model.unknown], model.ids(folded)))

    def initial(self, n: int) -> Ints:
        """Return the start of a sentence."""
        return np.full((n, 1), self.model.start, dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return the weighted log-probability of each character."""
        log_probs, after = self.model.scores(states[:, 0], self.tokens[classes])
        return self.weight * np.asarray(log_probs, dtype=np.float64), after[:, None]

    def finish(self, states: Ints) -> Floats:
        """Return the weighted log-probability of the end."""
        return self.weight * np.asarray(self.model.finish(states[:, 0]), dtype=np.float64)


class WordModel:
    """A language model of words, asked where a word ends; its state is the model's and a node of the vocabulary's trie.

    Inside a word it looks ahead: a letter costs what the best word that is still possible loses as a unigram; all of it
    is given back at the word's end, where the model's own answer takes its place.
    """

    closed = False

    def __init__(
        self,
        model: Model,
        vocabulary: Sequence[str],
        alphabet: Alphabet,
        weight: float,
        text: TextSettings,
        unknown: float = -10.0,
    ) -> None:
        """Take `weight` of the log-probabilities of `model`, plus `unknown` (unweighted) for a word it lacks.

        Raises:
            RecognizerError: the alphabet is one of tokens or spells no word; a number is not one.
        """
        self.model, self.weight = model, _number("language model weight", weight)
        self.unknown = _number("score of an unknown word", unknown)
        words = list(dict.fromkeys(word for word in vocabulary if word and not word.startswith("<")))
        self.trie, _ = word_trie(words, alphabet, lambda symbol: _folded(symbol, text))
        self.spaces = spaces(alphabet)
        self.tokens = np.append(model.ids(words), model.unknown)  # the last place answers for -1
        alone, _ = model.scores(np.zeros(len(words), dtype=np.int64), self.tokens[:-1])
        lost = float(model.scores(np.zeros(1, dtype=np.int64), self.tokens[-1:])[0][0])
        ahead = self.weight * self.trie.best_below(np.asarray(alone, dtype=np.float64))
        ahead[ROOT] = 0.0
        self.ahead = np.append(ahead, self.weight * lost + self.unknown)  # the last place answers for LOST

    def initial(self, n: int) -> Ints:
        """Return the start of a sentence, before a word."""
        return np.tile(np.array([self.model.start, ROOT]), (n, 1))

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return what letters change in the outlook, and what words cost where a space ends them."""
        node, after = states[:, 1], states.copy()
        letters = after[:, 1] = self.trie.walk(node, classes)
        space = self.spaces[classes]
        if space.any():
            letters = after[:, 1] = np.where(space, ROOT, letters)
        gain = self.ahead[letters] - self.ahead[node]
        ended = (space & (node != ROOT)).nonzero()[0]
        if len(ended):
            said, after[ended, 0] = self._ended(after[ended, 0], node[ended])
            gain[ended] += said
        return gain, after

    def finish(self, states: Ints) -> Floats:
        """Return what the last word and the end cost."""
        context, node = states[:, 0].copy(), states[:, 1]
        gain = -self.ahead[node]
        ended = np.flatnonzero(node != ROOT)
        said, context[ended] = self._ended(context[ended], node[ended])
        gain[ended] += said
        return gain + self.weight * np.asarray(self.model.finish(context), dtype=np.float64)

    def _ended(self, context: Ints, node: Ints) -> tuple[Floats, Ints]:
        word = self.trie.ends(node)
        log_probs, after = self.model.scores(context, self.tokens[word])
        return self.weight * np.asarray(log_probs, dtype=np.float64) + np.where(word < 0, self.unknown, 0.0), after


class Lexicon:
    """Words from a list; any other costs a price, without limit by default. Its state is a node of the list's trie."""

    def __init__(self, words: Sequence[str], alphabet: Alphabet, price: float = math.inf) -> None:
        """Charge `price` (natural logarithm, positive) for a word outside `words`.

        Raises:
            RecognizerError: there is no word, the model lacks a character of one, the price is no positive number.
        """
        words = _listed("lexicon", words, alphabet)
        if not price > 0:
            raise RecognizerError(f"lexicon: price {price}, wanted a positive number")
        self.trie, _ = word_trie(words, alphabet)
        self.breaks = breaks(alphabet, words)
        self.price = price
        self.closed = math.isinf(price)

    def initial(self, n: int) -> Ints:
        """Return the place before a word."""
        return np.full((n, 1), ROOT, dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Charge a word once: at the letter that leaves the list, or at its end where the list goes on."""
        node = states[:, 0]
        ended = self.breaks[classes]
        after = np.where(ended, ROOT, self.trie.walk(node, classes))
        left = ~ended & (after == LOST) & (node != LOST)
        return np.where(left | ended & self._cut(node), -self.price, 0.0), after[:, None]

    def finish(self, states: Ints) -> Floats:
        """Charge a last word that is only the beginning of one."""
        return np.where(self._cut(states[:, 0]), -self.price, 0.0)

    def _cut(self, node: Ints) -> NDArray[np.bool_]:
        return (node > ROOT) & (self.trie.ends(node) < 0)


class HotWords:
    """Words to prefer; the bonus grows with their letters and is taken back where another word comes of them."""

    closed = False

    def __init__(self, words: Sequence[str], alphabet: Alphabet, bonus: float) -> None:
        """Add `bonus` (natural logarithm) for every word of `words` read.

        Raises:
            RecognizerError: there is no word, the model lacks a character of one, the bonus is not a number.
        """
        words = _listed("hot words", words, alphabet)
        self.trie, _ = word_trie(words, alphabet)
        self.breaks = breaks(alphabet, words)
        lengths = -np.array([len(word) for word in words], dtype=np.float64)
        shortest = -self.trie.best_below(lengths)
        shortest = np.where(self.trie.words >= 0, self.trie.depths, shortest)
        self.worth = np.append(_number("hot words bonus", bonus) * self.trie.depths / shortest, 0.0)

    def initial(self, n: int) -> Ints:
        """Return the place before a word."""
        return np.full((n, 1), ROOT, dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return how much nearer to a hot word each class leads."""
        node = states[:, 0]
        ended = self.breaks[classes]
        after = np.where(ended, ROOT, self.trie.walk(node, classes))
        return np.where(ended, self._taken_back(node), self.worth[after] - self.worth[node]), after[:, None]

    def finish(self, states: Ints) -> Floats:
        """Take back the bonus of a last word that is only the beginning of one."""
        return self._taken_back(states[:, 0])

    def _taken_back(self, node: Ints) -> Floats:
        return np.where(self.trie.ends(node) < 0, -self.worth[node], 0.0)


class WordBonus:
    """A bonus for every word; its state is whether a word has begun."""

    closed = False

    def __init__(self, alphabet: Alphabet, bonus: float) -> None:
        """Add `bonus` (natural logarithm) for every word."""
        self.bonus = _number("word bonus", bonus)
        self.spaces = spaces(alphabet)

    def initial(self, n: int) -> Ints:
        """Return no word begun."""
        return np.zeros((n, 1), dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Pay at the first letter."""
        inside = ~self.spaces[classes]
        return self.bonus * (inside & (states[:, 0] == 0)), inside[:, None].astype(np.int64)

    def finish(self, states: Ints) -> Floats:
        """Add nothing."""
        return np.zeros(len(states))


class CharacterBonus:
    """A bonus for every character, against the short texts that a language model prefers."""

    closed = False

    def __init__(self, bonus: float) -> None:
        """Add `bonus` (natural logarithm) for every character."""
        self.bonus = _number("character bonus", bonus)

    def initial(self, n: int) -> Ints:
        """Return no columns."""
        return np.zeros((n, 0), dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Pay for each."""
        return np.full(len(classes), self.bonus), states

    def finish(self, states: Ints) -> Floats:
        """Add nothing."""
        return np.zeros(len(states))


def _number(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise RecognizerError(f"{name}: {value}, wanted a number")
    return value


def _folded(symbol: str, text: TextSettings) -> str:
    """Return what a model of `text` calls `symbol`, itself where normalisation leaves not just one character."""
    folded = text.normalize(symbol)
    return folded if len(folded) == 1 else symbol


def _listed(name: str, words: Sequence[str], alphabet: Alphabet) -> list[str]:
    """Return the distinct words, normalised and cut at white space."""
    found = list(dict.fromkeys(part for word in words for part in alphabet.text.normalize(word).split()))
    if not found:
        raise RecognizerError(f"{name}: no words, wanted at least one")
    for word in found:
        lacking = alphabet.unknown(word)
        if lacking:
            raise RecognizerError(f"{name}: {word!r} has {lacking[0]!r}, which the model lacks")
    return found
