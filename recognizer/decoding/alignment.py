"""The likeliest frames of a given text: forced alignment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognizer.corpus.alphabet import BLANK, frames_needed
from recognizer.decoding.hypothesis_building import LabelSpans
from recognizer.errors import RecognizerError

TIE = 1e-9  # natural logarithm: a path may be worse than the best by so much a frame


@dataclass(frozen=True)
class Alignment:
    """Where the labels of one sample stand.

    Args:
        placed: frames of each label; its confidence is the highest posterior of the label among them.
        path: the class of every frame.
        score: log-probability of that path.
    """

    placed: LabelSpans
    path: list[int]
    score: float


def align(log_probs: Tensor, labels: Sequence[int]) -> Alignment:
    """Return the likeliest path of `labels` through `log_probs` (T, C).

    Raises:
        RecognizerError: the labels need more frames than there are, or have no path of more than zero probability.
    """
    return align_batch(log_probs[None], torch.tensor([len(log_probs)]), [labels])[0]


def align_batch(log_probs: Tensor, counts: Tensor, labels: Sequence[Sequence[int]]) -> list[Alignment]:
    """Return the likeliest path of each sample's `labels`, by torchaudio's Viterbi in float64.

    Args:
        log_probs: (N, T, C).
        counts: (N,) valid frames.
        labels: of each sample, no blanks.

    Raises:
        RecognizerError: as for `align`; the message names the sample.
    """
    frames = counts.tolist()
    _refuse(frames, labels)
    return [_aligned(log_probs[i, : frames[i]].detach(), sequence, i) for i, sequence in enumerate(labels)]


def _refuse(frames: Sequence[int], labels: Sequence[Sequence[int]]) -> None:
    for i, (count, sequence) in enumerate(zip(frames, labels, strict=True)):
        needed = frames_needed(sequence)
        if needed > count:
            raise RecognizerError(
                f"alignment: sample {i}: {len(sequence)} labels need {needed} frames, there are {count}"
            )


def _aligned(log_probs: Tensor, labels: Sequence[int], sample: int) -> Alignment:
    """Align one sample (T, C)."""
    from torchaudio.functional import forced_align

    classes, targets = np.unique([BLANK, *labels], return_inverse=True)
    chances = log_probs[:, torch.from_numpy(classes).to(log_probs.device)].double().cpu()
    if labels:
        # Where two ways tie, torchaudio may take a third that is worse: a breath of noise leaves no ties.
        noise = _noise(1 << (chances.numel() - 1).bit_length())[: chances.numel()].view(chances.shape)
        paths, _ = forced_align((chances + noise)[None], torch.from_numpy(targets[None, 1:]), blank=0)
        places = paths[0]
    else:
        places = torch.zeros(len(chances), dtype=torch.long)
    scores = chances.gather(1, places[:, None].long())[:, 0].numpy()
    path = classes[places.numpy()]
    score = float(scores.sum())
    if not math.isfinite(score):
        raise RecognizerError(f"alignment: sample {sample}: no path of its {len(labels)} labels is possible")
    return Alignment(_placed(path, scores), path.tolist(), score)


@cache
def _noise(size: int) -> Tensor:
    """Return (size,) float64 in [0, TIE)."""
    return TIE * torch.rand(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _placed(path: NDArray[np.int64], scores: NDArray[np.float64]) -> LabelSpans:
    """Read the frames of each label off a path (T,) and the log-probabilities (T,) of its classes."""
    path = np.append(path, BLANK)
    changes = np.flatnonzero(np.diff(path, prepend=BLANK))
    starts = changes[path[changes] != BLANK]
    ends = changes[np.searchsorted(changes, starts, side="right")]
    chances = np.append(np.exp(np.minimum(scores, 0.0)), 0.0)
    edges = np.stack((starts, ends), 1).ravel()
    confidences = np.maximum.reduceat(chances, edges)[::2] if len(starts) else chances[:0]
    return LabelSpans(path[starts].tolist(), starts.tolist(), ends.tolist(), confidences.tolist())
