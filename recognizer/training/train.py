"""Train a model on prepared corpora."""

import platform
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.loggers import TensorBoardLogger

from recognizer import __version__
from recognizer.common.batching import batch_by_budget
from recognizer.common.interruption import Interrupted
from recognizer.corpus.checks import FAULT, LOST, corpus_columns, findings
from recognizer.errors import RecognizerError
from recognizer.model.model import Model
from recognizer.model.model_file import ModelFile
from recognizer.training.checkpointing import LAST, MODEL, BestScore, CheckpointCallback
from recognizer.training.config import Config
from recognizer.training.data import CorpusData
from recognizer.training.finetuning import changes, load_weights
from recognizer.training.hardware import HardwareChoice, choose_hardware, refuse_crowd
from recognizer.training.idle_settings import refuse_idle_beside
from recognizer.training.learner import Learner
from recognizer.training.logging_setup import silence_libraries
from recognizer.training.progress import Progress
from recognizer.training.ranks import is_first_process
from recognizer.training.report_callback import ReportCallback
from recognizer.training.resume import End, made_of, read_checkpoint, refuse_misfit
from recognizer.training.setup import TrainingSetup, make_setup
from recognizer.training.trainer_settings import count_epochs_once, leave_signals, refuse_trainer_settings

FIT_SAMPLES = 500  # recordings that the normalisation of the features is taken from
Say = Callable[[str], None]


def train(
    config: Config,
    trainer_settings: dict[str, Any],
    run: Path,
    resume: bool,
    command: str,
    say: Say,
    begin: Callable[[HardwareChoice], object] = lambda choice: None,
) -> BestScore:
    """Train as `config` says and return the best validation.

    Args:
        config: the run.
        trainer_settings: arguments of Lightning's Trainer that the user has set.
        run: folder of the run.
        resume: go on from the folder's last checkpoint.
        command: what started it, for the record.
        say: takes lines for people; called in the first process alone.
        begin: called with the choice of hardware when all has been looked at and nothing is written yet.

    Raises:
        RecognizerError: the corpus or a setting is at fault, or the run cannot go on with it.
    """
    silence_libraries()
    refuse_trainer_settings(trainer_settings)
    task = make_setup(config)
    if not resume:
        refuse_idle_beside(config, task.corpora.stores)
    main = is_first_process()
    say = say if main else lambda line: None
    if main:
        _say_findings(task, config.data.train, say)
    _say_task(task, say)
    if config.data.train == config.data.valid:
        say(f"what is chosen by is what is learned ({config.data.valid}): its error rate says nothing of other samples")
    # After the data: what is wrong with them is said without waiting for a measurement.
    machines, wanted = trainer_settings.get("num_nodes") or 1, trainer_settings["precision"]
    busy = min(len(task.train), len(task.valid)) // machines
    choice = choose_hardware(trainer_settings["accelerator"], trainer_settings["devices"], wanted, busy)
    say(choice.describe())
    _refuse_idle_processes(task, choice.devices * machines)
    refuse_crowd(choice.devices, config.data.workers)
    torch.set_num_threads(choice.threads)
    lightning.seed_everything(config.seed, verbose=False)
    model = _fresh_model(config, task, say)
    learner = Learner(config, model, task.alphabet, task.corpora)

    def make_bundle(learner: Learner, kept: BestScore) -> ModelFile:
        return ModelFile(
            task.settings,
            task.alphabet,
            learner.best_model,
            learner.priors,
            training=_record(config, task, kept, choice, command) | {"setbacks": learner.setbacks},
            results={f"{config.data.valid} (chose the weights)": {"cer": kept.cer, "wer": kept.wer}},
        )

    about = made_of(task.corpora, task.alphabet, task.settings)
    keeper = CheckpointCallback(run, make_bundle, about)
    trainer = _trainer(config, trainer_settings, choice, run, keeper)
    data = CorpusData(task.corpora, task.train, task.valid, task.alphabet, config.data, config.seed)
    if resume and main:
        end = End(trainer_settings.get("max_epochs"), trainer_settings.get("max_steps"))
        refuse_misfit(run, read_checkpoint(run), task, learner.state_dict(), end)
    begin(choice)
    if machines > 1:
        say(f"learning begins when all {machines} machines have joined, which MASTER_ADDR and NODE_RANK lead together")
    _fit(trainer, learner, data, keeper, resume)
    if keeper.kept.epoch < 0:
        raise RecognizerError(f"{run}: no validation took place, so there is no {MODEL}: expected at least one epoch")
    _say_times(learner, say)
    return keeper.kept


