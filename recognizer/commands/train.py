"""The verb train: every setting of a run, and Lightning's Trainer, through jsonargparse."""

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE
from recognizer.common.atomic_write import write_atomically
from recognizer.common.interruption import leave_to_parent
from recognizer.common.plain_data import from_plain
from recognizer.errors import RecognizerError
from recognizer.training.logging_setup import silence_libraries
from recognizer.training.ranks import is_first_process
from recognizer.training.run_folder import locked, refuse_old_run
from recognizer.training.settings_parser import settings_parser, short_help

if TYPE_CHECKING:
    from recognizer.training.config import Config
    from recognizer.training.hardware import HardwareChoice

FINETUNING = "finetuning.yaml"  # where there is none but --init is
SAMPLES_SEEN = 16000  # in a run of fine-tuning, some ten minutes of two cores for lines
LEAST_EPOCHS, MOST_EPOCHS = 12, 60
CHECKS = 12  # validations of such a run
CONFIG = "config.yaml"  # of a run, under the command that began it
BEGINNING = ("init", "keep_symbols")  # settings that have their effect before the first step
FOLDER = "RECOGNIZER_RUN"  # environment variable that tells the further processes of a run its folder

QUIET = "--quiet"  # as every other verb has it


def add_train(verbs: Any, console: Console) -> None:
    """Name train among `verbs`, what argparse's add_subparsers returned; `run_train` parses its own words."""
    verbs.add_parser("train", help="train a model on packed corpora (train --help has its settings)")


def run_train(words: Sequence[str], say: Callable[[str], None]) -> int:
    """Parse `words`, train, return the exit code."""
    if wanted := {"-h", "--help", "--help-all"} & set(words):
        say(settings_parser().format_help() if "--help-all" in wanted else short_help())
        return DONE
    further = _run_of_first_process()
    if further is not None:
        leave_to_parent()  # at once: on a busy machine it takes seconds until all is imported
    silence_libraries()
    quiet = [] if QUIET not in words else ["--trainer.enable_progress_bar", "false"]
    words, resume = _without_resume([*(word for word in words if word != QUIET), *quiet])
    if further is None:
        chosen = words if resume else with_defaults(words)
        if chosen != words:
            say(_chosen_words(dict(_flags(chosen))))
        return _train(_parsed(chosen, resume), resume, None, say)
    with _output_in(further / f"process-{os.environ['LOCAL_RANK']}.log"):
        return _train(_parsed(["--config", str(further / CONFIG)], None), resume, further, lambda line: None)


def read_config(words: Sequence[str]) -> "Config":
    """Return the configuration that a command line of `train` states, without training."""
    return _config(_parsed(with_defaults(list(words)), None))


def _config(parsed: "_Parsed") -> "Config":
    from recognizer.training.config import Config

    chosen = parsed.chosen.as_dict()
    return from_plain(Config, {name: chosen[name] for name in Config.__dataclass_fields__}, "")


def _train(parsed: "_Parsed", resume: Path | None, further: Path | None, say: Callable[[str], None]) -> int:
    """Train as parsed; `further` is the run's folder in every process but the first."""
    from recognizer.training.idle_settings import refuse_idle_settings
    from recognizer.training.train import train
    from recognizer.training.trainer_settings import refuse_trainer_settings

    config = _config(parsed)
    trainer = parsed.chosen.trainer
    refuse_trainer_settings(vars(trainer))
    if resume is None and not config.init:  # a run, or a model, of before goes on as it is
        refuse_idle_settings(config)
    run = further or resume or Path(config.run or _fresh_run(config.data.folders))
    command = shlex.join(["recognizer", "train", *sys.argv[2:]])
    if further is not None or not is_first_process():
        leave_to_parent()
        train(config, vars(trainer), run, resume is not None, command, say)
        return DONE
    if resume is None:
        refuse_old_run(run)
    else:
        _refuse_other_beginning(resume, config)
    with locked(run):
        command = _first_command(run, command) if resume else command

        def begin(choice: "HardwareChoice") -> None:
            _settle(trainer, choice)
            text = parsed.parser.dump(parsed.chosen.clone(), skip_unset=False)
            write_atomically(run / CONFIG, f"# {command}\n{text}".encode())
            os.environ[FOLDER] = str(run)

        kept = train(config, vars(trainer), run, resume is not None, command, say, begin)
    say(f"best validation CER {kept.cer:.2%}, WER {kept.wer:.2%} after epoch {kept.epoch + 1}: {run}/model.safetensors")
    if config.calibrate:
        _calibrate(config, run, say)
    _say_next(config, run, say)
    return DONE


