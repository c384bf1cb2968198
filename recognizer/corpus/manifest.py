"""Reading a table or a folder of transcribed files as samples."""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from unicodedata import normalize

from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError
from recognizer.inputs.folders import list_folder
from recognizer.inputs.registry import suffixes
from recognizer.pages.page import is_there

MANIFESTS = ("manifest.tsv", "manifest.csv", "manifest.jsonl", "transcripts.tsv")
GROUPS = ("group", "writer", "speaker", "page", "letter", "document")  # the first that is there is the group
PLACES = ("start", "end", "offset", "duration", "channel")  # of a stretch of a recording, in seconds
COLUMNS = ("file", "text", "split", *GROUPS, *PLACES)  # others are refused, but for those that begin with "_"
ANNOTATIONS = {  # of recordings, told by their suffix
    ".eaf": "an annotation of ELAN",
    ".textgrid": "a TextGrid of Praat",
    ".srt": "subtitles",
    ".vtt": "subtitles",
}
SPLITS = ("train", "valid", "test")
TRUTH = ".gt.txt"
NO_FILE = "no such file"
NUMBER = re.compile(r"\d{1,9}(?:\.\d{0,20})?(?:e-\d{1,2}|e\d)?")  # JSON of a sum of floats has seventeen digits
LONGEST_HEADER = 1 << 16  # bytes; the csv module takes fields of twice that

Rows = Iterable[tuple[int, dict[str, str]]]  # line number from 1, then column -> field


def read_corpus(source: Path) -> list[Sample]:
    """Read a manifest file, a folder that holds one, or a folder of `x.png` + `x.gt.txt`.

    Raises:
        RecognizerError: one line that names the file, the line and what was wanted.
    """
    if source.is_file():
        return read_table(source, strict=True)
    if not source.is_dir():
        raise RecognizerError(f"{source}: not there, expected a manifest (.tsv, .csv, .jsonl) or a folder")
    manifests = manifests_in(source)
    if len(manifests) > 1:
        names = " and ".join(path.name for path in manifests)
        raise RecognizerError(f"{source}: holds {names}, expected one manifest; name the one that counts")
    return read_table(manifests[0], strict=True) if manifests else _read_pairs(source)


def manifests_in(folder: Path) -> list[Path]:
    """Return the manifests that a folder holds."""
    return [folder / name for name in MANIFESTS if (folder / name).is_file()]


def split_of(folder: Path, path: Path) -> str:
    """Return the split that a file below `folder` belongs to, the first folder on its way, or ""."""
    inner = path.relative_to(folder).parts
    return inner[0] if len(inner) > 1 and inner[0] in SPLITS else ""


def read_table(path: Path, media: str = "", columns: Sequence[str] | None = None, strict: bool = False) -> list[Sample]:
    """Read the rows of a manifest.

    Args:
        path: a .tsv (no quoting), .csv (quoting) or .jsonl file in UTF-8.
        media: the folder, beside the manifest, that its file names start from.
        columns: the names of the columns where a table has no header.
        strict: refuse columns that mean nothing here, and let a file that is not there be a sample that says so;
            else a table of a known corpus, of which every file is expected.

    Raises:
        RecognizerError: a fault of the table, no file that is there, a file that stands twice.
    """
    samples = [as_spelled(path.parent, _sample(path, media, line, row)) for line, row in _rows(path, columns, strict)]
    if not samples:
        raise RecognizerError(f"{path}: holds no row, expected at least one file with its text")
    refuse_twice(path.parent, samples)
    return _without_absent(path, samples, strict)


def read_bytes(path: Path, most: int = -1) -> bytes:
    """Return a file's bytes, or the first line alone, cut at `most` bytes.

    Raises:
        RecognizerError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return file.read() if most < 0 else file.readline(most)
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror}), expected a text file") from error


def read_text(path: Path) -> str:
    """Return a UTF-8 file as text, without its byte order mark.

    Raises:
        RecognizerError: the file cannot be opened, or a line is not UTF-8.
    """
    data = read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecognizerError(f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8, expected UTF-8") from error


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and line of a UTF-8 file; empty lines at its end do not count."""
    yield from enumerate(_lines(read_text(path)), 1)


def header_of(path: Path) -> list[str]:
    """Return the columns that the first line of a .tsv or .csv names, whatever the encoding of the rest.

    Raises:
        RecognizerError: the file cannot be opened.
    """
    line = read_bytes(path, LONGEST_HEADER).decode("utf-8-sig", errors="replace")
    mark = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        return _stripped(next(csv.reader(io.StringIO(line, newline=""), delimiter=mark), []))
    except csv.Error:
        return []


