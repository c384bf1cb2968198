"""The recipe of LibriSpeech: the official tree, or a small one with a table."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from recognizer.corpus.download import Download
from recognizer.corpus.recipes import (
    SPEECH_TEXT,
    Corpus,
    keyed_lines,
    recordings,
    small_form,
    unrecognised,
    whole,
)
from recognizer.corpus.sample import Sample

KIND = "speech"
LICENCE = "CC BY 4.0"
HOME = "https://www.openslr.org/12/"
TEXT = SPEECH_TEXT
SPLITS = {
    "train-clean-100": "train",
    "train-clean-360": "train",
    "train-other-500": "train",
    "dev-clean": "valid",
    "dev-other": "valid",
    "test-clean": "test",
    "test-other": "test",
}
# Checksums as torchaudio 2.11 records them for the same addresses.
DOWNLOADS = tuple(
    Download(f"https://www.openslr.org/resources/12/{name}.tar.gz", sha256, f"{name}.tar.gz", size)
    for name, size, sha256 in (
        ("dev-clean", "337 MB", "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3"),
        ("dev-other", "314 MB", "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365"),
        ("test-clean", "346 MB", "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23"),
        ("test-other", "328 MB", "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29"),
        ("train-clean-100", "6.3 GB", "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2"),
        ("train-clean-360", "23 GB", "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf"),
        ("train-other-500", "30 GB", "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2"),
    )
)


def samples(source: Path) -> Corpus:
    """Read SUBSET/SPEAKER/CHAPTER/*.trans.txt with the FLAC files beside, of the subsets that are there."""
    small = small_form(source)
    if small is not None:
        return small
    subsets = _subsets(source)
    if not subsets:
        raise unrecognised(source, f"folders such as {', '.join(SPLITS)}, or LibriSpeech/ that holds them")
    found = whole(sample for subset in subsets for sample in _subset(subset))
    known = {sample.path for sample in found}
    strays = sum(path not in known for subset in subsets for path in recordings(subset, (".flac",)))
    return Corpus(found, Counter({"recording without a transcript": strays}) if strays else Counter())


def _subsets(source: Path) -> list[Path]:
    """Return the subset folders in or at `source`."""
    if source.resolve().name in SPLITS:
        return [source]
    places = [place / name for place in (source, source / "LibriSpeech") for name in SPLITS]
    return [place for place in places if place.is_dir()]


def _subset(subset: Path) -> Iterator[Sample]:
    split = SPLITS[subset.resolve().name]
    for table in sorted(subset.glob("*/*/*.trans.txt")):
        for key, (text, origin) in keyed_lines(table).items():
            yield Sample(table.parent / f"{key}.flac", text, split, table.parent.parent.name, origin)
