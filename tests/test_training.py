"""Tests of training: learning, stopping, a loss that is no number, what a run says."""

import shlex
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tiny
import torch
from lightning.pytorch.callbacks import Timer
from safetensors.torch import load_file
from tiny import Run, rows, words
from torch import Tensor

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import Header, Packed, Store, write_store
from recognizer.errors import RecognizerError
from recognizer.model.model import Model
from recognizer.model.model_file import ModelFile, load_model_file, read_header
from recognizer.training import learner as learner_module
from recognizer.training.config import Config, DataSettings, LearningSettings
from recognizer.training.data import Batch, Corpora
from recognizer.training.finetuning import load_weights
from recognizer.training.history import read_history
from recognizer.training.learner import move_average
from recognizer.training.losses import ctc_loss, frames_wanted
from recognizer.training.schedule import rate_share, time_share


@pytest.mark.parametrize("splits, evaluated", [("train valid test", "test"), ("train valid", "valid")])
def test_a_run_names_a_split_that_its_corpus_has(splits: str, evaluated: str, tmp_path: Path) -> None:
    from recognizer.commands.train import _say_next

    corpus, line = tmp_path / "my corpus", np.zeros((1, 3), np.uint8)
    packed = [Packed(Sample(Path("a.png"), "a", split, "", ""), line, 1.0, bytes(32)) for split in splits.split()]
    write_store(corpus, Header("toy", "handwriting", {"height": 3}, {}, {}), packed)
    said: list[str] = []
    run = tmp_path / "a run [1]"
    _say_next(Config(data=DataSettings(corpus=str(corpus))), run, said.append)
    assert [shlex.split(line) for line in said[-2:]] == [
        ["recognizer", "evaluate", str(run), str(corpus), "--split", evaluated, "--html", "report.html"],
        ["recognizer", "transcribe", "FILES", "--model", str(run)],
    ]


def test_a_run_says_what_it_does_and_nothing_else(
    lines: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognizer.commands.train import run_train

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)  # the bar is drawn where somebody looks
    arguments = words(lines, tmp_path / "run", trainer__max_epochs=1, trainer__enable_progress_bar="true")
    assert run_train(arguments, print) == 0
    out, err = capfd.readouterr()
    # The bar goes to one of the two, whichever the library chose.
    for tip in ("litlogger", "weights_only", "GPU available", "Trainer.fit", "Warning", "TPU", "deprecated"):
        assert tip not in out + err
    bar = (out + err).replace("\r", "\n")
    assert "loss=" in bar and "cer=" in bar and "lines/s=" in bar and "v_num" not in bar
    first = (tmp_path / "run" / "config.yaml").read_text().splitlines()[0]
    assert first.startswith("# recognizer train")


@pytest.mark.slow
def test_a_run_learns_a_handful_of_lines_by_heart(tmp_path: Path) -> None:
    texts = ["lo xo", "ol -x", "x-o l"]
    files = tiny.write_lines(tmp_path / "files", texts, ["train"] * 3)
    config = tiny.line_config(tiny.pack(files, tmp_path / "packed", tiny.HEIGHT))
    fast = replace(
        config,
        data=replace(config.data, valid="train", batch_columns=100),
        network=replace(config.network, hidden=16, auxiliary_head=1.0),
        learning=replace(config.learning, rate=3e-2, ema_decay=0.5),
    )
    kept = tiny.fit(fast, tmp_path / "run", max_epochs=60, check_val_every_n_epoch=60)
    assert (kept.cer, kept.wer) == (0.0, 0.0)


def test_a_run_says_first_what_a_check_of_its_corpora_finds(tmp_path: Path) -> None:
    manifest = tiny.write_lines(tmp_path / "files", ["lo", "ox", "lo"], ["train", "train", "valid"])
    with open(manifest, "a", encoding="utf-8") as file:
        file.write("text.png\tlo\ttrain\twriter 1\n")
    (manifest.parent / "text.png").write_text("no picture")
    corpus = tiny.pack(manifest, tmp_path / "packed", tiny.HEIGHT)
    said = list[str]()
    tiny.fit(tiny.line_config(corpus), tmp_path / "run", said=said, max_epochs=1)
    assert any(", lost: 1 left out by prepare: " in line for line in said)
    assert any(", worth knowing: 1 text of valid that is in train too, first " in line for line in said)