def read_rows(path: Path) -> Rows:
    """Yield the rows of a .tsv (no quoting, but a spreadsheet's) or .csv (quoting) below its header, with all columns.

    Raises:
        RecognizerError: a fault of the table, or a row of more or fewer fields than the header.
    """
    lines = _fields(path, read_text(path))
    header = _stripped(next(lines, (1, [""]))[1])
    _refuse_columns_twice(path, header)
    yield from _below(path, header, lines)


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and object of a file of one JSON object a line.

    Raises:
        RecognizerError: a line is no JSON, or no object.
    """
    for line, part in read_lines(path):
        try:
            row = json.loads(part)
        except (ValueError, RecursionError) as error:
            raise RecognizerError(f"{path}:{line}: not JSON ({error}), expected one object a line") from error
        if not isinstance(row, dict):
            raise RecognizerError(f"{path}:{line}: JSON of type {type(row).__name__}, expected an object")
        yield line, row


def refuse_no_string(where: str, row: dict[str, Any], names: Sequence[str]) -> None:
    """Refuse an object that lacks a string.

    Raises:
        RecognizerError: the name that lacks, or has another value, is told.
    """
    for name in names:
        if name in row and not isinstance(row[name], str):
            found = "null" if row[name] is None else f"of type {type(row[name]).__name__}"
            raise RecognizerError(f"{where}: {name} is {found}, expected a string")
        if name not in row:
            found = ", ".join(repr(key) for key in row)
            raise RecognizerError(f"{where}: no string {name!r}; found {found}; expected {' and '.join(names)}")


def refuse_nameless(where: str, name: str) -> None:
    """Refuse a row whose file name is empty, or that of a folder such as / that has no name itself.

    Raises:
        RecognizerError: it is.
    """
    if not name.strip() or not Path(name).name:
        raise RecognizerError(f"{where}: the file name is {repr(name) if name.strip() else 'empty'}, expected a path")


def plain_field(where: str, name: str, value: object) -> str:
    """Return a split or a group, a string or a number in JSON, as text.

    Raises:
        RecognizerError: it is neither.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, *((float,) if name in PLACES else ()))):
        raise RecognizerError(f"{where}: {name} is {value!r}, expected a string")
    return str(value)


def part_of(path: Path, start: float, end: float | None, channel: str = "") -> Path:
    """Return the name of a part of a recording, in seconds; without `end`, of all from `start` on."""
    behind = f",{channel}" if channel else ""
    return path.with_name(f"{path.name}[{start:.10g}-{'' if end is None else f'{end:.10g}'}{behind}]")


def as_spelled(folder: Path, sample: Sample) -> Sample:
    """Return a sample by the name of its file on disk, where that is composed of other code points, as macOS does it.

    Args:
        folder: of the table, whose own name is as it is.
        sample: of a row.
    """
    name = str(sample.path.relative_to(folder) if sample.path.is_relative_to(folder) else sample.path)
    spellings = [folder / spelled for form in ("NFC", "NFD") if (spelled := normalize(form, name)) != name]
    if not spellings or is_there(sample.path):
        return sample
    return next((replace(sample, path=one) for one in spellings if is_there(one)), sample)


def refuse_twice(folder: Path, samples: Iterable[Sample]) -> None:
    """Refuse samples of which two are of the same file.

    Args:
        folder: what the origins of the samples start from.
        samples: those that are at fault already aside.

    Raises:
        RecognizerError: the second one is named, and where the first stands.
    """
    first: dict[str, Sample] = {}
    for sample in samples:
        other = first.setdefault(os.path.abspath(sample.path), sample)
        if other is not sample:
            raise RecognizerError(
                f"{folder / sample.origin}: {sample.path.name} stands at {other.origin} too, expected each file once"
            )


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


def _rows(path: Path, columns: Sequence[str] | None, strict: bool) -> Rows:
    suffix = path.suffix.lower()
    if suffix in ANNOTATIONS:
        raise RecognizerError(
            f"{path}: {ANNOTATIONS[suffix]}, expected a table of it: a .tsv with a row for each stretch, its columns "
            "file, text, start, end (in seconds), and group for who speaks; docs/guides/speech.md says how to make one"
        )
    if suffix not in (".tsv", ".csv", ".jsonl"):
        raise RecognizerError(f"{path}: not a manifest, expected the suffix .tsv, .csv or .jsonl")
    return _jsonl(path, strict) if suffix == ".jsonl" else _with_header(path, columns, strict)


