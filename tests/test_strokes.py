"""Pen strokes: files and arrays to points, points to features, changes of them, the road to a model."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from makers import save_model

import recognizer
from recognizer.cli import main
from recognizer.corpus.check_report import CheckSettings, check
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.evaluation.evaluate import evaluate
from recognizer.inputs.registry import kind_of
from recognizer.inputs.strokes.augment import StrokeAugment, StrokeAugmentSettings
from recognizer.inputs.strokes.features import StrokeFeatures
from recognizer.inputs.strokes.strokes import (
    StrokeSettings,
    raster,
    read_strokes,
    read_strokes_signal,
    signal_from_strokes,
    strokes_from_array,
    write_inkml,
)
from recognizer.reading.reader import Reader
from recognizer.training.config import AugmentSettings

PLAIN = StrokeSettings()


def of(*strokes: list[tuple[float, float]]) -> np.ndarray:
    """Return the values of a signal."""
    return signal_from_strokes([np.array(stroke, float) for stroke in strokes], PLAIN, "test").values


SLANTED = [(0.0, 0.0), (3.0, 10.0), (6.0, 0.0), (9.0, 10.0)]


def test_points_are_evenly_spaced_along_each_stroke() -> None:
    values = of(SLANTED, [(20.0, 0.0), (20.0, 10.0)])
    ways = np.linalg.norm(np.diff(values[:, :2], axis=0), axis=1)
    down = (values[:-1, 2] == 1) & (values[1:, 2] == 1)
    assert ways[down] == pytest.approx(PLAIN.spacing, rel=0.06)
    assert ways[~down] == pytest.approx(4 * PLAIN.spacing, rel=0.2)
    assert (values[:, 2] == 0).sum() > 5 and values[0, 0] == 0


@pytest.mark.parametrize("rising", [0.0, 0.2])
def test_place_size_and_slope_of_the_writing_are_taken_out(rising: float) -> None:
    zigzag = np.array([(4.0 * i, 10.0 * (i % 2)) for i in range(12)])
    wanted = of(zigzag.tolist())
    moved = 3.5 * (zigzag + np.array([100.0, -30.0]))
    moved[:, 1] += rising * moved[:, 0]
    found = of(moved.tolist())
    assert len(found) == pytest.approx(len(wanted), rel=0.1)
    assert found[:, 1].std() == pytest.approx(wanted[:, 1].std(), rel=0.05) and wanted[:, 1].std() == pytest.approx(
        0.25, rel=0.02
    )
    assert np.polyfit(found[:, 0], found[:, 1], 1)[0] == pytest.approx(0.0, abs=0.02)


def test_more_points_on_the_same_way_change_nothing() -> None:
    fine = [(x, y) for (a, b), (c, d) in zip(SLANTED, SLANTED[1:], strict=False) for x, y in zip(
        np.linspace(a, c, 40), np.linspace(b, d, 40), strict=True)]  # fmt: skip
    assert of(fine) == pytest.approx(of(SLANTED), abs=1e-5)


@pytest.mark.parametrize("stroke", [[(5.0, 5.0)], [(5.0, 5.0), (5.0, 5.0)], [(0.0, 0.0), (100.0, 0.0)]])
def test_a_dot_and_a_dash_are_writing_too(stroke: list[tuple[float, float]]) -> None:
    values = of(stroke)
    assert np.isfinite(values).all() and len(values) == (1 if stroke[0] == stroke[-1] else 401)
    assert raster(values).min() == 0


def test_places_are_numbers_of_the_points_of_the_file() -> None:
    signal = signal_from_strokes([np.array(SLANTED), np.array([(20.0, 0.0), (20.0, 10.0)])], PLAIN, "test")
    assert (signal.extent, signal.unit) == (6.0, "points")
    assert signal.place(0.0) == 0.0 and signal.place(len(signal.values)) == 6.0
    down = signal.values[:, 2] == 1
    third = int(np.argmin(np.abs(signal.values[:, 0] - signal.values[:, 0][down].max() * 6.0 / 20.0)))
    assert signal.place(float(third)) == pytest.approx(2.0, abs=0.1)
    assert np.all(np.diff([signal.place(float(i)) for i in range(len(signal.values) + 1)]) >= 0)


def test_files_and_arrays_of_the_same_strokes_are_one_signal(tmp_path: Path) -> None:
    strokes: list[list[float]] = [[0.25, 0, 3, 10, 6, 0.125, 9, 10], [20, 0, 20, 10]]
    wanted = signal_from_strokes([np.array(stroke).reshape(-1, 2) for stroke in strokes], PLAIN, "test").values
    points = [[[x, y, 7] for x, y in zip(s[0::2], s[1::2], strict=True)] for s in strokes]
    turned = "<ink><traceFormat><channel name='Y'/><channel name='X'/></traceFormat>" + "".join(
        "<trace>" + ",".join(f"{y} {x}" for x, y, _ in stroke) + "</trace>" for stroke in points
    )
    files = {
        "a.inkml": write_inkml(strokes),
        "b.json": json.dumps({"text": "x", "strokes": strokes}).encode(),
        "c.json": b"\xef\xbb\xbf \n" + json.dumps(points).encode(),
        "d.inkml": (turned + "</ink>").encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert kind_of(tmp_path / name) == kind_of(io.BytesIO(data)) == "strokes"
        assert (read_strokes_signal(tmp_path / name, PLAIN).values == wanted).all(), name
    array = np.array([[*point[:2], i > 0] for stroke in points for i, point in enumerate(stroke)])
    assert (strokes_from_array(array, PLAIN).values == wanted).all()


def test_strokes_are_known_in_utf_16_and_by_the_suffix_of_inkml(tmp_path: Path) -> None:
    ink = write_inkml([[0, 0, 3, 10]]).decode().replace("UTF-8", "UTF-16")
    files = {"a.inkml": ink.encode("utf-16"), "b.json": "[[0, 0, 3, 10]]".encode("utf-16"), "c.inkml": b"no ink"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert kind_of(tmp_path / name) == "strokes"
    assert kind_of(io.BytesIO(files["a.inkml"])) == "strokes"
    for name in ("a.inkml", "b.json"):
        assert [stroke.tolist() for stroke in read_strokes(files[name], name)] == [[[0, 0], [3, 10]]]


def test_inkml_says_what_is_air_and_which_way_an_axis_goes(tmp_path: Path) -> None:
    strokes: list[list[float]] = [[0.25, 0, 3, 10, 6, 0.125, 9, 10], [20, 0, 20, 10]]
    wanted = signal_from_strokes([np.array(stroke).reshape(-1, 2) for stroke in strokes], PLAIN, "test").values
    first, second = ["<trace>0.25 0, 3 10, 6 0.125, 9 10</trace>", "<trace type='penDown'>20 0, 20 10</trace>"]
    air = "<trace type='penUp'>9 10, 15 -4, 20 0</trace>"
    up = "<traceFormat><channel name='X'/><channel name='Y' orientation='-ve'/></traceFormat>"
    mirrored = (first + second).replace(" 10", " -10").replace("0.125", "-0.125")
    for text in (first + air + second, up + mirrored, up + up + mirrored):
        (tmp_path / "a.inkml").write_text(f"<ink>{text}</ink>")
        assert (read_strokes_signal(tmp_path / "a.inkml", PLAIN).values == wanted).all(), text


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", "the file is empty"),
        (b"[]", "no stroke has a point"),
        (b'{"strokes": [[], []]}', "no stroke has a point"),
        (b'{"lines": []}', "'strokes', expected InkML or JSON"),
        (b'{"strokes": [[1, 2, 3]]}', "a stroke of 3 numbers, which is odd"),
        (b'{"strokes": [["a", 2]]}', "could not convert"),
        (b'{"strokes": [[1, NaN]]}', "a coordinate is no number"),
        (b"[" * 5000, "expected InkML or JSON"),
        (b"<ink><trace>1 2", "expected InkML or JSON"),
        (b"<?xml version='1.0'?><alto/>", "XML of <alto>, expected InkML"),
        (b"<ink><trace>1 2, '3'4</trace></ink>", "expected points of plain numbers"),
        (b"<ink><trace>1</trace></ink>", "expected points of plain numbers"),
        (b"<ink><trace type='indeterminate'>1 2</trace></ink>", "a <trace> of type 'indeterminate', expected penDown"),
        (
            b"<ink><traceFormat><channel name='Y'/><channel name='X'/></traceFormat><traceFormat><channel name='X'/>"
            b"<channel name='Y'/></traceFormat><trace>1 2</trace></ink>",
            "2 <traceFormat>s with X and Y at different places, expected one",
        ),
        (b"[[" + b"0,0,1,1," * 100_001 + b"0,0]]", "200003 points, expected at most 200,000"),
        (b"[[" + b"0,0,1,9," * 30_000 + b"0,0]]", "heights of the writing, expected at most 1000"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, data: bytes, wanted: str) -> None:
    (tmp_path / "x.inkml").write_bytes(data)
    with pytest.raises(RecognizerError, match="x.inkml: ") as caught:
        read_strokes_signal(tmp_path / "x.inkml", PLAIN)
    assert wanted in str(caught.value) and caught.value.reason


def test_bad_arrays_and_settings_are_refused() -> None:
    for array in (np.zeros((3, 2)), np.zeros((0, 3)), np.zeros(3)):
        with pytest.raises(RecognizerError, match=r"expected \(points, 3\)"):
            strokes_from_array(array, PLAIN)
    with pytest.raises(RecognizerError, match="signal.spacing is 0"):
        StrokeSettings(spacing=0.0)


def test_features_say_how_the_pen_moves() -> None:
    s = 0.05
    points = torch.tensor([[[0.0, 0, 1], [s, 0, 1], [2 * s, 0, 1], [2 * s, -s, 1], [2 * s, -s, 0], [9.0, 9.0, 1]]])
    found, counts = StrokeFeatures(s)(points, torch.tensor([6]))
    assert counts.tolist() == [6]
    rows = [[0, 0, 0, 1, 1, 0], [1, 0, 0, 1, 1, 0], [1, 0, 0, 1, 1, 0], [0, -1, -s, 1, 0, -1], [0, 0, -s, 0, 1, 0]]
    assert torch.allclose(found[0, :5], torch.tensor(rows), atol=1e-5)
    assert float(torch.linalg.vector_norm(found[0, 5, :2])) == pytest.approx(6.0)
    values = torch.from_numpy(of(SLANTED))[None]
    again = StrokeFeatures(s).inverse(StrokeFeatures(s)(values, torch.tensor([values.shape[1]]))[0])
    assert torch.allclose(again, values, atol=1e-4)


def test_an_augmentation_changes_places_alone_and_by_its_generator() -> None:
    points = torch.from_numpy(of(SLANTED, [(20.0, 0.0), (20.0, 10.0)]))[None].repeat(40, 1, 1)
    change = StrokeAugment(StrokeAugmentSettings(share=0.5))
    one, two = (change(points, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two) and torch.equal(one[:, :, 2], points[:, :, 2])
    same = (one == points).flatten(1).all(1)
    assert 10 <= int(same.sum()) <= 30
    assert (one[~same] - points[~same]).abs().max() < 1.5
    for name in ("width", "height", "slant", "slope", "wobble", "jitter"):
        still = dict.fromkeys(("width", "height", "slant", "slope", "wobble", "jitter"), 0.0)
        moved = StrokeAugment(StrokeAugmentSettings(**(still | {name: 0.4})))(points, torch.Generator().manual_seed(4))
        assert not torch.equal(moved, points), name
        assert torch.equal(StrokeAugment(StrokeAugmentSettings(**still))(points, torch.Generator()), points)
    with pytest.raises(RecognizerError, match=r"augment.strokes.wobble is -1"):
        StrokeAugmentSettings(wobble=-1.0)


@pytest.mark.slow
def test_strokes_are_learned_checked_evaluated_and_transcribed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.stroke_corpus(tmp_path, 48, 6)
    store = Store(tmp_path / "packed")
    assert store.header.kind == "strokes" and store.header.signal == {"spacing": 0.05}
    base = tiny.stroke_config(tmp_path / "packed")
    augment = AugmentSettings(strokes=StrokeAugmentSettings(share=0.5))
    config = replace(base, augment=augment, network=replace(base.network, hidden=24))
    kept = tiny.fit(config, tmp_path / "run", max_epochs=40, check_val_every_n_epoch=10)
    assert kept.cer < 0.2
    reader = Reader.load(tmp_path / "run")
    report = evaluate(reader, "run", tmp_path / "packed", "valid", lambda line: None)
    assert report.characters.rate == pytest.approx(kept.cer, abs=1e-9)
    found = check(tmp_path / "packed", CheckSettings(tmp_path / "run" / "model.safetensors"), tmp_path / "shown")
    assert "length (points)" in found.as_table() and "a frame every 8 points" in found.as_table()
    assert len(list((tmp_path / "shown").glob("*.png"))) > 3
    wanted = [reader.transcribe(tmp_path / "files" / f"{i:03}.inkml").text for i in (48, 49)]
    with pytest.raises(SystemExit) as ended:
        main(["transcribe", *(f"{tmp_path}/files/{i:03}.inkml" for i in (48, 49)), "--model", str(tmp_path / "run")])
    assert ended.value.code == 0
    assert [line.partition("\t")[2] for line in capsys.readouterr().out.splitlines()] == wanted


def test_check_measures_by_the_network_that_train_would_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.stroke_corpus(tmp_path, 12, 4)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "packed")])
    shown = capsys.readouterr()
    assert "a frame every 4 points" in shown.out and not shown.err and ended.value.code in (0, 1)


def test_spans_of_strokes_are_numbers_of_points(tmp_path: Path) -> None:
    model = recognizer.load(save_model("strokes", tmp_path / "model.safetensors"))
    (tmp_path / "x.inkml").write_bytes(write_inkml(tiny.flat_strokes("lox-lox", np.random.default_rng(1))))
    line = model.transcribe(tmp_path / "x.inkml")
    points = 2 * (2 + 17 + 4) + 2
    assert line.characters and all(0 <= span.start <= span.end <= points for span in line.characters)


def test_a_kind_that_no_shipped_model_reads_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognizer.reading.transcription.pretrained_models", lambda: ["handwriting"])
    (tmp_path / "x.inkml").write_bytes(write_inkml([[0, 0, 1, 1]]))
    with pytest.raises(SystemExit) as ended:
        main(["transcribe", str(tmp_path / "x.inkml")])
    assert ended.value.code == 2
    assert "x.inkml: pen strokes, which no shipped model reads, expected --model" in capsys.readouterr().err
    model = save_model("handwriting", tmp_path / "model.safetensors")
    with pytest.raises(RecognizerError, match="pen strokes, the model reads handwriting: expected an image of a line"):
        recognizer.load(model).transcribe(tmp_path / "x.inkml")
