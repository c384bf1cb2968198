"""Reversal of padded sequences in time."""

from typing import Any

import torch
from torch import Tensor


def reverse_padded(x: Tensor, counts: Tensor) -> Tensor:
    """Reverse each sample's own first `counts` frames of x (N, T, ...); padding stays where it is."""
    batch, frames = x.shape[:2]
    steps = torch.arange(frames, device=x.device)
    last = counts.to(x.device)[:, None] - 1
    index = torch.where(steps <= last, last - steps, steps)
    offsets = frames * torch.arange(batch, device=x.device)[:, None]
    return _Reorder.apply(x, (index + offsets).view(-1))  # type: ignore[no-any-return,no-untyped-call]


class _Reorder(torch.autograd.Function):
    """Take whole frames in an order that is its own inverse: the gradient needs no scattered sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        return x.reshape(len(index), -1).index_select(0, index).view(x.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        return _Reorder.apply(gradient, index), None  # type: ignore[no-untyped-call]
