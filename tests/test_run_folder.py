"""Tests of a run's folder: what does not fit changes nothing, two runs do not share it, signals are said."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import line_corpus, words, write_lines

from recognizer.commands.train import run_train
from recognizer.common.folder_lock import LOCK
from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.errors import RecognizerError
from recognizer.model.model_file import load_model_file
from recognizer.training.run_folder import locked

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks and signals are of POSIX")
BEGINS = """
import sys
from recognizer.cli import main
from recognizer.training.learner import Learner

start = Learner.on_train_batch_start

def slow(self, *arguments):
    start(self, *arguments)
    if self.current_epoch >= {epoch}:
        if self.global_rank == 0:
            print("in the middle", flush=True)
        import time
        time.sleep(30)

Learner.on_train_batch_start = slow
main()
"""


@pytest.fixture(scope="module")
def finished(lines: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of two epochs."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert run_train(words(lines, folder, trainer__max_epochs=2), print) == 0
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of that run."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def state(run: Path) -> dict[str, str]:
    """Return the checksums of all files of a run."""
    files = [path for path in run.rglob("*") if path.is_file()]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(run: Path, *more: str) -> str:
    """Return why a run is not resumed, having made sure that nothing of it has changed."""
    before = state(run)
    with pytest.raises(RecognizerError) as fault:
        run_train(["--resume", str(run), *more], lambda line: None)
    assert state(run) == before
    return str(fault.value)


def test_a_resume_that_fits_goes_on(run: Path) -> None:
    assert run_train([f"--resume={run}", "--trainer.max_epochs", "3", "--run", str(run)], print) == 0
    assert len((run / "history.tsv").read_text().splitlines()) == 1 + 3
    assert not (run / LOCK).exists()


def test_another_network_is_refused(run: Path) -> None:
    said = refused(run, "--network.hidden", "16")
    assert "network.hidden is 16, the run has 8 (and" in said and "expected what the run began with" in said
    assert run_train(["--resume", str(run)], print) == 0  # which has nothing left to do, and says the best


def test_dropout_may_change(run: Path) -> None:
    assert run_train(["--resume", str(run), "--network.dropout", "0.1", "--trainer.max_epochs", "3"], print) == 0


def test_an_average_that_was_not_kept_is_refused(run: Path) -> None:
    assert "the weights ema." in refused(run, "--learning.ema_decay", "0")


def test_another_corpus_is_refused(run: Path, lines: Path, tmp_path: Path) -> None:
    other = line_corpus(tmp_path / "other", train=20)
    assert "the corpora are not those that the run began with" in refused(run, "--data.corpus", str(other))
    assert "no prepared corpus there" in refused(run, "--data.corpus", str(tmp_path / "absent"))


def test_a_corpus_that_moved_is_the_same(run: Path, lines: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(lines, tmp_path / "moved")
    assert run_train(["--resume", str(run), "--data.corpus", str(moved), "--trainer.max_epochs", "3"], print) == 0


def test_a_corpus_prepared_anew_with_other_samples_is_refused(run: Path, tmp_path: Path) -> None:
    corpus = line_corpus(tmp_path / "c")
    first = tmp_path / "first"
    assert run_train(words(corpus, first, trainer__max_epochs=1), print) == 0
    manifest = write_lines(tmp_path / "again", ["lo xl", "ox ol", "xo lx"] * 6, (["train"] * 12 + ["valid"] * 6))
    prepare(str(manifest), None, corpus, PrepareSettings({"height": 16}), print)
    assert "holds other samples than the run began with" in refused(first, "--trainer.max_epochs", "2")


def test_other_text_settings_are_refused(run: Path) -> None:
    said = refused(run, "--text.form", "NFD")
    assert "text.form is 'NFD', the run has 'NFC'" in said


def test_fewer_epochs_than_are_done_are_refused(run: Path) -> None:
    assert "2 epochs are done, trainer.max_epochs is 1: expected 2 or more" in refused(run, "--trainer.max_epochs", "1")


def test_fewer_steps_than_are_done_are_refused(run: Path) -> None:
    done = int((run / "history.tsv").read_text().splitlines()[-1].split("\t")[1])
    said = refused(run, "--trainer.max_steps", "2")
    assert f"{done} steps are done, trainer.max_steps is 2: expected {done} or more to go on" in said


def test_an_epoch_more_is_learned_whatever_steps_end_the_run(run: Path) -> None:
    assert run_train(["--resume", str(run), "--trainer.max_epochs", "3", "--trainer.max_steps", "100"], print) == 0
    assert len((run / "history.tsv").read_text().splitlines()) == 1 + 3


@pytest.mark.parametrize(("name", "value", "had"), [("init", "digits", "''"), ("keep_symbols", "false", "True")])
def test_another_beginning_is_refused(run: Path, name: str, value: str, had: str) -> None:
    said = refused(run, f"--{name}", value)
    assert f"{name} is " in said and f"the run has {had}: expected what the run began with" in said


def test_the_beginning_of_a_run_may_be_named_again(run: Path) -> None:
    again = ["--resume", str(run), "--init", "", "--keep_symbols", "true", "--calibrate", "false"]
    assert run_train(again, lambda line: None) == 0


def test_another_run_beside_resume_is_refused(run: Path, tmp_path: Path) -> None:
    said = refused(run, "--run", str(tmp_path / "elsewhere"))
    assert "a run goes on in its own folder" in said and not (tmp_path / "elsewhere").exists()
    assert "--resume stands twice" in refused(run, "--resume", str(run))


def test_a_mistyped_setting_changes_nothing(run: Path) -> None:
    assert "no setting is called learning.rte (did you mean learning.rate?)" in refused(run, "--learning.rte", "1")
    assert "trainer.limit_val_batches is 0" in refused(run, "--trainer.limit_val_batches", "0")


def damaged(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def without(part: str) -> Callable[[Path], None]:
    def take(path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        del checkpoint[part]
        torch.save(checkpoint, path)

    return take


def with_other_member(path: Path) -> None:
    """Change a tensor of a checkpoint, as a writer of ZIP would."""
    with zipfile.ZipFile(path) as archive:
        parts, comment = {name: archive.read(name) for name in archive.namelist()}, archive.comment
    name = max((name for name in parts if "/data/" in name), key=lambda name: len(parts[name]))
    parts[name] = parts[name][:-1] + bytes([parts[name][-1] ^ 1])
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = comment
        for name, data in parts.items():
            archive.writestr(name, data)


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty": damaged(lambda data: b""),
    "half": damaged(lambda data: data[: len(data) // 2]),
    "no archive": damaged(lambda data: b"x" * 1000),
    "a flipped bit in the middle": damaged(
        lambda d: d[: len(d) // 2] + bytes([d[len(d) // 2] ^ 1]) + d[len(d) // 2 + 1 :]
    ),
    "a member changed together with its checksum": lambda path: with_other_member(path),
    "a tensor": lambda path: torch.save(torch.ones(3), path),
    "a list": lambda path: torch.save([1], path),
    "code": lambda path: torch.save({"state_dict": print}, path),
    "without optimiser": without("optimizer_states"),
    "without epoch": without("epoch"),
    "without learner": without("learner"),
    "gone": lambda path: path.unlink(),
    "a folder": lambda path: path.unlink() or path.mkdir(),  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_a_broken_checkpoint_is_refused_in_one_line(name: str, run: Path) -> None:
    BROKEN[name](run / "last.ckpt")
    assert "last.ckpt" in refused(run, "--trainer.max_epochs", "3")


def test_a_checkpoint_of_an_earlier_version_is_held_against_its_model(run: Path) -> None:
    without("made_of")(run / "last.ckpt")
    assert "text.form is 'NFD', the run has 'NFC'" in refused(run, "--text.form", "NFD")


def test_a_run_that_began_before_a_setting_existed_goes_on(run: Path) -> None:
    path = run / "last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["made_of"]["settings"]["network"]["front"]["multidimensional"]["collapse"]
    torch.save(checkpoint, path)
    assert run_train(["--resume", str(run), "--trainer.max_epochs", "3"], print) == 0


def test_a_run_with_a_setting_that_is_gone_is_refused_by_its_name(run: Path) -> None:
    path = run / "last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["made_of"]["settings"]["network"]["carrousel"] = 2
    torch.save(checkpoint, path)
    assert "network.carrousel is None, the run has 2" in refused(run, "--trainer.max_epochs", "3")


@pytest.mark.parametrize("left", ["last.ckpt", "model.safetensors", "history.tsv"])
def test_whatever_is_left_of_a_run_is_not_overwritten(left: str, finished: Path, lines: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    shutil.copy(finished / left, tmp_path / "run" / left)
    before = state(tmp_path / "run")
    with pytest.raises(RecognizerError, match="there already, expected"):
        run_train(words(lines, tmp_path / "run"), print)
    assert state(tmp_path / "run") == before


def test_a_configuration_that_no_run_wrote_is_not_overwritten(lines: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine: true\n")
    with pytest.raises(RecognizerError, match=r"config\.yaml: is there already and not of a run"):
        run_train(words(lines, tmp_path), print)
    assert (tmp_path / "config.yaml").read_text() == "mine: true\n"


def test_a_run_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="no prepared corpus there"):
        run_train(words(tmp_path / "absent", tmp_path / "run"), print)
    assert not (tmp_path / "run").exists()


REFUSED: dict[str, list[str]] = {
    "gpu": ["--trainer.accelerator", "gpu"],
    "no accelerator": ["--trainer.accelerator", "foo"],
    "overfit": ["--trainer.overfit_batches", "1"],
    "half precision": ["--trainer.precision", "bf16-true"],
    "precision of a GPU": ["--trainer.precision", "16-mixed"],
    "precision of a GPU by its number": ["--trainer.precision", "16"],
    "no precision": ["--trainer.precision", "7"],
    "endless": ["--trainer.max_epochs", "-1", "--trainer.max_time", "00:00:00:03"],
    "no epochs": ["--trainer.max_epochs", "0"],
    "a profiler": ["--trainer.profiler", "simple"],
    "a folder of Lightning's": ["--trainer.default_root_dir", "elsewhere"],
    "a summary": ["--trainer.enable_model_summary", "true"],
    "no strategy": ["--trainer.strategy", "nonsense"],
    "no time": ["--trainer.max_time", "nonsense"],
    "clipping twice": ["--trainer.gradient_clip_val", "1"],
    "another sampler": ["--trainer.use_distributed_sampler", "true"],
    "no validation": ["--trainer.limit_val_batches", "0"],
    "nothing to learn": ["--trainer.limit_train_batches", "0"],
    "fast": ["--trainer.fast_dev_run", "true"],
    "bare": ["--trainer.barebones", "true"],
    "share above all": ["--trainer.limit_train_batches", "1.5"],
    "no devices": ["--trainer.devices", "0"],
    "validation in no epoch": ["--trainer.check_val_every_n_epoch", "0"],
    "validation before the first epoch": ["--trainer.check_val_every_n_epoch", "-1"],
    "validation after no batch": ["--trainer.val_check_interval", "0"],
    "no steps": ["--trainer.max_steps", "0"],
    "processes by a copy": ["--trainer.strategy", "ddp_spawn"],
    "processes by a fork": ["--trainer.strategy", "ddp_fork"],
    "processes of a notebook": ["--trainer.strategy", "ddp_notebook"],
    "the class of a strategy": ["--trainer.strategy", "lightning.pytorch.strategies.DDPStrategy"],
    "the class of a profiler": ["--trainer.profiler", "lightning.pytorch.profilers.SimpleProfiler"],
    "a part of a test": ["--trainer.limit_test_batches", "2"],
    "a part of a prediction": ["--trainer.limit_predict_batches", "2"],
    "a registry": ["--trainer.model_registry", "models"],
    "accumulating nothing": ["--trainer.accumulate_grad_batches", "0"],
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_trainer_setting_that_does_not_go_is_one_line(name: str, lines: Path, tmp_path: Path) -> None:
    with pytest.raises(RecognizerError) as fault:
        run_train([*words(lines, tmp_path / "run", trainer__max_epochs=1), *REFUSED[name]], lambda line: None)
    assert str(fault.value).count("\n") == 0 and "trainer" in str(fault.value), str(fault.value)
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_a_validation_that_no_epoch_reaches_is_one_line(lines: Path, tmp_path: Path) -> None:
    call = words(lines, tmp_path / "run", trainer__max_epochs=1, trainer__val_check_interval=1000)
    with pytest.raises(RecognizerError, match=r"^trainer.val_check_interval is 1000, an epoch has \d+ batches: "):
        run_train(call, lambda line: None)


@pytest.mark.parametrize("how", ["flag", "file"])
@pytest.mark.parametrize(("limit", "steps"), [("1", 1), ("2", 2), ("1.0", 8)])
def test_a_whole_number_counts_batches_and_a_fraction_is_a_share_of_them(
    limit: str, steps: int, how: str, lines: Path, tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text(f"trainer:\n  limit_train_batches: {limit}\n")
    given = ["--config", str(tmp_path / "c.yaml")] if how == "file" else ["--trainer.limit_train_batches", limit]
    call = words(lines, tmp_path / "run", trainer__max_epochs=1, data__batch_columns=250, calibrate="false")
    assert run_train([*given, *call], lambda line: None) == 0
    assert (tmp_path / "run" / "history.tsv").read_text().splitlines()[1].split("\t")[1] == str(steps)
    assert f"limit_train_batches: {limit}\n" in (tmp_path / "run" / "config.yaml").read_text()


def test_replacements_of_a_configuration_keep_their_order(lines: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("text:\n  replace:\n    xx: o\n    x: l\n    ab: c\n    a: d\n")
    call = words(lines, tmp_path / "run", trainer__max_epochs=1)
    assert run_train(["--config", str(tmp_path / "c.yaml"), *call], print) == 0
    found = load_model_file(tmp_path / "run" / "model.safetensors").alphabet.text.replace
    assert list(found) == ["xx", "x", "ab", "a"]
    assert run_train(["--resume", str(tmp_path / "run"), "--trainer.max_epochs", "2"], print) == 0


def test_a_folder_that_another_process_trains_in_is_refused(lines: Path, tmp_path: Path) -> None:
    holder = "import sys, time; from pathlib import Path; from recognizer.training.run_folder import locked\n"
    holder += "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", holder, str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    with pytest.raises(RecognizerError, match=rf"another training is at work there \(process {process.pid}\)"):
        run_train(words(lines, tmp_path / "run"), print)
    process.kill()
    process.wait()
    with locked(tmp_path / "run"):
        assert (tmp_path / "run" / LOCK).read_text() == f"{os.getpid()}\n"
    assert not (tmp_path / "run").exists()


def interrupted(lines: Path, run: Path, number: int, epoch: int, **settings: Any) -> tuple[int, str]:
    """Return the exit code and the complaint of a training that gets a signal in the middle of an epoch."""
    script = run.with_suffix(".py")
    script.write_text(BEGINS.format(epoch=epoch))
    command = [sys.executable, str(script), "train", *words(lines, run, **settings)]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_PORT", "RECOGNIZER_RUN"):
        environment.pop(name, None)
    process = subprocess.Popen(command, env=environment, start_new_session=True, **streams)
    assert process.stdout is not None
    while process.stdout.readline() != "in the middle\n":
        assert process.poll() is None, process.communicate()
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    err = process.communicate(timeout=60)[1]
    return process.returncode, err


@pytest.mark.slow
@pytest.mark.parametrize(
    "number, code, settings",
    [
        (signal.SIGTERM, 143, {}),
        (signal.SIGINT, 130, {"data__workers": 1}),
        (signal.SIGTERM, 143, {"trainer__devices": 2, "trainer__strategy": "ddp"}),
        (signal.SIGINT, 130, {"trainer__devices": 2, "trainer__strategy": "ddp"}),
    ],
)
def test_a_training_that_is_stopped_says_how_to_go_on(
    number: int, code: int, settings: dict[str, Any], lines: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    found = interrupted(lines, run, number, 1, **settings)
    assert found == (code, f"recognizer: stopped after epoch 1; continue with --resume {run}\n")
    assert not [path for path in run.iterdir() if path.suffix == ".part"]
    assert run_train(["--resume", str(run), "--trainer.devices", "1", "--trainer.max_epochs", "2"], print) == 0


@pytest.mark.slow
def test_a_training_that_is_stopped_at_its_beginning_can_begin_again(lines: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, err = interrupted(lines, run, signal.SIGTERM, 0)
    assert code == 143 and err.startswith("recognizer: stopped before the first epoch was done")
    assert run_train(words(lines, run, trainer__max_epochs=1), print) == 0


def test_what_these_corpora_leave_without_effect_is_refused(lines: Path, tmp_path: Path) -> None:
    once = words(lines, tmp_path / "run", trainer__max_epochs=1)
    with pytest.raises(RecognizerError, match="features.bands is 20: no effect beside a corpus of handwriting"):
        run_train([*once, "--features.bands", "20"], print)
    with pytest.raises(RecognizerError, match="the same samples as .*, expected each corpus once; --data.weights"):
        run_train([*once, "--data.corpus", f"[{lines},{lines}]"], print)
    assert not (tmp_path / "run").exists()


def test_choosing_by_what_is_learned_is_said(lines: Path, tmp_path: Path) -> None:
    said: list[str] = []
    assert run_train(words(lines, tmp_path / "run", trainer__max_epochs=1, data__valid="train"), said.append) == 0
    assert any(line.startswith("what is chosen by is what is learned (train)") for line in said)
