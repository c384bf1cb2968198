"""Signals to log-probabilities: features and network of one kind of input."""

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from recognizer.common.plain_data import from_plain
from recognizer.inputs.registry import kind_named
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.network.network import Network, NetworkSettings, Output

# A GPU gathers the weights of both directions in each call: two modules own them, which torch calls a waste of memory.
warnings.filterwarnings(
    "ignore", "RNN module weights are not part of single", module="recognizer.network.cells.torch_cells"
)


@dataclass(frozen=True)
class ModelSettings:
    """What a model is made of, as its file states it.

    Args:
        kind: name of the kind of input.
        signal: settings of the kind's signal as plain data.
        features: sound to frames; other kinds have no choice there.
        network: the form of the network.
    """

    kind: str
    signal: dict[str, Any]
    features: LogMelSettings
    network: NetworkSettings

    def as_data(self) -> dict[str, Any]:
        """Return plain data for a model file."""
        return asdict(self)

    def counts(self, counts: Tensor) -> Tensor:
        """Return the output frames (N,) of signals of `counts` (N,) steps; no model is built for it."""
        return self.network.front.counts(kind_named(self.kind).frame_counts(counts, self.signal, self.features))

    def steps_per_frame(self) -> float:
        """Return how many steps of the signal one output frame stands for."""
        return float(kind_named(self.kind).hop(self.signal, self.features) * self.network.front.stride)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "ModelSettings":
        """Return the settings that plain data states.

        Raises:
            RecognizerError: a key is missing or unknown, or a value is of another type or out of its range.
        """
        made = from_plain(cls, data, "settings")
        kind_named(made.kind).settings(made.signal)
        return made


class Model(nn.Module):
    """Signals of one kind (N, T, ...) to log-probabilities (N, T', classes)."""

    def __init__(self, settings: ModelSettings, classes: int) -> None:
        """Build features and network for `classes` classes, the blank included."""
        super().__init__()
        self.settings = settings
        self.features = kind_named(settings.kind).features(settings.signal, settings.features)
        self.network = Network(self.features.size, classes, settings.network, self.features.parts)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, counts: Tensor) -> Output:
        """Return log-probabilities of padded signals x (N, T, ...) with `counts` (N,) steps each."""
        return self.network(*self.features(x, counts))  # type: ignore[no-any-return]

    def counts(self, counts: Tensor) -> Tensor:
        """Return the output frames (N,) of signals of `counts` (N,) steps."""
        return self.settings.counts(counts)

    def steps_per_frame(self) -> float:
        """Return how many steps of the signal one output frame stands for."""
        return self.settings.steps_per_frame()


def pad_signals(signals: list[Tensor], kind: str) -> tuple[Tensor, Tensor]:
    """Return signals of one kind as a padded batch (N, T, ...) with its counts (N,)."""
    counts = torch.tensor([len(signal) for signal in signals])
    x = signals[0].new_full((len(signals), int(counts.max()), *signals[0].shape[1:]), kind_named(kind).padding)
    for row, signal in zip(x, signals, strict=True):
        row[: len(signal)] = signal
    return x, counts
