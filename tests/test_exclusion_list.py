"""Samples that `evaluate --without` leaves out by name."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from terminal import code_of
from tiny import Run, draw_line

from recognizer.cli import main
from recognizer.evaluation.evaluate import evaluate
from recognizer.evaluation.metrics import total
from recognizer.reading.reader import Reader

CARD = Path(__file__).resolve().parents[1] / "datasets" / "hooker"


def ask(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


def test_the_rates_are_those_of_the_others_and_the_report_says_how_many_are_missing(
    line_run: Run, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = evaluate(Reader.load(line_run.folder), "tiny", lines, "valid", print)
    gone, *others = sorted(whole.scored, key=lambda one: -one.characters.total)
    names = tmp_path / "bad.txt"
    names.write_text(f"# cut at a wrong place\n\n{Path(gone.name).name}\n{gone.name}\n")
    out = tmp_path / "report.json"
    capsys.readouterr()
    code = ask("evaluate", line_run.folder, lines, "--split", "valid", "--without", names, "--json", out)
    assert code == 0
    assert f"left out, named in {names}: 1" in capsys.readouterr().out.splitlines()
    data = json.loads(out.read_text())
    assert data["samples"] == len(others) and data["left_out"] == {"by": str(names), "samples": 1}
    assert data["cer"] == total(one.characters for one in others).rate != whole.characters.rate
    assert data["wer"] == total(one.words for one in others).rate


def test_the_names_of_a_table_of_readings_are_those_of_the_files(line_run: Run, tmp_path: Path) -> None:
    source, names = tmp_path / "lines", ["two  spaces", "Shot 10.02\u202fAM", "a\xa0b", "tab\tand\nline", r"back\t"]
    source.mkdir()
    for name in [*names, os.fsdecode(b"caf\xe9"), "kept"]:
        draw_line("lox", np.random.default_rng(1)).save(source / "line.png")
        (source / "line.png").rename(source / f"{name}.png")
        (source / f"{name}.gt.txt").write_text("lox")
    assert code_of("prepare", source, "--out", tmp_path / "packed", "--height", 16) == 0
    words = ("evaluate", line_run.folder, tmp_path / "packed", "--split", "all")
    assert code_of(*words, "--out", tmp_path / "all.tsv") == 0
    listed = [row.split("\t")[0] for row in (tmp_path / "all.tsv").read_text(encoding="utf-8").split("\n")[1:-1]]
    assert {str(source / f"{name}.png") for name in names[:3]} < set(listed) and len(listed) == 7
    (tmp_path / "bad.txt").write_text("\n".join(one for one in listed if "kept" not in one), encoding="utf-8")
    assert code_of(*words, "--without", tmp_path / "bad.txt", "--json", tmp_path / "report.json") == 0
    data = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert data["samples"] == 1 and data["left_out"]["samples"] == 6


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# first\nnowhere.png\n", r"bad.txt:2: no sample of \S+ is called 'nowhere.png'"),
        ("# nothing\n", r"bad.txt: names no sample of the split, expected some of its \d+"),
        ("ALL", r"bad.txt: names all samples of the split, expected some of its \d+"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(
    text: str,
    complaint: str,
    line_run: Run,
    lines: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if text == "ALL":
        whole = evaluate(Reader.load(line_run.folder), "tiny", lines, "valid", print)
        text = "\n".join(one.name for one in whole.scored)
    (tmp_path / "bad.txt").write_text(text)
    capfd.readouterr()
    assert ask("evaluate", line_run.folder, lines, "--split", "valid", "--without", tmp_path / "bad.txt") != 0
    assert re.search(complaint, capfd.readouterr().err)


def test_what_is_known_to_be_miscut_in_hooker_are_test_lines(shared: Path) -> None:
    table = (shared / "corpora" / "hooker" / "transcripts.tsv").read_text(encoding="utf-8").splitlines()
    split = {line.split("\t")[0]: line.split("\t")[1] for line in table}
    listed = [line for line in (CARD / "miscut.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(listed) == len(set(listed)) == 72
    assert {split[name] for name in listed} == {"test"}
