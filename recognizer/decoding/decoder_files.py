"""The files that a decoder needs beside the model file, opened."""

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.pronunciations import Pronunciations
from recognizer.decoding.settings import NamedFile
from recognizer.errors import RecognizerError
from recognizer.language.ngram import NGram, unit_of
from recognizer.language.ngram_file import open_ngram
from recognizer.language.packed import MAGIC, OLD_MAGIC
from recognizer.language.text import SPACE, read_lines

if TYPE_CHECKING:
    from recognizer.language.lstm import LanguageModel

SHOWN = 10  # characters in a message
KENLM = b"mmap lm http"  # how a binary file of KenLM begins


@dataclass(frozen=True)
class DecoderFiles:
    """What a decoder was given.

    Args:
        lm: language model.
        lm_path: where it lies.
        hot_words: words to prefer.
        lexicon: the words that may be read.
        pronunciations: the words that may be read with the units that they are read by, in the place of `lexicon`.
        rescore: language model that ranks texts anew.
    """

    lm: "NGram | LanguageModel | None" = None
    lm_path: Path | None = None
    hot_words: Sequence[str] = ()
    lexicon: Sequence[str] = ()
    pronunciations: Pronunciations | None = None
    rescore: "NGram | LanguageModel | None" = None


def name_file(path: Path) -> NamedFile:
    """Return the name and the hash of a file.

    Raises:
        RecognizerError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror or error})") from None
    return NamedFile(path.name, digest.hexdigest())


def open_language_model(path: Path) -> "NGram | LanguageModel":
    """Open an n-gram model (packed or ARPA) or a neural one, whatever the file's name.

    Raises:
        RecognizerError: it is none of them, or is at fault.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(9)
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror or error})") from None
    if head[8:] != b"{":  # a safetensors file begins with the length of its header, which is JSON
        return open_ngram(path)
    from recognizer.language.lstm import load

    return load(path)


def read_words(path: Path, alphabet: Alphabet, what: str) -> list[str]:
    """Return the words of a list, one or more a line, normalised as the model's transcripts are.

    A line that holds a word and then its letters, as lexicons of other toolkits do ("shall s h a l l |"), is that word.

    Raises:
        RecognizerError: the file cannot be read or holds no word, or the model lacks a character of one.
    """
    words: dict[str, int] = {}
    for line in read_lines(path, alphabet.text):
        for word in _without_spelling(line.text.split()):
            words.setdefault(word, line.number)
    if not words:
        raise RecognizerError(f"{path}: no words, expected a {what} of a word a line")
    known = set(alphabet.symbols)
    lacking = sorted({letter for word in words for letter in alphabet.split(word) if letter not in known})
    if lacking:
        first, number = next((w, n) for w, n in words.items() if set(alphabet.split(w)) & set(lacking))
        named = ", ".join(map(repr, lacking[:SHOWN])) + (" and more" if len(lacking) > SHOWN else "")
        raise RecognizerError(f"{path}:{number}: {what}: {first!r}: the model lacks {named}")
    return list(words)


def _without_spelling(words: list[str]) -> list[str]:
    """Return the words of a line; the first alone where all behind it are its letters, perhaps with an end mark."""
    spelled = "".join(words[1:]).removesuffix("|")
    return words[:1] if len(words) > 1 and spelled == words[0] else words


def unknown_symbols(model: "NGram | LanguageModel", alphabet: Alphabet) -> list[str]:
    """Return the symbols that a model of characters (or of the alphabet's tokens) does not know."""
    from recognizer.language.lstm import LanguageModel

    text = model.settings.text if isinstance(model, LanguageModel) else model.about.text
    found = []
    for symbol in alphabet.symbols:
        name = symbol if len(text.normalize(symbol)) != 1 else text.normalize(symbol)
        if isinstance(model, LanguageModel):
            known = (" " if symbol.isspace() else name) in model.numbers
        else:
            known = int(model.ids([SPACE if symbol.isspace() else name])[0]) != model.unknown
        if not known:
            found.append(symbol)
    return found


def flashlight_model(path: Path, lexicon: bool) -> Path:
    """Return the path of a model that flashlight can use, of words with a lexicon, of characters without.

    Raises:
        RecognizerError: it is another kind of file, or of the other unit.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(len(MAGIC))
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror or error})") from None
    if head.startswith(KENLM):  # which keeps its words where only KenLM finds them
        return path
    if head.startswith((MAGIC, OLD_MAGIC)) or head[8:9] == b"{":
        raise RecognizerError(f"{path}: flashlight reads ARPA files and KenLM's own, expected one or --decoder beam")
    unit, wanted = _arpa_unit(path), "word" if lexicon else "character"
    if unit != wanted:
        cure = "without --lexicon" if lexicon else "with --lexicon"
        raise RecognizerError(f"{path}: a model of {unit}s, which flashlight takes only {cure}")
    return path


def _arpa_unit(path: Path) -> str:
    """Return "character" or "word" for a plain or gzip ARPA file, by its 1-grams alone."""
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            words: list[str] = []
            for line in gzip.GzipFile(fileobj=raw) if packed else raw:
                if line.startswith((b"\\2-grams", b"\\end")):
                    return unit_of(words)
                words += [part.decode("utf-8", "replace") for part in line.split()[1:2]]
    except (OSError, EOFError) as error:
        raise RecognizerError(f"{path}: cannot be read ({error}), expected an ARPA file") from None
    raise RecognizerError(f"{path}: the file ends, expected an ARPA file")
