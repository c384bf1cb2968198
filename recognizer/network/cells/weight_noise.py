"""Gaussian noise on the weights for the length of one training step (Graves 2013)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def weight_noise(module: nn.Module, sigma: float, generator: torch.Generator | None = None) -> Iterator[None]:
    """Add noise of deviation `sigma` to every weight of `module` inside the block; put the exact weights back after.

    Take forward with backward inside the block, the optimiser's step outside. Noise is drawn where `generator` lives,
    on the CPU without one.
    """
    weights = list(module.parameters())
    exact = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight in weights:
            noise = torch.randn(weight.shape, generator=generator, device=generator.device if generator else None)
            weight.add_(noise.to(weight.device, weight.dtype), alpha=sigma)
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, before in zip(weights, exact, strict=True):
                weight.copy_(before)
