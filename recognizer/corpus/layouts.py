"""Corpora as other programs lay them out, told by their files and read as samples."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from recognizer.corpus.manifest import read_text
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

SPLIT_NAMES = {"train": "train", "dev": "valid", "valid": "valid", "validation": "valid", "test": "test"}
COMMON_VOICE = ("path", "sentence")
COQUI = ("wav_filename", "transcript")
FOLDER_TEXTS = ("text", "transcription", "sentence")  # of Hugging Face's audiofolder and imagefolder
TRANSCRIPTS = re.compile(r"(?P<name>\d+-\d+)\.trans\.txt")  # of LibriSpeech


def read_layout(source: Path) -> list[Sample]:
    """Return the samples of a corpus in a known layout, none where it is in no other program's.

    Known are NeMo's JSON lines, Coqui's CSV, Common Voice's TSV beside clips/, LJSpeech's metadata.csv beside wavs/,
    Kaldi's data directories (also with segments), Hugging Face's audiofolder and imagefolder, and LibriSpeech's trees.

    Raises:
        RecognizerError: the layout is known and its files are at fault.
    """
    for read in READERS:
        if samples := read(source):
            return samples
    return []


def _nemo(source: Path) -> list[Sample]:
    """Read lines such as {"audio_filepath": "a.wav", "duration": 2.5, "text": "..."}, maybe with an offset."""
    if not source.is_file() or source.suffix.lower() not in (".json", ".jsonl"):
        return []
    rows = list(_json_rows(source))
    if not rows or "audio_filepath" not in rows[0][1]:
        return []
    samples = []
    for number, row in rows:
        where = f"{source}:{number}"
        if not isinstance(row.get("audio_filepath"), str) or not isinstance(row.get("text"), str):
            raise RecognizerError(f"{where}: expected strings audio_filepath and text")
        path = source.parent / row["audio_filepath"]
        offset, duration = (_number(where, name, row.get(name)) for name in ("offset", "duration"))
        if offset is not None and duration is not None:
            path = stretch(path, offset, offset + duration)
        samples.append(Sample(path, row["text"], "", str(row.get("speaker", "")), f"{source.name}:{number}"))
    return samples


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        try:
            row = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            return
        if isinstance(row, dict):
            yield number, row


def _number(where: str, name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e7:
        raise RecognizerError(f"{where}: {name} is {value!r}, expected seconds")
    return float(value)


def stretch(path: Path, start: float, end: float) -> Path:
    """Return the name of a stretch of a recording."""
    return path.with_name(f"{path.name}[{start:.10g}-{end:.10g}]")


def _tables(source: Path, mark: str, suffix: str) -> Iterator[tuple[Path, list[str], list[tuple[int, list[str]]]]]:
    """Yield the tables that a source is or holds: path, header, numbered rows."""
    paths = sorted(source.glob(f"*{suffix}")) if source.is_dir() else [source] if source.suffix == suffix else []
    for path in paths:
        text = io.StringIO(read_text(path), newline="")
        plain = mark == "\t"
        reader = csv.reader(text, delimiter=mark, quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL)
        try:
            rows = [(reader.line_num, row) for row in reader if row]
        except csv.Error:
            continue  # no table of another program's; read as a manifest it is said what is wrong with it
        if rows:
            yield path, rows[0][1], rows[1:]


def _common_voice(source: Path) -> list[Sample]:
    """Read train.tsv, dev.tsv, test.tsv with path and sentence beside clips/; else whatever such table there is."""
    tables = [table for table in _tables(source, "\t", ".tsv") if set(COMMON_VOICE) <= set(table[1])]
    named = [table for table in tables if table[0].stem in SPLIT_NAMES]
    samples = []
    for path, header, rows in named or [t for t in tables if t[0].stem in ("validated", source.stem)]:
        clips = path.parent / "clips"
        for number, row in rows:
            said = dict(zip(header, row, strict=False))
            file = (clips if clips.is_dir() else path.parent) / said.get("path", "")
            split, speaker = SPLIT_NAMES.get(path.stem, ""), said.get("client_id", "")
            samples.append(Sample(file, said.get("sentence", ""), split, speaker, f"{path.name}:{number}"))
    return samples


def _coqui(source: Path) -> list[Sample]:
    """Read CSV with wav_filename, wav_filesize, transcript; the name of the file may say the split."""
    samples = []
    for path, header, rows in _tables(source, ",", ".csv"):
        if set(COQUI) <= set(header):
            for number, row in rows:
                said = dict(zip(header, row, strict=False))
                file = path.parent / said.get("wav_filename", "")
                split = SPLIT_NAMES.get(path.stem, "")
                samples.append(Sample(file, said.get("transcript", ""), split, "", f"{path.name}:{number}"))
    return samples


def _ljspeech(source: Path) -> list[Sample]:
    """Read metadata.csv, ID|text|normalised text, beside wavs/ID.wav; the normalised text counts."""
    path = source / "metadata.csv" if source.is_dir() else source
    if path.name != "metadata.csv" or not path.is_file() or not (path.parent / "wavs").is_dir():
        return []
    samples = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        fields = line.rstrip("\r").split("|")
        if len(fields) > 1:
            file = path.parent / "wavs" / f"{fields[0]}.wav"
            samples.append(Sample(file, fields[2] if len(fields) > 2 else fields[1], "", "", f"{path.name}:{number}"))
    return samples


def _hugging_face(source: Path) -> list[Sample]:
    """Read metadata.csv or metadata.jsonl with file_name and a text, here or in folders called like splits."""
    if not source.is_dir():
        return []
    samples = []
    for folder in (source, *(source / name for name in SPLIT_NAMES)):
        split = SPLIT_NAMES.get(folder.name, "") if folder != source else ""
        for path, number, row in _metadata(folder):
            text = next((str(row[name]) for name in FOLDER_TEXTS if name in row), None)
            if "file_name" not in row or text is None:
                continue
            samples.append(Sample(folder / str(row["file_name"]), text, split, "", f"{path.name}:{number}"))
    return samples


def _metadata(folder: Path) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    if (path := folder / "metadata.jsonl").is_file():
        yield from ((path, number, row) for number, row in _json_rows(path))
    elif (path := folder / "metadata.csv").is_file():
        for _, header, rows in _tables(path, ",", ".csv"):
            yield from ((path, number, dict(zip(header, row, strict=False))) for number, row in rows)


def _kaldi(source: Path) -> list[Sample]:
    """Read wav.scp and text, maybe utt2spk and segments; a command in wav.scp is never run, but named."""
    if not source.is_dir() or not (source / "wav.scp").is_file() or not (source / "text").is_file():
        return []
    sounds, speakers = _keyed(source / "wav.scp"), _keyed(source / "utt2spk")
    segments = _keyed(source / "segments")
    samples = []
    for utterance, text in _keyed(source / "text").items():
        recording, *times = segments.get(utterance, utterance).split()
        sound, origin = sounds.get(recording, ""), f"text, {utterance}"
        fault = ""
        if not sound:
            fault = f"{origin}: wav.scp has no recording {recording!r}"
        elif sound.endswith("|"):
            fault = f"{origin}: wav.scp has a command for {recording!r}, expected a file; commands are not run"
        path = source / sound if sound else source / recording
        if not fault and times:
            try:
                path = stretch(path, float(times[0]), float(times[1]))
            except (ValueError, IndexError):
                fault = f"{origin}: segments has {' '.join(times)!r}, expected two numbers of seconds"
        samples.append(Sample(path, text, "", speakers.get(utterance, ""), origin, fault))
    return samples


def _keyed(path: Path) -> dict[str, str]:
    """Return the rest of each line by its first word; nothing where there is no such file."""
    if not path.is_file():
        return {}
    parts = (line.strip().split(None, 1) for line in read_text(path).split("\n"))
    return {words[0]: words[1] if len(words) > 1 else "" for words in parts if words}


def _librispeech(source: Path) -> list[Sample]:
    """Read SPEAKER-CHAPTER.trans.txt beside SPEAKER-CHAPTER-NUMBER.flac, at any depth."""
    samples = []
    for table in sorted(source.rglob("*.trans.txt")) if source.is_dir() else ():
        if not TRANSCRIPTS.fullmatch(table.name):
            continue
        for number, line in enumerate(read_text(table).splitlines(), 1):
            name, _, text = line.partition(" ")
            files = [table.with_name(f"{name}{suffix}") for suffix in (".flac", ".wav", ".mp3", ".ogg")]
            file = next((file for file in files if file.is_file()), files[0])
            inner = table.relative_to(source).parts[0]
            split = next((SPLIT_NAMES[part] for part in inner.split("-") if part in SPLIT_NAMES), "")
            samples.append(Sample(file, text, split, name.partition("-")[0], f"{table.name}:{number}"))
    return samples


READERS: tuple[Callable[[Path], list[Sample]], ...] = (
    _nemo, _coqui, _common_voice, _ljspeech, _hugging_face, _kaldi, _librispeech,
)  # fmt: skip
