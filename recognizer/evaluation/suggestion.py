"""Which pages or lines to transcribe next: those that a model reads badly and that look like nothing it has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.decoding.hypothesis import Hypothesis
from recognizer.inputs.lines.style import style_of
from recognizer.inputs.signal import Signal


@dataclass(frozen=True)
class Candidate:
    """A page, or a line, that could be transcribed.

    Args:
        name: of the file, or FILE#ID of a line.
        lines: how many lines it has.
        characters: how many were read.
        wrong: how many of these are expected to be wrong, by the confidences.
        style: mean of its lines' `style_of`.
    """

    name: str
    lines: int
    characters: int
    wrong: float
    style: np.ndarray

    @property
    def expected_cer(self) -> float:
        """The share of its characters that is expected to be wrong; 1 where nothing was read."""
        return self.wrong / self.characters if self.characters else 1.0


@dataclass(frozen=True)
class Suggestion:
    """A candidate in its place.

    Args:
        candidate: what to transcribe.
        novelty: how unlike it looks to all that was suggested before and to what was learned, from 0 to 1.
        usefulness: what the candidates are ordered by: expected wrong characters a line, times novelty.
    """

    candidate: Candidate
    novelty: float
    usefulness: float


def candidate_of(name: str, signals: Sequence[Signal], hypotheses: Sequence[Hypothesis]) -> Candidate:
    """Return what is expected of a page by the readings of its lines."""
    spans = [span for hypothesis in hypotheses for span in hypothesis.characters]
    # A line in which nothing was read may hold anything: it counts as one wrong character, not as none.
    empty = sum(not hypothesis.characters for hypothesis in hypotheses)
    wrong = sum(1.0 - span.confidence for span in spans) + empty
    style = np.mean([style_of(signal.values) for signal in signals], axis=0)
    return Candidate(name, len(signals), len(spans) + empty, wrong, style)


def suggest(candidates: Sequence[Candidate], seen: Sequence[np.ndarray], number: int) -> list[Suggestion]:
    """Return the most useful candidates, each chosen with those before it in mind.

    Args:
        candidates: pages or lines, at least one.
        seen: styles of what was learned from, none where that is unknown.
        number: how many to choose at most.
    """
    styles = np.stack([candidate.style for candidate in candidates])
    usual = _usual_distance(styles)
    nearest = np.full(len(candidates), np.inf)
    for style in seen:
        nearest = np.minimum(nearest, np.linalg.norm(styles - style, axis=1))
    badly = np.array([candidate.wrong / candidate.lines for candidate in candidates])
    left, chosen = list(range(len(candidates))), list[Suggestion]()
    while left and len(chosen) < number:
        novelty = np.array([1.0 if np.isinf(nearest[i]) else nearest[i] / (nearest[i] + usual) for i in left])
        useful = badly[left] * novelty
        best = int(useful.argmax())
        index = left.pop(best)
        chosen.append(Suggestion(candidates[index], float(novelty[best]), float(useful[best])))
        nearest = np.minimum(nearest, np.linalg.norm(styles - styles[index], axis=1))
    return chosen


def _usual_distance(styles: np.ndarray) -> float:
    """Return the median distance of two styles, a small number where there is one or all are alike."""
    distances = [np.linalg.norm(styles[i + 1 :] - style, axis=1) for i, style in enumerate(styles[:-1])]
    return max(float(np.median(np.concatenate(distances))), 1e-6) if distances else 1e-6


def suggestion_lines(suggestions: Sequence[Suggestion]) -> list[str]:
    """Return a table: what to transcribe first, with what is expected of it."""
    rows = [f"{'':>4}  {'expected CER':>12}  {'lines':>5}  {'novelty':>7}  file"]
    for place, one in enumerate(suggestions, 1):
        of = one.candidate
        rows.append(f"{place:>4}  {of.expected_cer:>12.1%}  {of.lines:>5}  {one.novelty:>7.2f}  {of.name}")
    return rows
