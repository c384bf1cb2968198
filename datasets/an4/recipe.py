"""The recipe of AN4, spelled words with digits, recorded at Carnegie Mellon in 1991."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from recognizer.corpus.manifest import read_lines
from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, recordings, unrecognised, whole
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

KIND = "speech"
LICENCE = "none stated; free to download from its home"
HOME = "http://www.speech.cs.cmu.edu/databases/an4/"
TEXT = SPEECH_TEXT
ROW = re.compile(r"(?:<s>)?(.*?)(?:</s>)?\s*\(([^()\s]+)\)")
EVERY = 10  # there is no official validation set: each tenth training speaker, in alphabetical order, is one


def samples(source: Path) -> Corpus:
    """Read etc/an4_{train,test}.{fileids,transcription} and wav/ with .sph or .wav files."""
    root = source / "an4" if (source / "an4" / "etc").is_dir() else source
    parts = [part for part in ("train", "test") if (root / "etc" / f"an4_{part}.transcription").is_file()]
    if not parts or not (root / "wav").is_dir():
        raise unrecognised(source, "an4/etc/an4_train.transcription, an4/etc/an4_train.fileids and an4/wav/")
    if not recordings(root / "wav"):
        raise RecognizerError(f"{root / 'wav'}: no .sph or .wav, expected them: headerless .raw files are not read")
    found = whole(sample for part in parts for sample in _part(root, part))
    strays = len(set(recordings(root / "wav")) - {sample.path for sample in found})
    return Corpus(_validated(found), Counter({"recording in no list": strays}) if strays else Counter())


def _part(root: Path, part: str) -> Iterator[Sample]:
    """Yield the samples of a part, whose two tables go side by side."""
    table = root / "etc" / f"an4_{part}.transcription"
    rows, files = list(read_lines(table)), list(read_lines(table.with_suffix(".fileids")))
    if len(rows) != len(files):
        raise RecognizerError(f"{table}: {len(rows)} lines, expected {len(files)} as in {table.stem}.fileids")
    for (line, row), (_, file) in zip(rows, files, strict=True):
        match = ROW.fullmatch(row.strip())
        path = Path(file.strip())
        if match is None or match[2] != path.name:
            raise RecognizerError(
                f"{table}:{line}: {row!r}, expected words and ({path.name}), as in {table.stem}.fileids"
            )
        yield Sample(_sound(root / "wav" / path), match[1].strip(), part, path.parent.name, f"{table.name}:{line}")


def _sound(stem: Path) -> Path:
    places = [stem.with_name(stem.name + suffix) for suffix in (".sph", ".wav")]
    return next((place for place in places if place.is_file()), places[0])


def _validated(found: list[Sample]) -> list[Sample]:
    """Return `found` with each tenth training speaker moved to the split "valid"."""
    speakers = sorted({sample.group for sample in found if sample.split == "train"})
    chosen = set(speakers[EVERY - 1 :: EVERY])
    return [
        Sample(s.path, s.text, "valid", s.group, s.origin) if s.split == "train" and s.group in chosen else s
        for s in found
    ]
