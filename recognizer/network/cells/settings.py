"""What a recurrent layer is made of: the kind of its cell with every option."""

from dataclasses import dataclass, fields

from recognizer.errors import RecognizerError

CELLS = ("lstm", "lstm-1997", "coupled", "peephole", "peephole-diagonal", "convolutional", "gru", "rnn")
GATED = CELLS[:-1]
DENSE = tuple(cell for cell in CELLS if cell != "convolutional")
FORGETFUL = ("lstm", "coupled", "peephole", "peephole-diagonal", "convolutional")
PROJECTED = ("lstm", "lstm-1997", "coupled", "peephole-diagonal")
PEEPHOLES = ("peephole", "peephole-diagonal")
CHRONO = "chrono:"  # of a forget bias that names the longest lag to bridge
MAX_LAG = 10**9  # steps
MAX_BIAS = 1000.0  # of a gate, which is open or shut to the last bit long before


@dataclass(frozen=True)
class CellSettings:
    """Settings of one recurrent layer.

    Args:
        cell: one of `CELLS`.
        hidden: size of the output of one direction; `convolutional`: channels x features.
        forget_bias: bias of the forget gate at the start; only for cells with a forget gate. `chrono:T` draws it for
            lags up to T steps, with its negative at the input gate (Tallec and Ollivier 2018); for every gated cell.
        recurrent_init: `uniform` or `orthogonal`: how the recurrent weights of each gate start (Saxe et al. 2014).
        recurrent_dropout: probability in [0, 1) of dropping a unit on its way to the next step, one mask a sequence.
        zoneout: probability in [0, 1) that a unit keeps its last value for a step.
        layer_norm: normalise the input product, the recurrent product, the cell before the output (Ba et al. 2016).
        learned_state: learn the state before the first frame instead of zeros.
        projection: size that the output is projected to before it recurs (Sak et al. 2014); 0 = none.
        peephole_activation: `tanh` or `identity`, between cell and output of the peephole cells.
        features: `convolutional`: rows of the map; the input is read as (channels, features).
        kernel: `convolutional`: odd width of the convolutions W and U along the rows.
        memory_kernel: `convolutional`: odd width of the convolution V of the cell; 0 = elementwise.
    """

    cell: str = "lstm"
    hidden: int = 256
    forget_bias: float | str = 1.0
    recurrent_init: str = "uniform"
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    layer_norm: bool = False
    learned_state: bool = False
    projection: int = 0
    peephole_activation: str = "tanh"
    features: int = 8
    kernel: int = 3
    memory_kernel: int = 0

    def __post_init__(self) -> None:
        """Refuse values out of range, as well as options that would have no effect on this cell."""
        _want(self.cell in CELLS, f"cell {self.cell!r}: expected one of {', '.join(CELLS)}")
        _want(self.hidden > 0, f"hidden {self.hidden}: expected a size of at least 1")
        for name in ("recurrent_dropout", "zoneout"):
            value = getattr(self, name)
            _want(0.0 <= value < 1.0, f"{name} {value}: expected a probability in [0, 1)")
        _want(0 <= self.projection < self.hidden, f"projection {self.projection}: expected 0 (none) up to hidden - 1")
        known = self.peephole_activation in ("tanh", "identity")
        _want(known, f"peephole_activation {self.peephole_activation!r}: expected tanh or identity")
        known = self.recurrent_init in ("uniform", "orthogonal")
        _want(known, f"recurrent_init {self.recurrent_init!r}: expected uniform or orthogonal")
        self._check_forget_bias()
        self._refuse_without_effect()
        self._check_maps()

    @property
    def output_size(self) -> int:
        """Return the size of one direction's output."""
        return self.projection or self.hidden

    @property
    def plain(self) -> bool:
        """Say whether the cell has none of the options that change a step."""
        return not (self.recurrent_dropout or self.zoneout or self.layer_norm or self.projection)

    @property
    def chrono(self) -> int | None:
        """Return the longest lag, in steps, that the gates' biases are drawn for; None = the bias is a number."""
        return int(self.forget_bias.removeprefix(CHRONO)) if isinstance(self.forget_bias, str) else None

    def _check_forget_bias(self) -> None:
        if not isinstance(self.forget_bias, str):
            bounded = -MAX_BIAS <= self.forget_bias <= MAX_BIAS
            return _want(bounded, f"forget_bias {self.forget_bias}: expected -{MAX_BIAS:g} to {MAX_BIAS:g}")
        steps = self.forget_bias.removeprefix(CHRONO)
        named = self.forget_bias.startswith(CHRONO) and steps.isascii() and steps.isdigit()
        _want(
            named and len(steps) <= len(str(MAX_LAG)) and 2 < int(steps) <= MAX_LAG,
            f"forget_bias {self.forget_bias!r}: expected a number, or chrono:T with a lag T of 3 to {MAX_LAG} steps",
        )

    def _refuse_without_effect(self) -> None:
        self._only("forget_bias", GATED if isinstance(self.forget_bias, str) else FORGETFUL)
        self._only("recurrent_init", DENSE)
        self._only("projection", PROJECTED)
        self._only("peephole_activation", PEEPHOLES)
        self._only("layer_norm", DENSE)
        for name in ("features", "kernel", "memory_kernel"):
            self._only(name, ("convolutional",))

    def _only(self, name: str, cells: tuple[str, ...]) -> None:
        default = next(field.default for field in fields(self) if field.name == name)
        changed = getattr(self, name) != default
        _want(not changed or self.cell in cells, f"{name} has no effect on {self.cell}: only on {', '.join(cells)}")

    def _check_maps(self) -> None:
        if self.cell != "convolutional":
            return
        _want(self.features > 0, f"features {self.features}: expected at least 1 row")
        _want(
            self.hidden % self.features == 0, f"hidden {self.hidden}: expected a multiple of features ({self.features})"
        )
        _want(self.kernel > 0 and self.kernel % 2 == 1, f"kernel {self.kernel}: expected an odd width in rows")
        odd = self.memory_kernel == 0 or (self.memory_kernel > 0 and self.memory_kernel % 2 == 1)
        _want(odd, f"memory_kernel {self.memory_kernel}: expected 0 (elementwise) or an odd width in rows")


def _want(condition: bool, message: str) -> None:
    if not condition:
        raise RecognizerError(f"network.{message}")
