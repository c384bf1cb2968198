"""A file that an option names is replaced by one of its own form alone."""

import gzip
from pathlib import Path

import pytest
import tiny
from makers import save_model
from terminal import said

from recognizer.commands.output_file import LANGUAGE_MODEL, MODEL, NAMES, PAGE, REPORT, TABLE, refuse_foreign
from recognizer.errors import RecognizerError
from recognizer.pretrained import FOLDER

TEXT = b"the cat sat\n" * 300
OWN = {
    REPORT: b'{\n "model": "m"\n}\n',
    PAGE: b"<!doctype html>\n<html>",
    TABLE: b"file\tgroup\treference\treading\tconfidence\n",
    LANGUAGE_MODEL: b"\\data\\\nngram 1=2\n",
}


@pytest.mark.parametrize("form", [REPORT, PAGE, TABLE, NAMES, LANGUAGE_MODEL, MODEL])
def test_what_is_of_another_form_stays(form: str, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    refuse_foreign("--out", path, form)  # nothing is there
    path.write_bytes(b"")
    refuse_foreign("--out", path, form)
    refuse_foreign("--out", Path("/dev/null"), form)
    for data in (TEXT, gzip.compress(TEXT), b'{"file": "a.png", "text": "a"}\n', b"file\ttext\na.png\ta\n"):
        path.write_bytes(data)
        with pytest.raises(RecognizerError, match=r"^--out .*mine: is there already.*, expected another name$"):
            refuse_foreign("--out", path, form)
    with pytest.raises(RecognizerError, match="shipped models"):
        refuse_foreign("--out", FOLDER / "new", form)


@pytest.mark.parametrize("form", OWN)
def test_what_is_of_the_same_form_is_replaced(form: str, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    for data in (OWN[form], gzip.compress(OWN[form])) if form == LANGUAGE_MODEL else (OWN[form],):
        path.write_bytes(data)
        refuse_foreign("--out", path, form)


def test_a_model_takes_the_place_of_a_model(tmp_path: Path) -> None:
    refuse_foreign("--out", save_model("handwriting", tmp_path / "m.safetensors"), MODEL)


def test_a_language_model_is_not_written_over_its_own_text_or_a_shipped_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "t.txt"
    text.write_bytes(TEXT)
    for out, word in ((text, "is not a language model"), (FOLDER / "en-words.lm", "shipped models")):
        before = out.read_bytes()
        code, shown, err = said(capsys, "lm", "build", text, "--order", 2, "--out", out)
        assert (code, shown) == (2, "") and word in err and out.read_bytes() == before


@pytest.mark.parametrize("option", ["--json", "--html", "--out"])
def test_a_report_is_not_written_over_the_corpus(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_model("handwriting", tmp_path / "m.safetensors")
    corpus = tiny.line_corpus(tmp_path, train=2, valid=1) / "corpus.pack"
    before = corpus.read_bytes()
    code, shown, err = said(capsys, "evaluate", model, corpus.parent, "--split", "valid", option, corpus)
    assert (code, shown) == (2, "") and "is there already and is not" in err
    assert corpus.read_bytes() == before
