"""The text of a long recording on its pieces."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from makers import SYMBOLS, model_file, save_model
from terminal import said
from test_recordings import long_signal
from test_segmentation import RATE

from recognizer.corpus.alphabet import Alphabet
from recognizer.model.model_file import save_model_file
from recognizer.reading.long_alignment import own_words, words_of

TEXT = "it was a bright cold day in april and the clocks were striking thirteen winston smith".split()


def test_a_piece_gets_the_words_that_were_read_in_it() -> None:
    assert words_of("it was a bright cold day", "in april and the clocks", TEXT) == 6
    assert words_of("itwas e brite cold dai", "in aprl an the cloks", TEXT) == 6
    assert words_of("", "it was a bright", TEXT) == 0
    assert words_of("it was", "the clocks were striking", TEXT) in range(2, 10)


def test_the_first_words_of_a_text_that_goes_on_are_taken() -> None:
    long = TEXT + [f"word{i}" for i in range(5000)]
    assert words_of("it was a bright cold day in april and", "the clocks were striking", long) == 9


def test_every_word_of_a_long_recording_is_placed_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "long.flac", long_signal(), RATE)
    model = save_model("speech", tmp_path / "m.safetensors")
    _, out, _ = said(capsys, "transcribe", tmp_path / "long.flac", "--model", model, "--json")
    read = [json.loads(line)["text"] for line in out.splitlines()]
    (tmp_path / "said.txt").write_text("\n".join(read))
    call = ("align", tmp_path / "long.flac", "--lines", tmp_path / "said.txt", "--model", model)
    code, out, err = said(capsys, *call)
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0 and err == "" and rows[0] == ["start (s)", "end (s)", "confidence", "word"]
    assert [row[3] for row in rows[1:]] == " ".join(read).split()
    starts = [float(row[0]) for row in rows[1:]]
    assert starts == sorted(starts) and all(float(row[0]) < float(row[1]) for row in rows[1:])
    code, out, _ = said(capsys, *call, "--format", "ctm")
    assert code == 0 and [line.split()[4] for line in out.splitlines()] == " ".join(read).split()


HAN = "".join(chr(0x4E00 + i) for i in range(len(SYMBOLS)))


@pytest.mark.parametrize("symbols", [HAN, " " + HAN[1:]])
def test_a_text_without_spaces_is_placed_by_its_characters(
    symbols: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "long.flac", long_signal(), RATE)
    model = tmp_path / "m.safetensors"
    save_model_file(replace(model_file("speech"), alphabet=Alphabet(tuple(symbols))), model)
    _, out, _ = said(capsys, "transcribe", tmp_path / "long.flac", "--model", model, "--json")
    read = ["".join(json.loads(line)["text"].split()) for line in out.splitlines()]
    # Without a space in the alphabet the lines of a file are joined without one.
    (tmp_path / "said.txt").write_text(("\n" if symbols == HAN else "").join(read), encoding="utf-8")
    call = ("align", tmp_path / "long.flac", "--lines", tmp_path / "said.txt", "--model", model)
    code, out, err = said(capsys, *call)
    placed = [line.split("\t")[3] for line in out.splitlines()[1:]]
    assert (code, err) == (0, "") and len(placed) > 1 and "".join(placed) == "".join(read)
    code, _, err = said(capsys, *call[:2], "--text", HAN[1:] * 200, "--model", model)
    assert code == 1 and f"the last {200 * len(HAN[1:])} characters, from {(HAN[1:] * 2)[:30]!r} on" in err
    code, _, err = said(capsys, *call[:2], "--text", "q", "--model", model)
    assert code == 2 and err.startswith(f"recognizer: {tmp_path / 'long.flac'}: character 'q'")


def test_words_that_do_not_fit_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "long.flac", long_signal(), RATE)
    model = save_model("speech", tmp_path / "m.safetensors")
    call = ("align", tmp_path / "long.flac", "--text", "a b " * 3000, "--model", model)
    code, out, err = said(capsys, *call)
    assert code == 1 and out.count("\n") == 1
    assert "long.flac: from 0.0 to " in err and "is read, which is not like the text there" in err
    assert err.splitlines()[-1].endswith("no speech is left for the last 6000 words, from 'a b a b a' on")


def test_a_piece_gets_the_characters_that_were_read_in_it() -> None:
    text = list("天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往")
    assert words_of("天地玄黄宇宙", "洪荒日月", text, "") == 6
    assert words_of("天他玄黄宇由", "洪荒日月", text, "") == 6
    assert own_words("天地玄黄宇宙洪荒", "日月盈昃", text, "") == (0, 8)
    assert own_words("寒来暑往", None, text[-4:], "") == (0, 4)
    assert own_words("".join(text), "秋收冬藏", [*"某某某某某某某某某某" * 30, *text], "") == (300, 320)


def test_a_piece_gets_what_is_like_its_reading_or_nothing() -> None:
    assert own_words("itwas e brite cold dai", "in aprl an the cloks", TEXT) == (0, 6)
    assert own_words("nobody has said this at all", "in aprl an the cloks", TEXT) is None
    assert own_words("", "it was a bright", TEXT) == (0, 0)
    assert own_words("winston smith", None, TEXT[-2:]) == (0, 2)
    assert own_words("winston", None, TEXT[-2:]) == (0, 2)  # the last piece, read in part
    assert own_words("it was a bright cold day", None, TEXT) == (0, 6)  # the text goes on, the recording does not


def test_words_that_no_piece_says_are_passed_over_for_a_passage_that_is_alike() -> None:
    skipped = "a chapter that was left out of the reading although it is in the book".split()
    assert own_words("it was a brite cold day in aprl", "and the clocks", [*skipped, *TEXT]) == (
        len(skipped),
        len(skipped) + 8,
    )
    assert own_words("it was", "and the clocks", [*skipped, *TEXT]) is None  # too short to be sure of


def test_a_text_of_the_beginning_stands_there_and_the_other_pieces_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "long.flac", long_signal(), RATE)
    model = save_model("speech", tmp_path / "m.safetensors")
    _, out, _ = said(capsys, "transcribe", tmp_path / "long.flac", "--model", model, "--json")
    pieces = [json.loads(line) for line in out.splitlines()]
    (tmp_path / "said.txt").write_text(pieces[0]["text"])
    call = ("align", tmp_path / "long.flac", "--lines", tmp_path / "said.txt", "--model", model, "--json")
    code, out, err = said(capsys, *call)
    (found,) = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and (found["text"], found["start"]) == (pieces[0]["text"], pieces[0]["start"])
    assert err.count("which is not like the text there") == len(pieces) - 1
