"""Words as a trie over classes, walked by many prefixes at once."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.corpus.alphabet import Alphabet
from recognizer.errors import RecognizerError

ROOT, LOST = 0, -1  # nodes: before a word's first letter, after letters that begin no word

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WordTrie:
    """A trie of words; node i + 1 is the one that `keys[i]` leads to.

    Args:
        letters: (C,) letter of each class.
        keys: sorted, node times len(letters) plus letter.
        words: (nodes,) number of the word that ends here, -1 for none.
        depths: (nodes,) letters from the root.
        nodes: (words,) where each word ends.
    """

    letters: Ints
    keys: Ints
    words: Ints
    depths: Ints
    nodes: Ints

    def walk(self, nodes: Ints, classes: Ints) -> Ints:
        """Return the nodes (M,) that `classes` (M,) lead to, LOST where nothing is there."""
        # Behind LOST all that is wanted is negative, and no key is.
        wanted = nodes * len(self.letters) + self.letters[classes]
        places = self.keys.searchsorted(wanted)
        return np.where(self.keys.take(places, mode="clip") == wanted, places + 1, LOST)

    def step(self, node: int, label: int) -> int:
        """Return the node that one class leads to, as `walk`."""
        wanted = node * len(self.letters) + int(self.letters[label])
        place = int(self.keys.searchsorted(wanted))
        return place + 1 if place < len(self.keys) and self.keys[place] == wanted else LOST

    def end(self, node: int) -> int:
        """Return the number of the word that ends at one node, as `ends`."""
        return -1 if node == LOST else int(self.words[node])

    def ends(self, nodes: Ints) -> Ints:
        """Return the number (M,) of the word that ends at each node, -1 for none and where LOST."""
        return np.where(nodes == LOST, -1, self.words[nodes])

    def best_below(self, values: Floats) -> Floats:
        """Return (nodes,) the highest of `values` (words,) of the words at or below each node."""
        best = np.full(len(self.words), -np.inf)
        np.maximum.at(best, self.nodes, values)
        parents = self.keys // len(self.letters)
        for depth in range(int(self.depths.max(initial=0)), 0, -1):
            level = np.flatnonzero(self.depths == depth)
            np.maximum.at(best, parents[level - 1], best[level])
        return best


def word_trie(words: Sequence[str], alphabet: Alphabet, fold: Callable[[str], str] = str) -> tuple[WordTrie, Ints]:
    """Return the trie of `words`, and the numbers of the words that the alphabet cannot spell (left out).

    Args:
        words: distinct, not empty.
        alphabet: the classes.
        fold: makes of a symbol what stands for it in `words`, lower case for example.

    Raises:
        RecognizerError: the alphabet is one of tokens, or it can spell no word of the list.
    """
    if alphabet.text.unit == "token":
        raise RecognizerError("decoding: an alphabet of tokens has no words, expected one of characters")
    numbers = {letter: i for i, letter in enumerate(dict.fromkeys(fold(symbol) for symbol in alphabet.symbols), 1)}
    letters = np.array([0, *(numbers[fold(symbol)] for symbol in alphabet.symbols)], dtype=np.int64)
    table, lengths = _spelled(words, numbers)
    whole = (lengths > 0) & ((table > 0).sum(1) == lengths)
    kept, left_out = np.flatnonzero(whole), np.flatnonzero(~whole)
    if not len(kept):
        raise RecognizerError(f"decoding: none of {len(words)} words can be written with the model's characters")
    return _built(table[kept], lengths[kept], kept, letters, len(words)), left_out


def trie_of_units(units: Sequence[Sequence[int]], classes: int) -> WordTrie:
    """Return the trie of distinct sequences, not empty, of classes below `classes`; a class is a letter of its own."""
    lengths = np.array([len(one) for one in units], dtype=np.int64)
    table = np.zeros((len(units), int(lengths.max())), dtype=np.int64)
    for row, one in zip(table, units, strict=True):
        row[: len(one)] = one
    return _built(table, lengths, np.arange(len(units)), np.arange(classes), len(units))


def _spelled(words: Sequence[str], numbers: dict[str, int]) -> tuple[Ints, Ints]:
    """Return the number (words, longest) of each letter of each word, 0 for one that has none, and (words,) lengths."""
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    points = np.array(words, dtype=f"U{max(1, int(lengths.max(initial=0)))}").view(np.uint32).reshape(len(words), -1)
    table = np.zeros(int(points.max(initial=0)) + 1, dtype=np.int64)
    for letter, number in numbers.items():
        if len(letter) == 1 and ord(letter) < len(table):
            table[ord(letter)] = number
    table[0] = 0  # what stands behind the end of a word
    return table[points], lengths


def _built(table: Ints, lengths: Ints, numbers: Ints, letters: Ints, words: int) -> WordTrie:
    """Build the trie a level at a time: the keys of a level follow those of the one above in order.

    Args:
        table: (kept, longest) number of each letter of the words that can be spelled.
        lengths: (kept,) letters of each.
        numbers: (kept,) number of each in the list.
        letters: (C,) letter of each class.
        words: length of the list.
    """
    at = np.zeros(len(table), dtype=np.int64)
    keys: list[Ints] = []
    size = 1
    for depth in range(int(lengths.max())):
        going = np.flatnonzero(lengths > depth)
        level, place = np.unique(at[going] * len(letters) + table[going, depth], return_inverse=True)
        at[going] = size + place
        keys.append(level)
        size += len(level)
    ends, nodes = np.full(size, -1), np.zeros(words, dtype=np.int64)
    ends[at], nodes[numbers] = numbers, at
    depths = np.repeat(np.arange(len(keys) + 1), [1, *map(len, keys)])
    return WordTrie(letters, np.concatenate(keys), ends, depths, nodes)


def spaces(alphabet: Alphabet) -> NDArray[np.bool_]:
    """Return (C,) which classes are white space."""
    return np.array([False, *(symbol.isspace() for symbol in alphabet.symbols)])


def breaks(alphabet: Alphabet, words: Sequence[str]) -> NDArray[np.bool_]:
    """Return (C,) which classes end a listed word: white space, and punctuation or signs that no word of it has."""
    inside = set("".join(words))
    return np.array(
        [False]
        + [
            symbol.isspace() or (symbol not in inside and unicodedata.category(symbol[0])[0] in "PS")
            for symbol in alphabet.symbols
        ]
    )