def test_a_run_never_overwrites_another(lines: Path, line_run: Run) -> None:
    from recognizer.commands.train import run_train

    with pytest.raises(RecognizerError, match="a run is there already, expected --resume"):
        run_train(words(lines, line_run.folder), print)


def test_resuming_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    from recognizer.commands.train import run_train

    with pytest.raises(RecognizerError, match=r"no config.yaml there, expected the folder of a run"):
        run_train(["--resume", str(tmp_path)], print)


@pytest.mark.parametrize(
    ("end", "validated"),
    [
        ({"max_epochs": 2, "check_val_every_n_epoch": 3}, [1]),
        ({"max_epochs": 5, "check_val_every_n_epoch": 2}, [1, 3, 4]),
        ({"max_epochs": 9, "check_val_every_n_epoch": 3, "max_steps": 1}, [0]),
        ({"max_epochs": 9, "max_steps": 3, "min_steps": 2}, [0]),
        ({"max_epochs": 9, "max_steps": 3, "min_epochs": 2}, [0]),
        ({"max_epochs": 2, "val_check_interval": 4, "limit_train_batches": 5}, [0, 1, 1]),
        (
            {"max_epochs": 3, "val_check_interval": 2, "limit_train_batches": 3, "check_val_every_n_epoch": None},
            [0, 1, 1, 2, 2],
        ),
        ({"max_epochs": 9000, "check_val_every_n_epoch": 8000, "max_time": {"seconds": 1}}, None),
    ],
)
def test_the_last_weights_of_a_run_are_validated_due_or_not(
    end: dict[str, Any], validated: list[int] | None, lines: Path, tmp_path: Path
) -> None:
    tiny.fit(tiny.line_config(lines), tmp_path / "run", **end)
    history = read_history(tmp_path / "run")
    last = torch.load(tmp_path / "run" / "last.ckpt", weights_only=False)
    assert history[-1].epoch == last["epoch"] and history[-1].steps == last["global_step"]
    assert [one.epoch for one in history] == (validated or [history[-1].epoch])


def test_validations_without_progress_end_a_run(lines: Path, tmp_path: Path) -> None:
    config = tiny.line_config(lines)
    front = replace(config.network.front, norm="none")  # whose statistics move whatever the rate
    slow = LearningSettings(rate=1e-12, schedule="constant", patience=1, ema_decay=0.0)
    still = replace(config, learning=slow, network=replace(config.network, front=front))
    kept = tiny.fit(still, tmp_path / "run", max_epochs=6)
    assert kept.epoch == 0
    assert len(rows(tmp_path / "run")) == 1 + 2


def poison(monkeypatch: pytest.MonkeyPatch, steps: set[int]) -> None:
    """Let the loss of the first sample be no number in these calls of the loss; the side head doubles the calls."""
    calls = iter(range(10**6))

    def foul(log_probs: Tensor, counts: Tensor, batch: Batch) -> Tensor:
        losses = ctc_loss(log_probs, counts, batch)
        if next(calls) in steps:
            losses = losses * torch.tensor([float("nan")] + [1.0] * (len(losses) - 1))
        return losses

    monkeypatch.setattr(learner_module, "ctc_loss", foul)


