"""Readings in units of sound turned into readings in words."""

import math
from collections.abc import Sequence

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.decoding.pronunciation_model import PronunciationModel


def in_words(said: Hypothesis, labels: Sequence[int], model: PronunciationModel) -> Hypothesis:
    """Return the words that a hypothesis in units, one span for each of `labels`, is written as.

    A word is as sure as all its units together. Its letters, which nothing has placed, share its time and its
    confidence equally.
    """
    assert len(said.characters) == len(labels), "expected a span for every label"
    words = []
    for one in model.written(labels):
        spans = said.characters[one.start : one.end]
        words.append(Span(one.word, spans[0].start, spans[-1].end, math.prod([span.confidence for span in spans])))
    characters: list[Span] = []
    for word in words:
        if characters:
            characters.append(Span(" ", characters[-1].end, word.start, 1.0))
        characters += _letters(word)
    text = " ".join(word.text for word in words)
    return Hypothesis(text, said.confidence, tuple(characters), tuple(words), said.score)


def _letters(word: Span) -> list[Span]:
    size = len(word.text)
    width, sure = (word.end - word.start) / size, word.confidence ** (1 / size)
    return [Span(c, word.start + i * width, word.start + (i + 1) * width, sure) for i, c in enumerate(word.text)]
