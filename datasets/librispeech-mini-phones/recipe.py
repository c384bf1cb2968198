"""The recipe of librispeech-mini with the phones of a pronouncing dictionary as text."""

from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.pronunciation import with_phones
from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, load_recipe

KIND = "speech"
LICENCE = "CC BY 4.0"
HOME = "https://www.openslr.org/12/"
TEXT = TextSettings(unit="token")


def samples(source: Path) -> Corpus:
    """Read what the recipe librispeech-mini reads, the phones of each sentence in the place of its words."""
    corpus = load_recipe("librispeech-mini").samples(source)
    said, sources = with_phones(corpus.samples, SPEECH_TEXT)
    return Corpus(said, corpus.left_out, corpus.noted + sources)
