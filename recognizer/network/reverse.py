"""Reversal of padded sequences in time."""

import torch
from torch import Tensor


def reverse_index(counts: Tensor, frames: int) -> Tensor:
    """Return (N, T) indices that reverse the first `counts` frames of each sample, leaving its padding in place."""
    steps = torch.arange(frames, device=counts.device)
    last = counts[:, None] - 1
    return torch.where(steps <= last, last - steps, steps)


def reverse_padded(x: Tensor, counts: Tensor) -> Tensor:
    """Reverse each sample's own first `counts` frames of x (N, T, ...); padding stays where it is."""
    index = reverse_index(counts, x.shape[1])
    rows = torch.arange(x.shape[0], device=x.device)
    return x[rows[:, None], index]


def padding_mask(counts: Tensor, frames: int) -> Tensor:
    """Return (N, T), True where a frame is padding."""
    return torch.arange(frames, device=counts.device) >= counts[:, None]
