"""The recipe of dataset-voice-kathleen, one speaker of US English."""

import zlib
from collections import Counter
from pathlib import Path

from recognizer.corpus.download import Download
from recognizer.corpus.manifest import read_lines, read_text
from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, recordings, small_form, unrecognised, whole
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

KIND = "speech"
LICENCE = "CC0 1.0"
HOME = "https://github.com/rhasspy/dataset-voice-kathleen"
TEXT = SPEECH_TEXT
# No checksum is published for the archive of the default branch.
DOWNLOADS = (Download(f"{HOME}/archive/HEAD.zip", None, "kathleen.zip"),)
METADATA = "metadata.csv"


def samples(source: Path) -> Corpus:
    """Read transcripts.tsv beside audio/, else metadata.csv (id|text), else a .txt beside each recording."""
    small = small_form(source)
    if small is not None:
        return small
    paths = recordings(source)
    twice = sorted(stem for stem, count in Counter(path.stem for path in paths).items() if count > 1)
    if twice:
        raise RecognizerError(
            f"{source}: {len(twice)} names such as {twice[0]} stand for two recordings, expected one each"
        )
    tables = sorted(source.rglob(METADATA))
    if len(tables) > 1:
        raise RecognizerError(f"{source}: {len(tables)} files called {METADATA}, expected one")
    texts = _from_metadata(tables[0]) if tables else _from_neighbours(paths)
    if not paths or not texts:
        raise unrecognised(source, f"transcripts.tsv beside audio/, {METADATA} (id|text), or x.txt beside each x.wav")
    found = whole(_sample(path, *texts[path.stem]) for path in paths if path.stem in texts)
    absent = texts.keys() - {path.stem for path in paths}
    if absent:
        raise RecognizerError(
            f"{texts[min(absent)][1]}: no recording of {min(absent)} ({len(absent)} in all), expected all"
        )
    strays = len(paths) - len(found)
    return Corpus(found, Counter({"recording without a transcript": strays}) if strays else Counter())


def _from_metadata(table: Path) -> dict[str, tuple[str, str]]:
    texts: dict[str, tuple[str, str]] = {}
    for line, content in read_lines(table):
        key, bar, text = content.partition("|")
        key = key.removesuffix(".wav")
        if not bar or key in texts:
            raise RecognizerError(f"{table}:{line}: no bar or the id {key!r} again, expected id|text")
        texts[key] = (text.partition("|")[0], f"{table.name}:{line}")
    return texts


def _from_neighbours(paths: list[Path]) -> dict[str, tuple[str, str]]:
    texts = {path.stem: path.with_suffix(".txt") for path in paths if path.with_suffix(".txt").is_file()}
    return {stem: (read_text(text).strip(), text.name) for stem, text in texts.items()}


def _sample(path: Path, text: str, origin: str) -> Sample:
    """Let the sentence choose the split, so that one that was spoken twice is never in two."""
    bucket = zlib.crc32(text.encode()) % 20
    return Sample(path, text, {0: "test", 1: "valid"}.get(bucket, "train"), "kathleen", origin)
