"""Hebrew and Arabic with numbers and Latin words: learned as they stand in the picture, read as they are spoken."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from PIL import Image
from terminal import said

pytest.importorskip("bidi", reason="python-bidi (extra [bidi]) is not installed")

from recognizer.corpus.alphabet import Alphabet, TextSettings, alphabet_of  # noqa: E402
from recognizer.corpus.picture_order import _reordered as in_reordering  # noqa: E402
from recognizer.corpus.picture_order import in_picture_order, in_text_order  # noqa: E402
from recognizer.corpus.store import Store  # noqa: E402
from recognizer.decoding.greedy import greedy  # noqa: E402
from recognizer.decoding.hypothesis_building import LabelSpans, build_hypothesis  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402

# Direction, text, the same as it is met in the picture in that direction.
PICTURES = [
    ("rtl", "\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),  # a Hebrew word
    ("rtl", "\u05e9\u05dc 12,5", "\u05e9\u05dc 5,21"),  # with a number
    ("rtl", "\u05d0\u05d1 (\u05d2) abc.", "\u05d0\u05d1 )\u05d2( cba."),  # with brackets, which turn, and Latin
    ("rtl", "12 34 \u05d0\u05d1", "21 43 \u05d0\u05d1"),  # numbers first
    ("rtl", "\u05e9\u05b8\u05dc 5", "\u05e9\u05b8\u05dc 5"),  # with a point below
    ("rtl", "\u0627\u0628 12/05", "\u0627\u0628 50/21"),  # Arabic with a date
    ("rtl", "\u0627\u0628 12-05", "\u0627\u0628 21-50"),  # whose parts stand from the right with this sign
    ("rtl", "\u0627\u0628 \u0661\u0662", "\u0627\u0628 \u0662\u0661"),  # with Arabic digits
    ("ltr", "le mot \u05d0\u05d1 et 12", "le mot \u05d1\u05d0 et 12"),  # French with a Hebrew word
    ("ltr", "abc (12)", "abc (12)"),
    ("rtl", "\u0645\u06cc\u200c\u062e 12", "\u0645\u06cc\u200c\u062e 21"),  # Persian with a non-joiner
    ("rtl", "\u0627\u0628\u200cab", "\u0627\u0628\u200cba"),  # between letters of two directions
    ("ltr", "le mot \u0645\u06cc\u200c\u062e et 1", "le mot \u062e\u200c\u06cc\u0645 et 1"),
    ("rtl", "\u05d0\u200d\u05d1 a\u00adb", "\u05d0\u200d\u05d1 b\u00ada"),  # with a joiner and a soft hyphen
    ("rtl", "\u05d0\u200b \u0378\u05d1 12", "\u05d0\u200b \u0378\u05d1 21"),  # a space of no width, a code of none
]


@pytest.mark.parametrize("direction, text, seen", PICTURES)
def test_a_text_goes_into_the_order_of_the_picture_and_back(direction: str, text: str, seen: str) -> None:
    assert in_picture_order(text, direction) == seen
    places, back = in_text_order(list(seen), direction)
    assert back == text and sorted(places) == list(range(len(seen)))


def test_an_order_that_is_that_of_two_texts_gives_one_that_looks_so() -> None:
    seen = in_picture_order("\u05d0\u05d1 12-13 ab", "ltr")
    _, back = in_text_order(list(seen), "ltr")
    assert back != "\u05d0\u05d1 12-13 ab" and in_picture_order(back, "ltr") == seen


def test_marks_of_direction_are_obeyed_and_left_out() -> None:
    for start, end in ("\u202a\u202c", "\u2066\u2069", "\u2068\u2069"):
        assert in_picture_order(f"\u05d0 {start}ab-12{end} \u05d1", "rtl") == "\u05d0 21-ba \u05d1"


def test_texts_with_joiners_are_whole_and_those_with_marks_of_direction_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["\u0645\u06cc\u200c\u062e 12", "\u0645 \u202b12\u202c"]
    for seed, name in enumerate("ab"):
        picture("\u05d0\u05d1", seed).save(tmp_path / f"{name}.png")
    rows = ["file\ttext\tsplit", *(f"{name}.png\t{text}\ttrain" for name, text in zip("ab", texts, strict=True)), ""]
    (tmp_path / "m.tsv").write_text("\n".join(rows), encoding="utf-8")
    code, out, _ = said(capsys, "prepare", tmp_path / "m.tsv", "--out", tmp_path / "o", "--direction", "rtl")
    assert code == 0 and "noted: 1 (text with marks of direction" in out and "(U+202B, U+202C)" in out
    assert "of another text too" not in out
    header = Store(tmp_path / "o").header
    alphabet, _ = alphabet_of(texts, TextSettings(**header.text))
    assert [alphabet.decode(alphabet.encode(text)) for text in texts] == [texts[0], "\u0645 12"]
    _, out, _ = said(capsys, "check", tmp_path / "o")
    assert "1  text with marks of direction" in out and "b.png (U+202B, U+202C)" in out


def test_labels_stand_as_in_the_picture_and_readings_with_their_places_as_spoken() -> None:
    text = "\u05e9\u05dc 12"
    alphabet, _ = alphabet_of([text], TextSettings(order="rtl"))
    labels = alphabet.encode(text)
    assert [alphabet.symbols[label - 1] for label in labels] == list("\u05e9\u05dc 21")
    assert alphabet.decode(labels) == alphabet.text_of(labels) == text
    steps = range(len(labels))
    placed = LabelSpans(labels, list(steps), [i + 1 for i in steps], [1.0, 1.0, 1.0, 0.5, 0.25])
    found = build_hypothesis(placed, alphabet, 0.0, 0.0)
    assert found.text == text
    assert [(one.text, one.start, one.confidence) for one in found.characters[3:]] == [("1", 4, 0.25), ("2", 3, 0.5)]
    assert [(one.text, one.start, one.end) for one in found.words] == [("\u05e9\u05dc", 0, 2), ("12", 3, 5)]
    log_probs = torch.full((1, len(labels), alphabet.classes), -9.0)
    log_probs[0, list(steps), labels] = -0.01
    assert greedy(log_probs, torch.tensor([len(labels)]), alphabet)[0].text == text


def test_without_the_library_lines_of_one_direction_go_on_and_others_are_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "bidi", None)
    in_reordering.cache_clear()
    for text, expected in (("\u05d0\u05d1", False), ("\u05d0\u05d1 98", True)):
        picture("\u05d0\u05d1", 1).save(tmp_path / "a.png")
        (tmp_path / "m.tsv").write_text(f"file\ttext\tsplit\na.png\t{text}\ttrain\n", encoding="utf-8")
        code, out, _ = said(capsys, "prepare", tmp_path / "m.tsv", "--out", tmp_path / "o", "--direction", "rtl")
        assert code == 0 and ("pip install 'recognizer[bidi]'" in out) == expected


def test_tokens_have_no_other_order() -> None:
    with pytest.raises(RecognizerError, match=r"text\.order is 'rtl', expected logical with text\.unit token"):
        TextSettings(unit="token", order="rtl")


def picture(seen: str, seed: int) -> Image.Image:
    """Return the tiny script's drawing of characters from the right to the left, by stand-ins of its own."""
    stand_ins = dict(zip("\u05d0\u05d1\u05d2 123", "lox -ol"[:7], strict=True))
    drawn = tiny.draw_line("".join(stand_ins[character] for character in seen), np.random.default_rng(seed))
    return drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


