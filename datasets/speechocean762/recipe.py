"""The recipe of speechocean762, English spoken by speakers of Mandarin."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from recognizer.corpus.download import Download
from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, keyed_lines, recordings, small_form, unrecognised, whole
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

KIND = "speech"
LICENCE = "free for commercial and non-commercial use"
HOME = "https://www.openslr.org/101/"
TEXT = SPEECH_TEXT
# No SHA-256 is published.
DOWNLOADS = (
    Download("https://www.openslr.org/resources/101/speechocean762.tar.gz", None, "speechocean762.tar.gz", "520 MB"),
)
TABLES = ("wav.scp", "text", "utt2spk")
# Speakers of the official training part that are kept for validation, as in the small tree.
VALID = frozenset("0001 0075 0739 1092 1419 2129 2380 3021 3837 6010 8585 9613 9639".split())


def samples(source: Path) -> Corpus:
    """Read train/ and test/ with wav.scp, text, utt2spk, or transcripts.tsv beside audio/."""
    small = small_form(source)
    if small is not None:
        return small
    root = source / "speechocean762" if (source / "speechocean762").is_dir() else source
    parts = [part for part in ("train", "test") if (root / part / "text").is_file()]
    if not parts:
        raise unrecognised(source, "train/ and test/ with wav.scp, text, utt2spk, or transcripts.tsv beside audio/")
    found = whole(sample for part in parts for sample in _part(root, part))
    known = {sample.path for sample in found}
    strays = sum(path not in known for path in recordings(root))
    return Corpus(found, Counter({"recording in no table": strays}) if strays else Counter())


def _part(root: Path, part: str) -> Iterator[Sample]:
    files, texts, speakers = (keyed_lines(root / part / name) for name in TABLES)
    for key, (text, origin) in texts.items():
        if key not in files or key not in speakers:
            raise RecognizerError(
                f"{root / part / 'text'}: {key} is not in wav.scp and utt2spk, expected it in all three"
            )
        speaker = speakers[key][0]
        split = "valid" if part == "train" and speaker in VALID else part
        yield Sample(root / files[key][0], text, split, speaker, f"{part}/{origin}")
    lone = sorted(files.keys() - texts.keys())
    if lone:
        raise RecognizerError(
            f"{root / part / 'wav.scp'}: {lone[0]} has no text ({len(lone)} in all), expected a text each"
        )
