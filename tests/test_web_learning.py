"""Learnings of the page in the browser: how they end where the server, or the first model, gives out."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from web_client import serving

from recognizer.errors import RecognizerError
from recognizer.web.drafts import Draft, DraftLine
from recognizer.web.learning import STATE, Corrected, Learning, LearningWish
from recognizer.web.project import ProjectFile


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a learning."""
    made = tmp_path / "20260101-000000"
    made.mkdir()
    return made


def begun(home: Path, process: int, epochs: int = 3, done: int = 0) -> None:
    """Write the record of a learning that a server left at work."""
    state = {"phase": "learning", "lines": 10, "held_back": 2, "epochs": epochs, "init": "m", "process": process}
    (home / STATE).write_text(json.dumps(state))
    (home / "run").mkdir(exist_ok=True)
    rows = ["epoch\tsteps\tloss\tcer\twer\tseconds\tprocessor"]
    rows += [f"{epoch}\t{epoch + 1}\t1.0\t0.5\t0.5\t1.0\t1.0" for epoch in range(done)]
    (home / "run" / "history.tsv").write_text("\n".join(rows) + "\n")


def asleep(*words: str) -> "subprocess.Popen[bytes]":
    """Start a process that is called with these words, and wait until it is."""
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None and process.stdout.readline()
    return process


@pytest.mark.parametrize(("done", "phase"), [(1, "stopped"), (3, "done")])
def test_a_learning_whose_process_ended_while_no_server_watched_has_ended(home: Path, done: int, phase: str) -> None:
    process = asleep(str(home))
    begun(home, process.pid, done=done)
    learning = Learning(home.parent)
    last = learning.last()
    assert last is not None and last.phase == "learning"
    process.kill()
    process.wait()
    last = learning.last()
    assert last is not None and last.phase == phase and not last.going
    assert json.loads((home / STATE).read_text())["phase"] == phase


def test_a_learning_that_outlived_its_server_can_be_stopped(home: Path) -> None:
    process = asleep(str(home))
    begun(home, process.pid)
    last = Learning(home.parent).stop()
    assert last is not None and last.phase == "stopped"
    assert process.wait(timeout=10) < 0


def test_a_process_of_the_same_number_is_left_alone(home: Path) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("no /proc here, which tells what a process is")
    process = asleep("of somebody else")
    begun(home, process.pid)
    last = Learning(home.parent).stop()
    assert last is not None and last.phase == "stopped"
    assert process.poll() is None
    process.kill()
    process.wait()


def corrected() -> Corrected:
    lines = tuple(DraftLine(f"line_{i}", text="a text", state="corrected") for i in range(12))
    return Corrected(ProjectFile("a", "a.png", Path("a.png"), "image"), Draft("a.png", "page", "", lines), lines)


def test_a_first_model_that_nothing_is_learnt_from_is_refused(tmp_path: Path) -> None:
    export = tmp_path / "handwriting.onnx"
    export.write_bytes(b"no model")
    learning = Learning(tmp_path / "learning")
    with pytest.raises(RecognizerError):
        learning.start(LearningWish(), [corrected()], export)
    assert learning.last() is None


def test_what_goes_wrong_on_the_way_is_in_the_record(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(Learning, "_run", fail)
    monkeypatch.setattr("recognizer.web.learning.write_corpus", lambda home, *rest: home.mkdir(parents=True))
    monkeypatch.setattr("recognizer.web.learning._form_of", lambda init: ())
    learning = Learning(home.parent)
    learning.start(LearningWish(), [corrected()], Path("m"))
    until = time.monotonic() + 10
    while (last := learning.last()) and last.going and time.monotonic() < until:
        time.sleep(0.01)
    assert last is not None and last.phase == "failed" and last.fault == "no space left"


def test_a_device_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match=r"device 'foo' cannot be used"), serving(tmp_path, device="foo"):
        pass


def test_drafts_in_a_file_are_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("")
    with pytest.raises(RecognizerError, match=r"drafts: a file, expected a folder"):
        with serving(tmp_path, drafts=tmp_path / "drafts"):
            pass
    assert os.listdir(tmp_path) == ["drafts"]
