"""Five pages of PAGE XML go through prepare, check and train as the README says, without another option."""

import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from made_pages import write_page

from recognizer.model.model_file import load_model_file


def write_transcribed(path: Path, number: int) -> None:
    """Write a page of two lines with PAGE XML that says what stands on it."""
    xml = path.with_suffix(".xml")
    for i, line in enumerate(write_page(path, number, lines=2), 1):
        before, after = xml.read_text(encoding="utf-8").split(f'<TextLine id="l{i}">')
        said = f"<TextEquiv><Unicode>{escape(line.text)}</Unicode></TextEquiv>"
        after = after.replace("</TextLine>", f"{said}</TextLine>", 1)
        xml.write_text(f'{before}<TextLine id="l{i}">{after}', encoding="utf-8")


@pytest.mark.slow
def test_five_pages_are_prepared_checked_and_learned(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    for number in range(5):
        write_transcribed(tmp_path / "pages" / f"p{number}", number)
    for words in (
        ["prepare", "pages", "--out", "data/mine"],
        ["check", "data/mine"],
        ["train", "--data.corpus", "data/mine", "--init", "handwriting", "--run", "runs/mine"],
        ["evaluate", "runs/mine", "data/mine"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "recognizer", *words], cwd=tmp_path, capture_output=True, text=True, timeout=1200
        )
        assert (done.returncode, done.stderr) == (0, ""), f"{words[0]}: {done.stdout}{done.stderr}"
        if words[0] == "prepare":
            assert "1 of 5 go to valid, 1 to test" in done.stdout
    assert load_model_file(tmp_path / "runs" / "mine" / "model.safetensors").alphabet.symbols
