"""Options that change a step: variational dropout, zoneout, layer normalisation."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.network.cells.settings import CellSettings


@dataclass(frozen=True)
class StepOptions:
    """What a loop over steps applies beside the equations.

    Args:
        zoneout: probability that a unit keeps its last value.
        training: draw zoneout at random; otherwise mix by its expectation.
        norms: gains named input, recurrent (with the layer's bias between them), memory, memory_bias; empty = none.
    """

    zoneout: float
    training: bool
    norms: Mapping[str, Tensor]

    def keep(self, new: Tensor, old: Tensor) -> Tensor:
        """Let units of `new` (N, H) keep their `old` value (Krueger et al. 2017)."""
        if not self.zoneout:
            return new
        if not self.training:
            return torch.lerp(new, old, self.zoneout)
        return torch.where(torch.rand_like(new) < self.zoneout, old, new)

    def norm(self, name: str, x: Tensor) -> Tensor:
        """Normalise the last axis of x over all of its units, if there is a gain of this name (Ba et al. 2016)."""
        if name not in self.norms:
            return x
        gain = self.norms[name].to(x.dtype)
        bias = self.norms[f"{name}_bias"].to(x.dtype) if f"{name}_bias" in self.norms else None
        return F.layer_norm(x, gain.shape, gain, bias)


def options_of(settings: CellSettings, norms: nn.ParameterDict, training: bool) -> StepOptions:
    """Return the options that `settings` name, with the gains of a layer."""
    return StepOptions(settings.zoneout, training, dict(norms.items()))


def make_norms(sizes: Mapping[str, int]) -> nn.ParameterDict:
    """Make a gain of one for each name; a name that ends in `_bias` begins at zero."""
    fill = {name: 0.0 if name.endswith("_bias") else 1.0 for name in sizes}
    return nn.ParameterDict({name: nn.Parameter(torch.full((size,), fill[name])) for name, size in sizes.items()})


def recurrent_mask(dropout: float, shape: tuple[int, int], like: Tensor) -> Tensor | None:
    """Draw one mask (N, R) for a sequence, scaled to keep the mean (Gal and Ghahramani 2016); None = no dropout."""
    if not dropout:
        return None
    return torch.empty(shape, dtype=like.dtype, device=like.device).bernoulli_(1 - dropout).div_(1 - dropout)
