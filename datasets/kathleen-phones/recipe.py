"""The recipe of kathleen with the phones of a pronouncing dictionary as text."""

from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.pronunciation import with_phones
from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, load_recipe

KIND = "speech"
LICENCE = "CC0 1.0"
HOME = "https://github.com/rhasspy/dataset-voice-kathleen"
TEXT = TextSettings(unit="token")


def samples(source: Path) -> Corpus:
    """Read what the recipe kathleen reads, the phones of each sentence in the place of its words."""
    corpus = load_recipe("kathleen").samples(source)
    said, sources = with_phones(corpus.samples, SPEECH_TEXT)
    return Corpus(said, corpus.left_out, corpus.noted + sources)
