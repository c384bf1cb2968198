"""What a run leaves on disk while it goes: the last state, the best model, samples to look at."""

import hashlib
import math
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch

from recognizer.common.interruption import Interrupted
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import kind_named
from recognizer.model.model_file import ModelFile, save_model_file
from recognizer.training.history import Validation, cut, note
from recognizer.training.learner import Learner

LAST, MODEL = "last.ckpt", "model.safetensors"
MADE_OF = "made_of"  # the part of a checkpoint that says what the run is about
NO_COMMENT = b"\0\0"  # the length of a ZIP archive's comment, its last field
SHOWN = 4  # validation samples in TensorBoard


@dataclass
class BestScore:
    """The best validation so far."""

    cer: float = math.inf
    wer: float = math.inf
    epoch: int = -1


class CheckpointCallback(lightning.Callback):
    """After each epoch write the last checkpoint, and the model where it is the best so far; whole or not at all."""

    def __init__(
        self, run: Path, make_bundle: Callable[[Learner, BestScore], ModelFile], about: dict[str, Any] | None = None
    ) -> None:
        """Write into the folder `run`; a checkpoint keeps what the run is `about`, for those who go on from it."""
        self.run, self.make_bundle, self.kept, self.about = run, make_bundle, BestScore(), about
        self.epochs = 0  # that the last checkpoint has done

    def remains(self) -> str:
        """Return in one line what a run that is stopped here leaves."""
        if not self.epochs and self.kept.epoch >= 0:
            return (
                f"stopped before the first epoch was done, {self.run / MODEL} is what was validated within it: begin "
                f"again with another --run"
            )
        if not self.epochs:
            return "stopped before the first epoch was done, nothing remains: begin again with the same command"
        return f"stopped after epoch {self.epochs}; continue with --resume {shlex.quote(str(self.run))}"

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep what the run is about."""
        checkpoint[MADE_OF] = self.about

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take back how far the run had come."""
        self.epochs = checkpoint["epoch"] + 1

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run must know."""
        return vars(self.kept).copy()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back."""
        self.kept = BestScore(**state_dict)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take out of the history what is done again."""
        if trainer.is_global_zero:
            cut(self.run, self.epochs)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Keep the model where its CER is below every earlier one, show some samples."""
        assert isinstance(pl_module, Learner)
        if trainer.sanity_checking:
            return
        better = pl_module.cer < self.kept.cer
        if better:
            self.kept = BestScore(pl_module.cer, pl_module.wer, trainer.current_epoch)
        if trainer.is_global_zero:
            if better:
                save_model_file(self.make_bundle(pl_module, self.kept), self.run / MODEL)
            self._show(trainer, pl_module)
            self._note(trainer, pl_module)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the last checkpoint, after validation."""
        save_checkpoint(trainer, self.run / LAST)
        self.epochs = trainer.current_epoch + 1

    def _note(self, trainer: lightning.Trainer, learner: Learner) -> None:
        """Add this validation to the run's history."""
        loss = float(trainer.callback_metrics.get("loss", torch.tensor(math.nan)))
        seconds, clock = sum(learner.clock.seconds.values()), learner.clock
        rates = (learner.cer, learner.wer)
        note(self.run, Validation(trainer.current_epoch, trainer.global_step, loss, *rates, seconds, clock.processor))

    def _show(self, trainer: lightning.Trainer, learner: Learner) -> None:
        """Put a few validation samples into TensorBoard: picture or sound, what it says, what was read."""
        board = getattr(trainer.logger, "experiment", None)
        if board is None:
            return
        for number, reading in enumerate(learner.readings[:: max(1, len(learner.readings) // SHOWN)][:SHOWN]):
            signal = learner.corpora.stores[reading.item.corpus].signal(reading.item.index)
            step = trainer.global_step
            board.add_text(f"sample {number}", f"said: {reading.reference}\n\nread: {reading.text}", step)
            header = learner.corpora.stores[reading.item.corpus].header
            kind_named(header.kind).log_sample(board, f"sample {number}", signal, step, header.signal)


def save_checkpoint(trainer: lightning.Trainer, path: Path) -> None:
    """Write the trainer's whole state as `path`, whole or not at all; every process calls it."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        trainer.save_checkpoint(temporary)
        if trainer.is_global_zero:
            seal(temporary)
            os.replace(temporary, path)
    except Interrupted:
        temporary.unlink(missing_ok=True)
        raise
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RecognizerError(f"{path}: cannot be written ({error.strerror or error}); the last one stays") from error


def seal(path: Path) -> None:
    """Write the SHA-256 of a checkpoint, which is a ZIP archive, into its comment, and all of it to the disk.

    ZIP has a checksum for each member, but torch finds members by fields that no checksum covers.
    """
    digest = _sha256(path.read_bytes())
    with open(path, "rb+") as file:
        file.seek(-len(NO_COMMENT), os.SEEK_END)
        file.write(len(digest).to_bytes(2, "little") + digest)
        file.flush()
        os.fsync(file.fileno())


def is_as_sealed(data: bytes, comment: bytes) -> bool:
    """Return whether a checkpoint with that comment is what was sealed; one of before there were seals has none."""
    return not comment or _sha256(data[: -len(comment) - len(NO_COMMENT)] + NO_COMMENT) == comment


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
