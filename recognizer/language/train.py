"""Train a neural language model of characters from text files, and go on where a killed training stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language.lstm import LanguageModelSettings, save
from recognizer.language.lstm_training import (
    Progress,
    Training,
    TrainingSettings,
    begin,
    load_training,
    save_training,
    symbols_of,
    train,
)
from recognizer.language.text import read_lines
from recognizer.network.cells import CellSettings

SAID = 50  # updates between two lines for people


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
) -> Training:
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
    training = _begun(state, model, settings)
    _train(training, lines, state, settings, say)
    save(training.model, out)
    state.unlink(missing_ok=True)
    return training


def _begun(state: Path, model: LanguageModelSettings, settings: LanguageTraining) -> Training:
    if not state.exists():
        return begin(model, settings.training, settings.device)
    training = load_training(state, settings.device)
    if (training.model.settings, training.settings) != (model, settings.training):
        raise RecognizerError(f"{state}: begun with other settings or another text, expected the same to go on")
    return training


def _train(
    training: Training, lines: list[str], state: Path, settings: LanguageTraining, say: Callable[[str], None]
) -> None:
    bits: list[float] = []

    def report(progress: Progress) -> None:
        bits.append(progress.bits)
        if progress.step % SAID == 0 or progress.step == settings.training.steps:
            mean = sum(bits) / len(bits)
            say(f"step {progress.step}, epoch {progress.epoch}: {mean:.3f} bits a character, rate {progress.rate:.2g}")
            bits.clear()
        if progress.step % settings.save_every == 0:
            save_training(training, state)

    train(training, lines, settings.training.steps, report)
