"""Words in a beam of units that are not their letters: a lexicon has them, a language model tells homophones apart."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.batched_beam_search import AskOne, State
from recognizer.decoding.frame_pruning import Certain
from recognizer.decoding.lexicon_trie import LOST, ROOT, Floats, Ints
from recognizer.decoding.pronunciations import Pronunciations, PronunciationTrie
from recognizer.decoding.scorers import Model
from recognizer.decoding.word_scorers import number

READINGS = 4  # ways to write the words so far that a prefix keeps
STEP = 1e-6  # natural logarithm: what a whole number in a state stands for
NOTHING = 1 << 40  # in a state, how far behind a reading is that is not there
EMPTY_WORD = -20.0  # natural logarithm, of a boundary behind a boundary or at the start: that is no word
REMEMBERED = 1 << 16  # ends of words, some 30 MB
CUT_WORD = -20.0  # of a last word that is only the beginning of one; it is not written

Reading = tuple[float, int]  # logarithm of its worth, state of the language model behind it
AskModel = Callable[[int, int], tuple[float, int]]


class Written(NamedTuple):
    """One word that labels were read as.

    Args:
        word: as it is written.
        start: the first of its labels.
        end: the label after its last.
    """

    word: str
    start: int
    end: int


class PronunciationModel:
    """A language model of words over a lexicon of pronunciations; what is not in the lexicon is not read.

    A state is a place in the trie of pronunciations and the `READINGS` best ways to write the words before it: for
    each how far (in STEPs) it is behind the best, and its state of the language model. A prefix is worth its best
    reading. Homophones are such readings: "two" or "too" may be settled words later. Inside a word the beam looks
    ahead, as in `WordModel`: a unit costs what the best word that is still possible loses as a unigram.
    """

    certain = Certain.BLANKS  # a word that is cut short may end the text, at a price
    scalar_limit = math.inf

    def __init__(
        self, model: Model | None, said: Pronunciations, alphabet: Alphabet, weight: float, bonus: float = 0.0
    ) -> None:
        """Take `weight` of the log-probabilities of `model` (none: all words are alike), and `bonus` for every word.

        Raises:
            RecognizerError: the alphabet has no symbol between words; a number is not one.
        """
        self.weight, self.bonus = number("language model weight", weight), number("word bonus", bonus)
        self.lexicon = PronunciationTrie(said, alphabet)
        words = self.lexicon.words
        self.model, self.start = model, model.start if model else 0
        self.tokens = (model.ids(list(words)) if model else np.zeros(len(words), dtype=np.int64)).tolist()
        self.ask: AskModel = _asking(model)
        alone = np.array([self.ask(0, token)[0] for token in self.tokens]) if model else np.zeros(len(words))
        ahead = self.weight * self.lexicon.best_below(alone) + self.bonus
        ahead[ROOT] = 0.0
        self.ahead: list[float] = ahead.tolist()
        trie = self.lexicon.trie
        self.classes = len(trie.letters)
        # Node and class -> node: a dictionary answers one question sooner than a search in an array.
        self.children: dict[int, int] = dict(zip(trie.keys.tolist(), range(1, len(trie.words)), strict=True))
        self.known: dict[State, tuple[float, State]] = {}  # what the end of a word has said

    def initial(self, n: int) -> Ints:
        """Return the start of a sentence, before a word."""
        return np.tile(np.array(_state(ROOT, [(0.0, self.start)])), (n, 1))

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return what units change in the outlook, and what words cost where a boundary ends them."""
        one = self.scalar()
        answers = [one(tuple(state), label) for state, label in zip(states.tolist(), classes.tolist(), strict=True)]
        gains = np.array([gain for gain, _ in answers], dtype=np.float64)
        return gains, np.array([after for _, after in answers], dtype=np.int64).reshape(states.shape)

    def scalar(self) -> AskOne:
        """Answer one by one."""
        children, size, known = self.children, self.classes, self.known
        ahead, boundary, forbidden = self.ahead, self.lexicon.boundary, -math.inf

        def ask(state: State, label: int) -> tuple[float, State]:
            node = state[0]
            if label == boundary:
                found = known.get(state)
                if found is None:
                    if len(known) >= REMEMBERED:
                        known.clear()
                    found = known[state] = self._ended(state)
                return found
            after = children.get(node * size + label)  # behind LOST all keys are negative, and none is there
            if after is None:
                return forbidden, (LOST, *state[1:])
            return ahead[after] - ahead[node], (after, *state[1:])

        return ask

    def finish(self, states: Ints) -> Floats:
        """Return what the last word and the end cost."""
        return np.array([self._finished(tuple(state)) for state in states.tolist()], dtype=np.float64)

    def written(self, labels: Sequence[int]) -> list[Written]:
        """Return the words that labels are best written as: what the beam has judged them by, done once more."""
        paths: list[tuple[float, int, tuple[int, ...]]] = [(0.0, self.start, ())]
        places: list[tuple[int, int]] = []
        for start, end, words in self._cut(labels):
            longer: dict[tuple[int, ...], tuple[float, int]] = {}
            for worth, context, before in paths:
                for word in words:
                    gain, after = self.ask(context, self.tokens[word])
                    worded = (*before, word)
                    longer[worded] = worth + self.weight * gain, after
            best = sorted(longer.items(), key=lambda item: -item[1][0])
            states: dict[int, tuple[float, int, tuple[int, ...]]] = {}
            for texts, (worth, context) in best:
                states.setdefault(context, (worth, context, texts))
            # Without a language model all contexts are one, and of words that are said alike the first is taken.
            paths = list(states.values())[:READINGS]
            places.append((start, end))
        ends = [worth + self._end(context) for worth, context, _ in paths]
        texts = paths[int(np.argmax(ends))][2]
        return [Written(self.lexicon.words[i], *place) for i, place in zip(texts, places, strict=True)]

    def _cut(self, labels: Sequence[int]) -> Iterable[tuple[int, int, Sequence[int]]]:
        """Yield first label, the one after the last and the possible words of each piece that is a word."""
        start, node = 0, ROOT
        for i, label in enumerate([*labels, self.lexicon.boundary]):
            if label != self.lexicon.boundary:
                node = self.lexicon.trie.step(node, label) if node != LOST else LOST
                continue
            words = self.lexicon.ends(node)
            if words:
                yield start, i, words
            start, node = i + 1, ROOT

    def _ended(self, state: State) -> tuple[float, State]:
        node = state[0]
        if node == ROOT:
            return EMPTY_WORD, state
        words = self.lexicon.ends(node)
        if not words:
            return -math.inf, (LOST, *state[1:])
        worths: dict[int, float] = {}
        for worth, context in _readings(state):
            for word in words:
                gain, after = self.ask(context, self.tokens[word])
                worths[after] = max(worths.get(after, -math.inf), worth + self.weight * gain)
        best = sorted(((worth, after) for after, worth in worths.items()), reverse=True)[:READINGS]
        return best[0][0] + self.bonus - self.ahead[node], _state(ROOT, best)

    def _finished(self, state: State) -> float:
        gain = 0.0
        if state[0] == LOST:
            return -math.inf
        if state[0] != ROOT:
            if self.lexicon.ends(state[0]):
                gain, state = self._ended(state)
            else:
                gain = CUT_WORD - self.ahead[state[0]]
        return gain + max(worth + self._end(context) for worth, context in _readings(state))

    def _end(self, context: int) -> float:
        if self.model is None:
            return 0.0
        return self.weight * float(self.model.finish(np.array([context], dtype=np.int64))[0])


def _state(node: int, readings: Sequence[Reading]) -> State:
    """Return readings, best first, as whole numbers; how far each is behind the first."""
    best = readings[0][0]
    columns = [part for worth, context in readings for part in (round((best - worth) / STEP), context)]
    return (node, *columns, *(NOTHING, 0) * (READINGS - len(readings)))


def _readings(state: State) -> list[Reading]:
    pairs = zip(state[1::2], state[2::2], strict=True)
    return [(-STEP * behind, context) for behind, context in pairs if behind < NOTHING]


def _asking(model: Model | None) -> AskModel:
    """Return what answers for one state and one token."""
    if model is None:
        return lambda state, token: (0.0, state)
    one = model.scalar()
    if one is not None:
        return one

    def ask(state: int, token: int) -> tuple[float, int]:
        said, after = model.scores(np.array([state], dtype=np.int64), np.array([token], dtype=np.int64))
        return float(said[0]), int(after[0])

    return ask
