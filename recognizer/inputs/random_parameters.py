"""Random numbers of a batch for augmentation."""

import math

import torch
from torch import Tensor


def repeat_views(x: Tensor, counts: Tensor, views: int) -> tuple[Tensor, Tensor]:
    """Return x (views N, ...) and counts (views N,), the batch (N, ...) so many times over; once is no copy."""
    return (x, counts) if views == 1 else (torch.cat([x] * views), torch.cat([counts] * views))


class RandomParameters:
    """Random numbers of one batch, zero for the samples that stay as they are."""

    def __init__(self, n: int, share: float, generator: torch.Generator, device: torch.device) -> None:
        """Draw which of `n` samples are changed, where `generator` lives; the numbers go to `device`."""
        self.n, self.generator, self.device = n, generator, device
        self.changed = self.uniform() < share

    def uniform(self) -> Tensor:
        """Return (N,) numbers in [0, 1)."""
        return torch.rand(self.n, generator=self.generator, device=self.generator.device).to(self.device)

    def symmetric(self, limit: float) -> Tensor:
        """Return (N,) numbers in [-limit, limit]."""
        return (self.uniform() * 2.0 - 1.0) * limit * self.changed

    def normal(self, shape: tuple[int, ...], deviation: float) -> Tensor:
        """Return normal numbers of `shape` (N, ...), each sample with its own strength up to `deviation`."""
        numbers = self.gaussian(shape)
        strength = self.uniform() * deviation * self.changed
        return numbers * strength.view(-1, *[1] * (len(shape) - 1))

    def gaussian(self, shape: tuple[int, ...]) -> Tensor:
        """Return normal numbers of `shape`, alike for all samples."""
        return torch.randn(shape, generator=self.generator, device=self.generator.device).to(self.device)

    def uniform_noise(self, shape: torch.Size) -> Tensor:
        """Return numbers of mean 0 and deviation 1, evenly spread: four bytes a draw, since draws cost time."""
        size = math.prod(shape)
        draws = torch.empty(-(-size // 8), dtype=torch.int64, device=self.generator.device)
        draws.random_(-(2**63), None, generator=self.generator)
        spread = draws.view(torch.uint8)[:size].view(shape).to(self.device).float()
        return (spread - 127.5) / 73.9
