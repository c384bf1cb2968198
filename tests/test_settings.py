"""Every setting of a run has an effect: each is changed in turn, and a run of three steps ends elsewhere."""

import dataclasses
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file

import recognizer.training.train
from recognizer.cli import main
from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import scored_text
from recognizer.inputs.lines.augment import LineAugmentSettings
from recognizer.inputs.speech.augment import SoundAugmentSettings
from recognizer.inputs.strokes.augment import StrokeAugmentSettings
from recognizer.model.model_file import read_header
from recognizer.network.front import FrontSettings
from recognizer.network.mdlstm import MultidimensionalSettings
from recognizer.training.checkpointing import BestScore
from recognizer.training.config import AugmentSettings, Config, DataSettings, LearningSettings
from recognizer.training.data import CorpusData
from recognizer.training.hardware import choose_hardware, refuse_crowd
from recognizer.training.setup import make_setup

CHANGED = 1e-5  # of any weight: far above rounding, far below a step of learning
STILL = StrokeAugmentSettings(**{f.name: 0.0 for f in dataclasses.fields(StrokeAugmentSettings)} | {"share": 1.0})
NO_LINES = {f.name: 0.0 for f in dataclasses.fields(LineAugmentSettings)} | {"share": 1.0}


@dataclass(frozen=True)
class Corpora:
    """Folders of packed corpora, and a model file."""

    lines: Path
    more_lines: Path
    sounds: Path
    strokes: Path
    tight: Path
    model: Path


@dataclass(frozen=True)
class Trace:
    """What is left of a run, its configuration aside."""

    weights: dict[str, torch.Tensor]
    symbols: list[str]
    samples: list[tuple[int, int]]
    cer: float
    epochs: int

    def differs(self, other: "Trace") -> bool:
        """Say whether the runs ended elsewhere."""
        if (self.symbols, self.samples, self.epochs) != (other.symbols, other.samples, other.epochs):
            return True
        shapes = ({name: weight.shape for name, weight in run.weights.items()} for run in (self, other))
        if next(shapes) != next(shapes):
            return True
        return any(float((w - other.weights[n]).abs().max()) > CHANGED for n, w in self.weights.items() if w.numel())


@dataclass(frozen=True)
class Case:
    """A setting with a value that differs, and what must be set beside it in both runs."""

    value: object
    beside: tuple[tuple[str, object], ...] = ()
    kind: str = "lines"


def case(value: object, kind: str = "lines", **beside: object) -> Case:
    return Case(value, tuple((name.replace("__", "."), v) for name, v in beside.items()), kind)


MD = MultidimensionalSettings(sizes=[2, 3], blocks=[[4, 2], [2, 2]], between=[3])
FOLDERS = ("CORPUS", "OTHER")


def maps(value: object) -> Case:
    """Return a case of the convolutional cell, which takes the two rows that the tiny front leaves."""
    return case(value, network__cell="convolutional", network__features=2)