def test_a_loss_that_is_no_number_names_its_sample_and_the_run_goes_on(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    poison(monkeypatch, {4})
    tiny.fit(tiny.line_config(lines), tmp_path / "run", max_epochs=2)
    said = capsys.readouterr().out
    assert said.count("back to the last good state, rate x 0.5") == 1
    names = [sample for sample in said.replace(")", " ").split() if sample.endswith(".png")]
    assert len(names) == 1 and Path(names[0]).is_file()
    weights = load_file(tmp_path / "run" / "model.safetensors")
    assert all(bool(value.isfinite().all()) for value in weights.values() if value.is_floating_point())
    assert read_header(tmp_path / "run" / "model.safetensors")["training"]["setbacks"] == 1


def test_a_run_gives_up_after_three_returns(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    poison(monkeypatch, set(range(100)))
    with pytest.raises(RecognizerError, match=r"not a number at step .*\.png\), after 3 tries at half the rate"):
        tiny.fit(tiny.line_config(lines), tmp_path / "run", max_epochs=2)
    said = capsys.readouterr().out
    assert [f"rate x {scale}" in said for scale in (0.5, 0.25, 0.125, 0.0625)] == [True, True, True, False]


def test_the_gradient_is_clipped_to_its_norm(lines: Path) -> None:
    config = tiny.line_config(lines)
    for clip, wanted in ((0.01, 0.01), (0.0, 3.0)):
        learner = tiny.made_learner(lines, replace(config, learning=replace(config.learning, gradient_clip=clip)))
        weight = learner.model.network.head.weight
        weight.grad = torch.zeros_like(weight)
        weight.grad[0, 0] = 3.0
        learner.configure_gradient_clipping(None)
        assert float(weight.grad.norm()) == pytest.approx(wanted, rel=1e-3)


def test_matrices_alone_decay(lines: Path) -> None:
    class Steps:
        """What the schedule asks of a trainer."""

        estimated_stepping_batches = 10
        callbacks: ClassVar[list[Any]] = []

    learner = tiny.made_learner(lines)
    learner._trainer = Steps()  # type: ignore[assignment]
    groups = learner.configure_optimizers()["optimizer"].param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
    assert {p.ndim > 1 for p in groups[0]["params"]} == {True} and {p.ndim > 1 for p in groups[1]["params"]} == {False}
    assert sum(len(group["params"]) for group in groups) == len(list(learner.model.parameters()))


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        ("one-cycle", [0.024, 0.095, 1.0, 0.5, 0.001]),
        ("cosine", [0.1, 0.2, 1.0, 0.5, 0.001]),
        ("step", [0.1, 0.2, 1.0, 1.0, 0.01]),
        ("constant", [0.1, 0.2, 1.0, 1.0, 1.0]),
    ],
)
def test_the_rate_follows_its_schedule(schedule: str, wanted: list[float]) -> None:
    learning = LearningSettings(schedule=schedule, warm_up=0.1)
    found = [rate_share(learning, step, 100) for step in (0, 1, 9, 55, 99)]
    assert found == pytest.approx(wanted, abs=2e-3)
    assert max(rate_share(learning, step, 100) for step in range(130)) == pytest.approx(1.0)
    assert min(rate_share(learning, step, 100) for step in range(130)) >= 0.0


@dataclass
class Clocked:
    """A trainer of `world_size` processes whose first one says what time it is."""

    callbacks: list[Any]
    world_size: int = 1
    first: float = 0.75
    estimated_stepping_batches: int = 100

    @property
    def strategy(self) -> "Clocked":
        return self

    def broadcast(self, share: float) -> float:
        return self.first


def test_a_run_that_its_time_ends_goes_by_the_clock() -> None:
    timer = Timer(duration=timedelta(seconds=1000))
    trainer: Any = Clocked([timer])
    assert time_share(trainer) == 0.0 and time_share(Clocked([])) == 0.0  # type: ignore[arg-type]
    timer._offset = 250  # of a run that goes on
    assert time_share(trainer) == pytest.approx(0.25)
    timer._offset = 1001
    assert time_share(trainer) == 1.0
    assert time_share(Clocked([timer], world_size=2)) == 0.75, "all processes by one clock"  # type: ignore[arg-type]


def test_the_rate_has_come_down_when_the_time_is_over(lines: Path, tmp_path: Path) -> None:
    from recognizer.commands.train import run_train

    run = tmp_path / "run"
    arguments = words(lines, run, trainer__max_epochs=100000, trainer__max_time="00:00:00:04")
    run_train(arguments, lambda line: None)
    state = torch.load(run / "last.ckpt", weights_only=False)
    rates = state["lr_schedulers"][0]["_last_lr"]
    assert state["epoch"] < 10000
    assert max(rates) < 0.05 * LearningSettings().rate


