"""Tests of the command line's streams: closed, full, of poor encodings; signals; names that no terminal can show."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import soundfile
from makers import line_image, save_model, tone
from terminal import said
from tiny import Run

from recognizer.errors import RecognizerError, printable

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shells and signals are of POSIX")
PRINTS = """
from recognizer.commands.exit_codes import run_and_exit
run_and_exit("program", lambda: print("caf\\u00e9 \\u0153uvre"))
"""
SLEEPS = """
import sys, time
from pathlib import Path
from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import replacing

def program():
    with replacing(Path(sys.argv[1])) as file:
        file.write(b"half")
        print("at work", flush=True)
        for _ in range(600):
            time.sleep(0.1)

run_and_exit("program", program)
"""
COMPLAINS = """
import time
from recognizer.commands.console import terminal
from recognizer.commands.exit_codes import run_and_exit

def program():
    time.sleep(0.3)  # until who would read has gone
    for _ in range(3):
        terminal().complain("an empty file")
    terminal().say("a text")
    return 1

run_and_exit("program", program)
"""
FAILS = """
from recognizer.commands.exit_codes import run_and_exit

def program():
    raise {error}

run_and_exit("program", program)
"""


def call(code: str, shell: str = "", encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    """Run Python code under a shell, `shell` behind the command."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CODE": code, "PYTHONIOENCODING": encoding}
    command = f'"{sys.executable}" -c "$CODE" {shell}'
    return subprocess.run(["bash", "-c", command], capture_output=True, env=environment, check=False)


def test_an_encoding_that_has_all_characters_is_left_alone() -> None:
    done = call(PRINTS, encoding="iso8859-15")
    assert (done.returncode, done.stdout, done.stderr) == (0, "café œuvre\n".encode("iso8859-15"), b"")


@pytest.mark.parametrize(
    "encoding, out, lacking",
    [
        ("ascii", b"caf\\xe9 \\u0153uvre\n", b"2 characters (U+00E9 U+0153)"),
        ("latin-1", b"caf\xe9 \\u0153uvre\n", b"1 "),
    ],
)
def test_what_an_encoding_lacks_is_escaped_and_said(encoding: str, out: bytes, lacking: bytes) -> None:
    done = call(PRINTS, encoding=encoding)
    assert (done.returncode, done.stdout) == (1, out)
    assert done.stderr.count(b"\n") == 1 and lacking in done.stderr and b"PYTHONIOENCODING=utf-8" in done.stderr


@pytest.mark.parametrize("shell, fault", [(">&-", b"Bad file descriptor"), (">/dev/full", b"No space left on device")])
def test_an_output_that_takes_nothing_is_said(shell: str, fault: bytes) -> None:
    done = call(PRINTS, shell)
    assert done.returncode == 2
    assert done.stderr == b"program: standard output cannot be written (" + fault + b")\n"


def test_closed_streams_that_nobody_needs_do_no_harm() -> None:
    quiet = "from recognizer.commands.exit_codes import run_and_exit; run_and_exit('program', lambda: 1)"
    assert call(quiet, "<&- >&- 2>&-").returncode == 1
    assert call(PRINTS, "<&- 2>&-").returncode == 0


@pytest.mark.parametrize("shell", ["2>&-", "2>/dev/full", "2> >(true)"])
def test_what_nobody_hears_does_not_end_the_work(shell: str) -> None:
    done = call(COMPLAINS, shell)
    assert (done.returncode, done.stdout) == (1, b"a text\n")


@pytest.mark.parametrize(
    "error, fault",
    [
        ("MemoryError()", b"not enough memory"),
        ("RuntimeError('DefaultCPUAllocator: can\\'t allocate memory: you tried 3 TB')", b"not enough memory"),
        ("RuntimeError('DataLoader worker is killed by signal: Bus error.')", b"/dev/shm"),
        ("ImportError('libtorch_cpu.so: failed to map segment from shared object')", b"not enough memory"),
        ("OSError(12, 'Cannot allocate memory')", b"not enough memory"),
        ("ModuleNotFoundError('No module named \\'torch\\'', name='torch')", b"takes the package torch"),
        ("OSError(13, 'Permission denied', 'x.png')", b"x.png: Permission denied"),
    ],
)
def test_a_machine_at_its_end_is_said_in_one_line(error: str, fault: bytes) -> None:
    done = call(FAILS.format(error=error))
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1) and fault in done.stderr