def _fit(
    trainer: lightning.Trainer, learner: Learner, data: CorpusData, keeper: CheckpointCallback, resume: bool
) -> None:
    """Let the trainer work; a signal ends the other processes too, and says what remains.

    Raises:
        RecognizerError: the trainer refuses its settings.
        Interrupted: Ctrl-C or SIGTERM.
    """
    checkpoint = keeper.run / LAST if resume else None
    try:
        trainer.fit(learner, data, ckpt_path=checkpoint, weights_only=True if checkpoint else None)
    except Interrupted as stopped:
        for process in getattr(trainer.strategy.launcher, "procs", []):
            process.kill()
            process.wait()
        raise Interrupted(stopped.number, keeper.remains()) from None
    except MisconfigurationException as error:
        raise RecognizerError(f"trainer: {error}") from None
    except ValueError as error:
        if "val_check_interval" not in str(error):
            raise
        raise RecognizerError(
            f"trainer.val_check_interval is {trainer.val_check_interval}, an epoch has {trainer.num_training_batches} "
            f"batches: expected at most so many, or trainer.check_val_every_n_epoch null to count across epochs"
        ) from None


def _refuse_idle_processes(task: TrainingSetup, processes: int) -> None:
    """Refuse processes that would have nothing to read while the others wait for them."""
    for items, what in ((task.train, "learn"), (task.valid, "choose by")):
        if len(items) < processes:
            raise RecognizerError(
                f"{len(items)} samples to {what} for {processes} processes, expected at least one each: fewer "
                f"trainer.devices"
            )


