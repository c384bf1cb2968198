"""Kinds of input: a fourth one is one folder and one line of the registry."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import torch
from terminal import said
from torch import Generator, Tensor

import recognizer
from recognizer.errors import RecognizerError
from recognizer.inputs import registry
from recognizer.inputs.features import Augmentation, Features
from recognizer.inputs.kind import Kind
from recognizer.inputs.signal import Signal

LETTERS = "abc"
LENGTH = 6  # numbers a letter


class PulseFeatures(Features):
    """Numbers as they are, each a frame of two."""

    size = 2

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, T, 2): the number, and whether there is one."""
        seen = torch.stack((x.float(), (x != 0).float()), 2)
        return seen, counts


class PulseAugmentation(Augmentation):
    """Numbers that are a little larger or smaller."""

    def forward(
        self, features: Features, x: Tensor, counts: Tensor, least: Tensor, generator: Generator, views: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Return the features of louder or softer numbers."""
        louder = 0.9 + 0.2 * torch.rand(len(x), 1, generator=generator)
        found: tuple[Tensor, Tensor] = features(x * louder, counts)
        return found


class Pulses(Kind):
    """A toy: text files with a number a line, six numbers of one size for each letter."""

    name = "pulses"
    noun, plural = "a list of numbers", "lists of numbers"
    suffixes = (".pulse",)
    unit, steps, speed = "numbers", "numbers", "samples"
    dtype = "float32"
    padding = 0
    read_budget, gpu_read_budget = 1000, 1000
    config = "strokes.yaml"
    values = "numbers"

    def recognizes(self, head: bytes, suffix: str) -> bool:
        return suffix == ".pulse"

    def settings(self, data: dict[str, Any]) -> Any:
        if data:
            raise RecognizerError("signal: numbers have no settings")
        return Settings()

    def read(self, source: Path | BinaryIO, settings: Any, name: str, channel: int = 0) -> Signal:
        text = source.read_text() if isinstance(source, Path) else source.read().decode()
        try:
            return self.from_array(np.array([float(line) for line in text.split()], np.float32), settings, None)
        except ValueError:
            raise RecognizerError(f"{name}: expected a number a line") from None

    def from_array(self, array: np.ndarray, settings: Any, rate: int | None) -> Signal:
        return Signal(array, float(len(array)), "numbers")

    def faults(self, values: np.ndarray, settings: Any) -> list[str]:
        return []

    def features(self, signal: dict[str, Any], frames: Any) -> Features:
        return PulseFeatures()

    def augmentation(self, settings: Any, features: Features) -> Augmentation:
        return PulseAugmentation()

    def batch_budget(self, data: Any, signal: dict[str, Any]) -> float:
        return float(data.batch_points)

    def log_sample(self, board: Any, tag: str, values: np.ndarray, step: int, signal: dict[str, Any]) -> None:
        board.add_text(tag, " ".join(map(str, values)), step)

    def write_sample(self, stem: Path, features: Features, values: np.ndarray, signal: dict[str, Any]) -> list[Path]:
        path = stem.with_name(f"{stem.name}.txt")
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(map(str, values)))
        return [path]


@dataclass(frozen=True)
class Settings:
    """Numbers have no settings."""


KIND = Pulses()


@pytest.fixture
def pulses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add the toy to the registry: the one line that a new kind needs."""
    monkeypatch.setitem(sys.modules, "pulses_kind", sys.modules[__name__])
    monkeypatch.setattr(registry, "MODULES", ("pulses_kind", *registry.MODULES))
    for cached in (registry.kinds, registry.suffixes):
        cached.cache_clear()
    yield
    for cached in (registry.kinds, registry.suffixes):
        cached.cache_clear()


def write_pulses(folder: Path, samples: int) -> None:
    """Write words of one to three letters as numbers, a file each, with their texts beside them."""
    random = np.random.default_rng(3)
    folder.mkdir()
    for number in range(samples):
        word = "".join(random.choice(list(LETTERS), size=int(random.integers(1, 4))))
        rows = [str(LETTERS.index(letter) + 1) if i < LENGTH - 1 else "0" for letter in word for i in range(LENGTH)]
        (folder / f"{number:03}.pulse").write_text("\n".join(rows))
        (folder / f"{number:03}.gt.txt").write_text(word)


@pytest.mark.slow
def test_a_fourth_kind_goes_the_whole_road(pulses: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, data, run = tmp_path / "files", tmp_path / "data", tmp_path / "run"
    write_pulses(files, 60)
    assert said(capsys, "prepare", files, "--out", data)[0] == 0
    code, out, err = said(capsys, "check", data, "--config", config(tmp_path), "--show", tmp_path / "show")
    assert code == 0 and "pulses, 60 samples" in out and "length (numbers)" in out, err
    assert said(capsys, "train", "--config", config(tmp_path), "--data.corpus", data, "--run", run)[0] == 0, (
        capsys.readouterr()
    )
    assert said(capsys, "evaluate", run, data)[0] == 0
    paths = sorted(files.glob("*.pulse"))
    read = [found.text for found in recognizer.load(run).transcribe(list(paths))]
    texts = [path.with_name(f"{path.stem}.gt.txt").read_text() for path in paths]
    assert sum(a == b for a, b in zip(read, texts, strict=True)) > 40


def config(folder: Path) -> Path:
    """Write settings with which the toy learns in seconds."""
    path = folder / "pulses.yaml"
    path.write_text(
        "network: {cell: lstm, hidden: 24, layers: 1, dropout: 0.0, auxiliary_head: 0.0, "
        "front: {patch: [2, 1], channels: [8], pool_time: [1], pool_features: [1], convolutions: 1}}\n"
        "data: {batch_points: 300}\nlearning: {rate: 0.02, ema_decay: 0.9}\n"
        "trainer: {max_epochs: 25, devices: 1, precision: 32-true, accelerator: cpu, enable_progress_bar: false}\n"
    )
    return path


def test_a_file_of_another_kind_is_named(pulses: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pulses(tmp_path / "files", 1)
    code, _, err = said(capsys, "transcribe", tmp_path / "files" / "000.pulse", "--model", "handwriting")
    assert code == 2 and "a list of numbers, the model reads handwriting" in err


def test_an_unknown_kind_names_those_that_there_are() -> None:
    with pytest.raises(RecognizerError, match="kind is 'smells', expected one of handwriting, speech, strokes"):
        registry.kind_named("smells")