def _calibrate(config: "Config", run: Path, say: Callable[[str], None]) -> None:
    """Fit the confidences of the finished model on the validation samples that chose its weights."""
    from recognizer.evaluation.calibrate import calibrate
    from recognizer.evaluation.calibration_report import error_words
    from recognizer.reading.reader import Reader
    from recognizer.training.checkpointing import MODEL

    path, folders = run / MODEL, config.data.folders
    try:
        if len(folders) > 1:
            raise RecognizerError(f"{len(folders)} corpora, expected one")
        reader = Reader.load(path, "cpu")
        done = calibrate(reader, path, path, Path(folders[0]), config.data.valid, "best", lambda line: None)
    except RecognizerError as error:
        say(f"confidences are not calibrated ({error}): recognizer calibrate {shlex.quote(str(run))} CORPUS does it")
        return
    say(f"confidences calibrated on {done.samples} samples of {config.data.valid}: expected calibration error before:")
    say(f"  {error_words(done.before)}; after, on samples held out: {error_words(done.after)}")


def _say_next(config: "Config", run: Path, say: Callable[[str], None]) -> None:
    """Say what a finished run is good for; where its corpus has no test split, it is evaluated by what chose it."""
    from recognizer.corpus.shards import open_store

    corpus = config.data.folders[0]
    split = "test" if "test" in open_store(Path(corpus)).splits() else config.data.valid
    say(f"curves and samples: {run}/report.html")
    say("next:")
    say(f"  {shlex.join(['recognizer', 'evaluate', str(run), corpus, '--split', split, '--html', 'report.html'])}")
    say(f"  recognizer transcribe FILES --model {shlex.quote(str(run))}")


@dataclass(frozen=True)
class _Parsed:
    """A parsed command line with the parser that knows its types."""

    parser: Any
    chosen: Any


def _parsed(words: list[str], resume: Path | None) -> _Parsed:
    from jsonargparse import ArgumentError

    from recognizer.training.given_settings import refuse_words

    parser = settings_parser()
    if resume is not None:
        words = ["--config", str(resume / CONFIG), *words]
    try:
        refuse_words(words)
        return _Parsed(parser, parser.parse_args(words))
    except ArgumentError as error:  # of values that no type tells, such as the name of a strategy
        raise RecognizerError(str(error)) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        files = ", ".join(value for name, value in _flags(words) if name == "config")
        raise RecognizerError(
            f"{files or 'the settings'} cannot be read ({error}), expected values of settings"
        ) from None


