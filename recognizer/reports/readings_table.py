"""Every sample of an evaluation as a row of a table: reference, reading, confidence, edits."""

from pathlib import Path

from recognizer.common.atomic_write import write_atomically
from recognizer.evaluation.names import ESCAPES
from recognizer.evaluation.report import Report, Scored

COLUMNS = (
    "file", "group", "reference", "reading", "confidence", "edits", "substituted", "deleted", "inserted", "symbols",
    "word_edits", "words",
)  # fmt: skip


def write_readings(path: Path, report: Report) -> None:
    """Write tab-separated values of all samples in the report's order, under a header.

    Names are as the files have them, but for escapes of what a row cannot hold (see `recognizer.evaluation.names`).

    Raises:
        RecognizerError: the file cannot be written.
    """
    rows = ["\t".join(COLUMNS), *("\t".join(_fields(one)) for one in report.scored)]
    write_atomically(path, ("\n".join(rows) + "\n").encode(errors="backslashreplace"))


def _fields(one: Scored) -> list[str]:
    c, w = one.characters, one.words
    numbers = (c.total, c.substitutions, c.deletions, c.insertions, c.units, w.total, w.units)
    names = (part.translate(ESCAPES) for part in (one.name, one.group))
    texts = (" ".join(part.split()) for part in (one.reference, one.text))
    return [*names, *texts, f"{one.confidence:.4f}", *map(str, numbers)]
