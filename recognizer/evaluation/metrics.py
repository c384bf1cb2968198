"""Edits between references and hypotheses, summed over a corpus."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import editdistance

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.phones import fold

NO_REFERENCE = "no reference"  # stands for a rate over references that are all empty


@dataclass(frozen=True)
class Edits:
    """Edits that turn references into hypotheses, with the size of the references.

    Args:
        substitutions: units read as another.
        deletions: units of the reference that were not read.
        insertions: units read that the reference lacks.
        units: units (characters, words, phones) of the references.
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    units: int = 0

    @property
    def total(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Edits per unit of reference; insertions into an empty reference make it infinite, nothing at all 0."""
        return rate_of(self.total, self.units)

    def __add__(self, other: "Edits") -> "Edits":
        """Return the sums."""
        return Edits(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.units + other.units,
        )


def rate_of(errors: int, units: int) -> float:
    """Return errors per unit of reference: infinite where there are errors and nothing to read, 0 where neither is."""
    return errors / units if units else math.inf if errors else 0.0


def known(rate: float) -> float | None:
    """Return a rate as data hold it: None where there is no reference that it would be of."""
    return rate if math.isfinite(rate) else None


def percent(rate: float, form: str = ".2%") -> str:
    """Return a rate as people read it, "no reference" where there is none that it would be of."""
    return format(rate, form) if math.isfinite(rate) else NO_REFERENCE


def scored_text(text: str, settings: TextSettings) -> str:
    """Return a normalised text as it is compared with another: phones folded where the settings say so.

    Raises:
        RecognizerError: a phone that the fold does not know.
    """
    return " ".join(fold(text.split(), 39)) if settings.scoring == "timit-39" else text


def distance(reference: list[str] | str, hypothesis: list[str] | str) -> int:
    """Return the fewest substitutions, deletions and insertions between two sequences."""
    return int(editdistance.eval(reference, hypothesis))


def edits(reference: list[str] | str, hypothesis: list[str] | str) -> Edits:
    """Return the edits of one pair, sorted into kinds by one of the shortest alignments."""
    return edits_of(confusions(reference, hypothesis), len(reference))


def edits_of(pairs: Sequence[tuple[str, str]], units: int) -> Edits:
    """Return the edits that the `confusions` of a pair are, whose reference has so many units."""
    deletions, insertions = sum(not read for _, read in pairs), sum(not said for said, _ in pairs)
    return Edits(len(pairs) - deletions - insertions, deletions, insertions, units)


def total(parts: Iterable[Edits]) -> Edits:
    """Return the sum of `parts`."""
    whole = Edits()
    for part in parts:
        whole = whole + part
    return whole


def confusions(reference: str | list[str], hypothesis: str | list[str]) -> list[tuple[str, str]]:
    """Return the (reference, hypothesis) units that differ; "" stands for a missing one."""
    from rapidfuzz.distance import Levenshtein

    pairs = []
    for op in Levenshtein.editops(reference, hypothesis):
        said = reference[op.src_pos] if op.tag != "insert" else ""
        read = hypothesis[op.dest_pos] if op.tag != "delete" else ""
        pairs.append((said, read))
    return pairs


def runs(reference: str, hypothesis: str) -> list[tuple[str, str]]:
    """Return (reference, hypothesis) pieces that spell both texts in turn; a piece is equal in both or differs."""
    from rapidfuzz.distance import Levenshtein

    return [
        (reference[op.src_start : op.src_end], hypothesis[op.dest_start : op.dest_end])
        for op in Levenshtein.opcodes(reference, hypothesis)
    ]


def matched(reference: list[str], hypothesis: list[str]) -> list[bool]:
    """Return for each unit of the hypothesis whether one of the shortest alignments has its like opposite it."""
    from rapidfuzz.distance import Levenshtein

    right = [False] * len(hypothesis)
    for op in Levenshtein.opcodes(reference, hypothesis):
        if op.tag == "equal":
            right[op.dest_start : op.dest_end] = [True] * (op.dest_end - op.dest_start)
    return right
