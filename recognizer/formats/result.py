"""One reading with what the forms must know of its file."""

from dataclasses import asdict, dataclass, field
from typing import Any

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.inputs.signal import Signal
from recognizer.pages.dewarping import DewarpedLine


@dataclass(frozen=True)
class Result:
    """A reading of one file.

    Args:
        name: of the file as the user gave it.
        hypothesis: what was read, its spans in the file's own unit.
        unit: "px", "s" or "points".
        extent: length of the file along the reading direction, in `unit`.
        across: of an image, its other side in pixels.
        vertical: whether the reading direction is from the top to the bottom.
        decoder: what read it, in words.
        part: of a long recording, where the piece that was read begins and ends, in `unit`; None for the whole.
        strip: of a line of a page, the strip that it was cut out as; None where it is to be laid out anew.
    """

    name: str
    hypothesis: Hypothesis
    unit: str
    extent: float
    across: float = 0.0
    vertical: bool = False
    part: tuple[float, float] | None = None
    decoder: str = ""
    strip: DewarpedLine | None = field(default=None, compare=False, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image."""
        sides = round(self.extent), round(self.across)
        return (sides[1], sides[0]) if self.vertical else sides

    def as_data(self) -> dict[str, Any]:
        """Return the record as plain data: file, unit, of a piece its start and end, and what the hypothesis has."""
        decoder = {"decoder": self.decoder} if self.decoder else {}
        part = {"start": self.part[0], "end": self.part[1]} if self.part else {}
        return {"file": self.name, "unit": self.unit, **decoder, **part, **asdict(self.hypothesis)}

    def box(self, span: Span) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom of a span in pixels; across the line it is as wide as the image."""
        start, end, across = round(span.start), round(span.end), round(self.across)
        return (0, start, across, end) if self.vertical else (start, 0, end, across)


def make_result(name: str, hypothesis: Hypothesis, signal: Signal, decoder: str = "") -> Result:
    """Return the record of a reading of `signal` by `decoder`."""
    sizes = signal.extent, signal.across, signal.vertical
    return Result(name, hypothesis, signal.unit, *sizes, decoder=decoder, strip=signal.strip)
