"""The recipe of a part of LibriSpeech's dev-clean, 16 speakers as MP3."""

from pathlib import Path

from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, small_form, unrecognised

KIND = "speech"
LICENCE = "CC BY 4.0"
HOME = "https://www.openslr.org/12/"
TEXT = SPEECH_TEXT


def samples(source: Path) -> Corpus:
    """Read transcripts.tsv beside audio/."""
    corpus = small_form(source)
    if corpus is None:
        raise unrecognised(source, "transcripts.tsv beside audio/ (the official tree is for the recipe librispeech)")
    return corpus