def _fresh_model(config: Config, task: TrainingSetup, say: Say) -> Model:
    """Return the model before its first step: features fitted, weights random or from `config.init`."""
    model = Model(task.settings, task.alphabet.classes)
    if model.features.has_statistics:
        some = task.train[:: -(-len(task.train) // FIT_SAMPLES)]
        runs = batch_by_budget(some, [task.corpora.count(item) for item in some], 16000 * 60.0)
        model.features.fit((batch.x, batch.counts) for batch in (task.corpora.batch(run, 0, None) for run in runs))
    if task.source:
        left = load_weights(model, task.alphabet, task.source)
        say(f"weights of {config.init} taken; new: {', '.join(left) or 'nothing'}")
        if other := changes(task.settings, task.source):
            say(f"made otherwise than {config.init}: {'; '.join(other)}")
        if lost := [repr(symbol) for symbol in task.source.alphabet.symbols if symbol not in task.alphabet.symbols]:
            say(f"{config.init} can write what this model will not: {', '.join(lost)}")
    return model


def _trainer(
    config: Config, settings: dict[str, Any], choice: HardwareChoice, run: Path, keeper: CheckpointCallback
) -> lightning.Trainer:
    """Return Lightning's Trainer with the user's settings, "auto" filled in by what the machine can do."""
    callbacks: list[Callback] = [keeper, ReportCallback(run)]
    shown = settings.get("enable_progress_bar") is not False and sys.stderr.isatty()
    if shown:
        callbacks.append(Progress())
    if config.learning.patience:
        # Before the keeper, whose checkpoint then holds the patience that is left after this epoch.
        callbacks.insert(0, EarlyStopping("cer", patience=config.learning.patience, mode="min"))
    devices = choice.devices if settings["devices"] == "auto" else settings["devices"]
    chosen = {"accelerator": choice.accelerator, "devices": devices, "precision": choice.precision}
    if settings.get("strategy", "auto") == "auto" and choice.devices > 1:
        chosen["strategy"] = "ddp"
    logger = TensorBoardLogger(run.parent, name=run.name, version="")
    # Epochs differ in their number of batches, but Lightning counts once: then it would cut longer epochs off and
    # leave out the validation of shorter ones.
    ours = {
        "logger": logger,
        "callbacks": callbacks,
        "reload_dataloaders_every_n_epochs": 1,
        "enable_progress_bar": shown,
    }
    try:
        trainer = lightning.Trainer(**{**settings, **chosen, **ours})
    except Exception as error:  # whatever a value that is none leads to in Lightning
        raise RecognizerError(f"trainer: {str(error).partition('. ')[0]}, expected other settings of trainer") from None
    leave_signals(trainer)
    count_epochs_once(trainer)
    return trainer


def _record(
    config: Config, task: TrainingSetup, kept: BestScore, choice: HardwareChoice, command: str
) -> dict[str, Any]:
    """Return what a model file says of its training."""
    corpora = []
    for number, store in enumerate(task.corpora.stores):
        corpora.append(
            {
                "name": store.header.name,
                "licence": store.header.licence,
                "sha256": store.fingerprint(),
                "train": sum(item.corpus == number for item in task.train),
                "valid": sum(item.corpus == number for item in task.valid),
                "left_out_by_prepare": store.header.left_out,
                "card": store.header.card,
                "rules": store.header.rules,
            }
        )
    return {
        "corpora": corpora,
        "left_out": task.left_out,
        "config": asdict(config),
        "epochs": kept.epoch + 1,
        "seed": config.seed,
        "command": command,
        "machine": choice.reason,
        "versions": {
            "recognizer": __version__,
            "torch": torch.__version__,
            "lightning": lightning.__version__,
            "python": platform.python_version(),
        },
        "date": time.strftime("%Y-%m-%d"),
    }


def _say_findings(task: TrainingSetup, learned: str, say: Say) -> None:
    """Say in one line each what `recognizer check` would find in the corpora."""
    words = {LOST: "lost", FAULT: "suspect"}
    for store in task.corpora.stores:
        frames = task.settings.counts(torch.from_numpy(store.counts.astype("int64"))).tolist()
        rows = corpus_columns(store, task.alphabet.text.normalize)
        for one in findings(store, rows, frames, task.alphabet, learned, look=False):
            first = f", first {one.cases[0]}" if one.cases else ""
            say(f"{store.header.name}, {words.get(one.weight, 'worth knowing')}: {one.count} {one.what}{first}")


def _say_task(task: TrainingSetup, say: Say) -> None:
    rare = [f"{symbol!r} {count}" for symbol, count in sorted(task.counts.items()) if count < 10]
    say(
        f"{len(task.train)} samples to learn, {len(task.valid)} to choose by, {len(task.alphabet.symbols)} characters"
        + (f", seen fewer than ten times: {', '.join(rare)}" if rare else "")
    )
    known = set(task.alphabet.symbols)
    texts = (task.alphabet.text.normalize(task.corpora.text(item)) for item in task.valid)
    strange = Counter(symbol for text in texts for symbol in task.alphabet.split(text) if symbol not in known)
    if strange:
        say("characters that only validation has, which no reading can get right: " + _listed(strange))
    for name in task.left_out:
        say(f"left out: {name}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{symbol!r} {count}" for symbol, count in sorted(counts.items()))


def _say_times(learner: Learner, say: Say) -> None:
    seconds = learner.clock.seconds
    whole = sum(seconds.values())
    if whole:
        say("time of training steps: " + ", ".join(f"{k} {v / whole:.0%}" for k, v in seconds.items()))
