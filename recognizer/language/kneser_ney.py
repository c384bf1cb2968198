"""Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999), in the conventions of KenLM's lmplz."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recognizer.errors import RecognizerError
from recognizer.language.counts import Counts
from recognizer.language.text import START, UNKNOWN, Progress
from recognizer.language.trie import Ints, Trie

# What lmplz takes with --discount_fallback.
FALLBACK = (0.5, 1.0, 1.5)
Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Smoothed:
    """A smoothed model.

    Args:
        trie: probabilities and back-off weights.
        occurrences: (nodes - 1,) how often every n-gram of the trie occurs.
        discounts: D1, D2 and D3+ of every order.
        notes: what was not done by the book, such as discounts that fell back.
    """

    trie: Trie
    occurrences: Ints
    discounts: tuple[tuple[float, float, float], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Order:
    """The n-grams of one order: context number, last word, number of the n-gram without its first word, counts."""

    contexts: Ints
    words: Ints
    shorter: Ints
    adjusted: Ints
    kept: Mask


def discounts_of(adjusted: Ints, order: int) -> tuple[tuple[float, float, float], str]:
    """Return D1, D2, D3+ by equation (26) of Chen and Goodman 1999, and a note where they had to fall back."""
    times = np.bincount(adjusted[adjusted < 5], minlength=5).astype(float)
    if not times[1:5].all():
        missing = [str(i) for i in range(1, 5) if not times[i]]
        return FALLBACK, _fell_back(order, f"no {order}-gram has adjusted count {' or '.join(missing)}")
    y = times[1] / (times[1] + 2 * times[2])
    first, second, third = (j - (j + 1) * y * float(times[j + 1] / times[j]) for j in (1, 2, 3))
    for j, value in enumerate((first, second, third), 1):
        if not 0 < value <= j:
            return FALLBACK, _fell_back(order, f"the discount of count {j} would be {value:.3f}")
    return (float(first), float(second), float(third)), ""


def _fell_back(order: int, why: str) -> str:
    values = ", ".join(map(str, FALLBACK))
    return f"order {order}: discounts fell back to {values}: {why} (small or artificial text)"


def smooth(counts: Counts, cutoff: Sequence[int], progress: Progress) -> Smoothed:
    """Return the model of `counts`; n-grams of order i + 1 that occur `cutoff[i]` times or fewer are left out.

    The uniform distribution below the unigrams is over all words and <unk>, without <s>, as in lmplz.
    """
    orders = _adjusted(counts, cutoff, progress)
    discounts, notes = [], []
    for order, grams in enumerate(orders, 1):
        values, note = discounts_of(grams.adjusted, order)
        discounts.append(values)
        notes += [note] if note else []
    progress("smoothing")
    probs, gammas = _interpolated(counts.words, orders, discounts)
    trie = _trie(counts.words, orders, probs, gammas)
    occurrences = [real[grams.kept] for real, grams in zip(counts.counts, orders, strict=True)]
    return Smoothed(trie, np.concatenate(occurrences), tuple(discounts), tuple(notes))


def thresholds(cutoff: Sequence[int], order: int) -> tuple[int, ...]:
    """Return a threshold of occurrences per order: what is not given is the last that is.

    Raises:
        RecognizerError: thresholds that fall, are negative, prune single words, or are more than the orders.
    """
    full = tuple(cutoff) + (tuple(cutoff)[-1:] or (0,)) * (order - len(cutoff))
    if len(full) > order or full[0] != 0 or any(b < a for a, b in zip(full, full[1:], strict=False)):
        raise RecognizerError(
            f"cutoff is {list(cutoff)}, expected at most {order} whole numbers that start at 0 and never fall"
        )
    return full


def _adjusted(counts: Counts, cutoff: Sequence[int], progress: Progress) -> list[_Order]:
    """Replace counts by the number of different words before; they stay in the top order and after <s>."""
    limits = thresholds(cutoff, len(counts.keys))
    size = len(counts.words)
    start = counts.words.index(START)
    out: list[_Order] = []
    starts = np.arange(size) == start
    shorter = np.zeros(size, np.int64)
    for order, keys in enumerate(counts.keys, 1):
        contexts, words = np.divmod(keys, size)
        if order > 1:
            progress(f"linking {order}-grams")
            starts = starts[contexts]
            shorter = words if order == 2 else np.searchsorted(counts.keys[order - 2], shorter[contexts] * size + words)
        real = counts.counts[order - 1]
        kept = real > limits[order - 1] if order > 1 else np.ones(size, bool)
        out.append(_Order(contexts, words, shorter, np.where(starts & (order == 1), 0, real), kept))
        if order > 1:
            out[-2] = _continued(out[-2], out[-1], counts, order - 1, start)
    return out


def _continued(grams: _Order, longer: _Order, counts: Counts, order: int, start: int) -> _Order:
    seen_before = np.bincount(longer.shorter, minlength=len(grams.words))
    # What begins with <s> has nothing before it: its own count stands (for <s> alone, none).
    adjusted = np.where(seen_before > 0, seen_before, grams.adjusted)
    return _Order(grams.contexts, grams.words, grams.shorter, adjusted, grams.kept)


def _interpolated(
    words: tuple[str, ...], orders: list[_Order], discounts: list[tuple[float, float, float]]
) -> tuple[list[Doubles], list[Doubles]]:
    """Return the probability of every n-gram and, per order, the back-off weight of every context."""
    start, unknown = words.index(START), words.index(UNKNOWN)
    below = np.full(1, 1 / (len(words) - 1))
    probs: list[Doubles] = []
    gammas: list[Doubles] = []
    for order, (grams, values) in enumerate(zip(orders, discounts, strict=True), 1):
        table = np.array((0.0, *values))
        taken = table[np.minimum(grams.adjusted, 3)]
        number = len(orders[order - 2].words) if order > 1 else 1
        total = np.bincount(grams.contexts, grams.adjusted, number)
        spare = np.bincount(grams.contexts, np.where(grams.kept, taken, grams.adjusted), number)
        gamma = np.divide(spare, total, out=np.ones(number), where=total > 0)
        own = np.divide(grams.adjusted - taken, total[grams.contexts])
        prob = own + gamma[grams.contexts] * below[grams.shorter]
        if order == 1:
            prob[start] = 1.0  # scored as certain, never predicted
            assert prob[unknown] > 0
        probs.append(prob)
        gammas.append(gamma)
        below = prob
    return probs, gammas


def _trie(words: tuple[str, ...], orders: list[_Order], probs: list[Doubles], gammas: list[Doubles]) -> Trie:
    """Number the kept n-grams as nodes."""
    nodes = np.zeros(1, np.int64)
    keys, log_probs, backoffs, sizes = [], [], [], []
    used = 0
    for order, grams in enumerate(orders):
        kept = grams.kept
        keys.append(nodes[grams.contexts[kept]] * len(words) + grams.words[kept])
        log_probs.append(np.log10(probs[order][kept]))
        weights = np.log10(gammas[order + 1][kept]) if order + 1 < len(orders) else np.zeros(int(kept.sum()))
        backoffs.append(weights)
        nodes = used + np.cumsum(kept)
        sizes.append(int(kept.sum()))
        used += sizes[-1]
    return Trie(
        words,
        tuple(sizes),
        np.concatenate(keys),
        np.concatenate(log_probs).astype(np.float32),
        np.concatenate(backoffs).astype(np.float32),
    )
