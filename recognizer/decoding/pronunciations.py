"""How words are said: a list of words with the units (phones, say) that a model reads them by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognizer.corpus.alphabet import WORD_BOUNDARY, Alphabet, TextSettings
from recognizer.decoding.lexicon_trie import LOST, ROOT, Floats, WordTrie, trie_of_units
from recognizer.errors import RecognizerError
from recognizer.language.text import read_lines

TAB = "\t"


@dataclass(frozen=True)
class Pronunciations:
    """Words and their units; a word may stand several times, and several words may be said alike.

    Args:
        words: of each pronunciation.
        units: of each pronunciation, symbols of a model's alphabet.
    """

    words: tuple[str, ...]
    units: tuple[tuple[str, ...], ...]


def read_pronunciations(path: Path, alphabet: Alphabet) -> Pronunciations:
    """Return the pronunciations of a file: a word, a tabulator, its units with spaces between; a line for each.

    Raises:
        RecognizerError: the file cannot be read or holds none, a line has another form, the model lacks a unit.
    """
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    known = set(alphabet.symbols) - {boundary(alphabet)}
    for number, line in enumerate(_raw_lines(path), 1):
        if not line.strip():
            continue
        word, tab, said = line.partition(TAB)
        units = tuple(said.split())
        if not tab or not units or len(word.split()) != 1:
            raise RecognizerError(f"{path}:{number}: {line.strip()!r}, expected a word, a tabulator and its units")
        lacking = [unit for unit in units if unit not in known]
        if lacking:
            raise RecognizerError(f"{path}:{number}: {word!r} has the unit {lacking[0]!r}, which the model lacks")
        found.setdefault((word.strip(), units))
    if not found:
        raise RecognizerError(f"{path}: no pronunciations, expected a word, a tabulator and its units on a line")
    return Pronunciations(tuple(word for word, _ in found), tuple(units for _, units in found))


def has_pronunciations(path: Path) -> bool:
    """Tell whether a list gives words with units behind a tabulator that are not just their letters and an end mark.

    Raises:
        RecognizerError: the file cannot be read.
    """
    for line in _raw_lines(path):
        word, _, said = line.partition(TAB)
        if said.strip() and "".join(said.split()).removesuffix(WORD_BOUNDARY) != word:
            return True
    return False


def boundary(alphabet: Alphabet) -> str:
    """Return the symbol that parts words: the first that is white space, "|" in an alphabet of tokens.

    Raises:
        RecognizerError: the alphabet has none.
    """
    wanted = WORD_BOUNDARY if alphabet.text.unit == "token" else " "
    if wanted not in alphabet.symbols:
        raise RecognizerError(f"lexicon: the model has no symbol {wanted!r} between words, so that none can be told")
    return wanted


class PronunciationTrie:
    """The pronunciations as a trie over classes; words that are said alike end at one node."""

    def __init__(self, said: Pronunciations, alphabet: Alphabet) -> None:
        """Lay out the trie.

        Raises:
            RecognizerError: as `boundary`.
        """
        self.boundary = 1 + alphabet.symbols.index(boundary(alphabet))
        distinct = dict.fromkeys(said.units)
        number = {units: i for i, units in enumerate(distinct)}
        self.words = tuple(dict.fromkeys(said.words))
        places = {word: i for i, word in enumerate(self.words)}
        self.homophones: list[list[int]] = [[] for _ in distinct]
        for word, units in zip(said.words, said.units, strict=True):
            self.homophones[number[units]].append(places[word])
        classes = {symbol: i for i, symbol in enumerate(alphabet.symbols, 1)}
        self.trie: WordTrie = trie_of_units([[classes[unit] for unit in units] for units in distinct], alphabet.classes)

    def ends(self, node: int) -> Sequence[int]:
        """Return the numbers of the words that end at a node, none where it is LOST or only a beginning."""
        end = self.trie.end(node) if node > ROOT else LOST
        return self.homophones[end] if end >= 0 else ()

    def best_below(self, values: Floats) -> Floats:
        """Return (nodes,) the highest of `values` (words,) of the words at or below each node."""
        return self.trie.best_below(np.array([values[numbers].max() for numbers in map(np.array, self.homophones)]))


def _raw_lines(path: Path) -> Iterable[str]:
    """Return the lines with their tabulators, which normalised text has not."""
    return (line.text.replace("\ue000", TAB) for line in read_lines(path, _TABS))


# A tabulator is white space, which normalisation makes a space of: a private character stands for it meanwhile.
_TABS = TextSettings(replace={TAB: "\ue000"})