TRAINED: dict[str, Case] = {
    "seed": case(2),
    "init": case("MODEL"),
    "keep_symbols": case(False, init="MODEL", text=TextSettings(replace={"x": "l"})),
    "text": case(TextSettings(replace={"o": "l"})),
    "text.form": case("NFD", text=TextSettings()),
    "text.case": case("lower", text=TextSettings()),
    "text.replace": case({"x": "l"}, text=TextSettings()),
    "text.unit": case("token", text=TextSettings()),
    "data.corpus": case("OTHER"),
    "data.weights": case([1.0, 0.3], data__corpus=list(FOLDERS)),
    "data.train": case("spare"),
    "data.valid": case("spare"),
    "data.batch_columns": case(900),
    "data.batch_seconds": case(1.5, kind="sound"),
    "data.sortagrad": case(True),
    "features.bands": case(12, kind="sound"),
    "features.window_ms": case(40.0, kind="sound"),
    "features.hop_ms": case(12.5, kind="sound"),
    "features.low": case(300.0, kind="sound"),
    "features.high": case(3000.0, kind="sound"),
    "features.preemphasis": case(0.0, kind="sound"),
    "features.energy": case(True, kind="sound"),
    "features.deltas": case(True, kind="sound"),
    "features.utterance_mean": case(False, kind="sound"),
    "features.speech_range_db": case(6.0, kind="sound"),
    "augment.lines.share": case(0.0, augment__lines__width=0.3),
    "augment.lines.width": case(0.3),
    "augment.lines.height": case(0.3),
    "augment.lines.slant": case(0.5),
    "augment.lines.slope": case(0.3),
    "augment.lines.shift": case(0.2),
    "augment.lines.elastic": case(2.0),
    "augment.lines.thickness": case(0.9),
    "augment.lines.contrast": case(0.6),
    "augment.lines.blur": case(0.9),
    "augment.lines.noise": case(0.2),
    "augment.lines.shadow": case(0.5),
    "augment.lines.gaps": case(50.0),
    "augment.lines.margins": case(1.0),
    "augment.lines.neighbours": case(1.0),
    "augment.lines.curve": case(0.2),
    "augment.lines.cram": case(0.3),
    "augment.lines.tight": case(0.2),
    "augment.lines.pencil": case(1.0),
    "augment.lines.bleed": case(1.0),
    "augment.lines.ruled": case(1.0),
    "augment.lines.folds": case(1.0),
    "augment.lines.stamps": case(1.0),
    "augment.lines.surround": case(1.0),
    "augment.sound.speed": case(0.1, kind="sound"),
    "augment.sound.gain_db": case(12.0, kind="sound", features__utterance_mean=False),
    "augment.sound.noise": case(1.0, kind="sound"),
    "augment.sound.noise_snr_low": case(25.0, kind="sound", augment__sound__noise=1.0),
    "augment.sound.noise_snr_high": case(6.0, kind="sound", augment__sound__noise=1.0),
    "augment.sound.babble": case(1.0, kind="sound"),
    "augment.sound.babble_snr_low": case(20.0, kind="sound", augment__sound__babble=1.0),
    "augment.sound.babble_snr_high": case(11.0, kind="sound", augment__sound__babble=1.0),
    "augment.sound.reverb": case(1.0, kind="sound"),
    "augment.sound.low_pass": case(1.0, kind="sound"),
    "augment.sound.low_pass_low": case(500.0, kind="sound", augment__sound__low_pass=1.0),
    "augment.sound.low_pass_high": case(3100.0, kind="sound", augment__sound__low_pass=1.0),
    "augment.sound.time_masks": case(2, kind="sound"),
    "augment.sound.time_width": case(3, kind="sound", augment__sound__time_masks=2),
    "augment.sound.frequency_masks": case(2, kind="sound"),
    "augment.sound.frequency_width": case(3, kind="sound", augment__sound__frequency_masks=2),
    "augment.sound.silence": case(1.0, kind="sound"),
    "augment.sound.silence_seconds": case(0.2, kind="sound", augment__sound__silence=1.0),
    "data.batch_points": case(1500, kind="strokes"),
    "augment.strokes.share": case(0.0, kind="strokes", augment__strokes__width=0.3),
    "augment.strokes.width": case(0.3, kind="strokes"),
    "augment.strokes.height": case(0.3, kind="strokes"),
    "augment.strokes.slant": case(0.5, kind="strokes"),
    "augment.strokes.slope": case(0.1, kind="strokes"),
    "augment.strokes.wobble": case(0.1, kind="strokes"),
    "augment.strokes.jitter": case(0.05, kind="strokes"),
    "network.cell": case("gru"),
    "network.hidden": case(6),
    "network.forget_bias": case(0.0),
    "network.recurrent_init": case("orthogonal"),
    "network.recurrent_dropout": case(0.5),
    "network.zoneout": case(0.3),
    "network.layer_norm": case(True),
    "network.learned_state": case(True),
    "network.projection": case(4),
    "network.peephole_activation": case("identity", network__cell="peephole"),
    "network.kernel": maps(5),
    "network.memory_kernel": maps(3),
    "network.layers": case(2),
    "network.bidirectional": case(False),
    "network.dropout": case(0.5),
    "network.auxiliary_head": case(0.0),
    "network.front.type": case("frames"),
    "network.front.patch": case([1, 4]),
    "network.front.channels": case([8, 8]),
    "network.front.pool_time": case([2, 1]),
    "network.front.pool_features": case([4, 2]),
    "network.front.convolutions": case(2),
    "network.front.norm": case("none"),
    "network.front.dropout": case(0.3),
    "network.front.multidimensional.sizes": case(
        [2, 4], network__front=FrontSettings(type="multidimensional", multidimensional=MD)
    ),
    "network.front.multidimensional.blocks": case(
        [[2, 2], [4, 2]], network__front=FrontSettings(type="multidimensional", multidimensional=MD)
    ),
    "network.front.multidimensional.between": case(
        [4], network__front=FrontSettings(type="multidimensional", multidimensional=MD)
    ),
    "network.front.multidimensional.forget_bias": case(
        1.0, network__front=FrontSettings(type="multidimensional", multidimensional=MD)
    ),
    "network.front.multidimensional.convolutions": case(
        [4], network__front=FrontSettings(type="multidimensional", multidimensional=MD)
    ),
    "network.front.multidimensional.collapse": case(
        "concatenate", network__front=FrontSettings(type="multidimensional", multidimensional=MD)
    ),
    "network.front.multidimensional.norm": case(
        "none", network__front=FrontSettings(type="multidimensional", multidimensional=MD)
    ),
    "learning.rate": case(1e-3),
    "learning.schedule": case("constant"),
    "learning.warm_up": case(0.7),
    "learning.weight_decay": case(0.5),
    "learning.gradient_clip": case(1e-3),
    "learning.ema_decay": case(0.0),
    "learning.weight_noise": case(0.1),
    "learning.layer_decay": case(0.5),
    "learning.anchor": case(50.0, init="MODEL"),
    "learning.cr_ctc": case(0.2),
}
OTHERWISE = (
    "run",
    "calibrate",
    "text.order",  # tests/test_picture_order.py
    "text.scoring",
    "data.workers",
    "data.allow_infeasible",
    "learning.patience",
    "network.features",
)  # each has a test


