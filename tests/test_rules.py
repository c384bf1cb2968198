"""Tests of transcription rules."""

from pathlib import Path

import pytest

from recognizer.corpus.recipes import folder
from recognizer.corpus.rules import Ruled, read_rules
from recognizer.errors import RecognizerError


def written(folder: Path, text: str) -> str:
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return str(folder / "mine.yaml")


@pytest.mark.parametrize("name", [path.stem for path in sorted((folder("datasets") / "rules").glob("*.yaml"))])
def test_rules_that_come_along_keep_their_own_examples(name: str) -> None:
    rules = read_rules(name, folder("datasets"))
    assert rules.examples and rules.about and rules.sha256[:16] in rules.title


def test_rules_hold_once_and_in_their_order(tmp_path: Path) -> None:
    text = 'unescape: true\nleave_out: {cut: "X"}\nsubstitute: {"a+": "ab"}\nreplace: {"b": "c", "c": "d"}\n'
    rules = read_rules(written(tmp_path, text), tmp_path)
    assert rules.apply("aa &amp;amp; a") == Ruled("ad & ad")
    assert rules.apply("aXa") == Ruled("", "cut")
    assert rules.apply(" \u00a0") == Ruled("", "line without text")
    assert rules.apply("e\u0301") == Ruled("\u00e9")


def test_what_is_replaced_may_be_written_decomposed(tmp_path: Path) -> None:
    rules = read_rules(written(tmp_path, 'replace: {"e\u0301": "e", "\u0958": "\u0915"}\n'), tmp_path)
    assert rules.apply("\u00e9t\u00e9 \u0915\u093c") == Ruled("ete \u0915")


def test_an_example_that_comes_out_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="example 'b' becomes 'c', expected 'd'"):
        read_rules(written(tmp_path, 'replace: {"b": "c"}\nexamples: {"b": "d"}\n'), tmp_path)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("replce: {}", "'replce'"),
        ("- a", "a list, expected a mapping"),
        ("replace: [a]", "replace is"),
        ('leave_out: {a: "["}', "no regular expression"),
        ("a: [", "expected YAML"),
    ],
)
def test_rules_at_fault_get_one_line(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(RecognizerError) as caught:
        read_rules(written(tmp_path, text), tmp_path)
    assert word in str(caught.value) and "mine.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_name_of_rules_gets_the_ones_there_are() -> None:
    with pytest.raises(RecognizerError, match="zzz: no such rules, expected a YAML file or one of archives"):
        read_rules("zzz", folder("datasets"))
