"""Frames made ready for the beam: steps gathered, the likely classes of each listed."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognizer.corpus.alphabet import BLANK
from recognizer.decoding.blank_skipping import SkippedRuns, skipped_runs
from recognizer.decoding.hypothesis_building import refuse_nan
from recognizer.network.masks import valid_mask


@dataclass(frozen=True)
class BeamSteps:
    """The frames of a batch that the beam goes through.

    Args:
        around: which frames they are, and what lies between them.
        probs: (N, S, C) float64 posteriors, each step divided by its highest.
        likely: (N, S, C) the classes that may extend a prefix.
        shift: (N,) logarithm of what was divided away.
    """

    around: SkippedRuns
    probs: Tensor
    likely: Tensor
    shift: Tensor


@dataclass(frozen=True)
class Candidates:
    """The classes that may extend a prefix, side by side.

    Args:
        classes: (N, S, M + 1) these classes, then 0; the last column is 0.
        chances: (N, S, M + 1) their posteriors, 0 for 0.
        absent: (N, S, M + 1) float64, -1 where there is no class, else 0.
        columns: (N, S, C) where each class stands, M where it does not.
        widths: most classes of any sample at each step.
    """

    classes: Tensor
    chances: Tensor
    absent: Tensor
    columns: Tensor
    widths: list[int]


class Certain(IntEnum):
    """Of which classes a frame may be taken as certain, and passed over, under a scorer; the more careful first.

    ALL where every text is worth something; BLANKS where a text may be worth minus infinity, but whatever is left of
    the beam may end; NONE where what is left may need a character that a frame is all but certain not to hold.
    """

    NONE = 0
    BLANKS = 1
    ALL = 2


def beam_steps(
    log_probs: Tensor,
    counts: Tensor,
    certain: Certain,
    threshold: float,
    token_min_logp: float,
    before: NDArray[np.int64],
) -> tuple[BeamSteps, NDArray[np.int64]]:
    """Return what the beam has to go through, and (N,) the certain class of each last frame.

    Args:
        log_probs: (N, T, C).
        counts: (N,).
        certain: of which classes a frame may be certain.
        threshold: a frame is certain where one of these has at least this posterior; above 1 none is.
        token_min_logp: log-posterior below which a class extends no prefix.
        before: (N,) what the last call returned; -1 at the start and where no class is certain.
    """
    best, classes, valid = _best(log_probs, counts)
    refuse_nan(torch.from_numpy(~np.isfinite(best) & valid))
    passed = valid & (best >= np.log(threshold))
    if certain is not Certain.ALL:
        passed &= (classes == BLANK) & (certain is Certain.BLANKS)
    sure = np.where(passed, classes, -1)
    around = skipped_runs(sure, valid, before)
    probs = _gathered(log_probs, around)
    peak = probs.amax(2, keepdim=True).clamp(min=torch.finfo(probs.dtype).min)
    shift = np.where(valid, best, 0.0).sum(1, dtype=np.float64)[around.order]
    likely = probs >= max(token_min_logp, torch.finfo(probs.dtype).min)
    likely[:, :, BLANK] = False
    there = torch.from_numpy(shift).to(probs.device)
    after = np.take_along_axis(np.concatenate((before[:, None], sure), 1), counts.numpy()[:, None], 1)[:, 0]
    return BeamSteps(around, (probs - peak).exp(), likely, there), after


def candidates(steps: BeamSteps) -> Candidates:
    """Return the likely classes of all steps in tables."""
    mask, probs = steps.likely, steps.probs
    widths: list[int] = mask.sum(2).amax(0).tolist() if len(mask) else []
    most = max(widths, default=0)
    columns = torch.where(mask, mask.cumsum(2) - 1, most)
    table = torch.zeros((*mask.shape[:2], most + 1), dtype=torch.long, device=mask.device)
    table.scatter_(2, columns, torch.arange(mask.shape[2], device=mask.device).expand_as(columns) * mask)
    table[:, :, most] = BLANK
    absent = -(table == BLANK).double()
    return Candidates(table, probs.gather(2, table) * (1 + absent), absent, columns, widths)


def _best(log_probs: Tensor, counts: Tensor) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return (N, T) highest log-posterior, its class, and which frames are valid."""
    if log_probs.shape[1] == 0:
        empty = np.zeros(tuple(log_probs.shape[:2]))
        return empty, empty.astype(np.int64), empty.astype(bool)
    best, classes = log_probs.max(2)
    valid = valid_mask(counts, log_probs.shape[1]).numpy()
    return best.double().cpu().numpy(), classes.cpu().numpy(), valid


def _gathered(log_probs: Tensor, around: SkippedRuns) -> Tensor:
    """Return (N, S, C) float64 of the frames kept, minus infinity behind each row's last."""
    index = np.argsort(~around.kept, axis=1, kind="stable")[:, : around.ends.shape[1] - 1]
    inside = torch.from_numpy(np.take_along_axis(around.kept, index, 1)).to(log_probs.device)
    rows = torch.from_numpy(around.order)[:, None].to(log_probs.device)
    chosen = log_probs[rows, torch.from_numpy(index).to(log_probs.device)]
    return chosen.double().masked_fill(~inside[:, :, None], -torch.inf)
