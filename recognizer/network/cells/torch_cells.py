"""The cells that torch has kernels for, in one direction of time: lstm, gru, rnn."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recognizer.network.cells.direction import Direction, State, clear_padding, working_dtype
from recognizer.network.cells.fused import Weights
from recognizer.network.cells.init import init_gates, init_recurrent
from recognizer.network.cells.loop import loop_gru, loop_rnn
from recognizer.network.cells.lstm_cells import MemoryDirection
from recognizer.network.cells.options import make_norms
from recognizer.network.cells.settings import CellSettings

NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


class LstmDirection(MemoryDirection):
    """Run torch.nn.LSTM; with options that its kernel lacks, the same weights in a loop of our own."""

    def __init__(self, input_size: int, settings: CellSettings) -> None:
        """Make the torch module; set the forget gate's bias to the setting."""
        super().__init__(input_size, settings)
        self.rnn = nn.LSTM(input_size, settings.hidden, proj_size=settings.projection)
        _, recurrent, bias, also = (self.rnn.get_parameter(name) for name in NAMES)
        i, f, _, _ = bias.chunk(4)
        init_gates(settings, f, i)
        # torch adds a second bias to the first: what a setting asks for stands in one of them.
        for block in also.chunk(4)[:2] if settings.chrono else also.chunk(4)[1:2]:
            nn.init.zeros_(block)
        init_recurrent(settings, recurrent)

    def outputs(self, x: Tensor, counts: Tensor) -> Tensor:
        """Return outputs (N, T, output_size), zero at padding."""
        if not self.settings.plain:
            return super().outputs(x, counts)
        x = x.to(working_dtype(x))
        y, _ = run_kernel(self.rnn, x.transpose(0, 1), self.first_state(len(x), x))
        return clear_padding(y.transpose(0, 1), counts)

    def forward(self, x: Tensor, counts: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return outputs (N, T, output_size), zero at padding, with the state after each sample's last frame."""
        # torch keeps the memory of the last frame alone: where samples end apart, our own loop keeps all.
        if not self.settings.plain or int(counts.min()) < x.shape[1]:
            return super().forward(x, counts, state)
        x = x.to(working_dtype(x))
        before = self.first_state(len(x), x) if state is None else tuple(part.to(x.dtype) for part in state)
        y, after = run_kernel(self.rnn, x.transpose(0, 1), before)
        return y.transpose(0, 1), after

    def weights(self) -> Weights:
        """Return torch's weights with the blocks i, f, g, o in our order i, f, o, g."""
        i, h, b, d = (getattr(self.rnn, name) for name in NAMES)
        return Weights(_reorder(i), _reorder(h), _reorder(b + d), None)

    def projection_weight(self) -> Tensor | None:
        """Return (P, H), or None where the output is not projected."""
        return self.rnn.get_parameter("weight_hr_l0") if self.settings.projection else None


class SimpleDirection(Direction):
    """Run torch.nn.GRU or RNN (tanh); with options that their kernels lack, the same weights in a loop of our own."""

    def __init__(self, input_size: int, settings: CellSettings) -> None:
        """Make the torch module."""
        super().__init__(input_size, settings, (settings.hidden,))
        gru = settings.cell == "gru"
        self.rnn: nn.RNNBase = (nn.GRU if gru else nn.RNN)(input_size, settings.hidden)
        self.loop = loop_gru if gru else loop_rnn
        if settings.chrono:
            # Gates r, z, n: z is the share of the past that is kept, 1 - z what is let in.
            init_gates(settings, self.rnn.get_parameter("bias_ih_l0").chunk(3)[1], None)
            nn.init.zeros_(self.rnn.get_parameter("bias_hh_l0").chunk(3)[1])
        init_recurrent(settings, self.rnn.get_parameter("weight_hh_l0"))
        if settings.layer_norm:
            self.norms = make_norms(dict.fromkeys(("input", "recurrent"), (3 if gru else 1) * settings.hidden))

    def run(self, x: Tensor, state: State) -> tuple[Tensor, ...]:
        """Map x (T, N, I) to outputs (T, N, hidden)."""
        before = state[0].to(x.dtype)
        if self.settings.plain:
            return (run_kernel(self.rnn, x, (before,))[0],)
        mask = self.mask(x.shape[1], self.settings.hidden, x)
        with torch.autocast(x.device.type, enabled=False):
            return self.loop(x, [getattr(self.rnn, name) for name in NAMES], before, mask, self.options())


def run_kernel(rnn: nn.RNNBase, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a torch module of one layer over x (T, N, I) in the type of x, whatever the type of its weights."""
    hidden = tuple(part[None] for part in state)
    first = hidden if len(hidden) == 2 else hidden[0]
    # A transposed view sends torch's input product down a road that is several times as slow.
    x = x.contiguous()
    if rnn.weight_ih_l0.dtype == x.dtype:
        y, last = rnn(x, first)
        return y, tuple(part[0] for part in (last if len(hidden) == 2 else (last,)))
    weights = [getattr(rnn, name).to(x.dtype) for name in NAMES]
    kernel = {"LSTM": torch.lstm, "GRU": torch.gru, "RNN_TANH": torch.rnn_tanh}[rnn.mode]
    with torch.autocast(x.device.type, enabled=False):
        y, *last = kernel(x, first, weights, True, 1, 0.0, rnn.training, False, False)  # type: ignore[operator]
    return y, tuple(part[0] for part in last)


def run_both_kernels(rnns: Sequence[nn.RNNBase], x: Tensor, counts: Tensor) -> Tensor:
    """Run two torch modules of one layer and width, forward and backward in time, over x (N, T, I) as one kernel.

    Returns (N, T, 2 hidden), zero at padding, the forward outputs first. Frames are packed, so that the backward
    module begins at each sample's own last frame.

    Args:
        rnns: the forward module, then the backward one.
        x: padded frames, in the type to compute in.
        counts: (N,) valid frames, all above 0.
    """
    first = rnns[0]
    packed = pack_padded_sequence(x, counts.cpu(), batch_first=True, enforce_sorted=False)
    weights = [rnn.get_parameter(name).to(x.dtype) for rnn in rnns for name in NAMES]
    zeros = x.new_zeros(2, len(x), first.hidden_size)
    state = (zeros, zeros) if first.mode == "LSTM" else zeros
    kernel = {"LSTM": torch.lstm, "GRU": torch.gru, "RNN_TANH": torch.rnn_tanh}[first.mode]
    with torch.autocast(x.device.type, enabled=False):
        y = kernel(packed.data, packed.batch_sizes, state, weights, True, 1, 0.0, first.training, True)[0]  # type: ignore[operator]
    out, _ = pad_packed_sequence(packed._replace(data=y), batch_first=True, total_length=x.shape[1])
    return out


def _reorder(rows: Tensor) -> Tensor:
    i, f, g, o = rows.chunk(4)
    return torch.cat((i, f, o, g))
