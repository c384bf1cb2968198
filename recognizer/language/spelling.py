"""How the words that a model of words lacks are spelled: a model of the characters within words."""

from collections.abc import Sequence

import numpy as np

from recognizer.corpus.alphabet import TextSettings
from recognizer.language.counts import count
from recognizer.language.kneser_ney import smooth
from recognizer.language.ngram import About, NGram, of_trie
from recognizer.language.pruning import prune
from recognizer.language.text import SPECIALS, Encoded, by_frequency
from recognizer.language.trie import Trie

ORDER = 5  # characters of the longest n-gram
PRUNE = 2e-6  # relative rise of the perplexity; a sixth of the n-grams stay, the perplexity rises by about 2 %


def spelling_model(words: Sequence[str], text: TextSettings) -> tuple[Trie, About] | None:
    """Return a model of the characters of `words`, each counted once: what is rare, not what is frequent, is unknown.

    Its end of a sentence is the end of the word. Special words are left out; None where nothing else is there.
    """
    own = [word for word in words if word and word not in SPECIALS]
    if not own:
        return None
    counts = count(by_frequency(_encoded(own)), ORDER, _quietly)
    smoothed = smooth(counts, (0,), _quietly)
    return prune(smoothed.trie, smoothed.occurrences, PRUNE), About("character", text)


def spelling_of(words: Sequence[str], text: TextSettings) -> NGram | None:
    """Return `spelling_model` of the vocabulary of a model whose file has none."""
    found = spelling_model(words, text)
    return of_trie(*found) if found else None


def _encoded(words: Sequence[str]) -> Encoded:
    numbers = {special: i for i, special in enumerate(SPECIALS)}
    tokens: list[int] = []
    for word in words:
        tokens.append(1)
        tokens += [numbers.setdefault(letter, len(numbers)) for letter in word]
        tokens.append(2)
    return Encoded(np.array(tokens, np.int32), tuple(numbers), len(words), 0)


def _quietly(message: str) -> None:
    pass
