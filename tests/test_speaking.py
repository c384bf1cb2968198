"""Sentences spoken by any engine with a command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from recognizer.corpus.recipes import load_recipe

ROOT = Path(__file__).parents[1]
ENGINE = """
import sys, numpy, soundfile
text = open(sys.argv[1], encoding="utf-8").read().strip()
soundfile.write(sys.argv[2], 0.3 * numpy.sin(numpy.arange(800 * len(text)) * float(sys.argv[3])), 22050)
"""
TEXT = "He came home late.\nIn 1871 it fell.\nA café, no more.\nShe said so herself.\nShort\n"


def say(folder: Path, voices: str, out: str = "out") -> subprocess.CompletedProcess[str]:
    (folder / "engine.py").write_text(ENGINE)
    (folder / "voices.tsv").write_text(voices.replace("ENGINE", f"{sys.executable} {folder}/engine.py"))
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    words = ["--voices", "voices.tsv", "--text", "text.txt", "--count", "9", "--seed", "2", "--out", out]
    command = [sys.executable, str(ROOT / "scripts" / "speak_sentences.py"), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
def test_a_recipe_reads_what_voices_said(tmp_path: Path) -> None:
    voices = "low\t1\tENGINE {text} {out} 0.1\nhigh\t1\tENGINE {text} {out} 0.3\n"
    assert say(tmp_path, voices).returncode == 0
    samples = load_recipe("voices").read(tmp_path / "out").samples
    assert len(samples) == 9 and {sample.group for sample in samples} == {"low", "high"}
    assert {sample.text for sample in samples} == {"He came home late.", "She said so herself."}
    (tmp_path / "out" / "audio" / "2-000003.flac").unlink()
    kept = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    assert say(tmp_path, voices).returncode == 0
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert say(tmp_path, voices, "again").returncode == 0
    for path in (tmp_path / "out" / "audio").iterdir():
        assert (tmp_path / "again" / "audio" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("voices", "wanted"),
    [
        ("low 1 ENGINE", "voices.tsv:1: expected NAME, SHARE, COMMAND"),
        ("low\t1\tENGINE {text}", "voices.tsv:1: "),
        ("low\t0\tENGINE {text} {out}", "no voice that ever speaks"),
        ("low\t1\tENGINE {text}", "expected a command with {text} and {out}"),
        ("low\t1\tno-such-engine {text} {out}", "voice low: no-such-engine"),
        ("low\t1\tENGINE {text} {out} loud", "voice low: exit code 1"),
    ],
)
def test_a_fault_is_one_line(tmp_path: Path, voices: str, wanted: str) -> None:
    done = say(tmp_path, voices)
    assert done.returncode == 2 and wanted in done.stderr and done.stderr.count("\n") == 1