def settings_of(kind: type, prefix: str = "") -> list[str]:
    """Return the dotted names of all settings of a dataclass that are no groups; `text` is both."""
    names = []
    for name, hint in typing.get_type_hints(kind).items():
        inner = [one for one in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(one)]
        if not inner or hint not in inner:
            names.append(f"{prefix}{name}")
        for one in inner:
            names += settings_of(typing.cast(type, one), f"{prefix}{name}.")
    return names


def changed(settings: Any, name: str, value: object) -> Any:
    """Return nested settings with the one of a dotted name changed."""
    first, dot, rest = name.partition(".")
    return replace(settings, **{first: changed(getattr(settings, first), rest, value) if dot else value})


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    folder = tmp_path_factory.mktemp("corpora")
    random = np.random.default_rng(3)
    texts = tiny.made_texts(tiny.GLYPHS, 20, random)
    texts[0], texts[1] = "L\u00e9o xo", "o-l O"
    splits = ["train"] * 14 + ["valid"] * 2 + ["spare"] * 4
    lines = tiny.pack(tiny.write_lines(folder / "a", texts, splits), folder / "lines", tiny.HEIGHT)
    others = tiny.pack(tiny.write_lines(folder / "b", texts[::-1], splits), folder / "more", tiny.HEIGHT)
    manifest = tiny.write_lines(folder / "c", texts, splits)
    manifest.write_text(manifest.read_text().replace("o-l O", "o-l O" * 20))
    tight = tiny.pack(manifest, folder / "tight", tiny.HEIGHT)
    sounds = tiny.sound_corpus(folder / "sounds", 9, 3)
    tiny.restless(base(lines), folder / "model.safetensors")
    strokes = tiny.stroke_corpus(folder / "strokes", 9, 3)
    return Corpora(lines, others, sounds, strokes, tight, folder / "model.safetensors")


def base(lines: Path) -> Config:
    return replace(tiny.line_config(lines), augment=AugmentSettings(lines=LineAugmentSettings(**NO_LINES)))


def run_of(corpora: Corpora, case: Case) -> Config:
    """Return the run that a case starts from."""
    if case.kind == "strokes":
        config = replace(tiny.stroke_config(corpora.strokes), augment=AugmentSettings(strokes=STILL))
    elif case.kind == "sound":
        config = tiny.sound_config(corpora.sounds)
        network = replace(config.network, auxiliary_head=0.0)
        config = replace(config, network=network, augment=AugmentSettings(sound=SoundAugmentSettings()))
    else:
        config = base(corpora.lines)
    for name, value in case.beside:
        config = changed(config, name, placed(value, corpora))
    return config


def placed(value: object, corpora: Corpora) -> object:
    """Put the folders in the place of their names."""
    if isinstance(value, list):
        return [placed(one, corpora) for one in value]
    names = {"CORPUS": corpora.lines, "OTHER": corpora.more_lines, "MODEL": corpora.model}
    return str(names[value]) if isinstance(value, str) and value in names else value


def trace(config: Config, folder: Path, **trainer: Any) -> Trace:
    """Train three steps and return what came of it."""
    kept = tiny.fit(config, folder, **{"max_epochs": 1, "limit_train_batches": 3, "logger": False, **trainer})
    header = read_header(folder / "model.safetensors")
    samples = [(corpus["train"], corpus["valid"]) for corpus in header["training"]["corpora"]]
    epochs = len((folder / "history.tsv").read_text().splitlines()) - 1
    weights = load_file(folder / "model.safetensors")
    return Trace(weights, header["alphabet"]["symbols"], samples, kept.cer, epochs)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Config], Trace]:
    """Return a function that runs a configuration once, however often it is asked for."""
    done: dict[str, Trace] = {}

    def once(config: Config) -> Trace:
        key = repr(config)
        if key not in done:
            done[key] = trace(config, tmp_path_factory.mktemp("run"))
        return done[key]

    return once


