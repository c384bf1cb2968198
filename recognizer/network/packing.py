"""Valid frames of a padded batch, taken out and put back."""

import torch
from torch import Tensor

from recognizer.network.masks import valid_mask


def valid_frames(counts: Tensor, length: int) -> Tensor:
    """Return the flat indices (sum of counts,) of the valid frames of a batch (N, length)."""
    return valid_mask(counts, length).flatten().nonzero(as_tuple=True)[0]


def pack(x: Tensor, index: Tensor) -> Tensor:
    """Return the rows `index` of x (M, ...) as (len(index), ...)."""
    return _Pack.apply(x, index)  # type: ignore[no-any-return, no-untyped-call]


def unpack(rows: Tensor, index: Tensor, length: int) -> Tensor:
    """Return (length, ...) with `rows` at `index`, zero elsewhere."""
    return _Unpack.apply(rows, index, length)  # type: ignore[no-any-return, no-untyped-call]


class _Pack(torch.autograd.Function):
    """Row gather whose backward is a plain copy, since no row is taken twice (autograd would add atomically)."""

    @staticmethod
    def forward(ctx, x: Tensor, index: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(index)
        ctx.length = x.shape[0]
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        (index,) = ctx.saved_tensors
        return grad.new_zeros(ctx.length, *grad.shape[1:]).index_copy_(0, index, grad), None


class _Unpack(torch.autograd.Function):
    """Row scatter, the inverse of `_Pack`."""

    @staticmethod
    def forward(ctx, rows: Tensor, index: Tensor, length: int) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(index)
        return rows.new_zeros(length, *rows.shape[1:]).index_copy_(0, index, rows)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        (index,) = ctx.saved_tensors
        return grad.index_select(0, index), None, None
