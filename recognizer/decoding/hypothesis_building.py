"""Labels with their frames put together as a hypothesis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError


@dataclass(frozen=True)
class LabelSpans:
    """Labels of one sample with their places.

    Args:
        labels: classes, no blanks.
        starts: first frame of each label.
        ends: the frame after the last of each label.
        confidences: of each label, in [0, 1].
    """

    labels: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    confidences: Sequence[float]


def build_hypothesis(placed: LabelSpans, alphabet: Alphabet, score: float, silence: float) -> Hypothesis:
    """Return the hypothesis that `placed` spells, spaces as `Alphabet.spelled` leaves them.

    A word's confidence is the product of its characters' (the chance that all are right if they err independently);
    the whole's is the geometric mean of its characters' (a rate per character, so that long and short lines compare).

    Args:
        placed: the labels.
        alphabet: what they stand for.
        score: what the decoder ranks by.
        silence: confidence of the whole where no label was read.
    """
    placed = _spelled(placed, alphabet)
    order, symbols = alphabet.spoken([alphabet.symbols[label - 1] for label in placed.labels])
    columns = (placed.starts, placed.ends, placed.confidences)
    characters = tuple(map(Span, symbols, *([column[i] for i in order] for column in columns)))
    confidence = math.prod(placed.confidences) ** (1 / len(symbols)) if symbols else silence
    if confidence == 0 and symbols:  # the product of many small numbers underflows
        confidence = math.exp(sum(math.log(max(c, 1e-45)) for c in placed.confidences) / len(symbols))
    words = characters if alphabet.text.unit == "token" else _words(characters)
    return Hypothesis(alphabet.join(symbols), confidence, characters, words, score)


def _spelled(placed: LabelSpans, alphabet: Alphabet) -> LabelSpans:
    """Return `placed` without the spaces that no text has."""
    kept = alphabet.spelled(placed.labels)
    if len(kept) == len(placed.labels):
        return placed
    columns = (placed.labels, placed.starts, placed.ends, placed.confidences)
    return LabelSpans(*([column[i] for i in kept] for column in columns))  # type: ignore[arg-type]


def check_batch(log_probs: Any, counts: Any, alphabet: Alphabet) -> None:
    """Refuse a batch, tensors or arrays (N, T, C) and (N,), that the decoders cannot read.

    Raises:
        RecognizerError: the classes are not the alphabet's, or a count is outside 0..T.
    """
    assert log_probs.ndim == 3 and counts.shape == log_probs.shape[:1], "expected (N, T, C) and (N,)"
    if log_probs.shape[2] != alphabet.classes:
        raise RecognizerError(
            f"decoding: log-probabilities of {log_probs.shape[2]} classes, expected {alphabet.classes} "
            f"(the alphabet's {len(alphabet.symbols)} symbols and the blank)"
        )
    if bool(((counts < 0) | (counts > log_probs.shape[1])).any()):
        raise RecognizerError(f"decoding: counts {counts.tolist()}, expected 0 to {log_probs.shape[1]} frames")


def refuse_nan(bad: Any) -> None:
    """Name the first sample and frame of `bad` (N, T), a mask of valid frames that hold no probability.

    Raises:
        RecognizerError: there is one.
    """
    if bool(bad.any()):
        sample, frame = np.argwhere(np.asarray(bad))[0].tolist()
        raise RecognizerError(f"decoding: sample {sample}, frame {frame}: not a number, expected log-probabilities")


def _words(characters: tuple[Span, ...]) -> tuple[Span, ...]:
    words = []
    begin = None
    for i, span in enumerate(characters):
        if span.text.isspace():
            if begin is not None:
                words.append(_word(characters[begin:i]))
            begin = None
        elif begin is None:
            begin = i
    if begin is not None:
        words.append(_word(characters[begin:]))
    return tuple(words)


def _word(characters: tuple[Span, ...]) -> Span:
    text = "".join([span.text for span in characters])
    confidence = math.prod([span.confidence for span in characters])
    return Span(text, min(span.start for span in characters), max(span.end for span in characters), confidence)
