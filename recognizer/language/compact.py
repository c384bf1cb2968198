"""A small form of an n-gram model: what follows from the n-grams' order and from shorter n-grams is not stored.

In a model in which the end of every n-gram is an n-gram too, the words that follow a context are among those that
follow the context without its first word. So a word is stored as its place among those (Pibiri and Venturini 2017,
"Efficient data structures for massive n-gram datasets", context-based remapping), as the distance to the place before;
the link to the shorter n-gram, which a query follows, comes with it. Probabilities and back-off weights are codes of a
table.
"""

from dataclasses import dataclass

import numpy as np

from recognizer.language.quantization import Codes, quantize
from recognizer.language.trie import Floats, Ints, Trie, suffixes


@dataclass(frozen=True)
class CompactOrder:
    """The n-grams of one order.

    Args:
        followers: how many n-grams each n-gram of the order below begins, that order's own order; [words] for order 1.
        gaps: distance of each n-gram's place, less one, to that of the n-gram before it with the same context, or its
            place where it is the first; empty for order 1.
        probs: codes of the log10 probabilities.
        backoffs: codes of the log10 back-off weights of the n-grams that something follows.
        prob_table: values of `probs`.
        backoff_table: values of `backoffs`.
    """

    followers: Ints
    gaps: Ints
    probs: Codes
    backoffs: Codes
    prob_table: Floats
    backoff_table: Floats


@dataclass(frozen=True)
class CompactErrors:
    """What quantisation costs; natural logarithms.

    Args:
        rms: root mean square of the errors of the log-probabilities.
        worst: the largest.
    """

    rms: float
    worst: float


def compact(trie: Trie, bits: int) -> tuple[list[CompactOrder], CompactErrors]:
    """Return the orders of `trie`, each n-gram's end an n-gram too, with codes of `bits` bits, and their errors."""
    links = suffixes(trie)
    followers = np.bincount(trie.keys // len(trie.words), minlength=len(trie.keys) + 1)
    starts = np.cumsum(followers) - followers + 1  # the first node behind each context
    orders: list[CompactOrder] = []
    squares, worst = 0.0, 0.0
    for order in range(1, trie.order + 1):
        place = trie.slice_of(order)
        nodes = np.arange(place.start + 1, place.stop + 1)
        probs = quantize(trie.probs[place], bits)
        going = followers[nodes] > 0
        assert not trie.backoffs[place][~going].any(), "a back-off weight where nothing follows"
        backoffs = quantize(trie.backoffs[place][going], bits)
        squares, worst = squares + probs.rms**2 * len(nodes), max(worst, probs.worst)
        above = slice(0, 1) if order == 1 else slice(trie.slice_of(order - 1).start + 1, place.start + 1)
        gaps = _gaps(trie, links, starts, nodes) if order > 1 else np.zeros(0, np.int64)
        orders.append(CompactOrder(followers[above], gaps, probs.codes, backoffs.codes, probs.table, backoffs.table))
    scale = np.log(10.0)
    return orders, CompactErrors(float(scale * np.sqrt(squares / len(trie.keys))), float(scale * worst))


def _gaps(trie: Trie, links: Ints, starts: Ints, nodes: Ints) -> Ints:
    contexts = trie.keys[nodes - 1] // len(trie.words)
    places = links[nodes] - starts[links[contexts]]
    first = np.diff(contexts, prepend=-1) > 0
    return np.where(first, places, np.diff(places, prepend=0) - 1)


def expand(words: tuple[str, ...], orders: list[CompactOrder]) -> tuple[Trie, Ints]:
    """Return the trie of `orders`, and for every node (node 0 included) the node of the n-gram that it ends in.

    Raises:
        IndexError, ValueError: the orders do not fit together.
    """
    sizes = tuple(len(order.probs) for order in orders)
    nodes = 1 + sum(sizes)
    last, links, keys = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes - 1, np.int64)
    starts, backoffs = np.zeros(nodes + 1, np.int64), np.zeros(nodes - 1, np.float32)
    starts[0], used = 1, 1
    for number, order in enumerate(orders):
        here = slice(used, used + len(order.probs))
        above = np.arange(used - len(order.followers), used)
        if int(order.followers.sum()) != len(order.probs) or len(above) != (sizes[number - 1] if number else 1):
            raise ValueError(f"{len(order.probs)} n-grams of order {number + 1}, another number of contexts")
        contexts = np.repeat(above, order.followers)
        starts[above] = used + np.cumsum(order.followers) - order.followers
        if number == 0:
            last[here] = np.arange(len(words))
        else:
            links[here] = starts[links[contexts]] + _places(order.gaps, contexts)
            last[here] = last[links[here]]
        keys[used - 1 : here.stop - 1] = contexts * len(words) + last[here]
        used = here.stop
        if number + 1 < len(orders):
            going = np.flatnonzero(orders[number + 1].followers) + here.start - 1
            backoffs[going] = order.backoff_table[order.backoffs]
    probs = np.concatenate([order.prob_table[order.probs] for order in orders])
    return Trie(words, sizes, keys, probs, backoffs), links


def _places(gaps: Ints, contexts: Ints) -> Ints:
    """Undo `_gaps`: sums within each context, one more for every step."""
    sums = np.cumsum(gaps + 1)
    first = np.flatnonzero(np.diff(contexts, prepend=-1))
    before = np.append(0, sums)[first]
    return np.asarray(sums - np.repeat(before, np.diff(np.append(first, len(gaps)))) - 1)
