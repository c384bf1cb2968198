"""An n-gram model as arrays: every n-gram is a node, named by the node of its context with its last word."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Trie:
    """The n-grams of all orders in one sorted array of keys.

    Node 0 is the empty context, node 1 + i the word i, then the n-grams of order 2, 3 and so on.
    `keys[node - 1]` is `context node * len(words) + last word`; the keys rise over all orders.

    Args:
        words: the word of every number, <unk>, <s> and </s> among them.
        sizes: how many n-grams each order has, order 1 first.
        keys: (nodes - 1,) int64.
        probs: (nodes - 1,) float32, log10 probability of the last word after its context.
        backoffs: (nodes - 1,) float32, log10 back-off weight, 0 where nothing follows.
    """

    words: tuple[str, ...]
    sizes: tuple[int, ...]
    keys: Ints
    probs: Floats
    backoffs: Floats

    @property
    def order(self) -> int:
        """Words of the longest n-gram."""
        return len(self.sizes)

    def slice_of(self, order: int) -> slice:
        """Return where the n-grams of `order` stand in `keys`."""
        start = sum(self.sizes[: order - 1])
        return slice(start, start + self.sizes[order - 1])

    def rows(self, order: int, start: int, stop: int) -> Ints:
        """Return the word numbers (stop - start, order) of some n-grams of `order`, counted from its first."""
        out = np.empty((stop - start, order), np.int64)
        nodes = np.arange(start, stop, dtype=np.int64) + self.slice_of(order).start + 1
        for column in range(order - 1, -1, -1):
            nodes, out[:, column] = np.divmod(self.keys[nodes - 1], len(self.words))
        return out


def find(keys: Ints, wanted: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the place of every wanted key in sorted `keys` and whether it stands there."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return places, keys[places] == wanted


def suffixes(trie: Trie) -> Ints:
    """Return for every node (node 0 included) the node of the longest n-gram of the model that it ends in.

    Where a file lacks the n-gram without its first word (SRILM prunes so), the next shorter one stands for it:
    its context has back-off weight 1 then, so that the scores stay what the file says.
    """
    out = np.zeros(len(trie.keys) + 1, np.int64)
    for order in range(2, trie.order + 1):
        place = trie.slice_of(order)
        contexts, words = np.divmod(trie.keys[place], len(trie.words))
        out[place.start + 1 : place.stop + 1] = _longest(trie, out, contexts, words)
    return out


def _longest(trie: Trie, links: Ints, contexts: Ints, words: Ints) -> Ints:
    found = np.zeros(len(words), np.int64)
    open_ = np.arange(len(words))
    contexts = links[contexts]
    while len(open_):
        places, here = find(trie.keys, contexts * len(trie.words) + words[open_])
        found[open_[here]] = places[here] + 1
        open_, contexts = open_[~here], links[contexts[~here]]
    return found


def minimal_states(trie: Trie, links: Ints) -> Ints:
    """Return for every node the shortest context that scores every continuation as the node does.

    A context that nothing follows and that has no back-off weight is the same as the context without its first word.
    """
    has_child = np.zeros(len(trie.keys) + 1, bool)
    has_child[trie.keys // len(trie.words)] = True
    has_child[1:] |= trie.backoffs != 0
    states = np.arange(len(trie.keys) + 1)
    for order in range(1, trie.order + 1):
        place = trie.slice_of(order)
        nodes = np.arange(place.start + 1, place.stop + 1)
        short = nodes[~has_child[nodes]] if order < trie.order else nodes
        states[short] = states[links[short]]
    return states