def test_the_program_at_fault_is_a_traceback() -> None:
    done = call(FAILS.format(error="RuntimeError('expected 3 axes')"))
    assert done.returncode == 70 and b"Traceback" in done.stderr and b"expected 3 axes" in done.stderr


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_with_one_line_and_leaves_nothing(number: int, code: int, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", SLEEPS, str(tmp_path / "file")]
    program = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert program.stdout is not None and program.stdout.readline() == b"at work\n"
    program.send_signal(number)
    _, err = program.communicate(timeout=30)
    assert (program.returncode, err) == (code, b"program: stopped\n")
    assert list(tmp_path.iterdir()) == []


def test_what_the_caller_has_set_to_be_ignored_is_ignored(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CODE": SLEEPS}
    command = f'trap "" INT; exec "{sys.executable}" -c "$CODE" {tmp_path / "file"}'
    program = subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, env=environment)
    assert program.stdout is not None and program.stdout.readline() == b"at work\n"
    program.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert program.poll() is None
    program.send_signal(signal.SIGTERM)
    assert program.wait(30) == 143


def test_a_message_shows_what_a_terminal_cannot() -> None:
    assert str(RecognizerError("a\nb\x1b[2J \udcff é")) == "a b\\x1b[2J \\udcff é"
    assert printable("œ\u200b") == "œ\\u200b"


@pytest.mark.slow
def test_names_of_files_that_are_no_text_are_printed_as_they_are(tmp_path: Path) -> None:
    names = [os.fsdecode(b"caf\xe9.png"), "tab\tand\nline.png"]
    for name in names:
        line_image().save(tmp_path / "line.png")
        (tmp_path / "line.png").rename(tmp_path / name)
    model = save_model("handwriting", tmp_path / "model")
    code = "from recognizer.cli import main; main()"
    done = call(code, f"transcribe --model {model} {tmp_path}/caf*.png {tmp_path}/tab*.png")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith(os.fsencode(tmp_path) + b"/caf\xe9.png\t")
    assert second.startswith(os.fsencode(tmp_path) + b"/tab\\tand\\nline.png\t")


def test_texts_of_files_whose_names_are_no_utf_8_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"la\xe9")
    image, sound = tmp_path / f"{name}.png", tmp_path / f"{name}.wav"
    with image.open("wb") as file:
        line_image().save(file, "PNG")
    with sound.open("wb") as file:
        soundfile.write(file, tone(1.0), 16000, format="WAV")
    written, model = tmp_path / "out", save_model("handwriting", tmp_path / "model")
    read = ("transcribe", image, "--model", model)
    for form in ("page", "alto", "hocr", "json"):
        assert said(capsys, *read, "--format", form, "--out", written) == (0, "", "")
    for form in ("page.xml", "alto.xml", "hocr"):
        text = (written / f"{name}.{form}").read_text(encoding="utf-8")
        assert "la\\udce9.png" in text and ElementTree.fromstring(text.partition("\n")[2]) is not None
    made = (written / f"{name}.json").read_bytes()
    assert json.loads(made.decode())["file"] == str(image)
    code, out, _ = said(capsys, *read, "--json")
    assert code == 0 and out.encode() == made
    words = ("transcribe", sound, "--model", save_model("speech", tmp_path / "speech"), "--format", "ctm")
    assert said(capsys, *words, "--out", written)[0] == 0
    assert {row.split()[0] for row in (written / f"{name}.ctm").read_bytes().splitlines()} <= {b"la\xe9"}


@pytest.mark.slow
def test_a_pipe_named_as_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "line.png")
    model = save_model("handwriting", tmp_path / "model")
    code = "from recognizer.cli import main; main()"
    done = call(code, f"transcribe --model {model} {tmp_path}/line.png")
    assert done.returncode == 2
    assert b"line.png: " in done.stderr and b", or - for standard input" in done.stderr


def test_files_are_written_though_nobody_reads_the_report(line_run: Run, lines: Path, tmp_path: Path) -> None:
    model = line_run.folder / "model.safetensors"
    files = [tmp_path / "a.json", tmp_path / "a.tsv"]
    words = ["evaluate", model, lines, "--split", "valid", "--json", files[0], "--out", files[1]]
    call = [sys.executable, "-m", "recognizer", *map(str, words)]
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout and program.stderr
        program.stdout.close()
        assert program.wait() == 2, program.stderr.read()
    assert all(path.stat().st_size for path in files)


def test_a_channel_of_what_has_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    line_image("a line").save(tmp_path / "a.png")
    code, out, err = said(capsys, "transcribe", tmp_path / "a.png", "--model", model, "--channel", 2)
    assert code == 0 and out and err == f"{tmp_path / 'a.png'}: an image of a line, on which --channel has no effect\n"
