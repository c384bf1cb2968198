"""The equations in which the cells with a memory differ."""

from dataclasses import dataclass
from typing import Literal

from recognizer.network.cells.settings import CellSettings


@dataclass(frozen=True)
class CellEquations:
    """How one cell's gates see its past; blocks of rows stand in the order of `gates`, the candidate g last.

    Args:
        gates: blocks of the weights: input gate i, forget gate f, output gate o, candidate g.
        recurs: what the recurrent weights multiply: the output `h`, the memory `c`, or both side by side `hc`.
        forget: `gate` f, `one` (nothing is forgotten) or `complement` (i = 1 - f).
        peephole: elementwise weights on the memory: `none`, `diagonal` (o sees the new c) or `previous` (all see c').
        identity: the memory reaches the output without tanh.
    """

    gates: str
    recurs: Literal["h", "c", "hc"]
    forget: Literal["gate", "one", "complement"] = "gate"
    peephole: Literal["none", "diagonal", "previous"] = "none"
    identity: bool = False

    @property
    def recurrent_gates(self) -> int:
        """Return how many blocks the recurrent weights have: the peephole cell's candidate sees x alone."""
        return len(self.gates) - (self.recurs == "c")


def equations_of(settings: CellSettings) -> CellEquations:
    """Return the equations that `settings` name."""
    identity = settings.peephole_activation == "identity"
    if settings.cell == "convolutional":
        return (
            CellEquations("ifog", "hc") if settings.memory_kernel else CellEquations("ifog", "h", peephole="previous")
        )
    return {
        "lstm": CellEquations("ifog", "h"),
        "lstm-1997": CellEquations("iog", "h", forget="one"),
        "coupled": CellEquations("fog", "h", forget="complement"),
        "peephole": CellEquations("ifog", "c", identity=identity),
        "peephole-diagonal": CellEquations("ifog", "h", peephole="diagonal", identity=identity),
    }[settings.cell]