def test_every_setting_has_its_case() -> None:
    assert sorted(settings_of(Config)) == sorted([*TRAINED, *OTHERWISE])


@pytest.mark.parametrize("name", TRAINED)
def test_a_setting_has_an_effect(name: str, corpora: Corpora, traces: Callable[[Config], Trace]) -> None:
    one = run_of(corpora, TRAINED[name])
    other = changed(one, name, placed(TRAINED[name].value, corpora))
    assert one != other
    assert traces(one).differs(traces(other))


@pytest.mark.parametrize("kind", ["lines", "sound", "strokes"])
def test_the_same_settings_end_in_the_same_place(
    kind: str, corpora: Corpora, traces: Callable[[Config], Trace], tmp_path: Path
) -> None:
    config = run_of(corpora, case(None, kind))
    assert not trace(config, tmp_path).differs(traces(config))


def test_patience_ends_a_run_that_grows_no_better(corpora: Corpora, tmp_path: Path) -> None:
    config = replace(base(corpora.lines), learning=LearningSettings(rate=1e-9, ema_decay=0.0))
    patient = replace(config, learning=replace(config.learning, patience=1))
    assert trace(config, tmp_path / "a", max_epochs=4, limit_train_batches=1).epochs == 4
    assert trace(patient, tmp_path / "b", max_epochs=4, limit_train_batches=1).epochs == 2


def test_what_cannot_be_spelled_ends_the_run_or_is_left_out_by_name(corpora: Corpora) -> None:
    config = base(corpora.tight)
    with pytest.raises(RecognizerError, match=r"1 training samples have more characters than frames.*001\.png"):
        make_setup(config)
    task = make_setup(changed(config, "data.allow_infeasible", True))
    assert len(task.train) == 13 and len(task.left_out) == 1 and "001.png" in task.left_out[0]


def test_workers_are_the_processes_that_read_ahead(corpora: Corpora) -> None:
    config = base(corpora.lines)
    task = make_setup(config)
    for workers in (0, 2):
        data = CorpusData(task.corpora, [], [], task.alphabet, DataSettings(workers=workers), 1)
        assert data._loader(None, []).num_workers == workers  # type: ignore[arg-type]


def test_the_convolutional_cell_takes_as_many_rows_as_the_front_leaves(corpora: Corpora, tmp_path: Path) -> None:
    config = run_of(corpora, maps(None))
    assert trace(config, tmp_path / "two").epochs == 1
    with pytest.raises(RecognizerError, match=r"network\.features is 4, expected 2"):
        trace(changed(config, "network.features", 4), tmp_path / "four")


def test_scoring_folds_phones() -> None:
    assert scored_text("ax ix q", TextSettings(unit="token")) == "ax ix q"
    assert scored_text("ax ix q", TextSettings(unit="token", scoring="timit-39")) == "ah ih"


def test_no_more_processes_are_chosen_than_have_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.training.hardware.usable_processors", lambda: 8)
    assert [choose_hardware("cpu", "auto", "32-true", most).devices for most in (None, 9, 2, 1, 0)] == [2, 2, 2, 1, 1]
    assert choose_hardware("cpu", 2, "32-true", 1).devices == 2  # asked for, and refused by who knows the samples


def test_a_crowd_of_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.training.hardware.usable_processors", lambda: 2)
    refuse_crowd(2, 7)
    refuse_crowd(16, 0)
    with pytest.raises(
        RecognizerError, match=r"data\.workers 1000: 2002 processes, expected at most 16 on 2 processors"
    ):
        refuse_crowd(2, 1000)
    with pytest.raises(RecognizerError, match=r"trainer\.devices 17 "):
        refuse_crowd(17, 0)


def test_the_run_is_written_into_its_folder(corpora: Corpora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def note(config: Config, trainer: dict[str, Any], run: Path, *rest: Any) -> BestScore:
        asked.append(run)
        rest[-1](choose_hardware("cpu", 1, "32-true"))  # all has been looked at: the run begins
        return BestScore(0.5, 0.5, 0)

    monkeypatch.setattr(recognizer.training.train, "train", note)
    monkeypatch.setenv("RECOGNIZER_RUN", "")
    monkeypatch.chdir(tmp_path)
    words = ["train", "--data.corpus", str(corpora.lines), "--trainer.precision", "32-true"]
    for more in ([], ["--run", "here"]):
        with pytest.raises(SystemExit):
            main([*words, *more])
    assert asked[0].parent == Path("runs") and asked[1] == Path("here")
    assert (tmp_path / "here" / "config.yaml").is_file()
