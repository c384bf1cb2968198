"""The recipe of the lines of the IAM Handwriting Database, in its official layout."""

from collections import Counter
from pathlib import Path

from recognizer.corpus.manifest import read_lines
from recognizer.corpus.recipes import Corpus, unrecognised, whole
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

KIND = "handwriting"
LICENCE = "non-commercial research, after registration"
HOME = "https://fki.tic.heia-fr.ch/databases/iam-handwriting-database"
# The lists of the task "Large Writer Independent Text Line Recognition".
LISTS = {"trainset.txt": "train", "validationset1.txt": "valid", "validationset2.txt": "valid", "testset.txt": "test"}
PLACES = ("", "splits", "task", "ascii", "largeWriterIndependentTextLineRecognitionTask")
FIELDS = 9  # id, segmentation, grey level, components, x, y, width, height, words


def samples(source: Path) -> Corpus:
    """Read lines.txt, the images lines/a01/a01-000u/a01-000u-00.png and the four lists of the split."""
    table = next((path for path in (source / "ascii" / "lines.txt", source / "lines.txt") if path.is_file()), None)
    if table is None or not (source / "lines").is_dir():
        raise unrecognised(source, "ascii/lines.txt and lines/a01/a01-000u/a01-000u-00.png")
    splits, writers = _splits(source), _writers(table.with_name("forms.txt"))
    rows = _rows(table)
    left_out = Counter("line in none of the four lists" for key in rows if key not in splits)
    left_out.update("line of a list that lines.txt does not have" for key in splits if key not in rows)
    noted = Counter(f"kept though its words were segmented as {rows[key][0]!r}" for key in splits if key in rows)
    noted.pop("kept though its words were segmented as 'ok'", None)
    return Corpus(whole(_samples(source, rows, splits, writers)), left_out, noted)


def _rows(table: Path) -> dict[str, tuple[str, str, str]]:
    """Return line id -> (segmentation, text, origin)."""
    rows: dict[str, tuple[str, str, str]] = {}
    for line, content in read_lines(table):
        if content.startswith("#"):
            continue
        fields = content.split(" ", FIELDS - 1)
        if len(fields) != FIELDS or fields[0].count("-") != 2 or fields[0] in rows:
            raise RecognizerError(
                f"{table}:{line}: {content[:40]!r}, expected once: a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE"
            )
        rows[fields[0]] = (fields[1], fields[8].replace("|", " "), f"{table.name}:{line}")
    return rows


def _splits(source: Path) -> dict[str, str]:
    """Return line id -> split."""
    folder = next((source / place for place in PLACES if (source / place / "trainset.txt").is_file()), None)
    absent = [name for name in LISTS if folder is None or not (folder / name).is_file()]
    if folder is None or absent:
        raise RecognizerError(
            f"{folder or source}: no {absent[0]}; expected {', '.join(LISTS)} (the task Large Writer Independent "
            f"Text Line Recognition, one line id a line) there or in splits/"
        )
    splits: dict[str, str] = {}
    for name, split in LISTS.items():
        for line, content in read_lines(folder / name):
            key = content.strip()
            if key and key in splits:
                raise RecognizerError(f"{folder / name}:{line}: {key} stands twice in the lists, expected once")
            if key:
                splits[key] = split
    return splits


def _writers(forms: Path) -> dict[str, str]:
    """Return form id -> writer id; empty where forms.txt is not there."""
    if not forms.is_file():
        return {}
    rows = [content.split() for _, content in read_lines(forms) if content and not content.startswith("#")]
    return {row[0]: row[1] for row in rows if len(row) > 1}


def _samples(
    source: Path, rows: dict[str, tuple[str, str, str]], splits: dict[str, str], writers: dict[str, str]
) -> list[Sample]:
    found = []
    for key in sorted(rows.keys() & splits.keys()):
        _, text, origin = rows[key]
        form = key.rpartition("-")[0]
        path = source / "lines" / form.partition("-")[0] / form / f"{key}.png"
        found.append(Sample(path, text, splits[key], writers.get(form, form), origin))
    return found
