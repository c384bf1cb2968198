"""The best path: the likeliest class of every frame, repeats merged, blanks removed."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recognizer.corpus.alphabet import BLANK, Alphabet
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.decoding.hypothesis_building import LabelSpans, build_hypothesis, check_batch, refuse_nan

if TYPE_CHECKING:
    from torch import Tensor


def greedy(log_probs: "Tensor | np.ndarray", counts: "Tensor | np.ndarray", alphabet: Alphabet) -> list[Hypothesis]:
    """Read every sample by its best path (Graves 2006, section 3.2).

    A character spans the frames of its run; its confidence is the highest posterior among them; the score is the
    path's log-probability. The whole's confidence where nothing is read is the lowest posterior of a blank (0 without
    frames).

    Args:
        log_probs: (N, T, C) float32, natural logarithm, any device.
        counts: (N,) valid frames.
        alphabet: what the classes stand for.

    Raises:
        RecognizerError: the classes are not the alphabet's, a count is too large, a value is not a number.
    """
    check_batch(log_probs, counts, alphabet)
    samples, frames, _ = log_probs.shape
    if samples == 0 or frames == 0:
        return [build_hypothesis(LabelSpans([], [], [], []), alphabet, 0.0, 0.0) for _ in range(samples)]
    values, classes = _best_of(log_probs)
    valid = np.arange(frames) < np.asarray(counts if isinstance(counts, np.ndarray) else counts.cpu())[:, None]
    refuse_nan(np.isnan(values) & valid)
    return _collapse(values, classes, valid, alphabet)


def _best_of(log_probs: Any) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the likeliest class of each frame (N, T) with its log-probability, of a tensor or an array (N, T, C)."""
    if isinstance(log_probs, np.ndarray):
        classes = log_probs.argmax(2)
        values = np.take_along_axis(log_probs, classes[:, :, None], 2)[:, :, 0]
        return values.astype(np.float32, copy=False), classes.astype(np.int32)
    import torch

    best, places = log_probs.float().max(2)
    # float32 holds every class below 2**24 exactly: both tables leave the device in one transfer.
    best, floats = torch.stack((best, places.float())).cpu()
    return best.numpy(), floats.int().numpy()


def _collapse(
    values: NDArray[np.float32], classes: NDArray[np.int32], valid: NDArray[np.bool_], alphabet: Alphabet
) -> list[Hypothesis]:
    """Merge the runs of all samples (N, T) at once and hand each sample its own."""
    frames = classes.shape[1]
    classes = np.where(valid, classes, -1)  # padding is a run of its own
    changes = np.ones(classes.shape, dtype=bool)
    changes[:, 1:] = classes[:, 1:] != classes[:, :-1]
    starts = np.flatnonzero(changes)
    ends = np.append(starts[1:], classes.size)
    confidences = np.exp(np.minimum(np.maximum.reduceat(values.ravel(), starts), 0.0))
    labels = classes.ravel()[starts]
    kept = labels > BLANK
    starts, ends, confidences, labels = starts[kept], ends[kept], confidences[kept], labels[kept]
    rows = starts // frames
    bounds = np.searchsorted(rows, np.arange(len(classes) + 1)).tolist()
    first, last = (starts - rows * frames).tolist(), (ends - rows * frames).tolist()
    scores = np.where(valid, values, 0.0).sum(1, dtype=np.float64).tolist()
    silences = np.where(valid.any(1), np.exp(np.where(valid, values, 0.0).min(1)), 0.0).tolist()
    all_labels, all_confidences = labels.tolist(), confidences.tolist()
    return [
        build_hypothesis(
            LabelSpans(all_labels[a:b], first[a:b], last[a:b], all_confidences[a:b]), alphabet, score, silence
        )
        for a, b, score, silence in zip(bounds, bounds[1:], scores, silences, strict=False)
    ]
