"""What a training step makes small: CTC losses, and how far two readings of one sample are apart."""

import torch
from torch import Tensor
from torch.nn import functional

from recognizer.corpus.alphabet import BLANK
from recognizer.network.masks import valid_mask
from recognizer.training.data import Batch


def ctc_loss(log_probs: Tensor, counts: Tensor, batch: Batch) -> Tensor:
    """Return the CTC losses (N,), float32; an impossible sample gives infinity, never a hidden zero.

    Args:
        log_probs: (N, T, C), or (V N, T, C) for V views of the batch, one after the other: their mean is returned.
        counts: (N,) or (V N,) frames.
        batch: the labels.
    """
    views = len(log_probs) // len(batch.label_counts)
    losses = functional.ctc_loss(
        log_probs.float().transpose(0, 1),
        batch.labels.repeat(views),
        counts,
        batch.label_counts.repeat(views),
        BLANK,
        reduction="none",
    )
    return losses if views == 1 else losses.view(views, -1).mean(0)


def cr_ctc_loss(log_probs: Tensor, counts: Tensor) -> Tensor:
    """Return (N,) how far the readings of two views of N samples are apart, summed over frames, in nats.

    The mean of the two Kullback-Leibler divergences between the views' distributions in each frame, either one held
    still as the other's aim (CR-CTC, Yao et al. 2024, https://arxiv.org/abs/2410.05101, section 3.2).

    Args:
        log_probs: (2 N, T, C), the second view of all samples after the first of all.
        counts: (2 N,) frames, equal for both views of a sample.
    """
    one, other = log_probs.float().chunk(2)
    apart = sum(
        functional.kl_div(learns, aim.detach(), reduction="none", log_target=True).sum(-1)
        for learns, aim in ((one, other), (other, one))
    )
    valid = valid_mask(counts.chunk(2)[0], one.shape[1])
    return 0.5 * (apart * valid).sum(-1)


def frames_wanted(batch: Batch) -> Tensor:
    """Return the output frames (N,) that CTC needs for the labels of a batch: one each, one between equal ones."""
    n = len(batch.label_counts)
    row = torch.repeat_interleave(torch.arange(n), batch.label_counts.cpu())
    labels = batch.labels.cpu()
    twice = (labels[1:] == labels[:-1]) & (row[1:] == row[:-1])
    return batch.label_counts.cpu() + torch.bincount(row[1:][twice], minlength=n)
