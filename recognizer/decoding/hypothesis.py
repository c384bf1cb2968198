"""What a decoder says about one sample."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Span:
    """A character or a word with its place.

    Args:
        text: the character (symbol) or the word.
        start: where it begins: an output frame from a decoder, pixels or seconds after `Reader`.
        end: where it ends, exclusive, in the same unit.
        confidence: in [0, 1]; what it means stands at `Hypothesis`.
    """

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Hypothesis:
    """One reading of one sample.

    Args:
        text: what was read.
        confidence: of the whole, in [0, 1]. As a decoder gives it, it is what the network believed: of a character its
            highest posterior, of a word the product of its characters', of the whole their geometric mean; too sure
            as a rule. After `recognizer calibrate` it is an estimated chance: that the character is right, that the
            word is, that the whole text is.
        characters: a span per symbol of `text`, in order.
        words: a span per white-space separated word of `text`, in order.
        score: natural logarithm of what the decoder ranked by (path or label probability, plus fused scores).
    """

    text: str
    confidence: float
    characters: tuple[Span, ...] = field(default=(), repr=False)
    words: tuple[Span, ...] = field(default=(), repr=False)
    score: float = 0.0


def move_spans(hypothesis: Hypothesis, place: Callable[[float], float]) -> Hypothesis:
    """Return the hypothesis with both ends of every span where `place` puts them, the smaller first."""

    def moved(spans: tuple[Span, ...]) -> tuple[Span, ...]:
        ends = [sorted((place(span.start), place(span.end))) for span in spans]
        return tuple(replace(span, start=a, end=b) for span, (a, b) in zip(spans, ends, strict=True))

    return replace(hypothesis, characters=moved(hypothesis.characters), words=moved(hypothesis.words))
