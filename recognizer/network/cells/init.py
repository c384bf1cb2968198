"""How gates and recurrent weights start where a setting says so."""

import torch
from torch import Tensor, nn

from recognizer.network.cells.settings import CellSettings


def init_gates(settings: CellSettings, keep: Tensor | None, enter: Tensor | None) -> None:
    """Fill the biases (H,) of the gate that keeps the memory and of the one that lets in, where the cell has them.

    A gate with bias b keeps sigmoid(b) a step, so that b = log(t - 1) forgets within t steps: log U(1, T - 1) spreads
    the units over all lags up to T, its negative lets in as slowly (Tallec and Ollivier, Can recurrent neural
    networks warp time?, 2018, equation 16).
    """
    if settings.chrono is None:
        if keep is not None:
            nn.init.constant_(keep, float(settings.forget_bias))
        return
    size = next(len(bias) for bias in (keep, enter) if bias is not None)
    chrono = torch.empty(size).uniform_(1.0, settings.chrono - 1.0).log_()
    with torch.no_grad():
        if keep is not None:
            keep.copy_(chrono)
        if enter is not None:
            enter.copy_(-chrono)


def init_recurrent(settings: CellSettings, weight: Tensor) -> None:
    """Make each gate's block (H, R) of recurrent weights (G*H, R) orthogonal, if the settings ask for it."""
    if settings.recurrent_init == "orthogonal":
        for block in weight.detach().chunk(len(weight) // settings.hidden):
            nn.init.orthogonal_(block)
