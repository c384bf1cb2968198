"""What is drawn of a cell is what the cell does."""

import torch
from gates import watch

from recognizer.network.cells import CellSettings
from recognizer.network.cells.torch_cells import LstmDirection


def test_gates_that_are_watched_give_the_outputs_of_the_cell() -> None:
    torch.manual_seed(1)
    layer, x = LstmDirection(3, CellSettings(hidden=5)), torch.randn(9, 3)
    seen = watch(layer, x)
    assert (seen.shown - layer.outputs(x[None], torch.tensor([9]))[0]).abs().max() < 1e-5
    gates = torch.stack((seen.input, seen.forget, seen.output))
    assert seen.memory.shape == (9, 5) and 0 < gates.min() < gates.max() < 1
