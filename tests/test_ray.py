"""Reading by several processes of Ray."""

import os
import signal
from argparse import ArgumentParser
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from makers import line_image, save_model
from terminal import said

COUNT = 24


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    folder = tmp_path / "lines"
    folder.mkdir()
    for i in range(COUNT):
        line_image(f"line {i} of many"[: 6 + i]).save(folder / f"{i:02}.png")
    (folder / "bad.png").write_bytes(b"no image")
    save_model("handwriting", tmp_path / "model.safetensors")
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray", reason="recognizer[ray] is not installed")
    from recognizer.commands.console import terminal
    from recognizer.commands.transcribe import _worker, add_transcribe
    from recognizer.reading.ray_engine import Cluster, on_ray

    model, alone, shared = tmp_path / "model.safetensors", tmp_path / "alone", tmp_path / "shared"
    assert said(capsys, "transcribe", lines, "--model", model, "--out", alone)[0] == 1
    parser = ArgumentParser()
    add_transcribe(parser.add_subparsers(), terminal())
    chosen = parser.parse_args(["transcribe", str(lines), "--model", str(model), "--out", str(shared)])
    told = {name: value for name, value in vars(chosen).items() if name != "act"}
    names, found, killed = [str(path) for path in sorted(lines.iterdir())], Counter[str](), 0
    for made, process in on_ray(partial(_worker, told), names, 2, Cluster(workers=3)):
        found.update({"done": made["done"], "failed": made["failed"]})
        if not killed:
            os.kill(process, signal.SIGKILL)
            killed = process
    assert killed and found == {"done": COUNT, "failed": 1}
    assert texts(shared) == texts(alone) and len(texts(alone)) == COUNT


def test_what_is_there_is_left_out_when_a_run_goes_on(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["transcribe", lines, "--model", tmp_path / "model.safetensors", "--out", tmp_path / "out"]
    assert said(capsys, *words)[0] == 1
    whole = texts(tmp_path / "out")
    (tmp_path / "out" / "03.txt").write_text("read before\n")
    (tmp_path / "out" / "05.txt").unlink()
    code, _, errors = said(capsys, *words, "--resume")
    assert code == 1 and errors.count("\n") == 1 and "bad.png" in errors
    assert texts(tmp_path / "out") == whole | {"03.txt": "read before\n"}
    (lines / "bad.png").unlink()
    assert said(capsys, *words, "--resume") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engine", "ray"], "expected --out with a folder"),
        (["--resume"], "expected --out with a folder"),
        (["--address", "auto"], "--address has no effect without --engine ray"),
    ],
    ids=["ray", "resume", "address"],
)
def test_options_that_would_have_no_effect_are_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = said(capsys, "transcribe", tmp_path, *words)
    assert code == 2 and message in errors
