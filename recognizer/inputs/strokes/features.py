"""Points of a pen to what the network sees of them: ways rather than places."""

import torch
from torch import Tensor

from recognizer.inputs.features import Features
from recognizer.network.masks import valid_mask

FARTHEST = 6.0  # times the spacing: a longer way in one step counts as this


class StrokeFeatures(Features):
    """Turn points (x, y, down) into steps: dx, dy, y, pen down, cosine and sine of the turn; zero behind the counts.

    Where a line stands on the tablet and how long it is are not seen, only how the pen moves and how high it is.
    """

    size = 6

    def __init__(self, spacing: float) -> None:
        """Take points `spacing` heights of the writing apart."""
        super().__init__()
        self.spacing = spacing

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, T, 6) float32 of points x (N, T, 3) with their counts (N,).

        dx and dy are the way from the point before, in spacings, 0 at the first point; y is in heights of the writing
        from its middle; the turn is that from the last step to this one, (1, 0) straight on and where there is none.
        """
        points = x.float()
        step = torch.diff(points[:, :, :2], dim=1, prepend=points[:, :1, :2]) / self.spacing
        length = torch.linalg.vector_norm(step, dim=2, keepdim=True)
        step = step * (FARTHEST / length.clamp(min=FARTHEST))
        way = step / length.clamp(min=1e-3, max=FARTHEST)
        before = torch.cat((way[:, :1], way[:, :-1]), 1)
        cosine = (way * before).sum(2, keepdim=True)
        sine = before[:, :, :1] * way[:, :, 1:] - before[:, :, 1:] * way[:, :, :1]
        turns = (way.abs().sum(2, keepdim=True) > 0) & (before.abs().sum(2, keepdim=True) > 0)
        cosine = torch.where(turns, cosine, torch.ones_like(cosine))
        features = torch.cat((step, points[:, :, 1:], cosine, sine), 2)
        return features * valid_mask(counts, x.shape[1])[..., None], counts

    def inverse(self, features: Tensor) -> Tensor:
        """Return the points (..., T, 3) that the features show, x from 0; steps that were too long stay cut."""
        x = (features[..., 0] * self.spacing).cumsum(-1)
        return torch.stack((x, features[..., 2], features[..., 3]), -1)
