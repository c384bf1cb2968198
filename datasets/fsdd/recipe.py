"""The recipe of the Free Spoken Digit Dataset."""

import re
from collections import Counter
from pathlib import Path

from recognizer.corpus.download import Download
from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, recordings, small_form, unrecognised
from recognizer.corpus.sample import Sample

KIND = "speech"
LICENCE = "CC BY-SA 4.0"
HOME = "https://github.com/Jakobovski/free-spoken-digit-dataset"
TEXT = SPEECH_TEXT
# No checksum is published for the archive of the default branch.
DOWNLOADS = (Download(f"{HOME}/archive/HEAD.zip", None, "fsdd.zip"),)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAME = re.compile(r"([0-9])_([^_]+)_([0-9]+)\.wav")
TEST_TAKES = range(0, 5)  # the official test set
VALID_TAKES = range(5, 8)  # ours: officially these are for training


def samples(source: Path) -> Corpus:
    """Read recordings/{digit}_{speaker}_{take}.wav, or transcripts.tsv beside audio/."""
    small = small_form(source)
    if small is not None:
        return small
    inner = sorted(source.glob("free-spoken-digit-dataset-*/recordings"))
    folder = next((place for place in (source / "recordings", *inner) if place.is_dir()), None)
    if folder is None:
        raise unrecognised(source, "recordings/0_george_0.wav and its like, or transcripts.tsv beside audio/")
    paths = recordings(folder)
    found = [(path, match) for path in paths if (match := NAME.fullmatch(path.name))]
    others = len(paths) - len(found)
    left_out = Counter({"recording whose name is not DIGIT_SPEAKER_TAKE.wav": others}) if others else Counter[str]()
    return Corpus([_sample(path, match) for path, match in found], left_out)


def _sample(path: Path, match: re.Match[str]) -> Sample:
    digit, speaker, take = int(match[1]), match[2], int(match[3])
    split = "test" if take in TEST_TAKES else "valid" if take in VALID_TAKES else "train"
    return Sample(path, WORDS[digit], split, speaker, path.name)
