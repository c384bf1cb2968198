"""Corpora as other programs lay them out, told by their files and read as samples."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from recognizer.corpus.manifest import (
    TRUTH,
    as_spelled,
    header_of,
    part_of,
    plain_field,
    read_bytes,
    read_lines,
    read_objects,
    read_rows,
    read_text,
    refuse_nameless,
    refuse_no_string,
    refuse_twice,
)
from recognizer.corpus.recipes import keyed_lines
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

SPLIT_NAMES = {"train": "train", "dev": "valid", "valid": "valid", "validation": "valid", "test": "test"}
# Folders that Hugging Face's datasets takes as splits, beside those above.
FOLDER_SPLITS = {
    **SPLIT_NAMES,
    "training": "train",
    "val": "valid",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
COMMON_VOICE = ("path", "sentence")
NOT_SPLITS = ("validated", "invalidated", "other")  # Common Voice's tables of what its splits are drawn from
COQUI = ("wav_filename", "transcript")
METADATA = ("metadata.csv", "metadata.jsonl")  # of Hugging Face's audiofolder and imagefolder
FOLDER_TEXTS = ("text", "transcription", "sentence")  # the columns of these that may be the text
TRANSCRIPTS = re.compile(r"(?P<name>\d+-\d+)\.trans\.txt")  # of LibriSpeech
WITHOUT_TEXT = "recording without text"
BAD_SEGMENT = "bad segment"
LATEST = 1e7  # seconds
TO_END = -1.0  # in place of the end of a segment


def read_layout(source: Path) -> list[Sample]:
    """Return the samples of a corpus in a known layout, none where it is in no other program's.

    Known are NeMo's JSON lines, Coqui's CSV, Common Voice's TSV beside clips/, LJSpeech's metadata.csv beside wavs/,
    Kaldi's data directories (also with segments), Hugging Face's audiofolder and imagefolder, and LibriSpeech's trees.

    Raises:
        RecognizerError: the layout is known and its files are at fault, or there are transcripts of another one too.
    """
    found = [samples for read in READERS if (samples := read(source))]
    if not found:
        return []
    _refuse_others(source, found)
    samples = [as_spelled(_folder(source), sample) for sample in found[0]]
    refuse_twice(_folder(source), (sample for sample in samples if not sample.fault))
    return samples


def _refuse_others(source: Path, found: list[list[Sample]]) -> None:
    """Refuse a folder whose transcripts are told in two ways, of which one would be passed over."""
    ways = [samples[0].origin.rpartition(":")[0] for samples in found]
    ways += [str(path.relative_to(source)) for path in islice(_below(source, f"*{TRUTH}"), 1)]
    if len(ways) > 1:
        raise RecognizerError(
            f"{source}: holds transcripts in {ways[0]} and in {ways[1]}, expected one of them; name the table that "
            "counts, or move the others away"
        )


def _below(source: Path, pattern: str) -> Iterator[Path]:
    """Yield the files of a pattern at any depth of a folder, without hidden ones."""
    for path in source.rglob(pattern) if source.is_dir() else ():
        if not any(part.startswith(".") for part in path.relative_to(source).parts):
            yield path


def _folder(source: Path) -> Path:
    """Return what the origins of the samples of a source start from."""
    return source if source.is_dir() else source.parent


def _nemo(source: Path) -> list[Sample]:
    """Read lines such as {"audio_filepath": "a.wav", "duration": 2.5, "text": "..."}, maybe with an offset."""
    if not source.is_file() or source.suffix.lower() not in (".json", ".jsonl"):
        return []
    if "audio_filepath" not in _names_in(source):
        return []
    return [_nemo_sample(source, number, row) for number, row in read_objects(source)]


def _nemo_sample(source: Path, number: int, row: dict[str, Any]) -> Sample:
    where = f"{source}:{number}"
    refuse_no_string(where, row, ("audio_filepath", "text"))
    refuse_nameless(where, row["audio_filepath"])
    path = source.parent / row["audio_filepath"]
    offset, duration = (_number(where, name, row.get(name)) for name in ("offset", "duration"))
    if offset is not None:
        path = part_of(path, offset, None if duration is None else offset + duration)
    speaker = row.get("speaker")
    group = "" if speaker is None else plain_field(where, "speaker", speaker).strip()
    return Sample(path, row["text"], "", group, f"{source.name}:{number}")


def _names_in(path: Path) -> set[str]:
    """Return the names in the lines of a file that are JSON objects, by which its layout is told."""
    names: set[str] = set()
    for line in read_bytes(path).split(b"\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue  # said with its line where the layout is known
        names.update(row if isinstance(row, dict) else ())
    return names


def _number(where: str, name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LATEST:
        raise RecognizerError(f"{where}: {name} is {value!r}, expected seconds")
    return float(value)


def _tables(source: Path, suffix: str, columns: tuple[str, ...]) -> list[Path]:
    """Return the tables with these columns that a source is or holds; of others the header alone is read."""
    paths = sorted(source.glob(f"*{suffix}")) if source.is_dir() else [source] if source.suffix == suffix else []
    return [path for path in paths if not path.is_dir() and set(columns) <= set(header_of(path))]


def _common_voice(source: Path) -> list[Sample]:
    """Read train.tsv, dev.tsv, test.tsv with path and sentence beside clips/; else validated.tsv or the table named.

    Raises:
        RecognizerError: a table's fault, or a table beside these that Common Voice does not know.
    """
    tables = _tables(source, ".tsv", COMMON_VOICE)
    named = [path for path in tables if path.stem in SPLIT_NAMES]
    taken = named or [path for path in tables if path.stem in ("validated", source.stem)]
    strange = [path for path in tables if path not in taken and path.stem not in NOT_SPLITS]
    if taken and strange:
        raise _no_split(strange[0], "a table", SPLIT_NAMES)
    return [sample for path in taken for sample in _common_voice_samples(path)]


def _no_split(path: Path, what: str, names: dict[str, str]) -> RecognizerError:
    return RecognizerError(f"{path}: {what} of no known split, expected {', '.join(names)}; rename it, or move it away")


def _common_voice_samples(path: Path) -> Iterator[Sample]:
    clips = path.parent / "clips"
    folder = clips if clips.is_dir() else path.parent
    for number, row in read_rows(path):
        refuse_nameless(f"{path}:{number}", row["path"])
        split, speaker = SPLIT_NAMES.get(path.stem, ""), row.get("client_id", "")
        yield Sample(folder / row["path"], row["sentence"], split, speaker, f"{path.name}:{number}")


def _coqui(source: Path) -> list[Sample]:
    """Read CSV with wav_filename, wav_filesize, transcript; the name of the file may say the split."""
    samples = []
    for path in _tables(source, ".csv", COQUI):
        for number, row in read_rows(path):
            refuse_nameless(f"{path}:{number}", row["wav_filename"])
            file, split = path.parent / row["wav_filename"], SPLIT_NAMES.get(path.stem, "")
            samples.append(Sample(file, row["transcript"], split, "", f"{path.name}:{number}"))
    return samples


def _ljspeech(source: Path) -> list[Sample]:
    """Read metadata.csv, ID|text|normalised text, beside wavs/ID.wav.

    The normalised text counts; where it is empty or not there, the other one.
    """
    path = source / "metadata.csv" if source.is_dir() else source
    if path.name != "metadata.csv" or not path.is_file() or not (path.parent / "wavs").is_dir():
        return []
    if "file_name" in header_of(path) or "|" not in read_text(path):
        return []
    samples = []
    for number, line in read_lines(path):
        where, fields = f"{path}:{number}", line.split("|")
        if len(fields) not in (2, 3):
            raise RecognizerError(f"{where}: {len(fields)} fields, expected 2 or 3: ID|text|normalised text")
        refuse_nameless(where, fields[0])
        text = next((field for field in reversed(fields[1:]) if field.strip()), "")
        file = path.parent / "wavs" / f"{fields[0]}.wav"
        samples.append(Sample(file, text, "", "", f"{path.name}:{number}"))
    return samples


def _hugging_face(source: Path) -> list[Sample]:
    """Read metadata.csv or metadata.jsonl with file_name and a text, here or in folders called like splits.

    Raises:
        RecognizerError: a table's fault, two tables of one folder, or a table in a folder that is called otherwise.
    """
    tables = [source] if source.is_file() and source.name in METADATA else []
    if source.is_dir():
        folders = (source, *(source / name for name in FOLDER_SPLITS))
        tables = [folder / name for folder in folders for name in METADATA if (folder / name).is_file()]
    if not any(_text_column(path) for path in tables):
        return []
    if source.is_dir():
        _refuse_strange_metadata(source, tables)
    return [sample for path in tables for sample in _folder_samples(_folder(source), path)]


def _refuse_strange_metadata(source: Path, tables: list[Path]) -> None:
    """Refuse tables that would be passed over, or counted twice."""
    folders = [path.parent for path in tables]
    if twice := [folder for folder in folders if folders.count(folder) > 1]:
        raise RecognizerError(f"{twice[0]}: holds {' and '.join(METADATA)}, expected one of them; move one away")
    others = sorted(path for path in _below(source, "metadata.*") if path.name in METADATA and path not in tables)
    if strange := [path for path in others if _text_column(path)]:
        raise _no_split(strange[0], "in a folder", FOLDER_SPLITS)


def _text_column(path: Path) -> str:
    """Return the column of a table of Hugging Face that holds the text, "" where it is no table of it."""
    names = _names_in(path) if path.suffix == ".jsonl" else set(header_of(path))
    return next((name for name in FOLDER_TEXTS if name in names), "") if "file_name" in names else ""


def _folder_samples(source: Path, path: Path) -> Iterator[Sample]:
    text = _text_column(path)
    if not text:
        raise RecognizerError(f"{path}:1: no column file_name with one of {', '.join(FOLDER_TEXTS)}, expected both")
    split = FOLDER_SPLITS.get(path.parent.name, "") if path.parent != source else ""
    rows = read_objects(path) if path.suffix == ".jsonl" else read_rows(path)
    for number, row in rows:
        where = f"{path}:{number}"
        refuse_no_string(where, row, ("file_name", text))
        refuse_nameless(where, row["file_name"])
        origin = f"{path.relative_to(source).as_posix()}:{number}"
        yield Sample(path.parent / row["file_name"], row[text], split, "", origin)


Lines = dict[str, tuple[str, str]]  # key -> (value, origin)


@dataclass(frozen=True)
class _Kaldi:
    """A data directory of Kaldi: its folder, and the lines of its files."""

    folder: Path
    texts: Lines
    sounds: Lines
    segments: Lines
    speakers: Lines


def _kaldi(source: Path) -> list[Sample]:
    """Read wav.scp and text, maybe utt2spk and segments; a command in wav.scp is never run, but named.

    A recording or a segment without a text is a sample at fault.
    """
    if not (source / "wav.scp").is_file() or not (source / "text").is_file():
        return []
    names = ("text", "wav.scp", "segments", "utt2spk")
    data = _Kaldi(source, *(keyed_lines(source / name) if (source / name).is_file() else {} for name in names))
    return [*(_utterance(data, name) for name in data.texts), *_without_text(data)]


def _utterance(data: _Kaldi, name: str) -> Sample:
    text, origin = data.texts[name]
    recording, *fields = _segment(data, name)
    sound = data.sounds.get(recording, ("", ""))[0]
    path = data.folder / (sound or recording)
    stretch = _stretch(fields)
    fault = reason = ""
    if not sound:
        fault = f"{origin}: wav.scp has no recording {recording!r}, expected that of {name}"
    elif sound.endswith("|"):
        fault = f"{origin}: wav.scp has a command for {recording!r}, expected a file; commands are not run"
    elif stretch:
        path = part_of(path, *stretch)
    elif name in data.segments:
        fault = (
            f"{origin}: segments has {' '.join(fields)!r} for {name}, expected two numbers of seconds (-1 as the "
            "second for the end) and maybe a channel from 0 on"
        )
        reason = BAD_SEGMENT
    return Sample(path, text, "", data.speakers.get(name, ("", ""))[0], origin, fault, reason)


def _segment(data: _Kaldi, name: str) -> list[str]:
    """Return the recording of an utterance, and behind it the times, and maybe the channel, that it is cut at."""
    return data.segments.get(name, (name, ""))[0].split() or [""]


def _stretch(fields: list[str]) -> tuple[float, float | None, str] | None:
    """Return start, end (None for that of the recording) and channel from 1 on ("" for all) of a line of segments."""
    if len(fields) not in (2, 3):
        return None
    try:
        start, end = map(float, fields[:2])
        channel = int(fields[2]) + 1 if fields[2:] else 0
    except ValueError:
        return None
    if not 0 <= start < LATEST or not (0 <= end < LATEST or end == TO_END) or (fields[2:] and channel < 1):
        return None
    return start, None if end == TO_END else end, str(channel or "")


def _without_text(data: _Kaldi) -> Iterator[Sample]:
    """Yield the segments, and the recordings of no segment, that no line of text speaks of."""
    used = {_segment(data, name)[0] for name in (*data.texts, *data.segments)}
    silent = [(name, origin) for name, (_, origin) in data.segments.items() if name not in data.texts]
    silent += [(name, origin) for name, (_, origin) in data.sounds.items() if name not in used]
    for name, origin in silent:
        fault = f"{origin}: {name} has no line in text, expected one"
        yield Sample(data.folder / origin.partition(":")[0], "", "", "", origin, fault, WITHOUT_TEXT)


def _librispeech(source: Path) -> list[Sample]:
    """Read SPEAKER-CHAPTER.trans.txt beside SPEAKER-CHAPTER-NUMBER.flac, at any depth."""
    samples = []
    for table in sorted(source.rglob("*.trans.txt")) if source.is_dir() else ():
        if TRANSCRIPTS.fullmatch(table.name):
            inner = table.relative_to(source)
            split = next((SPLIT_NAMES[part] for part in inner.parts[0].split("-") if part in SPLIT_NAMES), "")
            for name, (text, origin) in keyed_lines(table).items():
                origin = (inner.parent / origin).as_posix()
                samples.append(Sample(_recording(table, name), text, split, name.partition("-")[0], origin))
    return samples


def _recording(table: Path, name: str) -> Path:
    files = [table.with_name(f"{name}{suffix}") for suffix in (".flac", ".wav", ".mp3", ".ogg")]
    return next((file for file in files if file.is_file()), files[0])


READERS: tuple[Callable[[Path], list[Sample]], ...] = (
    _nemo, _coqui, _common_voice, _ljspeech, _hugging_face, _kaldi, _librispeech,
)  # fmt: skip
