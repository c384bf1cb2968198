"""Grey columns to ink: what the network sees of a line image."""

import torch
from torch import Tensor

from recognizer.inputs.features import Features
from recognizer.network.masks import valid_mask


class LineFeatures(Features):
    """Turn grey 255 (paper) .. 0 (ink) into ink 0 .. 1; frames behind the counts are paper."""

    def __init__(self, height: int) -> None:
        """Take columns of `height` pixels."""
        super().__init__()
        self.size = height

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return ink (N, T, height) float32 in [0, 1] of grey x (N, T, height) with its counts (N,)."""
        ink = 1.0 - x.float() / 255.0
        return ink * valid_mask(counts, x.shape[1])[..., None], counts

    def inverse(self, ink: Tensor) -> Tensor:
        """Return the grey uint8 columns (..., T, height) that `ink` shows."""
        return ((1.0 - ink.clamp(0.0, 1.0)) * 255.0).round().to(torch.uint8)
