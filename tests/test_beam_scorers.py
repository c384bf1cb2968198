"""What can be fused in a beam, each against its definition."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import EXACT
from numpy.typing import NDArray

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.batched_beam_search import Scorer
from recognizer.decoding.beam_search import beam_search, search_candidates
from recognizer.decoding.frame_pruning import Certain
from recognizer.decoding.scorers import CharacterModel, Sum
from recognizer.decoding.word_model import EMPTY_WORD, WordModel
from recognizer.decoding.word_scorers import HotWords, Lexicon, WordBonus
from recognizer.errors import RecognizerError
from recognizer.language.build import BuildSettings, build
from recognizer.language.ngram_file import open_ngram

ALPHABET = Alphabet((" ", ".", "a", "b", "A"))
TEXTS = ["".join(text) for n in range(5) for text in itertools.product(" .abA", repeat=n)]


class Bigrams:
    """A model of pairs; the state is the last token, token 1 the start and the end, state 0 no context."""

    start = 1
    unknown = 0

    def __init__(self, tokens: Sequence[str]) -> None:
        """Draw a table for `tokens`."""
        self.tokens = ["<unk>", "<s>", *tokens]
        self.table = np.random.default_rng(1).normal(-2, 1, (len(self.tokens), len(self.tokens)))

    def ids(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Number `tokens`."""
        return np.array([self.tokens.index(t) if t in self.tokens else 0 for t in tokens], dtype=np.int64)

    def scores(
        self, states: NDArray[np.int64], tokens: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Look the pairs up."""
        return self.table[states, tokens], tokens

    def scalar(self) -> Callable[[int, int], tuple[float, int]]:
        """Look one pair up."""
        return lambda state, token: (float(self.table[state, token]), token)

    def finish(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        """Look the end up."""
        return self.scores(states, np.ones_like(states))[0]

    def of(self, tokens: Sequence[str]) -> float:
        """Return the worth of a whole sequence."""
        numbers = [1, *self.ids(tokens).tolist(), 1]
        return float(sum(self.table[a, b] for a, b in itertools.pairwise(numbers)))


def worth(scorer: Scorer, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return what `scorer` says of each whole text, all texts of a length at once."""
    total = np.zeros(len(texts))
    for length in {len(text) for text in texts}:
        rows = [i for i, text in enumerate(texts) if len(text) == length]
        labels = np.array([[ALPHABET.symbols.index(c) + 1 for c in texts[i]] for i in rows], dtype=np.int64)
        states = scorer.initial(len(rows))
        for column in range(length):
            gain, after = scorer.score(states, labels[:, column])
            assert_alone_as_together(scorer, states, labels[:, column], gain, after)
            states = after
            total[rows] += gain
        total[rows] += scorer.finish(states)
    return total


def assert_alone_as_together(
    scorer: Scorer,
    states: NDArray[np.int64],
    labels: NDArray[np.int64],
    gain: NDArray[np.float64],
    after: NDArray[np.int64],
) -> None:
    ask = scorer.scalar()
    assert ask is not None
    answers = [ask(tuple(state), label) for state, label in zip(states.tolist(), labels.tolist(), strict=True)]
    np.testing.assert_allclose([one for one, _ in answers], gain, atol=1e-12)
    assert [one for _, one in answers] == [tuple(state) for state in after.tolist()]


def check(scorer: Scorer, wanted: Sequence[float]) -> None:
    np.testing.assert_allclose(worth(scorer, TEXTS), wanted, atol=1e-9)


def test_a_character_model_scores_every_character_and_the_end() -> None:
    model = Bigrams(["a", "_", "b"])
    texts = [t.lower().replace(" ", "_") for t in TEXTS]
    scorer = CharacterModel(model, ALPHABET, 0.5, TextSettings(case="lower"), space="_")
    check(scorer, [0.5 * model.of(list(text)) for text in texts])


def test_a_word_model_scores_words_at_their_ends_whatever_it_looked_ahead() -> None:
    model = Bigrams(["a", "ab", "ba.", "bb"])
    scorer = WordModel(model, model.tokens, ALPHABET, 0.7, TextSettings(case="lower"), unknown=-3.0)
    check(scorer, [worth_of_words(model, text, lambda word: -3.0) for text in TEXTS])


def worth_of_words(model: "Bigrams", text: str, unknown: Callable[[str], float]) -> float:
    """Return what a model of words says of a text by definition: 0.7 of its table, `unknown` for what it lacks."""
    words = text.lower().split()
    empty = sum(a == b == " " for a, b in itertools.pairwise(f" {text}"))  # no word stands between these spaces
    strange = sum(unknown(word) for word in words if word not in model.tokens)
    return 0.7 * model.of(words) + strange + EMPTY_WORD * empty


def test_an_unknown_word_is_worth_its_spelling() -> None:
    model, letters = Bigrams(["a", "ab", "ba.", "bb"]), Bigrams(["b", ".", "a"])
    scorer = WordModel(model, model.tokens, ALPHABET, 0.7, TextSettings(case="lower"), spelling=letters)
    check(scorer, [worth_of_words(model, text, lambda word: 0.7 * letters.of(list(word))) for text in TEXTS])


def test_a_word_model_with_a_bonus_is_one_without_beside_a_bonus() -> None:
    model = Bigrams(["a", "ab", "ba.", "bb"])
    with_bonus = WordModel(model, model.tokens, ALPHABET, 0.7, TextSettings(), bonus=1.25)
    beside = Sum((WordModel(model, model.tokens, ALPHABET, 0.7, TextSettings()), WordBonus(ALPHABET, 1.25)))
    check(with_bonus, worth(beside, TEXTS).tolist())


def test_a_word_model_looks_ahead_to_the_best_word_that_is_left() -> None:
    model = Bigrams(["ab", "aa"])
    scorer = WordModel(model, model.tokens, ALPHABET, 1.0, TextSettings())
    gain, states = scorer.score(scorer.initial(1), np.array([3]))
    assert gain[0] == pytest.approx(model.table[0, 2:].max())
    assert scorer.score(states, np.array([4]))[0][0] == pytest.approx(model.table[0, 2] - model.table[0, 2:].max())


def parts(text: str) -> list[str]:
    return text.replace(".", " ").split()


def test_a_lexicon_charges_each_word_outside_it_once() -> None:
    listed = ["a", "ab", "bab", "Ab"]
    check(Lexicon(listed, ALPHABET, 2.5), [-2.5 * sum(w not in listed for w in parts(text)) for text in TEXTS])


def test_a_lexicon_with_punctuation_keeps_it_inside_its_words() -> None:
    listed = ["a.", "b"]
    check(Lexicon(listed, ALPHABET, 1.0), [-float(sum(w not in listed for w in text.split())) for text in TEXTS])


def test_a_lexicon_without_a_price_forbids() -> None:
    scorer = Lexicon(["ab"], ALPHABET)
    assert scorer.certain is Certain.NONE
    assert worth(scorer, ["ab", "a", "ab b", " ab."]).tolist() == [0.0, -math.inf, -math.inf, 0.0]


def test_hot_words_are_worth_their_bonus_and_nothing_else() -> None:
    hot = ["ab", "abba", "b"]
    check(HotWords(hot, ALPHABET, 3.0), [3.0 * sum(w in hot for w in parts(text)) for text in TEXTS])


def test_a_bonus_counts_words() -> None:
    check(WordBonus(ALPHABET, 1.5), [1.5 * len(text.split()) for text in TEXTS])


def test_a_sum_is_the_sum() -> None:
    model = Bigrams(["a", "ab"])
    scorers: list[Scorer] = [
        WordModel(model, model.tokens, ALPHABET, 0.7, TextSettings()),
        WordBonus(ALPHABET, 1.0),
        HotWords(["a"], ALPHABET, 2),
    ]
    check(Sum(scorers), np.sum([worth(scorer, TEXTS) for scorer in scorers], 0).tolist())


def noisy(text: str, samples: int) -> torch.Tensor:
    """Return (N, 2 len, 6) log-probabilities that say `text` with noise."""
    log_probs = torch.randn(samples, 2 * len(text), 6, generator=torch.Generator().manual_seed(0))
    for i, symbol in enumerate(text):
        log_probs[:, 2 * i, ALPHABET.symbols.index(symbol) + 1] += 2.5
        log_probs[:, 2 * i + 1, 0] += 2.5
    return log_probs.log_softmax(2)


def test_under_a_closed_lexicon_every_word_is_listed() -> None:
    listed = ["abba", "bab", "Abba"]
    log_probs, counts = noisy("bab abba", 40), torch.full((40,), 16)
    read = [row[0].text for row in beam_search(log_probs, counts, ALPHABET, EXACT, Lexicon(listed, ALPHABET))]
    plain = [row[0].text for row in beam_search(log_probs, counts, ALPHABET, EXACT)]
    assert all(word in listed for text in read for word in parts(text))
    assert not all(word in listed for text in plain for word in parts(text))
    assert sum(text == "bab abba" for text in read) > 1.3 * sum(text == "bab abba" for text in plain)


def test_where_nothing_is_allowed_nothing_is_read() -> None:
    log_probs = torch.tensor([[[0.0, 0.0, 0.0, 0.0, 1.0, 0.0]]]).log()
    found = beam_search(log_probs, torch.tensor([1]), ALPHABET, EXACT, Lexicon(["ab"], ALPHABET))[0][0]
    assert (found.text, found.confidence, found.score) == ("", 0.0, -math.inf)


def test_bad_words_and_numbers_are_named() -> None:
    with pytest.raises(RecognizerError, match="lexicon: no words"):
        Lexicon([" "], ALPHABET)
    with pytest.raises(RecognizerError, match="hot words: 'abc' has 'c', which the model lacks"):
        HotWords(["a", "abc"], ALPHABET, 1.0)
    with pytest.raises(RecognizerError, match="language model weight: nan, expected a number"):
        CharacterModel(Bigrams(["a"]), ALPHABET, math.nan, TextSettings())
    with pytest.raises(RecognizerError, match="penalty -1.0"):
        Lexicon(["a"], ALPHABET, -1.0)
    with pytest.raises(RecognizerError, match="alphabet of tokens"):
        Lexicon(["a"], Alphabet(("a", "b"), TextSettings(unit="token")))
    with pytest.raises(RecognizerError, match="none of 1 words"):
        WordModel(Bigrams(["q"]), ["q"], ALPHABET, 1.0, TextSettings())


def open_vocabulary(folder: Path) -> WordModel:
    """Return a model of two words that spells others."""
    (folder / "text.txt").write_text("ab ba\nba ab\nab ab\nba ba ab\n" * 3)
    build([folder / "text.txt"], BuildSettings(2, "word"), folder / "w.lm", lambda line: None)
    model = open_ngram(folder / "w.lm")
    assert model.spelling is not None
    return WordModel(model, model.words, ALPHABET, 1.0, model.about.text, spelling=model.spelling)


def test_samples_alone_and_in_a_batch_are_read_alike_with_an_open_vocabulary(tmp_path: Path) -> None:
    scorer = open_vocabulary(tmp_path)
    log_probs, counts = noisy("ab bbaa ba", 12), torch.full((12,), 20)
    settings = replace(EXACT, width=20)
    together = search_candidates(log_probs, counts, settings, scorer)
    for i, row in enumerate(together):
        (alone,) = search_candidates(log_probs[i : i + 1], counts[i : i + 1], settings, scorer)
        assert alone[0].labels == row[0].labels and alone[0].score == pytest.approx(row[0].score, abs=1e-6)


def test_a_clause_does_not_hide_in_one_unknown_word(tmp_path: Path) -> None:
    """The network rather hears no space at all between known words: the language model parts them."""
    text = "ab ba ab ba"
    log_probs = torch.full((1, 2 * len(text), 6), 0.01)
    for i, symbol in enumerate(text):
        log_probs[:, 2 * i, ALPHABET.symbols.index(symbol) + 1] = 0.95 if symbol != " " else 0.3
        log_probs[:, 2 * i, 0] = 0.01 if symbol != " " else 0.65
        log_probs[:, 2 * i + 1, 0] = 0.95
    log_probs, counts = log_probs.log(), torch.tensor([2 * len(text)])
    plain = beam_search(log_probs, counts, ALPHABET, EXACT)[0][0]
    with_words = beam_search(log_probs, counts, ALPHABET, EXACT, open_vocabulary(tmp_path))[0][0]
    assert plain.text == "abbaabba" and with_words.text == text
