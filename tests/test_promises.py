"""Tests of the nine promises that the whole road keeps."""

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file
from tiny import Run
from torch import Tensor

from recognizer.cli import main
from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.errors import RecognizerError
from recognizer.evaluation.evaluate import evaluate
from recognizer.evaluation.metrics import Edits, edits, total
from recognizer.inputs.registry import kind_named
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings, pad_signals
from recognizer.model.model_file import ModelFile, load_model_file, read_header
from recognizer.network.front import FrontSettings
from recognizer.network.mdlstm import MultidimensionalSettings
from recognizer.network.network import NetworkSettings
from recognizer.reading.reader import Reader

ROOT = Path(__file__).resolve().parents[1]
FRONTS = {
    "small": FrontSettings(channels=[4, 8], pool_time=[1, 1], pool_features=[2, 2]),
    "pools in time": FrontSettings(channels=[4, 8], pool_time=[2, 2], pool_features=[2, 2]),
    "threes": FrontSettings(patch=[1, 1], channels=[4, 8], pool_time=[3, 1], pool_features=[3, 1]),
    "odd patch": FrontSettings(patch=[3, 2], channels=[4], pool_time=[2], pool_features=[2]),
    "two convolutions": FrontSettings(channels=[4], pool_time=[2], pool_features=[2], convolutions=2),
    "no norm": FrontSettings(channels=[4, 8], pool_time=[2, 1], pool_features=[2, 2], norm="none"),
    "frames": FrontSettings(type="frames", patch=[3, 1]),
    "multidimensional": FrontSettings(
        type="multidimensional",
        multidimensional=MultidimensionalSettings(sizes=[2, 3], blocks=[[2, 2], [2, 1]], between=[4]),
    ),
}
SIGNALS: dict[str, dict[str, Any]] = {
    "handwriting": {"height": 16, "direction": "ltr", "contrast": "stretch"},
    "speech": {"sample_rate": 16000},
    "strokes": {"spacing": 0.05},
}
LETTERS = Alphabet(tuple(" abcdefg"))


def restless_model(kind: str, front: FrontSettings, bidirectional: bool = True) -> Model:
    """Return a model of random weights that changes its mind from frame to frame."""
    torch.manual_seed(3)
    if kind == "strokes":  # six features are not rows of a picture
        front = replace(front, pool_features=[1 for _ in front.pool_features])
    network = NetworkSettings(hidden=8, layers=2, bidirectional=bidirectional, front=front)
    model = Model(ModelSettings(kind, SIGNALS[kind], LogMelSettings(bands=16), network), LETTERS.classes)
    with torch.no_grad():
        for parameter in model.network.layers.parameters():
            parameter.mul_(2.0)
        model.network.head.weight.normal_(std=10.0)
        for name, value in model.named_buffers():  # statistics that do not leave zeros at zero
            if name.endswith(("running_mean", "mean")):
                value.normal_(std=0.3)
    return model.eval()


