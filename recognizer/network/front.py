"""The front that shortens a feature sequence and widens its frames: masked convolutions, or another by choice."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognizer.errors import RecognizerError
from recognizer.network.masks import valid_mask
from recognizer.network.mdlstm import POOL, MultidimensionalFront, MultidimensionalSettings
from recognizer.network.packing import pack, unpack, valid_frames

TYPES = ("convolutional", "frames", "multidimensional")
WHERE = "network.front"  # of the settings, for messages
MAX_STRIDE = 1024  # input frames to an output frame: inputs are padded to whole strides
SLOPE = 0.01  # of the leaky rectifier below zero


@dataclass(frozen=True)
class FrontSettings:
    """The form of the front.

    Args:
        type: "convolutional"; "frames" stacks `patch[0]` frames to one without convolution; "multidimensional" scans
            both axes with LSTMs and has settings of its own, in place of all that follow here.
        patch: frames and features that are folded into channels before the first convolution.
        channels: of each stage.
        pool_time: frames that each stage makes one of.
        pool_features: features (rows of a line, bands of a spectrum) that each stage makes one of.
        convolutions: of each stage; those after the first are added to their input.
        norm: "batch" (over valid frames only) or "none".
        dropout: share of channels left out after each stage while training.
        multidimensional: of the front of that type.
    """

    type: str = "convolutional"
    patch: list[int] = field(default_factory=lambda: [2, 2])
    channels: list[int] = field(default_factory=lambda: [32, 64, 96, 128])
    pool_time: list[int] = field(default_factory=lambda: [2, 1, 1, 1])
    pool_features: list[int] = field(default_factory=lambda: [2, 2, 2, 1])
    convolutions: int = 1
    norm: str = "batch"
    dropout: float = 0.0
    multidimensional: MultidimensionalSettings = field(default_factory=MultidimensionalSettings)

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if self.type not in TYPES:
            raise RecognizerError(f"{WHERE}.type is {self.type!r}, expected one of {', '.join(TYPES)}")
        if self.type != "multidimensional" and self.multidimensional != MultidimensionalSettings():
            raise RecognizerError(f"{WHERE}.multidimensional has no effect on {WHERE}.type {self.type}")
        if self.norm not in ("batch", "none"):
            raise RecognizerError(f"{WHERE}.norm is {self.norm!r}, expected batch or none")
        if not len(self.channels) == len(self.pool_time) == len(self.pool_features):
            lists = ", ".join(f"{WHERE}.{name}" for name in ("channels", "pool_time", "pool_features"))
            raise RecognizerError(f"{lists}: expected lists of one length")
        if len(self.patch) != 2:
            raise RecognizerError(f"{WHERE}.patch is {self.patch}, expected two numbers, of frames and of features")
        for name in ("patch", "channels", "pool_time", "pool_features"):
            if any(size < 1 for size in getattr(self, name)):
                raise RecognizerError(f"{WHERE}.{name} is {getattr(self, name)}, expected sizes of at least 1")
        if self.convolutions < 1:
            raise RecognizerError(f"{WHERE}.convolutions is {self.convolutions}, expected at least 1")
        if not 0.0 <= self.dropout < 1.0:
            raise RecognizerError(f"{WHERE}.dropout is {self.dropout}, expected a share in [0, 1)")
        if self.stride > MAX_STRIDE:
            raise RecognizerError(
                f"{WHERE}: an output frame for {self.stride} input frames, expected {MAX_STRIDE} at most"
            )

    @property
    def stride(self) -> int:
        """Input frames that make one output frame."""
        if self.type == "multidimensional":
            return self.multidimensional.stride
        return self.patch[0] * (math.prod(self.pool_time) if self.type == "convolutional" else 1)

    def counts(self, counts: Tensor) -> Tensor:
        """Return the output frames (N,) of inputs of `counts` (N,) frames."""
        return -(-counts // self.stride)


class Front(nn.Module):
    """(N, T, F) features to (N, T', size) frames; what is behind a sample's own end changes nothing.

    Args:
        features: numbers of an input frame.
        settings: the form.
        parts: groups of like features that an input frame holds one after the other (values, their differences).
        maps: whether output frames are laid out as (channels, rows) rather than (rows, channels).

    `rows` are what is left of the feature axis in an output frame.
    """

    def __init__(self, features: int, settings: FrontSettings, parts: int = 1, maps: bool = False) -> None:
        """Build the stages."""
        super().__init__()
        self.settings, self.maps = settings, maps
        self.stages = nn.ModuleList()
        if settings.type == "convolutional":
            self.size, self.rows = self._build_stages(features)
        elif settings.type == "frames":
            self.size, self.rows = features * settings.patch[0], features // parts
        else:
            scan = settings.multidimensional
            stage = FrontSettings(norm=scan.norm)
            for seen, channels in zip([1, *scan.convolutions], scan.convolutions, strict=False):
                self.stages.append(_Stage(seen, channels, (POOL, POOL), stage))
            self.scan = MultidimensionalFront(scan, features)
            self.size, self.rows = self.scan.output_size, self.scan.rows

    def _build_stages(self, features: int) -> tuple[int, int]:
        """Append the stages for frames of `features` numbers; return the size and the rows of an output frame."""
        settings = self.settings
        rows = -(-features // settings.patch[1])
        inputs = settings.patch[0] * settings.patch[1]
        for channels, time, height in zip(settings.channels, settings.pool_time, settings.pool_features, strict=True):
            self.stages.append(_Stage(inputs, channels, (time, height), settings))
            inputs, rows = channels, rows // height
            if rows == 0:
                raise RecognizerError(
                    f"{WHERE}.pool_features leaves nothing of {features} features, expected less pooling"
                )
        return inputs * rows, rows

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (N, T', size) and their counts (N,); frames behind the counts are zero."""
        if self.settings.type == "multidimensional":
            return self._scan(x, counts)
        out_counts = self.settings.counts(counts)
        mask = valid_mask(counts, x.shape[1])[..., None]
        x = x * mask
        x = functional.pad(x, (0, 0, 0, int(-x.shape[1] % self.settings.stride)))
        if self.settings.type == "frames":
            return x.reshape(x.shape[0], -1, self.size), out_counts
        x = _fold(x, self.settings.patch)
        counts = -(-counts // self.settings.patch[0])
        for stage in self.stages:
            x, counts = stage(x, counts)
        # channels_last memory is (N, T, rows, C): frames are a view of it unless they are wanted as maps.
        x = x.permute(0, 2, 1, 3) if self.maps else x.permute(0, 2, 3, 1)
        return x.reshape(x.shape[0], x.shape[1], -1), out_counts

    def _scan(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the scan makes of features x (N, T, F), behind its convolutions."""
        if not self.stages:
            return self.scan(x[..., None], counts)  # type: ignore[no-any-return]
        x = functional.pad(x.masked_fill(~valid_mask(counts, x.shape[1])[..., None], 0.0), self._to_whole_blocks(x))
        grid = x[:, None].contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            grid, counts = stage(grid, counts)
        return self.scan(grid.permute(0, 2, 3, 1), counts)  # type: ignore[no-any-return]

    def _to_whole_blocks(self, x: Tensor) -> tuple[int, int, int, int]:
        """Return the rows and frames that x (N, T, F) lacks for the poolings, as padding."""
        block = POOL ** len(self.stages)
        return 0, int(-x.shape[2] % block), 0, int(-x.shape[1] % block)


class _Stage(nn.Module):
    """Convolution, pooling, normalisation, rectifier; then further convolutions added to their input."""

    def __init__(self, inputs: int, channels: int, pool: tuple[int, int], settings: FrontSettings) -> None:
        super().__init__()
        self.pool = pool
        self.first = nn.Conv2d(inputs, channels, 3, padding=1, bias=settings.norm == "none")
        self.first_norm = _norm(channels, settings)
        self.more = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1, bias=settings.norm == "none")
            for _ in range(settings.convolutions - 1)
        )
        self.more_norms = nn.ModuleList(_norm(channels, settings) for _ in range(settings.convolutions - 1))
        self.dropout = nn.Dropout2d(settings.dropout)

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, C', T', F') in channels_last memory and the counts of T'."""
        x = self.first(x)
        if self.pool != (1, 1):
            # What a convolution wrote behind the end must not win the maximum of the last window.
            x = _zero_behind(x, counts) if self.pool[0] > 1 else x
            x = functional.max_pool2d(x, self.pool)
            counts = -(-counts // self.pool[0])
        index = valid_frames(counts, x.shape[2])
        x = self._normalize(x, index, self.first_norm)
        for convolution, norm in zip(self.more, self.more_norms, strict=True):
            x = x + self._normalize(convolution(x), index, norm)
        return self.dropout(x), counts

    def _normalize(self, x: Tensor, index: Tensor, norm: nn.Module) -> Tensor:
        """Return the rectified, normalised valid frames of x, zero elsewhere."""
        n, channels, length, rows = x.shape
        frames = x.permute(0, 2, 3, 1).reshape(n * length, rows * channels)
        valid = pack(frames, index).view(-1, channels)
        valid = functional.leaky_relu(norm(valid), SLOPE).view(-1, rows * channels)
        return unpack(valid, index, n * length).view(n, length, rows, channels).permute(0, 3, 1, 2)


def _norm(channels: int, settings: FrontSettings) -> nn.Module:
    return nn.BatchNorm1d(channels) if settings.norm == "batch" else nn.Identity()


def _zero_behind(x: Tensor, counts: Tensor) -> Tensor:
    """Return x (N, C, T, F) with zeros behind the counts."""
    mask = valid_mask(counts, x.shape[2])[:, None, :, None]
    return x * mask.to(x.dtype)


def _fold(x: Tensor, patch: list[int]) -> Tensor:
    """Return (N, time x features of a patch, T / time, F / features) of x (N, T, F), in channels_last memory."""
    time, features = patch
    x = functional.pad(x, (0, int(-x.shape[2] % features)))
    n, length, rows = x.shape
    x = x.reshape(n, length // time, time, rows // features, features)
    return x.permute(0, 1, 3, 2, 4).reshape(n, length // time, rows // features, -1).permute(0, 3, 1, 2)
