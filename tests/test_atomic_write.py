"""Tests of writing whole or not at all: links, devices, rights, what killed writers leave."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from recognizer.common.atomic_write import LONGEST, clean_leftovers, replacing, write_atomically
from recognizer.errors import RecognizerError

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, rights and locks are of POSIX")
WRITER = """
import sys, time
from pathlib import Path
from recognizer.common.atomic_write import replacing

with replacing(Path(sys.argv[1])) as file:
    file.write(b"half of it")
    file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def started_writer(path: Path) -> subprocess.Popen[str]:
    """Return a process that is in the middle of writing `path`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", WRITER, str(path)]
    writer = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
    return writer


def test_without_locks_a_file_is_closed_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.replace

    def replace(here: str, there: Path) -> None:
        if not file.closed:
            raise PermissionError(13, "The process cannot access the file")  # as Windows says
        rename(here, there)

    monkeypatch.setattr("recognizer.common.atomic_write.fcntl", None)
    monkeypatch.setattr(os, "replace", replace)
    with replacing(tmp_path / "file") as file:
        file.write(b"all of it")
    assert names(tmp_path) == ["file"] and (tmp_path / "file").read_bytes() == b"all of it"


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link, dangling = tmp_path / "real" / "file", tmp_path / "link", tmp_path / "dangling"
    real.write_bytes(b"old")
    link.symlink_to(Path("real") / "file")
    dangling.symlink_to(Path("real") / "later")
    write_atomically(link, b"new")
    write_atomically(dangling, b"first")
    assert link.is_symlink() and real.read_bytes() == b"new"
    assert dangling.is_symlink() and (tmp_path / "real" / "later").read_bytes() == b"first"
    assert names(tmp_path / "real") == ["file", "later"]


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    with replacing(pipe) as file:
        file.write(b"-----")
        file.seek(0)  # what writes goes back and forth, as a packed corpus does
        file.write(b"12")
    reader.join(10)
    assert found == [b"12---"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_stays_a_device() -> None:
    write_atomically(Path("/dev/null"), b"anything")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_by_name_gets_the_bytes_behind_what_was_printed(name: str, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/stdout")
    path = str(link) if name == "link" else name
    code = f"""
from pathlib import Path
from recognizer.common.atomic_write import write_atomically
print("first")
write_atomically(Path({path!r}), b"second\\n")
print("third")
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open(tmp_path / "out", "wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True, env=environment)
    assert (tmp_path / "out").read_text() == "first\nsecond\nthird\n"
    assert names(tmp_path) == ["link", "out"]


@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_rights_that_the_umask_leaves_and_an_old_one_keeps_its_own(
    mask: int, mode: int, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    before = os.umask(mask)
    try:
        write_atomically(path, b"1")
        assert stat.S_IMODE(path.stat().st_mode) == mode
        path.chmod(0o640)
        write_atomically(path, b"2")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and path.read_bytes() == b"2"


def test_what_a_killed_writer_left_is_cleaned_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "corpus.pack"
    (tmp_path / ".corpus.pack.0123abcd.part").write_bytes(b"of an earlier version")
    (tmp_path / ".corpus.pack.notes.part").write_bytes(b"not ours")
    writer = started_writer(path)
    assert len(names(tmp_path)) == 2  # the writer has cleaned too
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert len(names(tmp_path)) == 2
    write_atomically(path, b"whole")
    assert names(tmp_path) == [".corpus.pack.notes.part", "corpus.pack"]


def test_what_a_living_writer_writes_is_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "corpus.pack"
    writer = started_writer(path)
    try:
        assert clean_leftovers(path) == [] and len(names(tmp_path)) == 1
        with replacing(path) as file:
            file.write(b"in this process")
            assert clean_leftovers(path) == []
        assert len(names(tmp_path)) == 2
    finally:
        writer.kill()
        writer.wait()
    assert len(clean_leftovers(path)) == 1 and path.read_bytes() == b"in this process"


def test_a_writer_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "file") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["x" * LONGEST, "\u5b57" * 80 + ".txt", "a" + "\u00e9" * 127])
def test_the_longest_names_of_the_file_system_can_be_written(name: str, tmp_path: Path) -> None:
    write_atomically(tmp_path / name, b"1")
    assert names(tmp_path) == [name]


def test_a_circle_of_links_and_a_name_that_is_too_long_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path in (tmp_path / "a", tmp_path / ("x" * (LONGEST + 1))):
        with pytest.raises(RecognizerError, match="cannot be written"):
            write_atomically(path, b"1")


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    path, failed = tmp_path / "file", []

    def write(number: int) -> None:
        try:
            for _ in range(30):
                write_atomically(path, bytes([number]) * 1000)
        except RecognizerError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0)
    assert failed == [] and names(tmp_path) == ["file"] and len(set(path.read_bytes())) == 1