def _fields(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    return _tsv_fields(path, text) if path.suffix.lower() == ".tsv" else _csv_fields(path, text)


def _tsv_fields(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    lines = _lines(text)
    if any(_is_quoted(field) for line in lines for field in line.split("\t")):
        for line, fields in _csv_fields(path, text, "\t"):
            _refuse_open_quote(path, line, fields)
            yield line, fields
    else:
        yield from ((i, line.split("\t")) for i, line in enumerate(lines, 1))


def _refuse_open_quote(path: Path, line: int, fields: list[str]) -> None:
    """Refuse a field that goes on behind a tab or on the next line: what it swallows are other fields and rows."""
    for field in fields:
        if "\t" in field or "\n" in field:
            raise RecognizerError(
                f"{path}:{line}: a quotation mark is not closed where the field ends, {field[:20]!r}, expected one "
                "behind it: as another field is quoted the way spreadsheets do it, all are read so"
            )


def _is_quoted(field: str) -> bool:
    """Return whether a spreadsheet quoted a field: its inner quotes stand twice, and there are some."""
    inner = field[1:-1]
    return len(field) > 3 and field[0] == field[-1] == '"' and '""' in inner and '"' not in inner.replace('""', "")


def _csv_fields(path: Path, text: str, mark: str = ",") -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True, delimiter=mark)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RecognizerError(f"{path}:{line}: {error}, expected fields as CSV quotes them") from error


def _with_header(path: Path, columns: Sequence[str] | None, strict: bool) -> Rows:
    """Yield the rows under the header, each with all of its columns."""
    lines = _fields(path, read_text(path))
    header = _stripped(next(lines, (1, [""]))[1] if columns is None else columns)
    _check_columns(path, header)
    if strict:
        refuse_unknown(f"{path}:1", header)
    yield from _below(path, header, lines)


def _below(path: Path, header: list[str], lines: Iterator[tuple[int, list[str]]]) -> Rows:
    for line, fields in lines:
        if len(fields) != len(header):
            raise RecognizerError(f"{path}:{line}: {len(fields)} fields, expected {len(header)}: {', '.join(header)}")
        yield line, dict(zip(header, fields, strict=True))


def _stripped(names: Iterable[str]) -> list[str]:
    return [name.strip() for name in names]


def _check_columns(path: Path, header: list[str]) -> None:
    missing = [name for name in ("file", "text") if name not in header]
    if missing:
        found = ", ".join(repr(name) for name in header)
        raise RecognizerError(
            f"{path}:1: no column {' or '.join(missing)}; found {found}; expected file, text and maybe split, group"
        )
    _refuse_columns_twice(path, header)


def _refuse_columns_twice(path: Path, header: list[str]) -> None:
    if len(set(header)) != len(header):
        raise RecognizerError(f"{path}:1: a column stands twice among {', '.join(header)}, expected each once")


def refuse_unknown(where: str, names: Iterable[str]) -> None:
    """Refuse a column that means nothing here, lest a mistyped one is passed over.

    Raises:
        RecognizerError: it is named, with the one that it may be.
    """
    unknown = [name for name in names if name not in COLUMNS and not name.startswith("_")]
    if unknown:
        like = get_close_matches(unknown[0], COLUMNS, 1)
        meant = f" ({like[0]}?)" if like else ""
        raise RecognizerError(
            f"{where}: unknown column {', '.join(map(repr, unknown))}{meant}, expected {', '.join(COLUMNS)}; a column "
            "that begins with _ is passed over"
        )


def _jsonl(path: Path, strict: bool) -> Rows:
    for line, row in read_objects(path):
        where = f"{path}:{line}"
        if strict:
            refuse_unknown(where, row)
        refuse_no_string(where, row, ("file", "text"))
        fields = {name: row[name] for name in COLUMNS if row.get(name) is not None}
        yield line, {name: plain_field(where, name, value) for name, value in fields.items()}


def _sample(path: Path, media: str, line: int, row: dict[str, str]) -> Sample:
    where = f"{path}:{line}"
    refuse_nameless(where, row["file"])
    group = next((row[name] for name in GROUPS if name in row), "")
    split = row.get("split", "").strip()
    file = _part(where, path.parent / media / row["file"], row)
    return Sample(file, row["text"], split, group.strip(), f"{path.name}:{line}")


def _part(where: str, file: Path, row: dict[str, str]) -> Path:
    """Return the name of the part of a recording that a row speaks of, such as a.wav[1.5-3.25]; of all, its own.

    Raises:
        RecognizerError: a number that is none, or an end by two ways.
    """
    given: dict[str, float] = {}
    for name in PLACES:
        if text := row.get(name, "").strip():
            if not NUMBER.fullmatch(text):
                raise RecognizerError(f"{where}: {name} is {text!r}, expected a number, of seconds but for channel")
            given[name] = float(text)
    if not (channel := given.get("channel", 1.0)).is_integer() or channel < 1:
        raise RecognizerError(
            f"{where}: channel is {channel:g}, expected a whole number from 1 on, or none for the mean"
        )
    # A duration alone says how long the whole recording is.
    if set(given) <= {"duration"}:
        return file
    if {"start", "offset"} <= given.keys() or {"end", "duration"} <= given.keys():
        raise RecognizerError(f"{where}: {' and '.join(given)} say the same twice, expected start and end, or offset")
    start = given.get("start", given.get("offset", 0.0))
    end = given.get("end", start + given["duration"] if "duration" in given else None)
    return part_of(file, start, end, f"{given['channel']:.0f}" if given.get("channel") else "")


def _without_absent(path: Path, samples: list[Sample], some_may_lack: bool) -> list[Sample]:
    absent = [sample for sample in samples if not is_there(sample.path)]
    if absent and (not some_may_lack or len(absent) == len(samples)):
        line = absent[0].origin.rpartition(":")[2]
        raise RecognizerError(
            f"{path}:{line}: {absent[0].path} is not there ({len(absent)} of {len(samples)} files are not)"
        )
    gone = {id(sample) for sample in absent}
    return [
        replace(sample, fault=f"{sample.origin}: {sample.path} is not there", reason=NO_FILE)
        if id(sample) in gone
        else sample
        for sample in samples
    ]


def _read_pairs(folder: Path) -> list[Sample]:
    """Read the files of a known suffix below `folder`, no hidden ones, with the transcripts beside them.

    The transcript of x.png, x.nrm.png or x.bin.png is x.gt.txt, be its name composed of other code points or not; a
    file or a transcript at fault is a sample that says so.
    """
    listing = list_folder(folder)
    truths: dict[Path, list[Path]] = {}
    for path in listing.files:
        if path.name.endswith(TRUTH):
            truths.setdefault(_stem(path, path.name[: -len(TRUTH)]), []).append(path)
    media: dict[Path, list[Path]] = {}
    for path in listing.files:
        if path.suffix.lower() in suffixes():
            stems = [stem for stem in _stems(path) if stem in truths] or [_stem(path, path.stem)]
            media.setdefault(stems[0], []).append(path)
    if not truths or not media:
        raise RecognizerError(
            f"{folder}: no corpus, expected {', '.join(MANIFESTS)}, pairs such as x.png and x{TRUTH}, or pages as PAGE "
            f"XML or ALTO"
        )
    faults = [Sample(path, "", fault=line) for path, line in listing.faults]
    orphans = [
        Sample(truth, "", fault=f"{truth}: a transcript without its image or recording, expected it beside")
        for stem, alike in truths.items()
        for truth in alike
        if stem not in media
    ]
    return [*(_pair(folder, paths, truths.get(stem, [])) for stem, paths in media.items()), *orphans, *faults]


def _stem(path: Path, name: str) -> Path:
    return path.with_name(normalize("NFC", name))


def _stems(path: Path) -> list[Path]:
    """Return the stems that the transcript of a file may have: x.nrm and x of x.nrm.png."""
    stems, name = [], path.stem
    while name:
        stems.append(_stem(path, name))
        name = name.rpartition(".")[0]
    return stems


def _pair(folder: Path, paths: list[Path], truths: list[Path]) -> Sample:
    """Make a sample; a first folder called train, valid or test is the split."""
    # Of x.png, x.nrm.png and x.bin.png, which are one line, the one with the shortest name is as it was scanned.
    path = min(paths, key=lambda one: (len(one.name), one.name))
    if not truths:
        return Sample(path, "", fault=f"{path}: no transcript beside it, expected {path.stem}{TRUTH}")
    if len(truths) > 1:
        names = " and ".join(ascii(truth.name) for truth in truths)
        return Sample(
            path, "", fault=f"{path}: its transcript is there in two spellings of its name, {names}, expected one"
        )
    truth = truths[0]
    alike = [one for one in paths if one != path and len(one.suffixes) == len(path.suffixes)]
    if alike:
        fault = f"{path}: shares one transcript with {alike[0].name}, expected one file for each"
        return Sample(path, "", fault=fault)
    origin = f"{truth.relative_to(folder)}:1"
    try:
        lines = _lines(read_text(truth))
    except RecognizerError as error:
        return Sample(path, "", split_of(folder, path), "", origin, str(error))
    if len(lines) > 1:
        fault = f"{truth}:2: {len(lines)} lines, expected the one line of {path.name}"
        return Sample(path, "", split_of(folder, path), "", origin, fault)
    return Sample(path, "".join(lines), split_of(folder, path), "", origin)
