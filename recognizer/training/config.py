"""The settings of a training run, with their defaults and units."""

from dataclasses import dataclass, field

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.inputs.lines.augment import LineAugmentSettings
from recognizer.inputs.speech.augment import SoundAugmentSettings
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.inputs.strokes.augment import StrokeAugmentSettings
from recognizer.network.network import NetworkSettings

MAX_NOISE = 100.0  # deviation of noise on weights, which are some hundredths
SCHEDULES = ("one-cycle", "cosine", "step", "constant")


@dataclass(frozen=True)
class DataSettings:
    """Which samples are learned and how they are put together.

    Args:
        corpus: folders that `recognizer prepare` made, one or several of one kind.
        weights: how often an epoch takes each corpus's training samples, one number a corpus: 0.3 a share of
            them, drawn anew each time, 1.5 all and half of them again; empty takes all once.
        train: name of the split that is learned.
        valid: name of the split that chooses the best state.
        batch_columns: lines: columns of a batch and process, padding included.
        batch_points: pen strokes: points of a batch and process, padding included.
        batch_seconds: sound: seconds of a batch and process, padding included.
        workers: processes that read ahead; 0 reads in the training process, which is fast enough for a store.
        allow_infeasible: leave out, by name, samples that CTC cannot spell; otherwise they end the run.
        sortagrad: whether the first epoch goes from short samples to long ones.
    """

    corpus: list[str] | str = ""
    weights: list[float] = field(default_factory=list)
    train: str = "train"
    valid: str = "valid"
    batch_columns: int = 12000
    batch_points: int = 20000
    batch_seconds: float = 120.0
    workers: int = 0
    allow_infeasible: bool = False
    sortagrad: bool = False

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("batch_columns", "batch_points", "batch_seconds"):
            if not getattr(self, name) > 0:
                raise RecognizerError(f"data.{name} is {getattr(self, name)}, expected more than 0")
        if self.workers < 0:
            raise RecognizerError(f"data.workers is {self.workers}, expected at least 0")
        if self.weights and len(self.weights) != len(self.folders):
            raise RecognizerError(f"data.weights has {len(self.weights)} numbers for {len(self.folders)} corpora")
        if any(not 0.0 < weight <= 100.0 for weight in self.weights):
            raise RecognizerError(f"data.weights is {self.weights}, expected numbers above 0 and at most 100")

    @property
    def folders(self) -> list[str]:
        """The corpora as a list."""
        return [self.corpus] if isinstance(self.corpus, str) else list(self.corpus)


@dataclass(frozen=True)
class LearningSettings:
    """How the weights are learned.

    Args:
        rate: highest learning rate of AdamW.
        schedule: "one-cycle" (cosine up, cosine down to nothing), "cosine" (linear up, cosine down), "step" (linear
            up, then a tenth at 60 % and again at 85 % of the run) or "constant" (linear up).
        warm_up: share of the run in which the rate rises.
        weight_decay: of AdamW, on weight matrices alone.
        gradient_clip: largest norm of the gradient; 0 does not clip.
        ema_decay: decay of the exponential average of the weights, which is validated and kept; 0 keeps none.
        weight_noise: standard deviation of noise on the weights of the recurrent layers in each step.
        cr_ctc: weight of the divergence between the readings of two views of each sample (CR-CTC), which doubles
            a step's work; 0 makes one view.
        patience: validations without a better CER that end the run; 0 never does.
        layer_decay: the rate of each level as a share of that of the level above, from the output layer over the
            recurrent layers to the front; 1 learns all at one rate.
        anchor: pull towards the weights that the run started from, as weight_decay pulls towards zero; 0 is none.
    """

    rate: float = 2e-3
    schedule: str = "one-cycle"
    warm_up: float = 0.1
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    ema_decay: float = 0.998
    weight_noise: float = 0.0
    cr_ctc: float = 0.0
    patience: int = 0
    layer_decay: float = 1.0
    anchor: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if self.schedule not in SCHEDULES:
            raise RecognizerError(f"learning.schedule is {self.schedule!r}, expected one of {', '.join(SCHEDULES)}")
        if not self.rate > 0:
            raise RecognizerError(f"learning.rate is {self.rate}, expected more than 0")
        if not 0.0 < self.layer_decay <= 1.0:
            raise RecognizerError(f"learning.layer_decay is {self.layer_decay}, expected a share above 0, 1 at most")
        if not 0.0 <= self.anchor < 100.0:
            raise RecognizerError(f"learning.anchor is {self.anchor}, expected 0 to below 100")
        if self.weight_noise > MAX_NOISE:
            raise RecognizerError(f"learning.weight_noise is {self.weight_noise}, expected at most {MAX_NOISE:g}")
        for name in ("ema_decay", "warm_up"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise RecognizerError(f"learning.{name} is {getattr(self, name)}, expected a share in [0, 1)")
        for name in ("weight_decay", "gradient_clip", "weight_noise", "cr_ctc", "patience"):
            if not getattr(self, name) >= 0:
                raise RecognizerError(f"learning.{name} is {getattr(self, name)}, expected at least 0")


@dataclass(frozen=True)
class AugmentSettings:
    """Random changes while training; the kind of the corpus picks the part that acts.

    Args:
        lines: for images of lines.
        sound: for recordings.
        strokes: for pen strokes.
    """

    lines: LineAugmentSettings = field(default_factory=LineAugmentSettings)
    sound: SoundAugmentSettings = field(default_factory=SoundAugmentSettings)
    strokes: StrokeAugmentSettings = field(default_factory=StrokeAugmentSettings)


@dataclass(frozen=True)
class Config:
    """One training run.

    Args:
        run: folder of the run; empty makes one under runs/ from the corpus's name and the time.
        calibrate: whether the finished model's confidences are made shares of right answers on the validation samples.
        seed: of every random number.
        init: model file or name whose weights the run starts from, "" for none; what fits by name and shape is
            taken, output classes go by their symbols, and the rest is said.
        keep_symbols: whether what only the model of `init` can write stays in the alphabet, beside the characters of
            the training texts; otherwise it is forgotten, and said.
        text: how transcripts are normalised; none takes what the corpus proposes.
        data: which samples are learned.
        features: sound to frames.
        augment: random changes while training.
        network: the form of the network.
        learning: how the weights are learned.
    """

    run: str = ""
    calibrate: bool = True
    seed: int = 1
    init: str = ""
    keep_symbols: bool = True
    text: TextSettings | None = None
    data: DataSettings = field(default_factory=DataSettings)
    features: LogMelSettings = field(default_factory=LogMelSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not 0 <= self.seed < 2**32:
            raise RecognizerError(f"seed is {self.seed}, expected 0 to {2**32 - 1}")
