"""Tests of the recognizer for phonemes on a made-up corpus in TIMIT's own layout, where a phone is a tone."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny
import torch
from jsonargparse import ArgumentParser

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.prepare import Prepared, PrepareSettings, prepare
from recognizer.errors import RecognizerError
from recognizer.evaluation.evaluate import evaluate
from recognizer.evaluation.metrics import edits, scored_text, total
from recognizer.evaluation.report import Report, table
from recognizer.model.model import Model, ModelSettings
from recognizer.model.model_file import read_header
from recognizer.reading.reader import Reader
from recognizer.training.config import Config

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "timit.yaml"
# ix sounds as ih, and zh as sh: 61 classes cannot be told apart here, 39 can.
TONES = {"ih": 300.0, "ix": 300.0, "iy": 600.0, "sh": 1100.0, "zh": 1100.0, "ow": 2000.0, "er": 3500.0}  # Hz
FOLDED = {"ix": "ih", "zh": "sh", "h#": "sil"}
SPEAKERS = {
    "TRAIN/DR1/FCJF0": 10,
    "TRAIN/DR2/MARC0": 10,
    "TEST/DR1/FAKS0": 6,  # of the development set
    "TEST/DR1/MDAB0": 4,  # of the core test
    "TEST/DR2/MTAS1": 4,  # of the core test
    "TEST/DR2/MXYZ0": 2,  # of neither
}


def write_sentence(stem: Path, phones: list[str]) -> None:
    """Write STEM.WAV (NIST SPHERE), STEM.PHN, STEM.TXT, with silence at both ends."""
    parts, rows, at = [], [], 0
    for phone in ["h#", *phones, "h#"]:
        time = np.arange(960) / 16000  # 60 ms
        loud = 0.3 if phone in TONES else 0.0
        parts.append(loud * np.sin(2 * math.pi * TONES.get(phone, 0.0) * time) * np.sin(math.pi * time / time[-1]))
        rows.append(f"{at} {at + 960} {phone}")
        at += 960
    soundfile.write(stem.with_suffix(".WAV"), np.concatenate(parts), 16000, format="NIST", subtype="PCM_16")
    stem.with_suffix(".PHN").write_text("\n".join(rows) + "\n")
    stem.with_suffix(".TXT").write_text(f"0 {at} Made up.\n")


def made_timit(root: Path) -> Path:
    """Write the corpus below `root` and return the folder that holds TIMIT/."""
    random = np.random.default_rng(3)
    for speaker, sentences in SPEAKERS.items():
        folder = root / "TIMIT" / speaker
        folder.mkdir(parents=True)
        for number in range(sentences):
            phones: list[str] = []
            while len(phones) < 6:
                phones.append(str(random.choice([phone for phone in TONES if phone not in phones[-1:]])))
            write_sentence(folder / f"SX{number}", phones)
        write_sentence(folder / "SA1", ["iy", "er"])
    return root


@dataclass(frozen=True)
class Phoned:
    """The prepared corpus with the run that learned it."""

    prepared: Prepared
    corpus: Path
    run: Path


@pytest.fixture(scope="module")
def phoned(tmp_path_factory: pytest.TempPathFactory) -> Phoned:
    """Prepare the made-up corpus and train a small network by the recipe's own configuration."""
    from recognizer.commands.train import run_train

    root = tmp_path_factory.mktemp("timit")
    prepared = prepare("timit", made_timit(root / "source"), root / "packed", PrepareSettings({}), lambda line: None)
    words = ["--config", str(CONFIG), "--data.corpus", str(root / "packed"), "--run", str(root / "run")]
    small = {
        "network.hidden": 16,
        "network.layers": 1,
        "learning.weight_noise": 0.02,
        "learning.rate": 0.02,
        "learning.ema_decay": 0.9,
        "data.batch_seconds": 2.0,
        "trainer.max_epochs": 16,
        "trainer.check_val_every_n_epoch": 4,
        "trainer.accelerator": "cpu",
        "trainer.devices": 1,
        "trainer.precision": "32-true",
        "trainer.enable_progress_bar": "false",
    }
    words += [part for name, value in small.items() for part in (f"--{name}", str(value))]
    assert run_train(words, lambda line: None) == 0
    return Phoned(prepared, root / "packed", root / "run")


def report_of(phoned: Phoned, split: str) -> Report:
    return evaluate(Reader.load(phoned.run, "cpu"), "tiny", phoned.corpus, split, lambda line: None)


