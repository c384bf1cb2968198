"""Learnings of the page in the browser: how they end where the server, or the first model, gives out."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from makers import save_model
from terminal import said
from web_client import serving

from recognizer.common.folder_lock import locked_folder
from recognizer.errors import RecognizerError
from recognizer.web.app import ServerSettings, app_alone
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


def test_the_end_of_a_server_leaves_a_learning_alone_that_may_be_anothers(tmp_path: Path) -> None:
    home = tmp_path / "letters.drafts" / "learning" / "20260101-000000"
    home.mkdir(parents=True)
    (tmp_path / "letters").mkdir()
    process = asleep(str(home))
    begun(home, process.pid)
    with serving(tmp_path / "letters"):
        pass
    assert process.poll() is None and Learning(home.parent).last().phase == "learning"  # type: ignore[union-attr]
    with serving(tmp_path / "letters", alone=True):
        pass
    assert process.wait(timeout=10) < 0, "a server before this one has begun it"


def test_the_model_of_an_earlier_learning_stays_where_the_last_has_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(home, 0)
    (home / "run" / "model.safetensors").write_bytes(b"a model")
    monkeypatch.setattr(Learning, "_run", lambda *given: 2)
    monkeypatch.setattr("recognizer.web.learning.write_corpus", lambda home, *rest: home.mkdir(parents=True))
    monkeypatch.setattr("recognizer.web.learning._form_of", lambda init: ())
    learning = Learning(home.parent)
    for _ in range(3):  # in less than a second
        learning.start(LearningWish(kind="speech"), [corrected()], Path("m"))
        last = learning.stop()
    assert last is not None and last.kind == "speech" and last.phase in ("failed", "stopped")
    assert (last.model, last.model_kind) == (str(home / "run" / "model.safetensors"), "handwriting")
    names = sorted(os.listdir(home.parent))
    assert len(names) == 4 and names[0] == home.name and all(name.endswith("Z") for name in names[1:])
    (home.parent / names[-1] / "run").mkdir()
    (home.parent / names[-1] / "run" / "model.safetensors").write_bytes(b"a newer model")
    (home.parent / "29990101-000000").mkdir()  # of local time, before names were of UTC
    begun(home.parent / "29990101-000000", 0)
    last = learning.last()
    assert last is not None and names[-1] in last.model and last.model_kind == "speech"


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


def test_a_second_server_of_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letters").mkdir()
    drafts = tmp_path / "letters.drafts"
    holder = "import sys, time; from pathlib import Path; from recognizer.common.folder_lock import locked_folder\n"
    holder += "with locked_folder(Path(sys.argv[1])):\n    print(flush=True)\n    time.sleep(60)"
    command = [sys.executable, "-c", holder, str(drafts)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None and process.stdout.readline()
    code, _, err = said(capsys, "serve", tmp_path / "letters", "--port", "0")
    process.kill()
    process.wait()
    if os.name == "posix":
        assert code == 2 and err.count("\n") == 1
        assert f"{drafts}: another server keeps its drafts there (process {process.pid})" in err
    with locked_folder(drafts):
        assert drafts.is_dir()
    assert not drafts.exists(), "nothing came of it"


def test_a_folder_that_cannot_be_locked_is_said_and_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(folder))

    monkeypatch.setattr("recognizer.web.app.locked_folder", refuse)
    lines: list[str] = []
    with app_alone(ServerSettings((tmp_path,)), lines.append):
        pass
    assert len(lines) == 1 and f"{tmp_path}.drafts: cannot be locked (Read-only file system)" in lines[0]


def test_a_model_that_was_used_is_read_with_after_a_restart(tmp_path: Path) -> None:
    def model_of(**more: Any) -> str:
        lines.clear()
        with serving(folder, device="cpu", complain=lines.append, **more) as client:
            return str(client.get("/api/project").json()["models"]["lines"]["name"])

    folder, lines = tmp_path / "letters", list[str]()
    folder.mkdir()
    home = tmp_path / "letters.drafts" / "learning" / "20260101-000000"
    (home / "run").mkdir(parents=True)
    begun(home, 0)
    model = save_model("handwriting", home / "run" / "model.safetensors")
    with serving(folder, device="cpu") as client:
        assert client.post("/api/learning/use", headers={"origin": "http://127.0.0.1"}).status_code == 200
    assert model_of() == "model"
    assert lines == [f"lines are read with {model}, as before; --model-lines handwriting takes the shipped one"]
    assert model_of(models={"handwriting": "handwriting"}) == "handwriting" and not lines
    assert model_of(drafts=(tmp_path / "letters.drafts").rename(tmp_path / "other")) == "model", "the folder may move"
    (tmp_path / "other" / "learning" / home.name / "run" / "model.safetensors").unlink()
    assert model_of(drafts=tmp_path / "other") == "handwriting"
    assert len(lines) == 1 and "lines are read with the shipped model as long as no other is chosen" in lines[0]
    (tmp_path / "other" / "learning" / "used.json").write_text("{")
    assert model_of(drafts=tmp_path / "other") == "handwriting" and "no record of the models in use" in lines[0]
