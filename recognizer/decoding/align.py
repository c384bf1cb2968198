"""The likeliest frames of a given text: forced alignment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognizer.alphabet import BLANK, frames_needed
from recognizer.decoding.reading import Placed
from recognizer.errors import RecognizerError


@dataclass(frozen=True)
class Alignment:
    """Where the labels of one sample stand.

    Args:
        placed: frames of each label; its confidence is the highest posterior of the label among them.
        path: the class of every frame.
        score: log-probability of that path.
    """

    placed: Placed
    path: list[int]
    score: float


def align(log_probs: Tensor, labels: Sequence[int]) -> Alignment:
    """Return the likeliest path of `labels` through `log_probs` (T, C).

    Raises:
        RecognizerError: the labels need more frames than there are, or have no path of more than zero probability.
    """
    return align_batch(log_probs[None], torch.tensor([len(log_probs)]), [labels])[0]


def align_batch(log_probs: Tensor, counts: Tensor, labels: Sequence[Sequence[int]]) -> list[Alignment]:
    """Return the likeliest path of each sample's `labels`: Viterbi over label, blank, label ... of all samples at once.

    Args:
        log_probs: (N, T, C).
        counts: (N,) valid frames.
        labels: of each sample, no blanks.

    Raises:
        RecognizerError: as for `align`; the message names the sample.
    """
    frames = counts.cpu().numpy()
    _refuse(frames, labels)
    spelled, lengths = _spelled(labels)
    index = torch.from_numpy(spelled).to(log_probs.device)[:, None, :].expand(-1, log_probs.shape[1], -1)
    emitted = log_probs.gather(2, index).double().cpu().numpy()
    places, scores = _viterbi(emitted, frames, spelled, lengths)
    for i, score in enumerate(scores):
        if not math.isfinite(score):
            raise RecognizerError(f"alignment: sample {i}: no path of its {len(labels[i])} labels is possible")
    return [
        _alignment(emitted[i], spelled[i], places[i, : frames[i]], len(labels[i]), float(scores[i]))
        for i in range(len(labels))
    ]


def _refuse(frames: NDArray[np.int64], labels: Sequence[Sequence[int]]) -> None:
    for i, (count, sequence) in enumerate(zip(frames.tolist(), labels, strict=True)):
        needed = frames_needed(sequence)
        if needed > count:
            raise RecognizerError(
                f"alignment: sample {i}: {len(sequence)} labels need {needed} frames, there are {count}"
            )


def _spelled(labels: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (N, S) blank, label, blank ... blank, padded with blanks, and (N,) how much of it counts."""
    lengths = np.array([2 * len(sequence) + 1 for sequence in labels], dtype=np.int64)
    spelled = np.full((len(labels), int(lengths.max(initial=1))), BLANK, dtype=np.int64)
    for row, sequence in zip(spelled, labels, strict=True):
        row[1 : 2 * len(sequence) : 2] = sequence
    return spelled, lengths


def _viterbi(
    emitted: NDArray[np.float64], frames: NDArray[np.int64], spelled: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return (N, T) the place in `spelled` (N, S) of each frame on the best path, and (N,) the path's score."""
    samples, total, places = emitted.shape
    rows = np.arange(samples)
    skips = np.zeros(spelled.shape, dtype=bool)
    skips[:, 2:] = (spelled[:, 2:] != BLANK) & (spelled[:, 2:] != spelled[:, :-2])
    skips[:, 1:2] = True  # from before the first place, where only the first frame finds a path
    closed = np.where(skips, 0.0, -np.inf)
    score = np.full((samples, places + 2), -np.inf)
    score[:, 1] = 0.0
    stay, step, skip = score[:, 2:], score[:, 1:-1], score[:, :-2]  # views of what came before
    best, far, further = np.empty_like(closed), np.empty_like(closed), np.empty(closed.shape, bool)
    moves = np.zeros((total, samples, places), dtype=np.int8)
    last, final = np.zeros(samples, dtype=np.int64), np.where(frames == 0, 0.0, -np.inf)
    ending = set(frames.tolist())
    for t, (move, chances) in enumerate(zip(moves, np.moveaxis(emitted, 1, 0), strict=True), 1):
        np.add(skip, closed, out=far)
        np.greater(step, stay, out=move.view(np.bool_))
        np.maximum(stay, step, out=best)
        np.greater(far, best, out=further)
        np.putmask(move, further, 2)
        np.maximum(best, far, out=best)
        np.add(best, chances, out=stay)
        score[:, 1] = -np.inf
        if t in ending:
            done = np.flatnonzero(frames == t)
            last[done], final[done] = _best_end(score[done, 2:], lengths[done])
    path = np.zeros((samples, total), dtype=np.int64)
    for t in reversed(range(total)):
        if t + 1 < total:
            last = np.where(t + 1 < frames, last - moves[t + 1, rows, last], last)
        path[:, t] = last
    return path, final


def _best_end(score: NDArray[np.float64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return (M,) the better of the last blank and the last label of each row, and its score."""
    rows = np.arange(len(score))
    blank, label = score[rows, lengths - 1], np.where(lengths > 1, score[rows, lengths - 2], -np.inf)
    return np.where(label > blank, lengths - 2, lengths - 1), np.maximum(label, blank)


def _alignment(
    emitted: NDArray[np.float64], spelled: NDArray[np.int64], places: NDArray[np.int64], labels: int, score: float
) -> Alignment:
    """Read the frames of each label off the `places` of one sample."""
    wanted = 2 * np.arange(labels) + 1
    starts, ends = np.searchsorted(places, wanted), np.searchsorted(places, wanted, side="right")
    best = np.exp(np.minimum(emitted[np.arange(len(places)), places], 0.0))
    edges = np.stack((starts, ends), 1).ravel()
    confidences = np.maximum.reduceat(np.append(best, 0.0), edges)[::2] if labels else best[:0]
    placed = Placed(spelled[wanted].tolist(), starts.tolist(), ends.tolist(), confidences.tolist())
    return Alignment(placed, spelled[places].tolist(), score)
