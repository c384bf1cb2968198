"""Train a neural language model of characters from text files, and go on where a killed training stopped."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch.utils.data import DataLoader

from recognizer.common.processors import usable_processors
from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language.lstm import LanguageModel, LanguageModelSettings, save
from recognizer.language.text import read_lines
from recognizer.network.cells import CellSettings
from recognizer.training.checkpointing import MADE_OF, save_checkpoint
from recognizer.training.language_learner import (
    LanguageLearner,
    LanguageProgress,
    TextSpans,
    TrainingSettings,
    symbols_of,
)
from recognizer.training.logging_setup import silence_libraries
from recognizer.training.resume import read_state
from recognizer.training.trainer_settings import leave_signals

SAID = 50  # updates between two lines for people
PARTS = {  # of a state, with their types
    "state_dict": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
    "loops": dict,
    "language": dict,
    MADE_OF: str,
}
Report = Callable[[LanguageProgress], None]


@dataclass(frozen=True)
class LanguageTraining:
    """What is trained, and how.

    Args:
        hidden: units of a layer.
        layers: recurrent layers.
        cell: kind of the recurrent layers.
        embedding: size of a character's vector.
        dropout: probability of dropping an input of a layer.
        least: occurrences below which a character is learned as "unknown".
        text: normalisation of the text, which should be the recognizer's own.
        training: steps, rate, batch.
        save_every: updates between two saved states.
        device: "cpu" or "cuda".
    """

    hidden: int = 256
    layers: int = 1
    cell: str = "lstm"
    embedding: int = 64
    dropout: float = 0.0
    least: int = 5
    text: TextSettings = TextSettings()
    training: TrainingSettings = TrainingSettings()
    save_every: int = 200
    device: str = "cpu"


def train_language(
    texts: list[Path], settings: LanguageTraining, out: Path, resume: bool, say: Callable[[str], None]
) -> LanguageModel:
    """Train on `texts`, write the model as `out`; the state of an unfinished training lies beside it.

    Raises:
        RecognizerError: the text is empty or too short, a state is there and `resume` is not asked for, or the state
            was begun with other settings or another text.
    """
    lines = [line.text for path in texts for line in read_lines(path, settings.text) if line.text]
    if not lines:
        raise RecognizerError("the text of the language model is empty, expected a sentence a line")
    state = out.with_name(f"{out.name}.training")
    if state.exists() and not resume:
        raise RecognizerError(f"{state}: an unfinished training, expected --resume to go on with it, or delete it")
    symbols, rare = symbols_of(lines, settings.least)
    if not symbols:
        raise RecognizerError(f"no character of the text occurs {settings.least} times, expected more text")
    if rare:
        say(f"learned as unknown, seen fewer than {settings.least} times: {len(rare)} characters {''.join(rare)!r}")
    cell = CellSettings(cell=settings.cell, hidden=settings.hidden)
    model = LanguageModelSettings(symbols, settings.text, settings.embedding, settings.layers, cell, settings.dropout)
    saving = SaveState(state, settings.save_every, made_of(model, settings.training, lines))
    learned = fit_language(model, settings.training, lines, _reports(settings.training, say), saving, settings.device)
    save(learned, out)
    state.unlink(missing_ok=True)
    return learned


def made_of(model: LanguageModelSettings, settings: TrainingSettings, lines: list[str]) -> str:
    """Return as JSON what a training is about: the model, how it learns, a hash of the text."""
    text = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return json.dumps({"model": asdict(model), "training": asdict(settings), "text": text}, sort_keys=True)


class SaveState(lightning.Callback):
    """Write the whole state of a training every so many updates, whole or not at all."""

    def __init__(self, path: Path, every: int, about: str) -> None:
        """Write as `path`; the state keeps what it is `about`, for those who go on from it."""
        self.path, self.every, self.about = path, every, about

    def checkpoint(self) -> Path | None:
        """Return the state to go on from, None where there is none.

        Raises:
            RecognizerError: it is damaged, or about something else.
        """
        if not self.path.exists():
            return None
        found = read_state(self.path, PARTS, "delete it to begin again")
        if found[MADE_OF] != self.about:
            raise RecognizerError(f"{self.path}: begun with other settings or another text, expected the same to go on")
        return self.path

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep what the training is about."""
        checkpoint[MADE_OF] = self.about

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save where it is time to."""
        if trainer.global_step % self.every == 0:
            assert isinstance(pl_module, LanguageLearner)
            pl_module.done = trainer.global_step  # its own hook comes after those of callbacks
            save_checkpoint(trainer, self.path)


def fit_language(
    model: LanguageModelSettings,
    settings: TrainingSettings,
    lines: list[str],
    report: Report,
    saving: SaveState | None = None,
    device: str = "cpu",
) -> LanguageModel:
    """Return a model that learned normalised `lines`, having gone on from the state that `saving` knows, if any.

    Raises:
        RecognizerError: the text is too short for one span in each stream, the loss is no number, or there is no such
            device.
    """
    silence_libraries()
    torch.set_num_threads(min(torch.get_num_threads(), usable_processors()))  # torch itself sees no quota
    data = TextSpans(model, settings, lines)
    learner = data.learner = LanguageLearner(model, settings, data.spans, report)
    checkpoint = saving.checkpoint() if saving else None
    trainer = _trainer(settings, device, [saving] if saving else [])
    trainer.fit(learner, DataLoader(data, batch_size=None), ckpt_path=checkpoint, weights_only=True)
    return learner.model.cpu().eval()


def _trainer(settings: TrainingSettings, device: str, callbacks: list[lightning.Callback]) -> lightning.Trainer:
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda") or not (number or "0").isdecimal():
        raise RecognizerError(f"--device is {device!r}, expected cpu or cuda")
    try:
        trainer = lightning.Trainer(
            max_steps=settings.steps,
            max_epochs=-1,
            accelerator="gpu" if kind == "cuda" else "cpu",
            devices=[int(number)] if number and kind == "cuda" else 1,
            precision="bf16-mixed" if settings.bfloat16 else "32-true",
            gradient_clip_val=settings.clip,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    except MisconfigurationException as error:
        raise RecognizerError(f"--device {device}: {str(error).partition('. ')[0]}, expected another one") from None
    leave_signals(trainer)
    return trainer


def _reports(settings: TrainingSettings, say: Callable[[str], None]) -> Report:
    """Return what says every SAID updates how they went."""
    bits: list[float] = []

    def report(progress: LanguageProgress) -> None:
        bits.append(progress.bits)
        if progress.step % SAID == 0 or progress.step == settings.steps:
            mean = sum(bits) / len(bits)
            say(f"step {progress.step}, epoch {progress.epoch}: {mean:.3f} bits a character, rate {progress.rate:.2g}")
            bits.clear()

    return report
