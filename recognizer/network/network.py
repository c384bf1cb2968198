"""Front, recurrent stack, output layers: features to log-probabilities."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.network.cells import CellSettings, RecurrentLayer
from recognizer.network.dropout import Dropout
from recognizer.network.front import Front, FrontSettings


@dataclass(frozen=True)
class NetworkSettings(CellSettings):
    """The form of the network; the cell's own settings come first.

    Args:
        layers: recurrent layers, one on the other.
        bidirectional: whether each layer also reads from the end.
        dropout: share of numbers left out before each recurrent layer and before the head, while training.
        auxiliary_head: weight of the CTC loss of a second head on the front's output, in training alone; 0: none.
        front: the form of the front.
    """

    layers: int = 2
    bidirectional: bool = True
    dropout: float = 0.4
    auxiliary_head: float = 0.3
    front: FrontSettings = field(default_factory=FrontSettings)

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        super().__post_init__()
        for name in ("layers", "auxiliary_head"):
            if not getattr(self, name) >= 0:
                raise RecognizerError(f"network.{name} is {getattr(self, name)}, expected at least 0")
        if not 0.0 <= self.dropout < 1.0:
            raise RecognizerError(f"network.dropout is {self.dropout}, expected a share in [0, 1)")


@dataclass(frozen=True)
class Output:
    """What the network says of a batch.

    Args:
        log_probs: (N, T', classes) float32, natural logarithms; class 0 is the blank.
        counts: (N,) valid frames of each sample.
        auxiliary_log_probs: the same from the second head, None where there is none or while not training.
    """

    log_probs: Tensor
    counts: Tensor
    auxiliary_log_probs: Tensor | None = None


class Network(nn.Module):
    """Features (N, T, F) to log-probabilities (N, T', classes); a sample's own frames decide alone."""

    def __init__(self, features: int, classes: int, settings: NetworkSettings, parts: int = 1) -> None:
        """Build for frames of `features` numbers, in `parts` like groups, and `classes` classes, the blank included."""
        super().__init__()
        self.settings = settings
        self.front = Front(features, settings.front, parts, maps=settings.cell == "convolutional")
        _refuse_other_rows(settings, self.front.rows)
        size = self.front.size
        self.auxiliary_head = nn.Linear(size, classes) if settings.auxiliary_head > 0 else None
        layers = []
        for _ in range(settings.layers):
            layers.append(RecurrentLayer(size, settings, settings.bidirectional))
            size = int(layers[-1].output_size)
        self.layers = nn.ModuleList(layers)
        self.dropout = Dropout(settings.dropout)
        self.head = nn.Linear(size, classes)

    def forward(self, x: Tensor, counts: Tensor) -> Output:
        """Return the log-probabilities of features x (N, T, F) with `counts` (N,) valid frames each."""
        frames, counts = self.front(x, counts)
        side = None
        if self.auxiliary_head is not None and self.training:
            side = _log_softmax(self.auxiliary_head, self.dropout(frames))
        for layer in self.layers:
            frames = layer(self.dropout(frames), counts)
        return Output(_log_softmax(self.head, self.dropout(frames)), counts, side)


def _refuse_other_rows(settings: NetworkSettings, rows: int) -> None:
    """Refuse maps that the convolutional cell would cut elsewhere than the front does."""
    if settings.cell == "convolutional" and settings.layers and settings.features != rows:
        raise RecognizerError(
            f"network.features is {settings.features}, expected {rows}, the rows that the front leaves (and "
            f"network.hidden a multiple of it)"
        )


def _log_softmax(head: nn.Linear, frames: Tensor) -> Tensor:
    """Return float32 log-probabilities whatever precision the frames came in."""
    with torch.autocast(frames.device.type, enabled=False):
        return head(frames.float()).log_softmax(-1)  # type: ignore[no-any-return]
