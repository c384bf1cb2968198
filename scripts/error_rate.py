"""The error rate of texts as `recognizer evaluate` counts it, over the units of a model's alphabet."""

from collections.abc import Sequence

from recognizer.corpus.alphabet import Alphabet
from recognizer.evaluation.evaluate import unit_of
from recognizer.evaluation.metrics import total
from recognizer.evaluation.report import RATES, score


def rate_name(alphabet: Alphabet) -> str:
    """Return CER, TER or PER, as what the alphabet is of."""
    return RATES[unit_of(alphabet.text)]


def error_rate(references: Sequence[str], readings: Sequence[str], alphabet: Alphabet) -> float:
    """Return edits over symbols of raw references and what was read, from sums over all of them.

    Args:
        references: transcripts.
        readings: as many texts.
        alphabet: of what the decoder writes.
    """
    pairs = zip(map(alphabet.text.normalize, references), readings, strict=True)
    return total(score("", "", said, read, 0.0, alphabet).characters for said, read in pairs).rate
