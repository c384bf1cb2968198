"""Which places of a padded batch are valid: the only place where a length becomes a mask."""

import torch
from torch import Tensor


def valid_mask(counts: Tensor, length: int) -> Tensor:
    """Return (*counts.shape, length), true for the places before each count."""
    return torch.arange(length, device=counts.device) < counts[..., None]
