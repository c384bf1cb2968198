"""Perplexity of a text under a language model of any kind."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from recognizer.language.ngram import NGram
from recognizer.language.trie import Ints

LINES = 4096  # sentences that go in step


@dataclass(frozen=True)
class Perplexity:
    """Sums over a text; every rate comes from them.

    Args:
        lines: sentences.
        tokens: words or characters that the model knows, with one </s> a sentence.
        unknown: words or characters that it does not know (scored as <unk>).
        characters: characters of the text, with one for each line's end.
        log_prob: natural log-probability of the known tokens.
        unknown_log_prob: natural log-probability of the unknown ones.
    """

    lines: int = 0
    tokens: int = 0
    unknown: int = 0
    characters: int = 0
    log_prob: float = 0.0
    unknown_log_prob: float = 0.0

    @property
    def perplexity(self) -> float:
        """Per token, unknown ones included."""
        return math.exp(-(self.log_prob + self.unknown_log_prob) / (self.tokens + self.unknown))

    @property
    def known_perplexity(self) -> float:
        """Per known token."""
        return math.exp(-self.log_prob / self.tokens)

    @property
    def bits_per_character(self) -> float:
        """Unknown ones included; comparable between models of characters, not where <unk> hides a whole word."""
        return -(self.log_prob + self.unknown_log_prob) / math.log(2) / self.characters


def perplexity(model: NGram, lines: Iterable[str]) -> Perplexity:
    """Score raw `lines`, normalised as the model's own text was; blank ones count for nothing."""
    texts = (text for line in lines if (text := model.about.text.normalize(line)))
    result = Perplexity()
    while block := list(islice(texts, LINES)):
        result = _plus(result, _scored(model, block))
    return result


def _scored(model: NGram, texts: list[str]) -> Perplexity:
    rows = sorted((np.append(model.ids(model.tokens(text)), model.end) for text in texts), key=len, reverse=True)
    states = np.full(len(rows), model.start, np.int64)
    known = unknown = 0
    log_prob = unknown_log_prob = 0.0
    for words in _columns(rows):
        log_probs, states = model.scores(states[: len(words)], words)
        strange = words == model.unknown
        unknown += int(strange.sum())
        known += int((~strange).sum())
        log_prob += float(log_probs[~strange].sum(dtype=np.float64))
        unknown_log_prob += float(log_probs[strange].sum(dtype=np.float64))
    return Perplexity(len(texts), known, unknown, sum(map(len, texts)) + len(texts), log_prob, unknown_log_prob)


def _columns(
    rows: list[Ints],
) -> Iterator[Ints]:
    """Yield the first words of all rows, then the second; `rows` fall in length."""
    padded = np.zeros((len(rows), len(rows[0])), np.int64)
    for row, numbers in zip(padded, rows, strict=True):
        row[: len(numbers)] = numbers
    lengths = -np.array([len(row) for row in rows])
    for step in range(len(rows[0])):
        yield padded[: np.searchsorted(lengths, -step), step]


def _plus(a: Perplexity, b: Perplexity) -> Perplexity:
    return Perplexity(
        a.lines + b.lines,
        a.tokens + b.tokens,
        a.unknown + b.unknown,
        a.characters + b.characters,
        a.log_prob + b.log_prob,
        a.unknown_log_prob + b.unknown_log_prob,
    )
