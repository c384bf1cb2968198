"""What the gates of an LSTM do while it reads: for figures."""

from dataclasses import dataclass

import torch
from torch import Tensor

from recognizer.network.cells.torch_cells import LstmDirection


@dataclass(frozen=True)
class Gates:
    """Each (T, H): gates in [0, 1], memory, output in [-1, 1]."""

    input: Tensor
    forget: Tensor
    output: Tensor
    memory: Tensor
    shown: Tensor


@torch.no_grad()
def watch(layer: LstmDirection, x: Tensor) -> Gates:
    """Run an `lstm` without options over x (T, I), frame by frame, and keep what its gates did.

    Raises:
        AssertionError: the layer has an option that changes a step.
    """
    assert layer.settings.plain, "expected an lstm without options"
    weights = layer.weights()
    state = layer.first_state(1, x)
    h, c = state[0], state[1]
    rows = []
    for frame in x @ weights.input.T + weights.bias:
        i, f, o, g = (frame + h @ weights.recurrent.T).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        rows.append(torch.cat((i.sigmoid(), f.sigmoid(), o.sigmoid(), c, h)))
    return Gates(*torch.stack(rows, 1).unbind())
