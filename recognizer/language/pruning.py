"""Entropy pruning of an n-gram model (Stolcke 1998, "Entropy-based pruning of backoff language models").

An n-gram is left out where the model without it is nearly as good: where the relative entropy between the two models,
weighted by how often the context occurs, would raise the perplexity by less than a threshold.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recognizer.errors import RecognizerError
from recognizer.language.trie import Ints, Trie, suffixes

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
LEAST = 1e-12  # a smaller probability left for unseen words is rounding


@dataclass(frozen=True)
class _Grams:
    """The n-grams of one order with what pruning needs to know of them.

    Args:
        contexts: node of each n-gram's context.
        probs: probability of the last word after it.
        lower: probability of the last word after the context without its first word.
    """

    contexts: Ints
    probs: Doubles
    lower: Doubles


def prune(trie: Trie, occurrences: Ints, threshold: float) -> Trie:
    """Return `trie` without the n-grams whose loss raises the perplexity by less than a share of `threshold` each.

    Kept n-grams keep their probabilities, back-off weights are computed anew. What begins or ends a kept one is kept.
    A context is as probable as it is frequent in the text: Kneser-Ney's own lower orders would say something else
    (Chelba and others 2010, "Study on interaction between entropy pruning and Kneser-Ney smoothing").

    Args:
        trie: a model in which the end of every n-gram (its last n - 1 words) is an n-gram too, as `lm build` makes it.
        occurrences: (nodes - 1,) how often every n-gram occurs in the text.
        threshold: relative rise of the perplexity, 1e-8 for example; 0 leaves everything.

    Raises:
        RecognizerError: the threshold is negative or no number.
    """
    if not 0 <= threshold < 1:
        raise RecognizerError(f"prune is {threshold}, expected a number from 0 (nothing is pruned) to below 1")
    if threshold == 0 or trie.order == 1:
        return trie
    links = suffixes(trie)
    chances = _context_chances(trie, occurrences)
    kept = np.ones(len(trie.keys) + 1, bool)  # by node; node 0 is the empty context
    needed = np.zeros(len(kept), bool)
    for order in range(trie.order, 1, -1):
        place = trie.slice_of(order)
        nodes = slice(place.start + 1, place.stop + 1)
        grams = _grams(trie, links, order)
        kept[nodes] = needed[nodes] | (_rises(trie, grams, chances) >= threshold)
        needed[grams.contexts[kept[nodes]]] = needed[links[nodes][kept[nodes]]] = True
    return _reweighted(_only(trie, kept))


def _context_chances(trie: Trie, occurrences: Ints) -> Doubles:
    """Return (nodes,) how likely each n-gram is the context of a token: its share of all places of the text."""
    words = occurrences[: trie.sizes[0]]
    return np.append([1.0], occurrences / max(1, int(words.sum())))


def _grams(trie: Trie, links: Ints, order: int) -> _Grams:
    place = trie.slice_of(order)
    ends = links[place.start + 1 : place.stop + 1]
    below = trie.slice_of(order - 1)
    assert ((ends > below.start) & (ends <= below.stop)).all(), "an n-gram's end is no n-gram"
    power = np.power(10.0, trie.probs[place].astype(np.float64))
    return _Grams(trie.keys[place] // len(trie.words), power, np.power(10.0, trie.probs[ends - 1].astype(np.float64)))


def _rises(trie: Trie, grams: _Grams, chances: Doubles) -> Doubles:
    """Return (n-grams of an order,) by which share the perplexity rises where each alone is left out."""
    below = np.maximum(1 - np.bincount(grams.contexts, grams.lower, len(chances)), LEAST)[grams.contexts]
    weight = np.power(10.0, trie.backoffs[grams.contexts - 1].astype(np.float64))
    unseen = weight * below  # what the context leaves for the words it lacks
    after = (unseen + grams.probs) / (below + grams.lower)  # the context's back-off weight without the n-gram
    lost = grams.probs * (np.log(grams.lower) + np.log(after) - np.log(grams.probs))
    lost += unseen * (np.log(after) - np.log(weight))
    return np.asarray(np.expm1(-chances[grams.contexts] * lost))


def _only(trie: Trie, kept: Mask) -> Trie:
    """Return `trie` with the nodes `kept` (nodes,) alone, their contexts among them."""
    numbers = np.cumsum(kept) - 1
    here = kept[1:]
    contexts, words = np.divmod(trie.keys[here], len(trie.words))
    sizes = tuple(int(kept[1:][trie.slice_of(order)].sum()) for order in range(1, trie.order + 1))
    while len(sizes) > 1 and not sizes[-1]:
        sizes = sizes[:-1]
    keys = numbers[contexts] * len(trie.words) + words
    return Trie(trie.words, sizes, keys, trie.probs[here], trie.backoffs[here])


def _reweighted(trie: Trie) -> Trie:
    """Return `trie` with the back-off weights that make the probabilities after every context sum to one."""
    links = suffixes(trie)
    weights = np.zeros(len(trie.keys) + 1)
    for order in range(2, trie.order + 1):
        grams = _grams(trie, links, order)
        above = 1 - np.bincount(grams.contexts, grams.probs, len(weights))
        below = 1 - np.bincount(grams.contexts, grams.lower, len(weights))
        here = np.unique(grams.contexts)
        weights[here] = np.log10(np.maximum(above[here], LEAST) / np.maximum(below[here], LEAST))
    return replace(trie, backoffs=weights[1:].astype(np.float32))
