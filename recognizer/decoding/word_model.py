"""A language model of words in a beam of characters; words that it lacks are priced by their letters."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.batched_beam_search import AskOne, State
from recognizer.decoding.frame_pruning import Certain
from recognizer.decoding.lexicon_trie import LOST, ROOT, Floats, Ints, spaces, word_trie
from recognizer.decoding.scorers import Model, folded
from recognizer.decoding.word_scorers import number

REMEMBERED = 1 << 18  # letters behind beginnings of words, some 40 MB
# Natural logarithm, for a space behind a space or at the start: that is no word. It is finite, because where the
# network is certain of two spaces nothing else may be left.
EMPTY_WORD = -20.0


class WordModel:
    """A language model of words, asked where a word ends; its state is the model's and a place in the word.

    The place is a node of the vocabulary's trie, or, behind letters that begin no word of it, -1 less the state of the
    model of spelling. Inside a word it looks ahead: a letter costs what the best word that is still possible loses as a
    unigram; all of it is given back at the word's end, where the model's own answer takes its place. A word that the
    model lacks is worth P(<unk>) times the probability of its spelling: the longer, the less.
    """

    certain = Certain.ALL
    scalar_limit = math.inf  # letters that were asked about before cost next to nothing

    def __init__(
        self,
        model: Model,
        vocabulary: Sequence[str],
        alphabet: Alphabet,
        weight: float,
        text: TextSettings,
        unknown: float = 0.0,
        bonus: float = 0.0,
        spelling: Model | None = None,
    ) -> None:
        """Take `weight` of the log-probabilities of `model`, plus (unweighted) `unknown` for a word it lacks.

        `bonus` is added for every word, unweighted, as by `WordBonus` beside it but in one answer. `spelling` is a
        model of characters within words; without one letters cost nothing. `unwritten` are the words of the vocabulary
        that the alphabet cannot spell.

        Raises:
            RecognizerError: the alphabet is one of tokens or spells no word; a number is not one.
        """
        self.model, self.weight = model, number("language model weight", weight)
        self.unknown, self.bonus = number("score of an unknown word", unknown), number("word bonus", bonus)
        words = list(dict.fromkeys(word for word in vocabulary if word and not word.startswith("<")))
        self.trie, unwritten = word_trie(words, alphabet, lambda symbol: folded(symbol, text))
        self.vocabulary, self.unwritten = len(words), tuple(words[i] for i in unwritten.tolist())
        self.spaces = spaces(alphabet)
        self.known: dict[int, tuple[float, int]] = {}  # what was asked one by one about a place and a letter
        self.tokens = np.append(model.ids(words), model.unknown)  # the last place answers for -1
        alone, _ = model.scores(np.zeros(len(words), dtype=np.int64), self.tokens[:-1])
        ahead = self.weight * self.trie.best_below(np.asarray(alone, dtype=np.float64)) + self.bonus
        ahead[ROOT] = 0.0
        self.ahead = ahead
        lost, _ = model.scores(np.zeros(1, dtype=np.int64), self.tokens[-1:])
        self.lost = self.weight * float(lost[0]) + self.unknown + self.bonus  # an unknown word, but for its letters
        self._spell(spelling or _Free(), [folded(symbol, text) for symbol in alphabet.symbols])

    def _spell(self, spelling: Model, symbols: Sequence[str]) -> None:
        """Learn what the letters up to every node of the trie are worth, and the state of `spelling` behind them."""
        self.spelling = spelling
        self.letters = np.append(spelling.unknown, spelling.ids(symbols))
        # Several classes may be one letter of the trie ("a" and "A" folded); they are one for `spelling` too.
        classes = np.zeros(int(self.trie.letters.max()) + 1, dtype=np.int64)
        classes[self.trie.letters] = np.arange(len(self.trie.letters))
        parents, letters = np.divmod(self.trie.keys, len(self.trie.letters))
        self.spelled = np.zeros(len(self.trie.words))
        self.behind = np.full(len(self.trie.words), spelling.start, dtype=np.int64)
        for depth in range(1, int(self.trie.depths.max(initial=0)) + 1):
            level = np.flatnonzero(self.trie.depths == depth)
            above = parents[level - 1]
            said, self.behind[level] = spelling.scores(self.behind[above], self.letters[classes[letters[level - 1]]])
            self.spelled[level] = self.spelled[above] + self.weight * np.asarray(said, dtype=np.float64)

    def initial(self, n: int) -> Ints:
        """Return the start of a sentence, before a word."""
        return np.tile(np.array([self.model.start, ROOT]), (n, 1))

    def score(self, states: Ints, classes: Ints) -> tuple[Floats, Ints]:
        """Return what letters change in the outlook, and what words cost where a space ends them."""
        place, after = states[:, 1], states.copy()
        space = self.spaces[classes]
        place_after = np.where(space, ROOT, self.trie.walk(place, classes))
        paid = self._paid(place)
        gain = self.ahead[np.maximum(place_after, ROOT)] - paid
        lost = np.flatnonzero(place_after == LOST)
        if len(lost):
            said, behind = self.spelling.scores(self._behind(place[lost]), self.letters[classes[lost]])
            spelled = np.where(place[lost] < ROOT, 0.0, self.spelled[np.maximum(place[lost], ROOT)])
            gain[lost] = self.lost - paid[lost] + spelled + self.weight * np.asarray(said, dtype=np.float64)
            place_after[lost] = -1 - behind
        after[:, 1] = place_after
        gain[space & (place == ROOT)] = EMPTY_WORD
        ended = (space & (place != ROOT)).nonzero()[0]
        if len(ended):
            said, after[ended, 0] = self._ended(after[ended, 0], place[ended])
            gain[ended] += said
        return gain, after

    def scalar(self) -> AskOne | None:
        """Answer one by one if the models do."""
        model, spell = self.model.scalar(), self.spelling.scalar()
        if model is None or spell is None:
            return None
        letter, ending = self._one_letter(spell), self._one_ending(model)
        spaces, size, known = self.spaces.tolist(), len(self.spaces), self.known

        def ask(state: State, label: int) -> tuple[float, State]:
            context, place = state
            if spaces[label]:
                return ending(context, place)
            found = known.get(place * size + label)
            if found is None:
                if len(known) >= REMEMBERED:
                    known.clear()
                found = known[place * size + label] = letter(place, label)
            return found[0], (context, found[1])

        return ask

    def _one_letter(self, spell: Callable[[int, int], tuple[float, int]]) -> Callable[[int, int], tuple[float, int]]:
        def letter(place: int, label: int) -> tuple[float, int]:
            after = LOST if place < ROOT else self.trie.step(place, label)
            if after != LOST:
                return float(self.ahead[after] - self.ahead[place]), after
            said, behind = spell(-1 - place if place < ROOT else int(self.behind[place]), int(self.letters[label]))
            if place < ROOT:
                return self.weight * said, -1 - behind
            return float(self.lost - self.ahead[place] + self.spelled[place]) + self.weight * said, -1 - behind

        return letter

    def _one_ending(self, model: Callable[[int, int], tuple[float, int]]) -> Callable[[int, int], tuple[float, State]]:
        tokens = self.tokens
        stops: dict[int, float] = {}  # what the end of a word is worth to the model of spelling

        def ending(context: int, place: int) -> tuple[float, State]:
            if place == ROOT:
                return EMPTY_WORD, (context, ROOT)
            word = self.trie.end(place) if place > ROOT else -1
            log_prob, context = model(context, int(tokens[word]))
            gain = self.weight * log_prob + self.bonus - (float(self.ahead[place]) if place > ROOT else self.lost)
            if word < 0:
                behind = int(self.behind[place]) if place > ROOT else -1 - place
                if behind not in stops:
                    stops[behind] = self.weight * float(self.spelling.finish(np.array([behind]))[0])
                gain += self.unknown + stops[behind] + (float(self.spelled[place]) if place > ROOT else 0.0)
            return gain, (context, ROOT)

        return ending

    def finish(self, states: Ints) -> Floats:
        """Return what the last word and the end cost."""
        context, place = states[:, 0].copy(), states[:, 1]
        gain = -self._paid(place)
        ended = np.flatnonzero(place != ROOT)
        said, context[ended] = self._ended(context[ended], place[ended])
        gain[ended] += said
        return gain + self.weight * np.asarray(self.model.finish(context), dtype=np.float64)

    def _paid(self, place: Ints) -> Floats:
        """Return what was charged ahead, and is given back at the word's end."""
        return np.where(place < ROOT, self.lost, self.ahead[np.maximum(place, ROOT)])

    def _behind(self, place: Ints) -> Ints:
        """Return the state of the model of spelling."""
        return np.where(place < ROOT, -1 - place, self.behind[np.maximum(place, ROOT)])

    def _ended(self, context: Ints, place: Ints) -> tuple[Floats, Ints]:
        word = np.where(place < ROOT, -1, self.trie.ends(np.maximum(place, ROOT)))
        log_probs, after = self.model.scores(context, self.tokens[word])
        gain = self.weight * np.asarray(log_probs, dtype=np.float64) + self.bonus
        strange = np.flatnonzero(word < 0)
        if len(strange):
            place = place[strange]
            spelled = np.where(place < ROOT, 0.0, self.spelled[np.maximum(place, ROOT)])
            last = self.weight * np.asarray(self.spelling.finish(self._behind(place)), dtype=np.float64)
            gain[strange] += self.unknown + spelled + last
        return gain, after


class _Free:
    """A model of spelling to which all letters are alike and free."""

    start, unknown = 0, 0

    def ids(self, tokens: Sequence[str]) -> Ints:
        return np.zeros(len(tokens), dtype=np.int64)

    def scores(self, states: Ints, tokens: Ints) -> tuple[Floats, Ints]:
        return np.zeros(len(states)), states

    def scalar(self) -> Callable[[int, int], tuple[float, int]]:
        return lambda state, token: (0.0, state)

    def finish(self, states: Ints) -> Floats:
        return np.zeros(len(states))
