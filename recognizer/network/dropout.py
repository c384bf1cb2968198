"""Dropout whose random numbers cost little on a CPU."""

import torch
from torch import Tensor, nn

LEVELS = 256  # a byte decides over each number, so that rates are multiples of 1 / 256


class Dropout(nn.Module):
    """Leave out a share of the numbers while training and scale up the rest.

    On a CPU eight masks come from each 64-bit draw: torch's own dropout takes one draw a number there, 13 % of a
    training step. Elsewhere torch's own is used.
    """

    def __init__(self, rate: float) -> None:
        """Leave out `rate` of the numbers, in [0, 1)."""
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Return x, thinned out while training."""
        if not self.training or self.rate == 0.0:
            return x
        if x.device.type != "cpu":
            return nn.functional.dropout(x, self.rate)
        dropped = round(self.rate * LEVELS)
        draws = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        mask = (draws.view(torch.uint8)[: x.numel()] >= dropped).view(x.shape)
        return x * mask.to(x.dtype).mul_(LEVELS / (LEVELS - dropped))

    def extra_repr(self) -> str:
        """Name the rate when printed."""
        return f"rate={self.rate}"
