"""Tests of the verb compare: two reports or two models, the same samples, in pairs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from terminal import said

from recognizer.errors import RecognizerError
from recognizer.evaluation.compare import Readings, ScoredSample, compare, comparison_lines
from recognizer.reports.comparison_page import write_comparison

if TYPE_CHECKING:
    from tiny import Run


def readings(model: str, edits: list[int], groups: int = 12) -> Readings:
    """Return readings of samples of ten characters in two words, dealt out to groups."""
    samples = [
        ScoredSample(f"{i}.png", f"writer {i % groups}", "abcd efghi", "", n, 10, min(n, 2), 2)
        for i, n in enumerate(edits)
    ]
    return Readings(model, "c", "test", "character", samples)


def test_what_differs_is_said_with_its_interval() -> None:
    found = compare(readings("a", [2] * 48, 24), readings("b", [1] * 48, 24))
    assert (found.characters.rate, found.characters.certain) == (-0.1, True)
    assert comparison_lines(found) == [
        "c, split test, 48 samples",
        "A a: CER 20.00%, WER 100.00%",
        "B b: CER 10.00%, WER 50.00%",
        "CER of B less that of A: -10.00%, 95% [-10.00%, -10.00%], p 0.001: not chance, B is better",
        "WER of B less that of A: -50.00%, 95% [-50.00%, -50.00%], p 0.001: not chance, B is better",
        "samples that B reads with fewer edits 48, with more 0, with as many 0",
        "intervals: 1000 draws of 24 groups (writer 0, writer 1, writer 2, ...), both readings in each",
    ]


def test_a_model_that_read_twice_is_called_by_its_ways_of_reading() -> None:
    one, other = replace(readings("m", [2]), decoder="best path"), replace(readings("m", [1]), decoder="beam 25")
    assert compare(one, other).names() == ("m, best path", "m, beam 25")
    assert comparison_lines(compare(one, other))[1].startswith("A m, best path: CER")
    assert compare(one, replace(other, model="n")).names() == ("m", "n")
    assert compare(one, replace(other, decoder="")).names() == ("m, best path", "m")  # an old report does not say it


def test_what_chance_explains_is_not_called_better() -> None:
    found = compare(readings("a", [1, 2] * 24), readings("b", [2, 1] * 24, 12))
    assert not found.characters.certain
    assert "cannot be told from chance" in comparison_lines(found)[3]


def test_so_few_groups_that_they_can_tell_nothing_are_called_so() -> None:
    for groups in (2, 5):
        found = compare(readings("a", [9] * 60, groups), readings("b", [0] * 60, groups))
        assert not found.characters.certain and found.characters.high < 0
        for line in comparison_lines(found)[3:5]:
            assert line.endswith(f": so few groups ({groups}) cannot tell it from chance")
    six = compare(readings("a", [9] * 60, 6), readings("b", [0] * 60, 6))
    assert six.characters.certain and comparison_lines(six)[3].endswith("not chance, B is better")
    unlike = compare(readings("a", [1, 2] * 3, 6), readings("b", [2, 1] * 3, 6))
    assert comparison_lines(unlike)[3].endswith("cannot be told from chance")
    alone = compare(readings("a", [9] * 3, 1), readings("b", [0] * 3, 1))
    assert comparison_lines(alone)[3].endswith("so few samples (3) cannot tell it from chance")


def test_readings_of_empty_references_have_no_rates(tmp_path: Path) -> None:
    one, other = (
        replace(one, samples=[replace(s, reference="", characters=0, words=0) for s in one.samples])
        for one in (readings("a", [2] * 24), readings("b", [1] * 24))
    )
    found = compare(one, other)
    lines, data = comparison_lines(found), json.loads(json.dumps(found.as_data(), allow_nan=False))
    assert lines[1:5] == [
        "A a: CER no reference, WER no reference",
        "B b: CER no reference, WER no reference",
        "CER of B less that of A: no reference",
        "WER of B less that of A: no reference",
    ]
    assert data["first"] == {"model": "a", "cer": None, "wer": None}
    assert [data["cer_difference"][name] for name in ("rate", "low", "high")] == [None] * 3
    assert not data["cer_difference"]["told_from_chance"] and data["second_has_fewer_edits"] == 24
    write_comparison(tmp_path / "page.html", found)
    page = (tmp_path / "page.html").read_text()
    assert "no reference" in page and ">inf%" not in page and "nan %" not in page


def test_samples_are_paired_by_name_not_by_place() -> None:
    one = readings("a", [3, 0, 1])
    other = Readings("b", "c", "test", "character", list(reversed(one.samples)))
    assert compare(one, other).characters.rate == 0 and compare(one, other).more == 0


def test_readings_of_other_samples_are_refused() -> None:
    one = readings("a", [1, 1])
    with pytest.raises(RecognizerError, match="1 samples were not read by b, first 1.png"):
        compare(one, Readings("b", "c", "test", "character", one.samples[:1]))
    changed = [one.samples[0], replace(one.samples[1], reference="ABCD EFGHI")]
    with pytest.raises(RecognizerError, match="1.png: a is scored by 'abcd efghi', b by 'ABCD EFGHI'"):
        compare(one, Readings("b", "c", "test", "character", changed))
    with pytest.raises(RecognizerError, match="a is scored by characters, b by tokens"):
        compare(one, Readings("b", "c", "test", "token", one.samples))
    with pytest.raises(RecognizerError, match="nothing was read"):
        compare(readings("a", []), readings("b", []))


def test_two_models_and_two_reports_say_the_same(
    line_run: "Run", lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = line_run.folder.parent / "first.safetensors", line_run.folder / "model.safetensors"
    reports = [tmp_path / "a.json", tmp_path / "b.json"]
    for model, path in zip((first, second), reports, strict=True):
        assert said(capsys, "evaluate", model, lines, "--split", "valid", "--json", path)[0] == 0
    code, models, _ = said(capsys, "compare", first, second, lines, "--split", "valid", "--json", tmp_path / "c.json")
    assert code == 0
    assert said(capsys, "compare", *reports) == (0, models, "")
    assert said(capsys, "compare", reports[0], second, lines, "--split", "valid") == (0, models, "")
    data, rates = json.loads((tmp_path / "c.json").read_text()), [json.loads(path.read_text()) for path in reports]
    assert [data["first"]["cer"], data["second"]["cer"]] == [one["cer"] for one in rates]
    assert data["cer_difference"]["rate"] == pytest.approx(rates[1]["cer"] - rates[0]["cer"])
    assert "2 groups (writer 0, writer 1); of so few the interval is rough" in models
    refused = [(("--beam", 7), "--beam"), ((lines,), "CORPUS"), (("--lm", "none"), "--lm")]
    of_models = {"--split": "test", "--without": "x.txt", "--device": "cpu", "--workers": 1, "--threads": 1}
    for words, flag in (*refused, *((one, one[0]) for one in of_models.items())):
        code, _, err = said(capsys, "compare", *reports, *words)
        assert code == 2 and err.startswith(f"recognizer: {flag} has no effect: {reports[0]} and {reports[1]} are")
    code, _, err = said(capsys, "compare", first, second)
    assert code == 2 and "first.safetensors: a model, which needs a corpus" in err


DAMAGED = {
    "no report": ("{}", "a report without 'model'"),
    "no JSON": ("{,", "not a report"),
    "a list": ('{"model": 1, "corpus": 1, "split": 1, "unit": "character", "readings": [1]}', r"readings\[0\]"),
    "an earlier report": (json.dumps({"model": "m", "corpus": "c", "split": "s", "unit": "character"}), "'readings'"),
    "another unit": (
        json.dumps({"model": "m", "corpus": "c", "split": "s", "unit": "x", "readings": []}),
        "not a report",
    ),
}


@pytest.mark.parametrize("name", list(DAMAGED))
def test_a_report_that_is_none_is_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, fault = DAMAGED[name]
    (tmp_path / "r.json").write_text(text)
    code, out, err = said(capsys, "compare", tmp_path / "r.json", tmp_path / "r.json")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "r.json: " in err and fault.replace("\\", "") in err
