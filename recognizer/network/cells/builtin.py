"""The cells that torch has kernels for: lstm, gru, rnn."""

import torch
from torch import Tensor, nn

from recognizer.network.cells.direction import Direction, State, at_end, working_dtype
from recognizer.network.cells.settings import CellSettings
from recognizer.network.reverse import padding_mask

KERNELS: dict[str, type[nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class BuiltinDirection(Direction):
    """Run torch.nn.LSTM, GRU or RNN (tanh) over time."""

    def __init__(self, input_size: int, settings: CellSettings) -> None:
        """Make the torch module; set the forget gate's bias of an lstm to the setting."""
        super().__init__(input_size, settings, (settings.hidden,) * (2 if settings.cell == "lstm" else 1))
        self.rnn = KERNELS[settings.cell](input_size, settings.hidden, batch_first=True)
        if settings.cell == "lstm":
            set_forget_bias(self.rnn, settings.forget_bias)

    def outputs(self, x: Tensor, counts: Tensor) -> Tensor:
        """Return outputs (N, T, hidden), zero at padding."""
        x = x.to(working_dtype(x))
        y, _ = self._run(x, self.first_state(len(x), x))
        return y.masked_fill(padding_mask(counts, x.shape[1])[:, :, None], 0.0)

    def forward(self, x: Tensor, counts: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return outputs (N, T, hidden), zero at padding, with the state after each sample's last frame."""
        x = x.to(working_dtype(x))
        before = self.first_state(len(x), x) if state is None else tuple(part.to(x.dtype) for part in state)
        y, last = self._run(x, before)
        y = y.masked_fill(padding_mask(counts, x.shape[1])[:, :, None], 0.0)
        if int(counts.min()) == x.shape[1]:
            return y, last
        if self.settings.cell == "lstm":
            return y, self._state_at_ends(x, counts, before)
        return y, (at_end(y, counts, before[0]),)

    def _state_at_ends(self, x: Tensor, counts: Tensor, before: State) -> State:
        """Run samples that end apart one by one, since torch keeps the memory of the last frame alone."""
        each = [
            self._run(x[n : n + 1, :count], tuple(part[n : n + 1] for part in before))[1]
            if count
            else tuple(part[n : n + 1] for part in before)
            for n, count in enumerate(counts.tolist())
        ]
        return tuple(torch.cat(parts) for parts in zip(*each, strict=True))

    def _run(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        hidden = tuple(part[None] for part in state)
        if self.rnn.weight_ih_l0.dtype == x.dtype:
            y, last = self.rnn(x, hidden if len(hidden) == 2 else hidden[0])
            last = last if len(hidden) == 2 else (last,)
        else:
            y, last = self._run_cast(x, hidden)
        return y, tuple(part[0] for part in last)

    def _run_cast(self, x: Tensor, hidden: State) -> tuple[Tensor, State]:
        """Run the same kernel with the weights in the type of x."""
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        weights = [getattr(self.rnn, name).to(x.dtype) for name in names]
        kernel = getattr(torch, {"lstm": "lstm", "gru": "gru", "rnn": "rnn_tanh"}[self.settings.cell])
        with torch.autocast(x.device.type, enabled=False):
            first = hidden if len(hidden) == 2 else hidden[0]
            y, *last = kernel(x, first, weights, True, 1, 0.0, self.training, False, True)
        return y, tuple(last)


def set_forget_bias(rnn: nn.RNNBase, value: float) -> None:
    """Make the forget gate's two biases of a torch LSTM add up to `value`."""
    forget = slice(rnn.hidden_size, 2 * rnn.hidden_size)
    with torch.no_grad():
        rnn.bias_ih_l0[forget] = value
        rnn.bias_hh_l0[forget] = 0.0
