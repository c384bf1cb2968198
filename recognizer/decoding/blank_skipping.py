"""Stretches of frames that say the same to every prefix, so that the beam appends their text in one go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.corpus.alphabet import BLANK

# The prefix c1..cn is known by c1 P^(n-1) + ... + cn modulo 2^64; P is odd, so it has an inverse and a string is
# appended in one step. Two of a beam's prefixes share a key by chance once in some 2^50 decoded frames.
BASE = np.uint64(0x9E3779B97F4A7C15)
INVERSE = np.uint64(pow(int(BASE), -1, 1 << 64))


@dataclass(frozen=True)
class RunTexts:
    """What the stretches spell before each step: part of one flat list.

    Args:
        labels: classes of all rows in order.
        begin: (N, S + 1) where the text before step s begins in `labels`; column S stands after the last step.
        length: (N, S + 1) its labels.
    """

    labels: NDArray[np.int64]
    begin: NDArray[np.int64]
    length: NDArray[np.int64]


@dataclass(frozen=True)
class SkippedRuns:
    """The frames of a batch, parted into steps and the stretches between them.

    Args:
        order: (N,) the sample of each row; rows with more steps come first.
        counts: (N,) steps of each row.
        kept: (N, T) the frames that are steps.
        texts: what the stretches spell.
        ends: (N, S + 1) class of the stretch's last frame, -1 where there is none.
        needs: (N, S + 1) class that a prefix must end in to go on, -1 where none must.
    """

    order: NDArray[np.int64]
    counts: NDArray[np.int64]
    kept: NDArray[np.bool_]
    texts: RunTexts
    ends: NDArray[np.int64]
    needs: NDArray[np.int64]


def skipped_runs(sure: NDArray[np.int64], valid: NDArray[np.bool_], before: NDArray[np.int64]) -> SkippedRuns:
    """Part the frames: a certain blank, and a certain class after a certain frame, leave no choice and are no steps.

    Args:
        sure: (N, T) the certain class of each frame, -1 where none is.
        valid: (N, T) frames that count.
        before: (N,) the same as `sure` of the frame before the first.
    """
    past = np.concatenate((before[:, None], sure[:, :-1]), 1) if sure.shape[1] else sure
    gone = (sure == BLANK) | (sure > BLANK) & (past >= 0)
    order = np.argsort(-(valid & ~gone).sum(1), kind="stable")
    sure, past, gone, kept = sure[order], past[order], gone[order], (valid & ~gone)[order]
    counts = kept.sum(1)
    slots = int(counts.max(initial=0)) + 1
    slot: NDArray[np.int64] = np.cumsum(kept, 1) - kept
    ends, needs = np.full((2, len(sure), slots), -1)
    row, frame = np.nonzero(gone)
    ends[row, slot[row, frame]] = sure[row, frame]  # of several frames the last one stays
    first = gone & (sure > BLANK) & (past > BLANK)
    first[:, 1:] &= ~gone[:, :-1]
    row, frame = np.nonzero(first)
    needs[row, slot[row, frame]] = past[row, frame]
    return SkippedRuns(
        order, counts, kept, _texts(gone & (sure > BLANK) & (sure != past), sure, slot, slots), ends, needs
    )


def hashes(texts: RunTexts) -> tuple[NDArray[np.int64], ...]:
    """Return four (N, S + 1) tables (a, b, c, d): appending the text makes key h into a h + b, its parent c h + d."""
    power = np.cumprod(np.full(len(texts.labels) + 1, BASE)) * INVERSE
    inverse = np.cumprod(np.full(len(texts.labels) + 1, INVERSE)) * BASE
    sums = np.cumsum(np.concatenate(([0], texts.labels)).astype(np.uint64) * inverse)
    end, last = texts.begin + texts.length, texts.begin + np.maximum(texts.length - 1, 0)
    whole = power[end] * (sums[end] - sums[texts.begin])
    parent = power[last] * (sums[last] - sums[texts.begin])
    tables = (power[texts.length], whole, power[last - texts.begin], parent)
    return tuple(table.view(np.int64) for table in tables)


def _texts(new: NDArray[np.bool_], classes: NDArray[np.int64], slot: NDArray[np.int64], slots: int) -> RunTexts:
    """Collect the labels of the frames `new` (N, T) by row and slot."""
    row, frame = np.nonzero(new)
    length = np.bincount(row * slots + slot[row, frame], minlength=len(new) * slots)
    begin = np.cumsum(length) - length
    return RunTexts(classes[row, frame], begin.reshape(-1, slots), length.reshape(-1, slots))
