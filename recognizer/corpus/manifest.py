"""Reading a table or a folder of transcribed files as samples."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError
from recognizer.inputs.folders import list_folder
from recognizer.inputs.registry import suffixes
from recognizer.pages.page import is_there

MANIFESTS = ("manifest.tsv", "manifest.csv", "manifest.jsonl", "transcripts.tsv")
GROUPS = ("group", "writer", "speaker", "page", "letter", "document")  # the first that is there is the group
SPLITS = ("train", "valid", "test")
TRUTH = ".gt.txt"

Rows = Iterable[tuple[int, dict[str, str]]]  # line number from 1, then column -> field


def read_corpus(source: Path) -> list[Sample]:
    """Read a manifest file, a folder that holds one, or a folder of `x.png` + `x.gt.txt`.

    Raises:
        RecognizerError: one line that names the file, the line and what was wanted.
    """
    if source.is_file():
        return read_table(source)
    if not source.is_dir():
        raise RecognizerError(f"{source}: not there, wanted a manifest (.tsv, .csv, .jsonl) or a folder")
    manifests = manifests_in(source)
    if len(manifests) > 1:
        names = " and ".join(path.name for path in manifests)
        raise RecognizerError(f"{source}: holds {names}, wanted one manifest; name the one that counts")
    return read_table(manifests[0]) if manifests else _read_pairs(source)


def manifests_in(folder: Path) -> list[Path]:
    """Return the manifests that a folder holds."""
    return [folder / name for name in MANIFESTS if (folder / name).is_file()]


def files_below(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted, without hidden ones.

    Raises:
        RecognizerError: a folder that cannot be read, or a link that leads nowhere.
    """
    found = list_folder(folder)
    if found.faults:
        raise RecognizerError(found.faults[0])
    return found.files


def split_of(folder: Path, path: Path) -> str:
    """Return the split that a file below `folder` belongs to, the first folder on its way, or ""."""
    inner = path.relative_to(folder).parts
    return inner[0] if len(inner) > 1 and inner[0] in SPLITS else ""


def read_table(path: Path, media: str = "", columns: Sequence[str] | None = None) -> list[Sample]:
    """Read the rows of a manifest.

    Args:
        path: a .tsv (no quoting), .csv (quoting) or .jsonl file in UTF-8.
        media: the folder, beside the manifest, that its file names start from.
        columns: the names of the columns where a table has no header.

    Raises:
        RecognizerError: a fault of the table, a file that is not there, a file that stands twice.
    """
    samples = [_sample(path, media, line, row) for line, row in _rows(path, columns)]
    if not samples:
        raise RecognizerError(f"{path}: holds no row, wanted at least one file with its text")
    _refuse_twice(path, samples)
    _refuse_absent(path, samples)
    return samples


def read_text(path: Path) -> str:
    """Return a UTF-8 file as text, without its byte order mark.

    Raises:
        RecognizerError: the file cannot be opened, or a line is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror}), wanted a text file") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecognizerError(f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8, wanted UTF-8") from error


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and line of a UTF-8 file; empty lines at its end do not count."""
    yield from enumerate(_lines(read_text(path)), 1)


def named(paths: Iterable[Path], limit: int = 1) -> str:
    """Return the first `limit` of `paths` by name and how many others there are."""
    ordered = sorted(paths)
    rest = len(ordered) - limit
    return ", ".join(str(path) for path in ordered[:limit]) + (f" and {rest} more" if rest > 0 else "")