def test_all_groups_of_weights_have_the_rate_of_one_look_at_the_clock(
    lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def later(trainer: Any) -> float:
        looks.append(0.1 * len(looks))
        return looks[-1]

    monkeypatch.setattr(learner_module, "time_share", later)
    learner = tiny.made_learner(lines)
    learner._trainer = Clocked([])  # type: ignore[assignment]
    made = learner.configure_optimizers()
    for _ in range(3):
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
        assert len({group["lr"] for group in made["optimizer"].param_groups}) == 1
    assert len(looks) == 4, "the first rate, and one for each step"


def test_the_average_moves_its_share_towards_the_weights() -> None:
    average: Any = torch.nn.BatchNorm1d(2)
    model: Any = torch.nn.BatchNorm1d(2)
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.num_batches_tracked.fill_(7)
    move_average(average, model, 0.75)
    assert average.weight.tolist() == [1.5, 1.5]
    assert int(average.num_batches_tracked) == 7


def test_a_model_that_starts_from_another_finds_its_classes_by_their_symbols(lines: Path) -> None:
    source = tiny.made_learner(lines)
    old, new = source.alphabet, Alphabet(("?", "l", "x"), source.alphabet.text)
    torch.manual_seed(2)
    model = Model(source.model.settings, new.classes)
    before = model.network.head.weight.detach().clone()
    left = load_weights(model, new, ModelFile(source.model.settings, old, source.model))
    assert left == ["output class '?'"]
    name = "network.front.stages.0.first.weight"
    assert torch.equal(model.state_dict()[name], source.model.state_dict()[name])
    for head in ("head", "auxiliary_head"):
        to, of = getattr(model.network, head), getattr(source.model.network, head)
        for symbol in ("l", "x"):
            row, place = new.encode(symbol)[0], old.encode(symbol)[0]
            assert torch.equal(to.weight[row], of.weight[place]) and torch.equal(to.bias[row], of.bias[place])
        assert torch.equal(to.weight[0], of.weight[0])
    assert torch.equal(model.network.head.weight[1], before[1])


def test_a_run_starts_from_the_model_it_is_given(lines: Path, line_run: Run, tmp_path: Path) -> None:
    config = replace(line_run.config, init=str(line_run.folder / "model.safetensors"))
    still, said = replace(config, learning=replace(config.learning, rate=1e-12, ema_decay=0.0)), list[str]()
    kept = tiny.fit(still, tmp_path / "run", said=said, max_epochs=1)
    assert any(line.endswith("new: nothing") for line in said)
    assert kept.cer == pytest.approx(line_run.kept.cer, abs=0.05)


def test_a_run_keeps_what_the_model_before_it_could_write_unless_it_is_told_not_to(
    lines: Path, line_run: Run, tmp_path: Path
) -> None:
    poor = replace(
        line_run.config,
        init=str(line_run.folder / "model.safetensors"),
        text=TextSettings(replace={"x": "l"}),
        network=replace(line_run.config.network, layers=2, dropout=0.1),
    )
    for keep, symbols in ((True, " -lox"), (False, " -lo")):
        said = list[str]()
        tiny.fit(replace(poor, keep_symbols=keep), tmp_path / str(keep), said=said, max_epochs=1)
        model = load_model_file(tmp_path / str(keep) / "model.safetensors")
        assert "".join(model.alphabet.symbols) == symbols
        assert any(line.endswith(": network.layers 2, there 1") for line in said)
        assert sum(line.endswith("can write what this model will not: 'x'") for line in said) == (not keep)


def test_a_run_over_lines_does_not_start_from_a_model_of_sound(lines: Path, sound_run: Run, tmp_path: Path) -> None:
    config = replace(tiny.line_config(lines), init=str(sound_run.folder))
    with pytest.raises(RecognizerError, match="reads speech, but .* is handwriting"):
        tiny.fit(config, tmp_path / "run")


def test_sound_that_plays_too_fast_for_its_text_keeps_its_own_speed(sounds: Path) -> None:
    config = tiny.sound_config(sounds)
    fast = replace(config.augment.sound, speed=0.5)
    learner = tiny.made_learner(sounds, replace(config, augment=replace(config.augment, sound=fast)))
    corpora = Corpora([Store(sounds)])
    items = corpora.items("train")[:8]
    batch = corpora.batch(items, 0, learner.alphabet)
    frames = learner.model.counts(batch.counts)
    # As many labels as there are frames for, less two: only the original and slower ones are long enough.
    labels = torch.arange(int(frames.sum())) % 2 + 1
    tight = replace(batch, labels=labels[: int((frames - 2).sum())], label_counts=frames - 2)
    seen = set()
    for seed in range(10):
        _, counts = learner._features(tight, torch.Generator().manual_seed(seed))
        after = config.network.front.counts(counts)
        assert bool((after >= frames_wanted(tight)).all())
        seen |= set((after > frames + 2).tolist())
    assert seen == {True, False}  # slower ones are still drawn


def test_the_learned_model_reads_what_it_learned(line_run: Run) -> None:
    model_file = load_model_file(line_run.folder / "model.safetensors")
    assert not model_file.model.training
    assert model_file.training["setbacks"] == 0