def test_the_sets_are_those_of_the_corpus_and_the_rest_is_counted(phoned: Phoned) -> None:
    assert phoned.prepared.splits == {"train": 20, "valid": 6, "test": 8}
    assert sum(phoned.prepared.left_out.values()) == 6 + 2
    assert not phoned.prepared.bad


def test_the_error_falls_while_it_learns(phoned: Phoned) -> None:
    rates = [float(row[3]) for row in tiny.rows(phoned.run)[1:]]
    assert len(rates) == 4
    assert rates[-1] < 0.3 and rates[-1] < rates[0] - 0.3


def test_61_classes_are_decoded_and_39_are_scored(phoned: Phoned) -> None:
    symbols = read_header(phoned.run / "model.safetensors")["alphabet"]["symbols"]
    assert symbols == sorted([*TONES, "h#"])
    report, reader = report_of(phoned, "test"), Reader.load(phoned.run, "cpu")
    pairs = []
    for phones in sorted(phoned.corpus.parent.rglob("SX*.PHN")):
        if phones.parent.name in ("MDAB0", "MTAS1"):
            said = [line.split()[2] for line in phones.read_text().splitlines()]
            pairs.append((said, reader.transcribe(phones.with_suffix(".WAV")).text.split()))
    as_61 = total(edits(said, read) for said, read in pairs)
    as_39 = total(edits(folded(said), folded(read)) for said, read in pairs)
    assert report.characters == report.words == as_39
    assert as_61.units == as_39.units == 8 * 8
    assert as_39.rate < 0.3 < as_61.rate + 0.1 and as_39.total < as_61.total
    assert {s for one in report.scored for s in one.reference.split()} == {"sil", "ih", "iy", "sh", "ow", "er"}
    assert not report.strange


def folded(phones: list[str]) -> list[str]:
    return [FOLDED.get(phone, phone) for phone in phones]


def test_validation_and_evaluation_find_the_same_phone_error_rate(phoned: Phoned) -> None:
    best = min(float(row[3]) for row in tiny.rows(phoned.run)[1:])
    assert report_of(phoned, "valid").characters.rate == pytest.approx(best, abs=1e-5)


def test_a_report_says_that_it_counts_folded_phones(phoned: Phoned) -> None:
    report = report_of(phoned, "test")
    data = report.as_data()
    assert (data["unit"], data["per"]) == ("phone", report.characters.rate)
    assert "61 phones folded to 39 classes, q deleted" in data["normalization"]
    assert all(pair["reference"] in ("", *FOLDED.values(), *TONES) for pair in data["confusions"])
    lines = table(report).splitlines()
    assert lines[1].startswith("PER ") and lines[1].endswith(" of 64 phones")
    assert not any(line.startswith("WER") for line in lines)


def test_a_deleted_phone_counts_on_neither_side() -> None:
    text = TextSettings(unit="token", scoring="timit-39")
    assert scored_text("h# q ax-h bcl b q", text) == "sil ah sil b"
    assert scored_text("h# q", TextSettings(unit="token")) == "h# q"
    with pytest.raises(RecognizerError, match="'xx' cannot be folded to 39"):
        scored_text("xx", text)


@pytest.mark.parametrize("settings", [{"unit": "token", "scoring": "timit"}, {"scoring": "timit-39"}])
def test_a_scoring_that_means_nothing_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(RecognizerError, match="text.scoring is 'timit"):
        TextSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [3, 5])
def test_the_configuration_is_the_network_of_the_paper(layers: int) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(Config, None)
    parser.add_argument("--trainer", type=dict[str, int])
    chosen = parser.instantiate_classes(parser.parse_args(["--config", str(CONFIG), "--network.layers", str(layers)]))
    assert chosen.learning.weight_noise == 0.075
    settings = ModelSettings("speech", {"sample_rate": 16000}, chosen.features, chosen.network)
    model = Model(settings, 62)
    assert model.features.size == model.network.front.size == 3 * (40 + 1)
    assert model.counts(torch.tensor([16000])).tolist() == [98]  # a frame each 10 ms
    assert [layer.output_size for layer in model.network.layers] == layers * [2 * 250]
    assert model.network.auxiliary_head is None and model.network.head.out_features == 62
    # The paper counts 3.8 and 6.8 million weights.
    weights = sum(weight.numel() for weight in model.parameters())
    assert weights == pytest.approx({3: 3.8e6, 5: 6.8e6}[layers], rel=0.02)
