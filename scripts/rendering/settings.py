"""How much rendered lines vary."""

from dataclasses import dataclass, fields

from recognizer.errors import RecognizerError

Range = tuple[float, float]
RANGES = {
    "slant": (-1.0, 1.5),
    "x_height": (0.08, 0.6),
    "advance": (0.08, 1.0),
    "thickness": (0.01, 0.15),
    "ink": (0.0, 200.0),
}


@dataclass(frozen=True)
class RenderSettings:
    """What a line may look like; each line draws its own values.

    Args:
        height: of the image in pixels.
        slant: shift to the right per pixel upwards.
        x_height: height of an "x" as a share of the image's.
        advance: mean width of a character as a share of the image's height.
        thickness: of a stroke as a share of the image's height.
        ink: grey of the darkest strokes, 0 black.
        margin: mean columns of paper beyond the two that every line has on its left and right.
        wobble: how much letters differ in place, size and form, 1 as much as in real lines.
        bend: how much the line rises, falls and bends.
        pressure: how much the thickness changes along the line.
        neighbours: share of lines into which the lines above or below reach.
        rules: share on ruled, dotted or squared paper.
        pencil: share in pencil.
        faded: share whose ink grows pale in places.
        shining: share where the other side shines through.
        stained: share on paper that is not clean.
        blots: share with a blot, a stroke through or below.
        artefacts: share that was compressed or scanned coarsely.
    """

    height: int = 64
    slant: Range = (-0.3, 0.85)
    x_height: Range = (0.18, 0.42)
    advance: Range = (0.16, 0.52)
    thickness: Range = (0.018, 0.062)
    ink: Range = (0.0, 80.0)
    margin: float = 3.0
    wobble: float = 1.0
    bend: float = 1.0
    pressure: float = 1.0
    neighbours: float = 0.6
    rules: float = 0.35
    pencil: float = 0.25
    faded: float = 0.3
    shining: float = 0.12
    stained: float = 0.6
    blots: float = 0.06
    artefacts: float = 0.4

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not 16 <= self.height <= 256:
            raise RecognizerError(f"height is {self.height}, expected 16 to 256 pixels")
        for name, (least, most) in RANGES.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise RecognizerError(f"{name} is {low} to {high}, expected a range inside {least} to {most}")
        strengths = {"margin": 100.0, "wobble": 3.0, "bend": 3.0, "pressure": 3.0}
        for field in fields(self):
            if field.name == "height" or field.name in RANGES:
                continue
            most = strengths.get(field.name, 1.0)
            if not 0 <= getattr(self, field.name) <= most:
                raise RecognizerError(f"{field.name} is {getattr(self, field.name)}, expected 0 to {most:g}")


MILD = RenderSettings(
    height=48,
    slant=(0.0, 0.25),
    x_height=(0.28, 0.32),
    advance=(0.27, 0.33),
    thickness=(0.04, 0.055),
    ink=(0.0, 40.0),
    margin=1.0,
    wobble=0.35,
    bend=0.3,
    pressure=0.3,
    neighbours=0.0,
    rules=0.0,
    pencil=0.0,
    faded=0.0,
    shining=0.0,
    stained=0.0,
    blots=0.0,
    artefacts=0.0,
)
