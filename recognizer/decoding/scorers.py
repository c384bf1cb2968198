"""What a beam can be told to prefer: language models, and the sum of several preferences."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.batched_beam_search import AskOne, Scorer, State
from recognizer.decoding.lexicon_trie import ROOT, Floats, Ints, spaces, word_trie
from recognizer.decoding.word_scorers import number

REMEMBERED = 1 << 18  # letters behind beginnings of words, some 40 MB


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

    def one(self) -> Callable[[int, int], tuple[float, int]] | None:
        """Return what answers as `scores` does for one state and token; None where that is no quicker."""

    def finish(self, states: Ints) -> NDArray[np.floating[Any]]:
        """Return (M,) log-probabilities of the end."""


class Sum:
    """The sum of several scorers."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        """Add up `scorers`, at least one."""
        self.scorers = tuple(scorers)
        self.edges = np.cumsum([0, *(scorer.initial(1).shape[1] for scorer in scorers)]).tolist()
        self.closed = any(scorer.closed for scorer in scorers)
        self.few = min(scorer.few for scorer in scorers)

    def initial(self, n: int) -> Ints:
        """Return the columns of all side by side."""
        return np.concatenate([scorer.initial(n) for scorer in self.scorers], 1)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Ask each about its own columns."""
        answers = [scorer.score(part, classes) for scorer, part in self._parts(states)]
        gains = answers[0][0] if len(answers) == 1 else np.add.reduce([gain for gain, _ in answers])
        return gains, np.concatenate([after for _, after in answers], 1)

    def one(self) -> AskOne | None:
        """Ask each about its own columns, if all are quick at that."""
        asked = [scorer.one() for scorer in self.scorers]
        if None in asked:
            return None
        parts = list(zip(cast(list[AskOne], asked), self.edges, self.edges[1:], strict=False))

        def ask(state: State, label: int) -> tuple[float, State]:
            total, columns = 0.0, ()
            for of_part, begin, end in parts:
                gain, after = of_part(state[begin:end], label)
                total, columns = total + gain, columns + after  # type: ignore[assignment]
            return total, columns

        return ask

    def finish(self, states: Ints) -> Floats:
        """Ask each about the end."""
        return np.asarray(np.sum([scorer.finish(part) for scorer, part in self._parts(states)], 0))

    def _parts(self, states: Ints) -> list[tuple[Scorer, Ints]]:
        return [(s, states[:, a:b]) for s, a, b in zip(self.scorers, self.edges, self.edges[1:], strict=False)]


class CharacterModel:
    """A language model of characters; its state is one column."""

    closed = False
    few = 40.0

    def __init__(self, model: Model, alphabet: Alphabet, weight: float, text: TextSettings, space: str = " ") -> None:
        """Take `weight` of the log-probabilities of `model`, which knows text as `text` and the space as `space`."""
        self.model, self.weight = model, number("language model weight", weight)
        folded = [space if symbol.isspace() else _folded(symbol, text) for symbol in alphabet.symbols]
        self.tokens = np.concatenate(([model.unknown], model.ids(folded)))

    def initial(self, n: int) -> Ints:
        """Return the start of a sentence."""
        return np.full((n, 1), self.model.start, dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return the weighted log-probability of each character."""
        log_probs, after = self.model.scores(states[:, 0], self.tokens[classes])
        return self.weight * np.asarray(log_probs, dtype=np.float64), after[:, None]

    def one(self) -> AskOne | None:
        """Answer one by one if the model does."""
        model, tokens, weight = self.model.one(), self.tokens.tolist(), self.weight
        if model is None:
            return None

        def ask(state: State, label: int) -> tuple[float, State]:
            log_prob, after = model(state[0], tokens[label])
            return weight * log_prob, (after,)

        return ask

    def finish(self, states: Ints) -> Floats:
        """Return the weighted log-probability of the end."""
        return self.weight * np.asarray(self.model.finish(states[:, 0]), dtype=np.float64)


class WordModel:
    """A language model of words, asked where a word ends; its state is the model's and a node of the vocabulary's trie.

    Inside a word it looks ahead: a letter costs what the best word that is still possible loses as a unigram; all of it
    is given back at the word's end, where the model's own answer takes its place.
    """

    closed = False
    few = math.inf  # letters that were asked about before cost next to nothing

    def __init__(
        self,
        model: Model,
        vocabulary: Sequence[str],
        alphabet: Alphabet,
        weight: float,
        text: TextSettings,
        unknown: float = -10.0,
        bonus: float = 0.0,
    ) -> None:
        """Take `weight` of the log-probabilities of `model`, plus (unweighted) `unknown` for a word it lacks.

        `bonus` is added for every word, unweighted, as by `WordBonus` beside it but in one answer.

        Raises:
            RecognizerError: the alphabet is one of tokens or spells no word; a number is not one.
        """
        self.model, self.weight = model, number("language model weight", weight)
        self.unknown, self.bonus = number("score of an unknown word", unknown), number("word bonus", bonus)
        words = list(dict.fromkeys(word for word in vocabulary if word and not word.startswith("<")))
        self.trie, _ = word_trie(words, alphabet, lambda symbol: _folded(symbol, text))
        self.spaces = spaces(alphabet)
        self.letters: dict[int, tuple[float, int]] = {}  # what was asked one by one about a node and a letter
        self.tokens = np.append(model.ids(words), model.unknown)  # the last place answers for -1
        alone, _ = model.scores(np.zeros(len(words), dtype=np.int64), self.tokens[:-1])
        lost = float(model.scores(np.zeros(1, dtype=np.int64), self.tokens[-1:])[0][0])
        ahead = self.weight * self.trie.best_below(np.asarray(alone, dtype=np.float64))
        ahead = np.append(ahead, self.weight * lost + self.unknown) + self.bonus  # the last place answers for LOST
        ahead[ROOT] = 0.0
        self.ahead = ahead

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

    def one(self) -> AskOne | None:
        """Answer one by one if the model does."""
        model, spaces, tokens, ahead = self.model.one(), self.spaces.tolist(), self.tokens, self.ahead
        if model is None:
            return None
        size, letters = len(spaces), self.letters

        def ask(state: State, label: int) -> tuple[float, State]:
            context, node = state
            if not spaces[label]:
                known = letters.get(node * size + label)
                if known is None:
                    if len(letters) >= REMEMBERED:
                        letters.clear()
                    after = self.trie.step(node, label)
                    known = letters[node * size + label] = float(ahead[after] - ahead[node]), after
                return known[0], (context, known[1])
            if node == ROOT:
                return 0.0, state
            word = self.trie.end(node)
            log_prob, context = model(context, int(tokens[word]))
            gain = self.weight * log_prob + (self.unknown if word < 0 else 0.0) + self.bonus
            return gain - float(ahead[node]), (context, ROOT)

        return ask

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
        gain = self.weight * np.asarray(log_probs, dtype=np.float64) + np.where(word < 0, self.unknown, 0.0)
        return gain + self.bonus, after


def _folded(symbol: str, text: TextSettings) -> str:
    """Return what a model of `text` calls `symbol`, itself where normalisation leaves not just one character."""
    folded = text.normalize(symbol)
    return folded if len(folded) == 1 else symbol
