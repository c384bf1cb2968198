"""Whether a run can go on from its last checkpoint: looked at as a whole before anything is written."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.errors import RecognizerError
from recognizer.model.model import ModelSettings
from recognizer.model.model_file import read_header
from recognizer.training.checkpointing import LAST, MADE_OF, MODEL, is_as_sealed
from recognizer.training.data import Corpora
from recognizer.training.setup import TrainingSetup

PARTS = {  # of a checkpoint, with their types
    "state_dict": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
    "loops": dict,
    "callbacks": dict,
    "learner": dict,
    "clock": dict,
    "epoch": int,
    "global_step": int,
}
SHOWN = 5  # of a list in a message


@dataclass(frozen=True)
class End:
    """What ends a run; None or below 0 for no end.

    Args:
        epochs: in all.
        steps: in all.
    """

    epochs: int | None = None
    steps: int | None = None


def made_of(corpora: Corpora, alphabet: Alphabet, settings: ModelSettings) -> dict[str, Any]:
    """Return what a run is about as plain data: corpora, alphabet with its text settings, network."""
    return {
        "corpora": {str(store.path): store.fingerprint() for store in corpora.stores},
        "symbols": list(alphabet.symbols),
        "text": asdict(alphabet.text),
        "settings": settings.as_data(),
    }


def read_checkpoint(run: Path) -> dict[str, Any]:
    """Return the last checkpoint of a run; nothing in it is executed.

    Raises:
        RecognizerError: there is none, or it is damaged or no checkpoint of this program.
    """
    path = run / LAST
    if not path.is_file():
        raise RecognizerError(f"{run}: no {LAST} there, expected the folder of a run that was cut off")
    return read_state(path, PARTS, _way_out(run))


def read_state(path: Path, parts: Mapping[str, type], way_out: str) -> dict[str, Any]:
    """Return a trainer's whole state as `save_checkpoint` wrote it; nothing in it is executed.

    Args:
        path: of the state.
        parts: that it has, with their types.
        way_out: what can be done without it, for messages.

    Raises:
        RecognizerError: it is damaged, or no state of this program.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # against the checksums; torch does not look at them
            comment = archive.comment
        if damaged is not None or not is_as_sealed(path.read_bytes(), comment):
            raise ValueError(f"{damaged or 'a part'} is damaged")
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged archive makes of torch's reader
        reason = " ".join(str(error).split())[:120]
        raise RecognizerError(
            f"{path}: damaged or no checkpoint ({reason}), expected one that train wrote; {way_out}"
        ) from None
    if not isinstance(found, dict):
        raise RecognizerError(f"{path}: no checkpoint of recognizer, expected one that train wrote; {way_out}")
    for name, kind in parts.items():
        if not isinstance(found.get(name), kind):
            raise RecognizerError(f"{path}: its part {name!r} is not what train writes; {way_out}")
    return found


def refuse_misfit(
    run: Path, checkpoint: dict[str, Any], task: TrainingSetup, state: Mapping[str, Tensor], end: End
) -> None:
    """Refuse to go on with something else than what the checkpoint is about.

    Args:
        run: its folder.
        checkpoint: what `read_checkpoint` returned.
        task: what the configuration now asks for.
        state: weights and averages as the configuration now makes them.
        end: of the run.

    Raises:
        RecognizerError: corpora, alphabet, text settings, network or weights differ, or more is done than the end says.
    """
    _refuse_end(run, "epochs", checkpoint["epoch"] + 1, end.epochs)
    _refuse_end(run, "steps", checkpoint["global_step"], end.steps)
    before = checkpoint.get(MADE_OF) or _of_model(run)
    faults = [] if before is None else list(_differences(before, task))
    faults += _other_weights(checkpoint["state_dict"], state)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise RecognizerError(f"{run}: {faults[0]}{more}: expected what the run began with, or another --run")


def _refuse_end(run: Path, what: str, done: int, end: int | None) -> None:
    if end is not None and 0 <= end < done:
        raise RecognizerError(
            f"{run}: {done} {what} are done, trainer.max_{what} is {end}: expected {done} or more to go on"
        )


def _of_model(run: Path) -> dict[str, Any] | None:
    """Return what a run's model file says that the run is about, for checkpoints that do not say it."""
    try:
        header = read_header(run / MODEL)
        corpora = {one["name"]: one["sha256"] for one in header["training"]["corpora"]}
        return {
            "corpora": corpora,
            "symbols": header["alphabet"]["symbols"],
            "text": header["alphabet"]["text"],
            "settings": header["settings"],
        }
    except (RecognizerError, KeyError, TypeError):
        return None


def _differences(before: dict[str, Any], task: TrainingSetup) -> Iterator[str]:
    """Yield in words where a run is about something else than it was."""
    now = made_of(task.corpora, task.alphabet, task.settings)
    if sorted(now["corpora"].values()) != sorted(before["corpora"].values()):
        yield _other_corpora(before["corpora"], now["corpora"])
    old, new = _flat(asdict(TextSettings()) | before["text"], "text."), _flat(now["text"], "text.")
    if old != new or list(before["text"]["replace"]) != list(now["text"]["replace"]):
        yield from _changed(old, new) or ["the order of text.replace has changed"]
    if before["symbols"] != now["symbols"]:
        parts = (("new", now, before), ("gone", before, now))
        words = [f"{what} {_listed(set(a['symbols']) - set(b['symbols']))}" for what, a, b in parts]
        yield f"the alphabet is another one ({', '.join(words)})"
    yield from _changed(_flat(_of_today(before["settings"])), _flat(now["settings"]))


def _of_today(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a run's settings with those that did not exist when it began at their defaults."""
    try:
        return ModelSettings.from_data(settings).as_data()
    except RecognizerError:  # some that do not exist any more: named as what has changed
        return settings


def _other_corpora(before: dict[str, str], now: dict[str, str]) -> str:
    gone = [name for name, digest in before.items() if digest not in now.values()]
    new = [name for name, digest in now.items() if digest not in before.values()]
    if sorted(gone) == sorted(new) and gone:
        return f"{_listed(gone)} holds other samples than the run began with"
    return f"the corpora are not those that the run began with ({_listed(before)}), but {_listed(now)}"


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return in words which settings differ; what only acts while training, dropout, may."""
    names = [n for n in {**before, **now} if before.get(n) != now.get(n) and not n.endswith("dropout")]
    return [f"{name} is {now.get(name)!r}, the run has {before.get(name)!r}" for name in names]


def _other_weights(saved: Mapping[str, Any], now: Mapping[str, Tensor]) -> list[str]:
    """Return in words which weights lack, are too many or of another shape."""
    faults = []
    for name in sorted(saved.keys() | now.keys()):
        pair = [one.get(name) for one in (saved, now)]
        shapes = [tuple(value.shape) if isinstance(value, Tensor) else None for value in pair]
        if shapes[0] != shapes[1]:
            faults.append(f"the weights {name} are {shapes[0]} in the checkpoint, {shapes[1]} in the configuration")
    return faults


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a tree under dotted names."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {prefix + name: value}
    return found


def _listed(names: Any) -> str:
    some = sorted(map(str, names))
    return ", ".join(map(repr, some[:SHOWN])) + (" ..." if len(some) > SHOWN else "") or "nothing"


def _way_out(run: Path) -> str:
    """Return what can be done without a checkpoint."""
    if (run / MODEL).is_file():
        return f"the best model stays: begin another run from it with --init {run / MODEL}"
    return "begin another run"
