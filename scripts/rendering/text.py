"""Texts for lines: cut from books, with the dates, sums, names, abbreviations that letters and notebooks have."""

import lzma
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from recognizer.errors import RecognizerError
from rendering.noise import Rng, happens

LONGEST = 80  # characters
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FURTHER = "àâäæçèéêëîïñóôöùûüœ"
MARKS = " .,;:!?'\"-()[]&/£$%°=+_*«»0123456789"
ALPHABET = frozenset(LETTERS + LETTERS.upper() + FURTHER + FURTHER.upper() + MARKS)
PLAIN = {"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-", "―": "-", "…": "...", "\u2060": "", "\xa0": " "}
SPACED = re.compile(r" ([;:!?])")
TABLE = str.maketrans(PLAIN)
MONTHS = (
    "Jan Feb March April May June July Aug Sept Oct Nov Dec "
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
).split()
STREETS = ("rue", "avenue", "Street", "Road", "boulevard", "Place", "quai")
SHORT = ("M.", "Mme", "Mr", "Mrs", "Dr", "St", "Prof.", "i.e.", "etc.", "N°", "p.", "vol.", "cf.", "No.", "Sir", "Mlle")
UNITS = ("fr.", "francs", "£", "km", "kg", "%", "h", "hommes", "miles", "c.", "ans", "years")


def read_sentences(path: Path) -> list[str]:
    """Read the sentences of a text file, one a line, plain or .xz.

    Raises:
        RecognizerError: it cannot be read or holds no sentence.
    """
    try:
        with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
            sentences = [line for line in file.read().split("\n") if line.strip()]
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise RecognizerError(f"{path}: cannot be read ({error}), expected UTF-8 text or such text in .xz") from error
    if not sentences:
        raise RecognizerError(f"{path}: holds no sentence, expected one a line")
    return sentences


def line_text(sentences: Sequence[str], rng: Rng) -> str:
    """Return a text as long as a written line, all of it in ALPHABET."""
    for _ in range(1000):
        made = _invented(sentences, rng) if happens(rng, 0.06) else _varied(_cut(sentences, rng), rng)
        text = " ".join(made.split())  # a word that was all marks leaves two spaces
        if 0 < len(text) <= LONGEST and ALPHABET.issuperset(text):
            return text
    raise RecognizerError("the text files gave no usable line in a thousand tries, expected Latin text")


def plain(text: str) -> str:
    """Return `text` with simple quotes, dashes, spaces."""
    return " ".join(text.translate(TABLE).split())


def _cut(sentences: Sequence[str], rng: Rng) -> str:
    """Return some words that follow each other; lines of 10 to 60 characters are the rule."""
    wanted = int(rng.integers(2, 16)) if happens(rng, 0.12) else int(np.clip(rng.normal(44, 14), 10, LONGEST - 8))
    words = _words(sentences, wanted, rng)
    text = words[0]
    for word in words[1:]:
        if len(text) + 1 + len(word) > wanted:
            return _hyphenated(text, word, rng)
        text += " " + word
    return text


def _words(sentences: Sequence[str], wanted: int, rng: Rng) -> list[str]:
    """Return words from a random place on, more than `wanted` characters of them where the sentences last."""
    at = int(rng.integers(len(sentences)))
    joined = plain(" ".join(sentences[at : at + 8]))
    if happens(rng, 0.7):
        joined = SPACED.sub(r"\1", joined)
    words = joined.split(" ")
    last = len(words) if happens(rng, 0.1) else max(1, len(plain(sentences[at]).split(" ")))
    first = 0 if happens(rng, 0.25) else int(rng.integers(min(last, len(words))))
    if words[first] == "-" and len(words) > first + 1 and happens(rng, 0.8):
        first += 1
    return words[first:]


def _hyphenated(text: str, word: str, rng: Rng) -> str:
    """Return `text`, sometimes with the first letters of the `word` that did not fit."""
    if len(word) < 6 or not word.isalpha() or not happens(rng, 0.04):
        return text
    return f"{text} {word[: int(rng.integers(2, len(word) - 2))]}-"


def _varied(text: str, rng: Rng) -> str:
    """Return `text`, sometimes with a number, a name in capitals, an abbreviation, brackets or quotes."""
    if happens(rng, 0.02):
        return text.upper()
    if not happens(rng, 0.2):
        return text
    words = text.split(" ")
    i = int(rng.integers(len(words)))
    kinds: tuple[Callable[[str], str], ...] = (
        lambda word: _number(rng),
        lambda word: _date(rng),
        lambda word: word.upper(),
        lambda word: word.capitalize(),
        lambda word: str(rng.choice(SHORT)) + " " + word.capitalize(),
        lambda word: f"({word})",
        lambda word: f'"{word}"',
        lambda word: "&",
        lambda word: str(rng.choice(list(LETTERS.upper()))) + ". " + word.capitalize(),
    )
    words[i] = kinds[int(rng.integers(len(kinds)))](words[i])
    return " ".join(words)


def _invented(sentences: Sequence[str], rng: Rng) -> str:
    """Return a line that is a date, a sum, an address, a heading, a pair of names."""
    name = [word.strip(MARKS) for word in plain(sentences[int(rng.integers(len(sentences)))]).split(" ")]
    word, other = (str(rng.choice(name)).capitalize() for _ in range(2))
    forms = (
        _date(rng),
        _number(rng),
        f"{rng.integers(1, 200)}, {rng.choice(STREETS)} {word}",
        f"{word}, le {_date(rng)}",
        f"{word.upper()} - {other.upper()}",
        f"{word} {rng.integers(1, 400)}",
        f"{rng.choice(SHORT)} {word} & {other}",
        f"{rng.integers(1, 20)}) {word}: {_number(rng)}",
        f"{word} ({rng.integers(1500, 2025)}-{rng.integers(1500, 2025)})",
    )
    return forms[int(rng.integers(len(forms)))].strip()


def _number(rng: Rng) -> str:
    """Return a year, a count, a sum, a measure, a time."""
    n, small = int(rng.integers(1, 10 ** int(rng.integers(1, 6)))), int(rng.integers(0, 60))
    forms = (
        str(rng.integers(1500, 2025)),
        str(n),
        f"{n},{small:02d}",
        f"{n}.{small:02d}",
        f"£{n}",
        f"{n} {rng.choice(UNITS)}",
        f"{small % 24}h{small:02d}",
        f"{n // 1000 + 1} {n % 1000:03d}",
        f"{small % 12 + 1}/{small % 9 + 2}",
        f"{small}°",
    )
    return forms[int(rng.integers(len(forms)))]


def _date(rng: Rng) -> str:
    """Return a date as letters and notebooks write it."""
    day, month, year = int(rng.integers(1, 32)), str(rng.choice(MONTHS)), int(rng.integers(1700, 2025))
    number = int(rng.integers(1, 13))
    forms = (
        f"{month.capitalize()} {day}/{year % 100:02d}",
        f"{day} {month} {year}",
        f"{day}-{number}-{year}",
        f"{day}/{number}/{year % 100:02d}",
        f"{month.capitalize()} {year}",
        f"{month.capitalize()} {day}",
        f"{day} {month}",
    )
    return forms[int(rng.integers(len(forms)))]
