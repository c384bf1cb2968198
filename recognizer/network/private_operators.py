"""Operators that torch does not document, each used where this torch has it as it should be, else a documented one.

They may go, or take other arguments, with any release: each is tried once on two numbers when it is imported.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

Operator = TypeVar("Operator", bound=Callable[..., Any])


def chosen(find: Callable[[], Any], public: Operator, trial: Callable[[Operator], Tensor]) -> Operator:
    """Return the operator that `find` returns if it does what `public` does, else `public`.

    Args:
        find: looks the private one up; whatever it raises means that there is none.
        public: made of documented operators.
        trial: what an operator makes of a small example.
    """
    try:
        private: Operator = find()
        return private if torch.allclose(trial(private), trial(public)) else public
    except Exception:  # noqa: BLE001  whatever another release makes of a call that it does not know
        return public


def public_sigmoid_backward(gradient: Tensor, output: Tensor, *, grad_input: Tensor) -> Tensor:
    """Write gradient * (1 - output) * output to `grad_input`, which may be `gradient`."""
    return torch.mul(gradient, 1 - output, out=grad_input).mul_(output)


def public_tanh_backward(gradient: Tensor, output: Tensor, *, grad_input: Tensor) -> Tensor:
    """Write gradient * (1 - output ** 2) to `grad_input`, which may be `gradient`."""
    return torch.mul(gradient, 1 - output * output, out=grad_input)


def public_lerp_all(old: Sequence[Tensor], new: Sequence[Tensor], share: float) -> None:
    """Move each of `old` by a share of the way towards its partner in `new`, in place."""
    for before, after in zip(old, new, strict=True):
        before.lerp_(after, share)


def public_linear(x: Tensor, weight: Tensor) -> Tensor:
    """Return x (M, K) times weight (L, K) transposed."""
    return torch.nn.functional.linear(x, weight)


def onednn_weight(weight: Tensor, rows: int) -> Tensor:
    """Return a weight (L, K) laid out for `onednn_linear` of `rows` rows; only where HAS_ONEDNN."""
    return torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)  # type: ignore[no-any-return]


def _linear() -> Callable[[Tensor, Tensor], Tensor]:
    """Return the product by oneDNN, which F.linear does not ask in float32."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return public_linear
    operator = torch.ops.mkldnn._linear_pointwise
    _ = torch.ops.mkldnn._reorder_linear_weight  # which goes with it
    return lambda x, weight: operator(x, weight, None, "none", [], "")


def _try_backward(operator: Callable[..., Tensor]) -> Tensor:
    gradient, output = torch.tensor([3.0, -2.0]), torch.tensor([0.25, 0.5])
    operator(gradient, output, grad_input=gradient)
    return gradient


def _try_lerp(operator: Callable[..., None]) -> Tensor:
    old = torch.tensor([1.0, 2.0])
    operator([old], [torch.tensor([3.0, -2.0])], 0.25)
    return old


def _try_linear(operator: Callable[..., Tensor]) -> Tensor:
    return operator(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, -2.0]]))


sigmoid_backward = chosen(lambda: torch.ops.aten.sigmoid_backward.grad_input, public_sigmoid_backward, _try_backward)
tanh_backward = chosen(lambda: torch.ops.aten.tanh_backward.grad_input, public_tanh_backward, _try_backward)
lerp_all = chosen(lambda: torch._foreach_lerp_, public_lerp_all, _try_lerp)
onednn_linear = chosen(_linear, public_linear, _try_linear)
HAS_ONEDNN = onednn_linear is not public_linear