def with_defaults(words: list[str]) -> list[str]:
    """Put before words that name no configuration the one for the kind of their corpus, where there is a corpus."""
    from recognizer.corpus.recipes import folder as folder_of
    from recognizer.corpus.shards import is_packed, open_store
    from recognizer.inputs.registry import kind_named
    from recognizer.training.config_file import names

    values = dict(_flags(words))
    if "config" in values or "data.corpus" not in values:
        return words
    folder = Path(*names(values["data.corpus"])[:1])
    if not is_packed(folder):
        return words
    store = open_store(folder)
    configs = folder_of("configs")
    if not values.get("init"):
        return ["--config", str(configs / kind_named(store.header.kind).config), *words]
    learned = values.get("data.train", "train")
    given = values.get("trainer.max_epochs", "")
    epochs = int(given) if given.isdecimal() else finetuning_epochs(store.column("split").count(learned))
    often = ["--trainer.max_epochs", str(epochs), "--trainer.check_val_every_n_epoch", str(max(1, epochs // CHECKS))]
    return ["--config", str(configs / FINETUNING), *_made_like(values["init"]), *often, *words]


def finetuning_epochs(samples: int) -> int:
    """Return in how many epochs a model is brought to a hand or voice of its own: fewer, the more samples there are."""
    return min(MOST_EPOCHS, max(LEAST_EPOCHS, round(SAMPLES_SEEN / max(samples, 1))))


def _chosen_words(values: dict[str, str]) -> str:
    """Return what was chosen where no --config is given, in one line."""
    config = values["config"]
    if not values.get("init"):
        return f"no --config given: starting from {config}"
    return (
        f"no --config given: fine-tuning {values['init']} by {config}, its network and features, "
        f"{values['trainer.max_epochs']} epochs at most: low rates, lower in the layers below, an average of the "
        f"weights, a pull to the first ones, an end where validation grows no better"
    )


def _made_like(model: str) -> list[str]:
    """Return the flags of the network and the features that a model file states."""
    from recognizer.model.model_file import read_header
    from recognizer.pretrained import find_model

    settings = read_header(find_model(model))["settings"]
    return [part for name in ("network", "features") for part in (f"--{name}", json.dumps(settings[name]))]


def _flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the flags with their values, "" where one has none."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            yield name[2:], value if equals else following


def _run_of_first_process() -> Path | None:
    """Return the folder of the run that this further process belongs to, None in the first."""
    folder = os.environ.get(FOLDER)
    return Path(folder) if folder and int(os.environ.get("LOCAL_RANK", "0")) > 0 else None


@contextmanager
def _output_in(path: Path) -> Iterator[None]:
    """Send all that this process writes, its libraries too, into a file, which goes where it stays empty."""
    with open(path, "wb") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())
    yield
    if path.stat().st_size == 0:
        path.unlink()


def _settle(trainer: Any, choice: "HardwareChoice") -> None:
    """Settle what the user left to the machine, so that every process and a resumed run do the same."""
    trainer.accelerator, trainer.precision = choice.accelerator, choice.precision
    if trainer.devices == "auto":
        trainer.devices = choice.devices


def _without_resume(words: list[str]) -> tuple[list[str], Path | None]:
    """Take `--resume DIR` or `--resume=DIR` out of the words.

    Raises:
        RecognizerError: no folder of a run, or --run names another one.
    """
    given = [i for i, word in enumerate(words) if word.partition("=")[0] == "--resume"]
    if not given:
        return words, None
    if len(given) > 1:
        raise RecognizerError("--resume stands twice, expected it once")
    (i,) = given
    _, equals, value = words[i].partition("=")
    rest = words[:i] + words[i + (1 if equals else 2) :]
    value = value if equals else "".join(words[i + 1 : i + 2])
    if not value or value.startswith("--"):
        raise RecognizerError("--resume: expected the folder of a run")
    folder = Path(value)
    if not (folder / CONFIG).is_file():
        raise RecognizerError(f"{folder}: no {CONFIG} there, expected the folder of a run")
    other = dict(_flags(rest)).get("run")
    if other is not None and Path(other).resolve() != folder.resolve():
        raise RecognizerError(f"--run {other} beside --resume {folder}: a run goes on in its own folder, expected one")
    return rest, folder


def _fresh_run(folders: Sequence[str]) -> str:
    names = "+".join(Path(folder).name for folder in folders) or "run"
    return f"runs/{names}-{time.strftime('%Y%m%d-%H%M%S')}"


def _refuse_other_beginning(run: Path, config: "Config") -> None:
    """Refuse to change on the way what a run's first weights and alphabet were made of.

    Raises:
        RecognizerError: another model to start from, or other symbols of it.
    """
    from recognizer.training.config_file import stated

    before, default = stated(run / CONFIG), type(config)()
    for name in BEGINNING:
        now, had = getattr(config, name), before.get(name, getattr(default, name))
        if now != had:
            raise RecognizerError(
                f"{run}: {name} is {now!r}, the run has {had!r}: expected what the run began with, or another --run"
            )


def _first_command(run: Path, command: str) -> str:
    """Return the command that began a run, which stands above its configuration."""
    first = (run / CONFIG).read_text(encoding="utf-8").partition("\n")[0]
    return first[2:] if first.startswith("# ") else command