def _lines(text: str) -> list[str]:
    """Split at line feeds only: other separators of Unicode may stand inside a transcript."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _rows(path: Path, columns: Sequence[str] | None) -> Rows:
    suffix = path.suffix.lower()
    if suffix not in (".tsv", ".csv", ".jsonl"):
        raise RecognizerError(f"{path}: not a manifest, wanted the suffix .tsv, .csv or .jsonl")
    text = read_text(path)
    if suffix == ".jsonl":
        return _jsonl(path, text)
    return _with_header(path, _tsv_fields(text) if suffix == ".tsv" else _csv_fields(path, text), columns)


def _tsv_fields(text: str) -> Iterator[tuple[int, list[str]]]:
    yield from ((i, line.split("\t")) for i, line in enumerate(_lines(text), 1))


def _csv_fields(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RecognizerError(f"{path}:{line}: {error}, wanted fields as CSV quotes them") from error


def _with_header(path: Path, lines: Iterator[tuple[int, list[str]]], columns: Sequence[str] | None) -> Rows:
    """Yield the rows under the header, each with all of its columns."""
    header = [name.strip() for name in (next(lines, (1, [""]))[1] if columns is None else columns)]
    _check_columns(path, header)
    for line, fields in lines:
        if len(fields) != len(header):
            raise RecognizerError(f"{path}:{line}: {len(fields)} fields, wanted {len(header)}: {', '.join(header)}")
        yield line, dict(zip(header, fields, strict=True))


def _check_columns(path: Path, header: list[str]) -> None:
    missing = [name for name in ("file", "text") if name not in header]
    if missing:
        found = ", ".join(repr(name) for name in header)
        raise RecognizerError(
            f"{path}:1: no column {' or '.join(missing)}; found {found}; wanted file, text and maybe split, group"
        )
    if len(set(header)) != len(header):
        raise RecognizerError(f"{path}:1: a column stands twice among {', '.join(header)}, wanted each once")


def _jsonl(path: Path, text: str) -> Rows:
    for line, part in enumerate(_lines(text), 1):
        try:
            row = json.loads(part)
        except (ValueError, RecursionError) as error:
            raise RecognizerError(f"{path}:{line}: not JSON ({error}), wanted one object a line") from error
        if not isinstance(row, dict):
            raise RecognizerError(f"{path}:{line}: JSON of type {type(row).__name__}, wanted an object")
        yield line, _json_fields(path, line, row)


def _json_fields(path: Path, line: int, row: dict[str, object]) -> dict[str, str]:
    """Return the fields that count as text; a number may name a split or a group."""
    for name in ("file", "text"):
        if not isinstance(row.get(name), str):
            found = ", ".join(repr(key) for key in row)
            raise RecognizerError(f"{path}:{line}: no string {name!r}; found {found}; wanted file and text")
    fields = {name: row[name] for name in ("file", "text", "split", *GROUPS) if row.get(name) is not None}
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise RecognizerError(f"{path}:{line}: {name} is {value!r}, wanted a string")
    return {name: str(value) for name, value in fields.items()}


def _sample(path: Path, media: str, line: int, row: dict[str, str]) -> Sample:
    if not row["file"].strip():
        raise RecognizerError(f"{path}:{line}: the file name is empty, wanted a path")
    group = next((row[name] for name in GROUPS if name in row), "")
    split = row.get("split", "").strip()
    return Sample(path.parent / media / row["file"], row["text"], split, group.strip(), f"{path.name}:{line}")


def _refuse_twice(path: Path, samples: list[Sample]) -> None:
    first: dict[str, Sample] = {}
    for sample in samples:
        other = first.setdefault(os.path.abspath(sample.path), sample)
        if other is not sample:
            line = sample.origin.rpartition(":")[2]
            raise RecognizerError(
                f"{path}:{line}: {sample.path.name} stands at {other.origin} too, wanted each file once"
            )


def _refuse_absent(path: Path, samples: list[Sample]) -> None:
    absent = [sample for sample in samples if not is_there(sample.path)]
    if absent:
        line = absent[0].origin.rpartition(":")[2]
        raise RecognizerError(
            f"{path}:{line}: {absent[0].path} is not there ({len(absent)} of {len(samples)} files are not)"
        )


def _read_pairs(folder: Path) -> list[Sample]:
    """Read the files of a known suffix below `folder`, no hidden ones, with the transcripts beside them."""
    files = files_below(folder)
    truths = {path.with_name(path.name[: -len(TRUTH)]): path for path in files if path.name.endswith(TRUTH)}
    media: dict[Path, Path] = {}
    for path in files:
        if path.suffix.lower() in suffixes():
            other = media.setdefault(path.with_suffix(""), path)
            if other != path:
                raise RecognizerError(f"{path}: shares one transcript with {other.name}, wanted one file for each")
    _refuse_unpaired(folder, media, truths)
    return [_pair(folder, path, truths[stem]) for stem, path in media.items()]


def _refuse_unpaired(folder: Path, media: dict[Path, Path], truths: dict[Path, Path]) -> None:
    alone = [path for stem, path in media.items() if stem not in truths]
    if alone and truths:
        raise RecognizerError(f"{named(alone)}: no transcript beside it, wanted {min(alone).stem}{TRUTH}")
    orphans = [path for stem, path in truths.items() if stem not in media]
    if orphans:
        raise RecognizerError(f"{named(orphans)}: a transcript without its image or recording, wanted it beside")
    if not media or alone:
        raise RecognizerError(
            f"{folder}: no corpus, wanted {', '.join(MANIFESTS)}, pairs such as x.png and x{TRUTH}, or pages as PAGE "
            f"XML or ALTO"
        )


def _pair(folder: Path, path: Path, truth: Path) -> Sample:
    """Make a sample; a first folder called train, valid or test is the split."""
    lines = _lines(read_text(truth))
    if len(lines) > 1:
        raise RecognizerError(f"{truth}:2: {len(lines)} lines, wanted the one line of {path.name}")
    return Sample(path, "".join(lines), split_of(folder, path), "", f"{truth.relative_to(folder)}:1")
