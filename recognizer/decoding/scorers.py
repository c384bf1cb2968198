"""What a beam can be told to prefer: language models, and the sum of several preferences."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.batched_beam_search import AskOne, Scorer, State
from recognizer.decoding.frame_pruning import Certain
from recognizer.decoding.lexicon_trie import Floats, Ints
from recognizer.decoding.word_scorers import number


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

    def scalar(self) -> Callable[[int, int], tuple[float, int]] | None:
        """Return what answers as `scores` does for one state and token; None where that is no quicker."""

    def finish(self, states: Ints) -> NDArray[np.floating[Any]]:
        """Return (M,) log-probabilities of the end."""


class Sum:
    """The sum of several scorers."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        """Add up `scorers`, at least one."""
        self.scorers = tuple(scorers)
        self.edges = np.cumsum([0, *(scorer.initial(1).shape[1] for scorer in scorers)]).tolist()
        self.certain = min(scorer.certain for scorer in scorers)
        self.scalar_limit = min(scorer.scalar_limit for scorer in scorers)

    def initial(self, n: int) -> Ints:
        """Return the columns of all side by side."""
        return np.concatenate([scorer.initial(n) for scorer in self.scorers], 1)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Ask each about its own columns."""
        answers = [scorer.score(part, classes) for scorer, part in self._parts(states)]
        gains = answers[0][0] if len(answers) == 1 else np.add.reduce([gain for gain, _ in answers])
        return gains, np.concatenate([after for _, after in answers], 1)

    def scalar(self) -> AskOne | None:
        """Ask each about its own columns, if all are quick at that."""
        asked = [scorer.scalar() for scorer in self.scorers]
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

    certain = Certain.ALL
    scalar_limit = 40.0

    def __init__(self, model: Model, alphabet: Alphabet, weight: float, text: TextSettings, space: str = " ") -> None:
        """Take `weight` of the log-probabilities of `model`, which knows text as `text` and the space as `space`."""
        self.model, self.weight = model, number("language model weight", weight)
        names = [space if symbol.isspace() else folded(symbol, text) for symbol in alphabet.symbols]
        self.tokens = np.concatenate(([model.unknown], model.ids(names)))

    def initial(self, n: int) -> Ints:
        """Return the start of a sentence."""
        return np.full((n, 1), self.model.start, dtype=np.int64)

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return the weighted log-probability of each character."""
        log_probs, after = self.model.scores(states[:, 0], self.tokens[classes])
        return self.weight * np.asarray(log_probs, dtype=np.float64), after[:, None]

    def scalar(self) -> AskOne | None:
        """Answer one by one if the model does."""
        model, tokens, weight = self.model.scalar(), self.tokens.tolist(), self.weight
        if model is None:
            return None

        def ask(state: State, label: int) -> tuple[float, State]:
            log_prob, after = model(state[0], tokens[label])
            return weight * log_prob, (after,)

        return ask

    def finish(self, states: Ints) -> Floats:
        """Return the weighted log-probability of the end."""
        return self.weight * np.asarray(self.model.finish(states[:, 0]), dtype=np.float64)


def folded(symbol: str, text: TextSettings) -> str:
    """Return what a model of `text` calls `symbol`, itself where normalisation leaves not just one character."""
    name = text.normalize(symbol)
    return name if len(name) == 1 else symbol
