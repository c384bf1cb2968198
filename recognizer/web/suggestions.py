"""What to correct next: the files, and of each the lines, in which most is likely to be wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from recognizer.web.drafts import Draft, DraftLine
from recognizer.web.project import ProjectFile


@dataclass(frozen=True)
class Suggestion:
    """A line that is worth a look.

    Args:
        file: id of its file.
        line: its id.
        text: what was read.
        expected: words of it that are likely to be wrong: the sum of one less their confidences.
    """

    file: str
    line: str
    text: str
    expected: float


def expected_errors(line: DraftLine) -> float:
    """Return how many words of a line are likely to be read wrongly, by its calibrated confidences."""
    return sum(1.0 - word.confidence for word in line.reading.words) if line.reading else 0.0


def suggest(drafts: Sequence[tuple[ProjectFile, Draft]], most: int = 50) -> list[Suggestion]:
    """Return the lines that nobody has checked, those first in which most words are likely to be wrong."""
    found = [
        Suggestion(file.id, line.id, line.text, round(expected_errors(line), 3))
        for file, draft in drafts
        for line in draft.lines
        if line.state == "read"
    ]
    return sorted(found, key=lambda one: -one.expected)[:most]
