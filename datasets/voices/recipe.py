"""The recipe of English sentences spoken by synthesizers, as scripts/speak_sentences.py makes them."""

from collections import Counter
from pathlib import Path

from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, small_form, unrecognised

KIND = "speech"
LICENCE = "output of Kokoro (Apache 2.0), hibari, flite, festival, espeak-ng; sentences in the public domain"
HOME = "https://github.com/hexgrad/kokoro"
TEXT = SPEECH_TEXT
SPOKEN = frozenset("abcdefghijklmnopqrstuvwxyz' ")


def samples(source: Path) -> Corpus:
    """Read transcripts.tsv beside audio/; what has other letters than English would widen the alphabet, and goes."""
    corpus = small_form(source)
    if corpus is None:
        raise unrecognised(source, "transcripts.tsv beside audio/")
    kept = [sample for sample in corpus.samples if set(TEXT.normalize(sample.text)) <= SPOKEN]
    lost = len(corpus.samples) - len(kept)
    return Corpus(kept, corpus.left_out + Counter({"letters other than a to z": lost}), corpus.noted)
