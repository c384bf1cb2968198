"""Reports that show: pages of one file each, and the table of all readings."""

import csv
import io
import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny
from PIL import Image
from terminal import code_of, said

from recognizer.commands.progress import Progress
from recognizer.reports.charts import Chart

VOID = {"meta", "img", "input", "br", "link", "circle", "polyline", "line", "rect"}


class Page(HTMLParser):
    """A page with its tables, texts, and whatever it would load from elsewhere."""

    def __init__(self, path: Path) -> None:
        """Read the file `path`; every element that is opened is closed."""
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.words = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        if tag not in VOID:
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words += data

    def __contains__(self, text: str) -> bool:
        """Return whether the page shows a text."""
        return text in self.words


@pytest.mark.parametrize("kind", ["line", "sound"])
def test_an_evaluation_is_a_page_with_all_that_it_shows_inside(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, corpus = request.getfixturevalue(f"{kind}_run"), request.getfixturevalue(f"{kind}s")
    words = ("evaluate", run.folder, corpus, "--split", "valid")
    code, out, err = said(capsys, *words, "--html", tmp_path / "page.html", "--out", tmp_path / "all.tsv")
    assert code == 0 and not err
    page = Page(tmp_path / "page.html")
    rate = re.search(r"CER +([\d.]+%)", out)
    assert rate and rate[1] in page
    assert all(source.startswith("data:") for source in page.sources) and page.sources
    media = "data:image/webp" if kind == "line" else "data:audio/wav"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.tsv").read_text()), delimiter="\t"))
    assert page.source.count(media) == len(rows) > 0
    for title in ("Confusions", "The alphabet", "Left out"):
        assert title in page
    edits = sum(int(row["edits"]) for row in rows)
    assert f"{edits} of {sum(int(row['symbols']) for row in rows)}" in page
    assert edits == sum(int(row["substituted"]) + int(row["deleted"]) + int(row["inserted"]) for row in rows)
    assert all(row["reference"] and 0 <= float(row["confidence"]) <= 1 for row in rows)


def test_text_that_looks_like_html_stays_text(tmp_path: Path) -> None:
    from recognizer.reports.html_page import write_page

    values = {"title": "<script>alert(1)</script>", "run": "a&b", "epochs": 1, "minutes": 1.0, "charts": []}
    values |= {"best": {"epoch": 1, "cer": 0.1, "wer": 0.2}, "last": {"loss": 1.0, "cer": 0.1, "steps": "3"}}
    row = {"media": None, "said": "<b>", "read": "<i>", "name": "<img>"}
    write_page(tmp_path / "page.html", "training.html", {**values, "samples": [row]})
    page = Page(tmp_path / "page.html")
    assert "<b>" in page and "<img>" in page
    assert "<script>alert(1)" not in page.source


def test_the_minutes_of_a_run_are_those_of_its_last_row_which_counts_from_the_beginning(tmp_path: Path) -> None:
    from recognizer.reports.training_page import write_training
    from recognizer.training.history import Validation

    history = [Validation(0, 9, 2.0, 0.5, 0.9, 60.0, 50.0), Validation(1, 18, 1.0, 0.4, 0.8, 120.0, 99.0)]
    write_training(tmp_path, history, [])
    assert "2 epochs, 18 steps, 2.0 minutes" in Page(tmp_path / "report.html")


def test_two_models_are_compared_on_a_page(
    line_run: tiny.Run, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = line_run.folder.parent / "first.safetensors"
    words = ("compare", line_run.folder, first, lines, "--split", "valid", "--html", tmp_path / "page.html")
    code, _, _ = said(capsys, *words)
    page = Page(tmp_path / "page.html")
    assert code == 0 and "Better with the second" in page and "Worse" in page and "difference" in page


def test_a_check_shows_what_is_suspect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "lines"
    source.mkdir()
    for name, text in (("good", "lox"), ("blank", "xol")):
        image = tiny.draw_line(text, np.random.default_rng(1)) if name == "good" else Image.new("L", (60, 16), 250)
        image.save(source / f"{name}.png")
        (source / f"{name}.gt.txt").write_text(text)
    said(capsys, "prepare", source, "--out", tmp_path / "packed", "--height", 16)
    code, out, _ = said(capsys, "check", tmp_path / "packed", "--html", tmp_path / "page.html")
    page = Page(tmp_path / "page.html")
    assert "blank image" in out and "blank image" in page and str(source / "blank.png") in page
    assert page.source.count("data:image/webp") >= 1 and code in (0, 1)


def test_reports_name_files_whose_names_are_no_utf_8(line_run: tiny.Run, tmp_path: Path) -> None:
    source = tmp_path / "lines"
    source.mkdir()
    for text in ("lox", "xol"):
        tiny.draw_line(text, np.random.default_rng(1)).save(source / "line.png")
        (source / "line.png").rename(source / os.fsdecode(text.encode() + b"\xe9.png"))
        (source / os.fsdecode(text.encode() + b"\xe9.gt.txt")).write_text(text)
    code_of("prepare", source, "--out", tmp_path / "packed", "--height", 16)
    reports = [tmp_path / f"{name}.json" for name in ("evaluation", "comparison", "check")]
    words = (line_run.folder, tmp_path / "packed", "--split", "all", "--json", reports[0])
    assert code_of("evaluate", *words) == 0
    names = {one["name"] for one in json.loads(reports[0].read_text(encoding="utf-8"))["readings"]}
    assert names == {str(path) for path in source.glob("*.png")}
    assert code_of("compare", reports[0], *words[:-1], reports[1]) == 0
    assert json.loads(reports[1].read_text(encoding="utf-8"))["samples"] == 2
    Image.new("L", (60, 16), 250).save(source / "blank.png")
    (source / "blank.png").rename(source / os.fsdecode(b"lox\xe9.png"))
    code_of("prepare", source, "--out", tmp_path / "packed", "--height", 16)
    code_of("check", tmp_path / "packed", "--json", reports[2])
    assert r"lox\\udce9.png" in reports[2].read_text(encoding="utf-8"), "as a message shows it"


def test_a_run_has_a_page_that_grows_with_it(lines: Path, tmp_path: Path) -> None:
    tiny.fit(tiny.line_config(lines), tmp_path / "run", max_epochs=3)
    page = Page(tmp_path / "run" / "report.html")
    assert "3 epochs" in page and page.source.count("<circle") == 3 and page.source.count("data:image/webp") >= 4


def test_a_finished_run_is_calibrated_and_says_what_comes_next(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from recognizer.model.model_file import read_header

    code, out, err = said(capsys, "train", *tiny.words(lines, tmp_path / "run", trainer__max_epochs=2))
    assert code == 0 and "recognizer evaluate" in out and "confidences calibrated on " in out
    assert read_header(tmp_path / "run" / "model.safetensors")["calibration"]
    assert "it/s" not in err, "no bar where nobody looks"
    words = tiny.words(lines, tmp_path / "plain", trainer__max_epochs=1, calibrate="false")
    code, out, _ = said(capsys, "train", *words)
    assert code == 0 and "calibrated" not in out
    assert not read_header(tmp_path / "plain" / "model.safetensors")["calibration"]


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        """Say that somebody looks."""
        return True


@pytest.mark.parametrize(("stream", "quiet", "shown"), [(Terminal(), False, True), (Terminal(), True, False),
                                                        (io.StringIO(), False, False)])  # fmt: skip
def test_progress_is_shown_on_a_terminal_and_nowhere_else(
    stream: io.StringIO, quiet: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress("samples", quiet)
    for done in (1, 50, 100):
        progress(done, 100)
    assert ("samples" in stream.getvalue()) == shown
    if not shown:
        assert stream.getvalue() == ""


def test_of_an_unknown_whole_what_is_done_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress("MiB")
    for done in (1, 3):
        progress(done, 0)
    assert "MiB" in stream.getvalue() and "%" not in stream.getvalue() and progress.bar is not None
    progress(3, 3)
    assert progress.bar is None


def test_a_long_recording_shows_a_bar_on_a_terminal(
    sound_run: tiny.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognizer.reading.opening.is_long", lambda *_: True)
    sound = np.concatenate([tiny.play("abba", np.random.default_rng(1)), np.zeros(tiny.RATE * 9)])
    soundfile.write(tmp_path / "long.wav", sound, tiny.RATE)
    call = ("transcribe", tmp_path / "long.wav", "--model", sound_run.folder, "--out", tmp_path / "texts")
    monkeypatch.setattr("recognizer.commands.progress.sys.stderr.isatty", lambda: True, raising=False)
    code, _, err = said(capsys, *call)
    assert code == 0 and " seconds/s" in err and "read in 1 piece" in err
    call = (*call[:-1], tmp_path / "quiet")
    code, _, err = said(capsys, *call, "--quiet")
    assert " seconds/s" not in err


def test_every_verb_can_be_quiet(lines: Path, line_run: tiny.Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "evaluate", line_run.folder, lines, "--split", "valid", "--quiet")
    assert code == 0 and "CER" in out and err == ""
    code, _, err = said(capsys, "lm", "build", "--quiet", "--help")
    assert code == 0 and err == ""


def test_a_chart_places_what_it_draws() -> None:
    chart = Chart("x", "y", 10.0, 1.0, size=(110, 110)).line([(0.0, 0.0), (10.0, 1.0)]).dots([(5.0, 0.5)], ["a & b"])
    svg = chart.svg()
    assert 'points="58.0,66.0 84.0,14.0"' in svg and 'cx="71.0" cy="40.0"' in svg and "a &amp; b" in svg