@pytest.mark.slow
def test_training_evaluation_and_transcription_agree_on_lines_of_both_directions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = np.random.default_rng(1)
    rows = ["file\ttext\tsplit"]
    for i in range(14):
        letters = "".join(chance.choice(list("\u05d0\u05d1\u05d2"), 3))
        text = f"{letters} {''.join(chance.choice(list('123'), 2))}"
        picture(in_picture_order(text, "rtl"), i).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png\t{text}\t{'valid' if i > 9 else 'train'}")
    (tmp_path / "m.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    corpus = tmp_path / "packed"
    code, out, _ = said(capsys, "prepare", tmp_path / "m.tsv", "--out", corpus, "--direction", "rtl", "--height", 16)
    assert code == 0 and "text of both writing directions, learned in the order of the picture" in out
    assert Store(corpus).header.text["order"] == "rtl"
    kept = tiny.fit(tiny.line_config(corpus), tmp_path / "run", max_epochs=40)
    assert kept.cer < 0.9
    report, table = tmp_path / "report.json", tmp_path / "readings.tsv"
    code, _, _ = said(
        capsys, "evaluate", tmp_path / "run", corpus, "--split", "valid", "--json", report, "--out", table
    )
    assert code == 0 and json.loads(report.read_text())["cer"] == kept.cer
    readings = [row.split("\t")[:4] for row in table.read_text(encoding="utf-8").splitlines()[1:]]
    files = [file for file, *_ in readings]
    code, out, _ = said(capsys, "transcribe", "--model", tmp_path / "run", *files)
    assert code == 0 and out.splitlines() == [f"{file}\t{reading}" for file, _, _, reading in readings]
    with pytest.raises(RecognizerError, match=r"expected --text\.order rtl"):
        config = replace(tiny.line_config(corpus), text=TextSettings())
        tiny.fit(config, tmp_path / "other", max_epochs=1)


def test_settings_without_an_order_are_logical() -> None:
    stated = asdict(TextSettings())
    stated.pop("order")
    assert Alphabet(("a",), TextSettings(**stated)).learned("ab") == ["a", "b"]
