"""The recipe of kathleen with the phones of a pronouncing dictionary as text."""

from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.pronunciation import corpus_with_phones
from recognizer.corpus.recipes import Corpus

KIND = "speech"
LICENCE = "CC0 1.0"
HOME = "https://github.com/rhasspy/dataset-voice-kathleen"
TEXT = TextSettings(unit="token")


def samples(source: Path) -> Corpus:
    """Read what the recipe kathleen reads, the phones of each sentence in the place of its words."""
    return corpus_with_phones("kathleen", source)
