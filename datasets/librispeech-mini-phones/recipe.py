"""The recipe of librispeech-mini with the phones of a pronouncing dictionary as text."""

from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.pronunciation import corpus_with_phones
from recognizer.corpus.recipes import Corpus

KIND = "speech"
LICENCE = "CC BY 4.0"
HOME = "https://www.openslr.org/12/"
TEXT = TextSettings(unit="token")


def samples(source: Path) -> Corpus:
    """Read what the recipe librispeech-mini reads, the phones of each sentence in the place of its words."""
    return corpus_with_phones("librispeech-mini", source)
