"""A decoder's settings as plain data, without a path and without an opened file."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from recognizer.common.plain_data import from_plain
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.options import ENGINES
from recognizer.errors import RecognizerError

BOUNDS = {  # beyond which exponentials of scores leave the numbers that there are; what serves is far within
    "lm_weight": (-10.0, 10.0),
    "word_bonus": (-100.0, 100.0),
    "prior_weight": (0.0, 10.0),
    "temperature": (0.001, 1000.0),
    "hot_bonus": (-100.0, 100.0),
    "rescore_weight": (-10.0, 10.0),
    "oov_penalty": (0.0, 1000.0),
}
FILES = ("lm", "hot_words", "lexicon", "rescore")  # settings that name a file outside the model file


@dataclass(frozen=True)
class NamedFile:
    """A file known by its name and its content, wherever it lies.

    Args:
        name: without folders.
        sha256: of its bytes.
    """

    name: str
    sha256: str


@dataclass(frozen=True)
class DecoderSettings:
    """A decoder as a model file states it; logarithms are natural.

    Args:
        engine: "greedy", "beam" or "flashlight".
        tta: of each line of handwriting, the surest of whose readings is taken; 1 is the line as it is.
        beam: how wide the beam looks.
        lm: language model; its own file says whether it is one of characters or words.
        lm_weight: of its log-probabilities.
        word_bonus: added for every word.
        prior_weight: power of the label priors that the network's probabilities are divided by.
        temperature: what the network's log-probabilities are divided by; above 1 it is taken as less sure.
        hot_words: list of words to prefer.
        hot_bonus: added for every one of them.
        lexicon: list of the words that may be read.
        oov_penalty: penalty of any other word; None forbids them.
        rescore: language model that ranks the beam's texts anew.
        rescore_weight: of its log-probabilities.
    """

    engine: str = "greedy"
    tta: int = 1
    beam: BeamSettings = field(default_factory=BeamSettings)
    lm: NamedFile | None = None
    lm_weight: float = 0.5
    word_bonus: float = 0.0
    prior_weight: float = 0.0
    temperature: float = 1.0
    hot_words: NamedFile | None = None
    hot_bonus: float = 5.0
    lexicon: NamedFile | None = None
    oov_penalty: float | None = None
    rescore: NamedFile | None = None
    rescore_weight: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if self.engine not in ENGINES:
            raise RecognizerError(f"decoder {self.engine!r}, expected one of {', '.join(ENGINES)}")
        for name in ("lm_weight", "word_bonus", "prior_weight", "temperature", "hot_bonus", "rescore_weight"):
            if not math.isfinite(getattr(self, name)):
                raise RecognizerError(f"{name.replace('_', '-')} is {getattr(self, name)}, expected a number")
        if self.prior_weight < 0:
            raise RecognizerError(f"prior-weight is {self.prior_weight}, expected 0 or more")
        if self.temperature <= 0:
            raise RecognizerError(f"temperature is {self.temperature}, expected more than 0")
        penalty = self.oov_penalty
        if penalty is not None and not (math.isfinite(penalty) and penalty > 0):
            raise RecognizerError(f"oov-penalty is {penalty}, expected a positive number")
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise RecognizerError(f"{name.replace('_', '-')} is {value}, expected {least:g} to {most:g}")

    def outside(self) -> dict[str, NamedFile]:
        """Return the files outside the model file that this decoder needs, by setting."""
        return {name: file for name in FILES if (file := getattr(self, name)) is not None}

    def describe(self) -> str:
        """Return the settings that have an effect in one line."""
        views = f", surest of {self.tta} views" if self.tta > 1 else ""
        if self.engine == "greedy":
            return f"best path{views}"
        parts = [f"{self.engine} {self.beam.width}{views}"]
        if self.lm:
            parts.append(f"{self.lm.name} x {self.lm_weight:g}")
        if self.word_bonus:
            parts.append(f"word bonus {self.word_bonus:g}")
        if self.prior_weight:
            parts.append(f"priors x {self.prior_weight:g}")
        if self.temperature != 1:
            parts.append(f"temperature {self.temperature:g}")
        if self.hot_words:
            parts.append(f"hot words {self.hot_words.name} + {self.hot_bonus:g}")
        if self.lexicon:
            penalty = "nothing else" if self.oov_penalty is None else f"others - {self.oov_penalty:g}"
            parts.append(f"lexicon {self.lexicon.name}, {penalty}")
        if self.rescore:
            parts.append(f"ranked anew by {self.rescore.name} x {self.rescore_weight:g}")
        return ", ".join(parts)

    def data(self) -> dict[str, Any]:
        """Return plain data for a model file."""
        return asdict(self)


def settings_of(data: dict[str, Any]) -> DecoderSettings:
    """Return the settings that `DecoderSettings.data` wrote; no data are the defaults.

    Raises:
        RecognizerError: the data is not of this form.
    """
    unknown = set(data) - {one.name for one in fields(DecoderSettings)}
    if unknown:
        raise RecognizerError(f"decoder: {min(unknown)!r} is no setting of this version, upgrade recognizer")
    return from_plain(DecoderSettings, data, "decoder")