def random_signals(kind: str) -> list[np.ndarray]:
    """Return eight signals of odd and even lengths, down to one frame."""
    random = np.random.default_rng(5)
    lengths = [1, 2, 9, 13, 24, 31, 40, 58]
    if kind == "handwriting":
        return [
            random.integers(0, 256, (length // 5 + 1, 16)).astype(np.uint8).repeat(5, 0)[:length] for length in lengths
        ]
    if kind == "strokes":
        ways = [0.3 * random.normal(size=(length // 5 + 1, 2)).repeat(5, 0)[:length] for length in lengths]
        return [np.column_stack((way.cumsum(0), random.integers(0, 2, len(way)))).astype(np.float32) for way in ways]
    signals = []
    for length in lengths:
        pitches = random.uniform(0.02, 2.0, length // 5 + 1).repeat(800)[: 401 + 161 * length]
        signals.append((9000 * np.sin(np.cumsum(pitches))).astype(np.int16))
    return signals


def alone(model: Model, signals: Sequence[np.ndarray]) -> list[Tensor]:
    """Return the log-probabilities of each signal without company."""
    found = []
    for signal in signals:
        output = model(*pad_signals([torch.from_numpy(signal)], model.settings.kind))
        found.append(output.log_probs[0, : int(output.counts[0])])
    return found


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("front", FRONTS)
@torch.inference_mode()
def test_1_the_company_of_a_sample_changes_no_probability(front: str, kind: str) -> None:
    for bidirectional in (True, False):
        model, signals = restless_model(kind, FRONTS[front], bidirectional), random_signals(kind)
        wanted = alone(model, signals)
        for size, extra in ((1, 37), (2, 0), (7, 5), (32, 0), (32, 411)):
            chosen = np.random.default_rng(size + extra).permutation(np.arange(32) % len(signals))[:size]
            x, counts = pad_signals([torch.from_numpy(signals[i]) for i in chosen], kind)
            more = x.new_full((len(x), extra, *x.shape[2:]), kind_named(kind).padding)
            output = model(torch.cat((x, more), 1), counts)
            for row, i in enumerate(chosen):
                assert int(output.counts[row]) == len(wanted[i]) == int(model.counts(counts)[row])
                assert torch.allclose(output.log_probs[row, : len(wanted[i])], wanted[i], atol=1e-4)


@pytest.mark.parametrize("kind", SIGNALS)
@torch.inference_mode()
def test_1_what_stands_behind_the_end_of_a_sample_is_never_read(kind: str) -> None:
    model, signals = restless_model(kind, FRONTS["pools in time"]), random_signals(kind)
    x, counts = pad_signals([torch.from_numpy(signal) for signal in signals], kind)
    foul = x.clone()
    for row, count in zip(foul, counts.tolist(), strict=True):
        row[count:] = 77
    assert torch.equal(model(x, counts).log_probs, model(foul, counts).log_probs)


@pytest.mark.parametrize("kind", SIGNALS)
def test_1_the_company_of_a_sample_changes_neither_text_nor_confidence_nor_spans(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = FRONTS["odd patch" if kind == "strokes" else "small"]  # under the other one hears the same in all ink
    model, signals = restless_model(kind, front), random_signals(kind)
    model_file = ModelFile(model.settings, LETTERS, model)
    reader = Reader(model_file, torch.device("cpu"))
    wanted = [reader.read_values([signal])[0] for signal in signals]
    assert len({hypothesis.text for hypothesis in wanted}) > 2  # there is something to confuse
    order = np.random.default_rng(1).permutation(np.arange(32) % len(signals))
    for budget in (1, 2 * 58, 10**9):  # steps of a batch: alone, few, all
        monkeypatch.setattr(kind_named(kind), "read_budget", 170 * budget if kind == "speech" else budget)
        for i, found in zip(order, reader.read_values([signals[i] for i in order]), strict=True):
            assert_same(found, wanted[i])


def assert_same(found: Hypothesis, wanted: Hypothesis) -> None:
    assert found.text == wanted.text
    assert found.confidence == pytest.approx(wanted.confidence, abs=1e-4)
    for one, other in zip(found.characters + found.words, wanted.characters + wanted.words, strict=True):
        assert (one.text, one.start, one.end) == (other.text, other.start, other.end)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("front", FRONTS)
def test_1_padding_changes_neither_training_nor_its_statistics(front: str, kind: str) -> None:
    signals = [torch.from_numpy(signal) for signal in random_signals(kind)]
    x, counts = pad_signals(signals, kind)
    outputs, models = [], []
    for extra in (0, 777):
        model = restless_model(kind, FRONTS[front]).train()
        model.network.dropout.rate = 0.0
        outputs.append(
            model(torch.cat((x, x.new_full((len(x), extra, *x.shape[2:]), kind_named(kind).padding)), 1), counts)
        )
        models.append(model.state_dict())
    for i, count in enumerate(outputs[0].counts.tolist()):
        for part in ("log_probs", "auxiliary_log_probs"):
            a, b = (getattr(output, part)[i, :count] for output in outputs)
            assert torch.allclose(a, b, atol=1e-4)
    for name, value in models[0].items():
        assert torch.allclose(value.float(), models[1][name].float(), atol=1e-5), name


@pytest.mark.parametrize("name", ["line_run", "sound_run"])
def test_2_training_evaluation_and_transcription_find_the_same_errors(
    name: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Run = request.getfixturevalue(name)
    corpus = Path(str(run.config.data.corpus))
    reader = Reader.load(run.folder)
    report = evaluate(reader, "tiny", corpus, "valid", print)
    assert report.characters.rate == run.kept.cer
    assert report.words.rate == run.kept.wer
    assert run.kept.cer not in (0.0, 1.0)  # neither all right nor nothing read
    files = {scored.name: scored.reference for scored in report.scored}
    with pytest.raises(SystemExit) as left:
        main(["transcribe", *files, "--model", str(run.folder)])
    assert left.value.code == 0
    read = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert read.keys() == files.keys()
    assert total(edits(files[file], text) for file, text in read.items()).rate == run.kept.cer
    header = read_header(run.folder / "model.safetensors")
    assert header["results"]["valid (chose the weights)"] == {"cer": run.kept.cer, "wer": run.kept.wer}


def test_3_samples_that_ctc_cannot_spell_are_refused_by_name(tmp_path: Path) -> None:
    texts, splits = ["lo", "oooooooooooo", "ox", "lo"], ["train", "train", "train", "valid"]
    corpus = tiny.pack(tiny.write_lines(tmp_path / "files", texts, splits), tmp_path / "packed", 16)
    narrow = replace(tiny.LINE_FRONT, pool_time=[3, 1])
    config = tiny.line_config(corpus)
    config = replace(config, network=replace(config.network, front=narrow))
    # 12 equal characters need 23 frames; their 148 columns give one frame for 6 each, 25; 8 columns a frame give 19.
    tiny.fit(config, tmp_path / "wide", max_epochs=1)
    slow = replace(config, network=replace(config.network, front=replace(narrow, pool_time=[2, 2])))
    with pytest.raises(RecognizerError, match=r"1 training samples .* first .*001.png \(23 frames needed, 19 there\)"):
        tiny.fit(slow, tmp_path / "refused")
    allowed, said = replace(slow, data=replace(slow.data, allow_infeasible=True)), list[str]()
    tiny.fit(allowed, tmp_path / "allowed", said=said, max_epochs=1)
    left = [line for line in said if line.startswith("left out: ")]
    assert len(left) == 1 and "001.png (23 frames needed, 19 there)" in left[0]
    training = read_header(tmp_path / "allowed" / "model.safetensors")["training"]
    assert training["left_out"] == [left[0].removeprefix("left out: ")]
    assert training["corpora"][0]["train"] == 2


def test_3_characters_that_only_validation_has_are_named(tmp_path: Path) -> None:
    texts, splits = ["lo", "ox", "l?", "l?"], ["train", "train", "valid", "valid"]
    corpus = tiny.pack(tiny.write_lines(tmp_path / "files", texts, splits), tmp_path / "packed", 16)
    said = list[str]()
    kept = tiny.fit(tiny.line_config(corpus), tmp_path / "run", said=said, max_epochs=1)
    assert "characters that only validation has, which no reading can get right: '?' 2" in said
    assert any("seen fewer than ten times: 'l' 1, 'o' 2, 'x' 1" in line for line in said)
    assert kept.cer >= 0.5  # the two are counted as errors
    report = evaluate(Reader.load(tmp_path / "run"), "tiny", corpus, "valid", print)
    assert report.strange == {"?": 2} and len(report.scored) == 2


def test_3_a_file_that_cannot_be_read_is_counted_in_the_model_and_every_report(tmp_path: Path) -> None:
    manifest = tiny.write_lines(tmp_path / "files", ["lo", "ox", "xo", "lo"], ["train", "train", "train", "valid"])
    (tmp_path / "files" / "001.png").write_text("no image")
    corpus = tiny.pack(manifest, tmp_path / "packed", 16)
    tiny.fit(tiny.line_config(corpus), tmp_path / "run", max_epochs=1)
    training = read_header(tmp_path / "run" / "model.safetensors")["training"]
    counts = training["corpora"][0]["left_out_by_prepare"]
    assert sum(counts.values()) == 1
    report = evaluate(Reader.load(tmp_path / "run"), "tiny", corpus, "valid", print)
    assert report.as_data()["skipped"] == 1


def test_5_a_model_file_states_all_that_reading_needs(line_run: Run) -> None:
    header = read_header(line_run.folder / "model.safetensors")
    assert header["format"] == 2
    assert header["settings"]["kind"] == "handwriting"
    assert header["settings"]["signal"]["height"] == tiny.HEIGHT
    assert header["settings"]["network"]["front"]["channels"] == [4, 8]
    assert header["alphabet"]["symbols"] == sorted(" " + tiny.GLYPHS)
    assert header["alphabet"]["text"]["form"] == "NFC"
    assert {"decoder", "calibration", "training", "results", "card"} <= header.keys()


def test_5_nothing_is_unpickled_to_read_a_model(line_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something is unpickled")

    for owner, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(owner, name, refuse)
    model_file = load_model_file(line_run.folder / "model.safetensors")
    assert model_file.alphabet.symbols == tuple(sorted(" " + tiny.GLYPHS))


def test_5_a_pickle_and_a_file_cut_short_are_refused(line_run: Run, tmp_path: Path) -> None:
    whole = (line_run.folder / "model.safetensors").read_bytes()
    cases = {"a pickled file": pickle.dumps({"weights": 1}), "cut short": whole[:1000], "cannot be read": whole[:-100]}
    for message, data in cases.items():
        (tmp_path / "model").write_bytes(data)
        with pytest.raises(RecognizerError, match=message):
            load_model_file(tmp_path / "model")


def test_6_rates_are_edits_of_the_whole_over_units_of_the_whole() -> None:
    parts = [edits("a", "b"), edits("abcdefghi", "abcdefghi")]
    assert total(parts).rate == 0.1  # the mean of the two rates is 0.5
    assert total([*parts, edits("", "xyz")]) == Edits(1, 0, 3, 10)
    assert edits("", "").rate == 0.0 and edits("", "x").rate == float("inf")


def test_7_the_same_seed_gives_the_same_model_and_another_seed_another(lines: Path, tmp_path: Path) -> None:
    config = tiny.line_config(lines)
    config = replace(
        config,
        augment=replace(config.augment, lines=replace(tiny.STILL, share=1.0)),
        network=replace(config.network, dropout=0.3, recurrent_dropout=0.1),
        learning=replace(config.learning, weight_noise=0.01),
    )
    weights = []
    for number, seed in enumerate((1, 1, 2)):
        tiny.fit(replace(config, seed=seed), tmp_path / str(number), max_epochs=1)
        weights.append(load_file(tmp_path / str(number) / "model.safetensors"))
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["network.head.weight"], weights[2]["network.head.weight"])


def test_7_a_model_names_what_would_make_it_again(line_run: Run) -> None:
    training = read_header(line_run.folder / "model.safetensors")["training"]
    assert training["seed"] == 1 and training["config"]["learning"]["rate"] == 1e-5
    assert training["command"].startswith("recognizer train")
    assert training["versions"].keys() == {"recognizer", "torch", "lightning", "python"}
    assert len(training["corpora"][0]["sha256"]) == 64
    assert (training["corpora"][0]["train"], training["corpora"][0]["valid"]) == (24, 6)
    assert training["epochs"] in (1, 2) and training["machine"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["transcribe", "absent.png", "--model", "absent"], "absent"),
        (["train", "--data.corpus", "absent", "--trainer.precision", "32-true"], "absent: no prepared corpus there"),
        (["train", "--network.hiden", "3"], "did you mean network.hidden?"),
    ],
)
def test_8_bad_input_gets_one_line_and_exit_code_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(words)
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said.startswith("recognizer: ") and said.count("\n") == 1
    assert message in said


def test_9_neither_importing_nor_asking_for_help_imports_torch() -> None:
    code = (
        "import sys, recognizer\n"
        "from recognizer.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'lightning', 'PIL', 'soundfile'} & sys.modules.keys()\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "transcribe" in done.stdout


@pytest.mark.slow
def test_9_transcribing_imports_neither_lightning_nor_what_training_needs(line_run: Run) -> None:
    corpus = Path(str(line_run.config.data.corpus))
    words = ["transcribe", str(corpus.parent / "files" / "000.png"), "--model", str(line_run.folder), "--json"]
    code = (
        "import json, sys\n"
        "from recognizer.cli import main\n"
        "try:\n    main(json.loads(sys.argv[1]))\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'lightning', 'jsonargparse', 'tensorboard', 'torchaudio', 'soundfile'} & sys.modules.keys()\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unit"] == "px"
