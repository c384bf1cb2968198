"""What `prepare` finds is kept with the corpus: training reads it there, and not every signal once more."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from PIL import Image

from recognizer.commands.train import run_train
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.check_report import CheckSettings, check
from recognizer.corpus.checks import corpus_columns, findings
from recognizer.corpus.ctc_feasibility import needed
from recognizer.corpus.store import FILE, Packed, Store, write_store
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import default_signal, kinds
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings
from recognizer.training.train import train

DATA = Path(__file__).parent / "data"
OLD = "corpus-format-2.pack"  # as versions before wrote it: twelve lines, 5.png blank, the last of them without text


def calls(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[object]:
    """Return a list that takes an entry, the first argument, at each call of a method."""
    seen: list[object] = []
    real = getattr(owner, name)

    def counted(self: Any, *values: Any) -> Any:
        seen.append(values[0])
        return real(self, *values)

    monkeypatch.setattr(owner, name, counted)
    return seen


class Begun(Exception):
    """A run has looked at all that it looks at before its first step."""


def stop(*_: object, **also: object) -> None:
    raise Begun


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a folder with a corpus of format 2."""
    folder = tmp_path / "old"
    folder.mkdir()
    shutil.copy(DATA / OLD, folder / FILE)
    return folder


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Return a prepared corpus with a blank line and one that is too narrow for its text."""
    texts, splits = ["lo x", "ol x", "xolo" * 5, "x", "o l", "l"], ["train"] * 4 + ["valid"] * 2
    manifest = tiny.write_lines(tmp_path / "files", texts, splits)
    Image.new("L", (60, tiny.HEIGHT), 255).save(manifest.parent / "001.png")
    tiny.draw_line("xo", np.random.default_rng(1)).save(manifest.parent / "002.png")
    return tiny.pack(manifest, tmp_path / "packed", tiny.HEIGHT)


def first_words(corpus: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int, int]:
    """Return what a run says of its corpus before its first step, the signals it reads, the models it builds."""
    signals, models = calls(monkeypatch, Store, "signal"), calls(monkeypatch, Model, "__init__")
    config = tiny.line_config(corpus)
    config = replace(config, data=replace(config.data, allow_infeasible=True))
    said: list[str] = []
    with pytest.raises(Begun):
        train(config, tiny.TRAINER, run, False, "recognizer train", said.append, stop)
    return [line for line in said if ", suspect: " in line or ", lost: " in line], len(signals), len(models)


def test_no_signal_is_read_before_the_first_step(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, signals, models = first_words(mixed, tmp_path / "run", monkeypatch)
    assert (signals, models) == (0, 1)
    assert [line.partition(", first ")[0] for line in said] == [
        "files, lost: 1 more characters than frames",
        "files, suspect: 1 blank image",
    ]
    assert said[1].endswith("001.png")


def test_a_corpus_that_was_packed_before_is_looked_at_as_before(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, signals, models = first_words(old, tmp_path / "run", monkeypatch)
    assert (signals, models) == (12, 1)
    assert said == ["old, lost: 1 empty text, first 11.png", "old, suspect: 1 blank image, first 5.png"]
    store = Store(old)
    assert store.faults() is None
    alphabet = Alphabet(())
    assert store.frames_needed(alphabet) == [needed(text, alphabet) for text in store.column("text")]


def packed_again(store: Store, index: int) -> Packed:
    digest = bytes.fromhex(store.digest(index))
    return Packed(store.sample(index), store.signal(index), float(store.extents[index]), digest, faults=())


def test_both_learn_the_same(old: Path, tmp_path: Path) -> None:
    store = Store(old)
    new = write_store(tmp_path / "new", store.header, (packed_again(store, i) for i in range(len(store))))
    weights = []
    for name, corpus in (("a", old), ("b", new)):
        config = tiny.line_config(corpus)
        tiny.fit(replace(config, data=replace(config.data, allow_infeasible=True)), tmp_path / name)
        weights.append(torch.load(tmp_path / name / "last.ckpt", weights_only=True)["state_dict"])
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    assert Store(new).fingerprint() == store.fingerprint()


def test_what_is_kept_is_what_a_check_finds(mixed: Path) -> None:
    store, report = Store(mixed), check(mixed, CheckSettings())
    settings = ModelSettings(store.header.kind, store.header.signal, CheckSettings().features, CheckSettings().network)
    frames = settings.counts(torch.tensor(store.counts.tolist())).tolist()
    alphabet = Alphabet(())
    rows = corpus_columns(store, alphabet.text.normalize)
    assert findings(store, rows, frames, alphabet, "train", look=False) == report.findings
    assert {"blank image", "more characters than frames"} <= {one.what for one in report.findings}


def test_a_check_still_reads_every_signal(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signals = calls(monkeypatch, Store, "signal")
    check(mixed, CheckSettings())
    assert signals == list(range(6))


def test_frames_needed_follow_the_text_settings(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(mixed)
    assert store.frames_needed(Alphabet(())) == [4, 4, 20, 1, 3, 1]
    assert store.frames_needed(Alphabet((), TextSettings(unit="token"))) == [2, 2, 1, 1, 2, 1]
    texts = calls(monkeypatch, Store, "column")
    store.frames_needed(Alphabet(()))
    assert texts == []  # kept


def test_damaged_findings_are_refused(mixed: Path) -> None:
    store = Store(mixed)
    for damage in (b"[[9, []]]", b"{", b"7", b"[[0]]", b'[["a", []]]'):
        store._faults = np.frombuffer(damage, np.uint8)
        with pytest.raises(RecognizerError, match="its list of suspect signals"):
            store.faults()


@pytest.mark.parametrize("kind", sorted(kinds()))
@pytest.mark.parametrize("features", [LogMelSettings(), LogMelSettings(window_ms=32, hop_ms=8, deltas=True)])
def test_frames_by_arithmetic_are_those_of_the_features(kind: str, features: LogMelSettings) -> None:
    counts = torch.tensor([1, 2, 399, 400, 401, 559, 560, 16000, 123457])
    signal = default_signal(kind)
    module = kinds()[kind].features(signal, features)
    assert torch.equal(kinds()[kind].frame_counts(counts, signal, features), module.counts(counts))
    assert kinds()[kind].hop(signal, features) == module.hop


def test_a_rate_of_frames_that_cannot_be_ends_a_run_before_it_begins(sounds: Path, tmp_path: Path) -> None:
    words = tiny.words(sounds, tmp_path / "run", **{"features.hop_ms": 0.01})
    with pytest.raises(RecognizerError, match="features: 80 bands of windows of 400 samples, 0 from one to the next"):
        run_train(words, print)
    assert not (tmp_path / "run").exists()


def undecided(corpus: Path, run: Path, **settings: object) -> list[str]:
    """Return a command line that leaves the precision to the machine."""
    words = tiny.words(corpus, run, **settings)
    at = words.index("--trainer.precision")
    return words[:at] + words[at + 2 :]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data.corpus": "nowhere"}, "nowhere: no prepared corpus there"),
        ({"data.train": "strange"}, "strange"),
        ({"data.valid": "strange"}, "strange"),
    ],
)
def test_what_is_wrong_with_the_data_is_said_before_the_machine_is_measured(
    settings: dict[str, object], message: str, lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognizer.training.hardware.recurrent_seconds", stop)
    with pytest.raises(RecognizerError, match=message):
        run_train(undecided(lines, tmp_path / "run", **settings), print)
    with pytest.raises(Begun):
        run_train(undecided(lines, tmp_path / "run"), print)


def test_a_run_keeps_the_precision_that_was_measured(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognizer.training.hardware.recurrent_seconds", lambda dtypes, learning: [0.05, 0.01])
    monkeypatch.setattr("recognizer.training.train._fit", stop)
    said: list[str] = []
    with pytest.raises(Begun):
        run_train(undecided(lines, tmp_path / "run"), said.append)
    assert any(
        line.endswith("bf16-mixed (a recurrent layer takes 50.0 ms in float32, 10.0 ms in bf16)") for line in said
    )
    assert "  precision: bf16-mixed\n" in (tmp_path / "run" / "config.yaml").read_text()
