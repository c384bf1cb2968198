"""What every kind of input makes of padded signals: features, and augmented ones while training."""

from collections.abc import Iterable

from torch import Generator, Tensor, nn


class Features(nn.Module):
    """Padded signals (N, T, ...) to features (N, T', F), none of which depends on padding or on the other samples.

    Args:
        size: numbers F of a frame.
        parts: groups of equal rows in a frame, such as a spectrum with its differences.
        hop: steps of a signal from one frame to the next.
        has_statistics: whether `fit` takes something from the data.
    """

    size: int
    parts: int = 1
    hop: int = 1
    has_statistics: bool = False

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, T', F), zero behind the counts, with their counts (N,)."""
        raise AssertionError("every kind has its own")

    def counts(self, counts: Tensor) -> Tensor:
        """Return the frames (N,) of signals of `counts` (N,) steps: one each, where a kind does not say otherwise."""
        return counts

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Take the statistics that normalise features from (x, counts) batches; nothing without statistics."""


class Augmentation(nn.Module):
    """Padded signals to features that are changed at random while training; draws come from the generator alone."""

    def forward(
        self, features: Features, x: Tensor, counts: Tensor, least: Tensor, generator: Generator, views: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Return features (views N, T', F) with their counts (views N,); the views of a sample have the same frames.

        Args:
            features: of the kind.
            x: (N, T, ...) padded signals.
            counts: (N,) their steps.
            least: (N,) frames that a sample must keep for CTC to spell its text.
            generator: the only source of chance, best where x lives.
            views: of each sample, 1 or 2.
        """
        raise AssertionError("every kind has its own")
