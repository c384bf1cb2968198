"""The recipe of the Free Spoken Digit Dataset with TIMIT's phones as text."""

from dataclasses import replace
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.recipes import Corpus, load_recipe
from recognizer.errors import RecognizerError

KIND = "speech"
LICENCE = "CC BY-SA 4.0"
HOME = "https://github.com/Jakobovski/free-spoken-digit-dataset"
TEXT = TextSettings(unit="token", scoring="timit-39")
# By hand, in TIMIT's 61: the closure of a stop is a phone of its own, but not at the start, where nothing is heard.
PHONES = {
    "zero": "z ih r ow",
    "one": "w ah n",
    "two": "t ux",
    "three": "th r iy",
    "four": "f ao r",
    "five": "f ay v",
    "six": "s ih kcl k s",
    "seven": "s eh v ix n",
    "eight": "ey tcl t",
    "nine": "n ay n",
}


def samples(source: Path) -> Corpus:
    """Read what the recipe fsdd reads, the phones of each digit in the place of its word."""
    corpus = load_recipe("fsdd").samples(source)
    for sample in corpus.samples:
        if sample.text not in PHONES:
            raise RecognizerError(f"{sample.origin}: {sample.text!r}, expected a digit's word, zero to nine")
    return Corpus(
        [replace(sample, text=PHONES[sample.text]) for sample in corpus.samples], corpus.left_out, corpus.noted
    )
