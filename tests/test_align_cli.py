"""Aligning a given text from the command line."""

import json
import math
import os
from pathlib import Path

import pytest
import torch
from terminal import said
from tiny import Run

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.alignment import align
from recognizer.reading.reader import Reader


def test_words_of_a_line_stand_where_the_alignment_says(
    line_run: Run, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines.parent / "files" / "000.png"
    code, out, _ = said(capsys, "align", file, "--text", "lo x", "--model", line_run.folder, "--json")
    found = json.loads(out)
    assert code == 0 and found["unit"] == "px" and found["text"] == "lo x"
    assert [c["text"] for c in found["characters"]] == list("lo x")
    assert [w["text"] for w in found["words"]] == ["lo", "x"]
    reader = Reader.load(line_run.folder)
    signal = reader.signal(file)
    log_probs, counts = reader.log_probs([signal.values])
    wanted = align(log_probs[0, : int(counts[0])], reader.alphabet.encode("lo x"))
    step = signal.extent * reader.model.steps_per_frame() / len(signal.values)
    for span, start, confidence in zip(
        found["characters"], wanted.placed.starts, wanted.placed.confidences, strict=True
    ):
        assert span["start"] == pytest.approx(min(start * step, signal.extent))
        assert span["confidence"] == pytest.approx(confidence)
    assert found["score"] == pytest.approx(wanted.score)
    ends = [end for c in found["characters"] for end in (c["start"], c["end"])]
    assert ends == sorted(ends) and ends[-1] <= signal.extent


def test_a_table_has_a_row_a_word_in_the_files_own_unit(
    sound_run: Run, sounds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sounds.parent / "files" / "000.wav"
    code, out, _ = said(capsys, "align", file, "--text", "ab c", "--model", sound_run.folder)
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0 and rows[0] == ["start (s)", "end (s)", "confidence", "word"]
    assert [row[3] for row in rows[1:]] == ["ab", "c"]
    assert 0 <= float(rows[1][0]) < float(rows[1][1]) <= float(rows[2][0]) < float(rows[2][1]) < 10


def test_the_text_that_was_read_aligns_as_it_was_read(
    line_run: Run, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Spaces that no text has are frames of the reading, and not of its alignment.
    monkeypatch.setattr(Alphabet, "spelled", lambda self, labels: range(len(labels)))
    reader = Reader.load(line_run.folder)
    with torch.inference_mode():
        signal = reader.signal(lines.parent / "files" / "001.png")
        read = reader.read([signal])[0]
        if not read.text.strip() == read.text:
            read = reader.align(signal, read.text)  # a space at an end is no part of a transcript
        assert reader.align(signal, read.text).characters == read.characters


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "the text to align is empty"),
        (" \n", "the text to align is empty"),
        ("lo?", "character '?' in 'lo?' is not in the alphabet"),
        ("lo" * 99, "198 labels need 198 frames, there are"),
    ],
)
def test_a_text_that_cannot_stand_there_is_one_line(
    line_run: Run, lines: Path, capsys: pytest.CaptureFixture[str], text: str, line: str
) -> None:
    file = lines.parent / "files" / "000.png"
    code, out, err = said(capsys, "align", file, "--text", text, "--model", line_run.folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"recognizer: {file}: ") and line in err


def test_a_file_of_one_line_is_the_text_of_an_image_of_a_line(
    line_run: Run, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, text = lines.parent / "files" / "000.png", tmp_path / "said.txt"
    text.write_text("\nlo x\n")
    of_file = said(capsys, "align", file, "--lines", text, "--model", line_run.folder, "--json")
    assert of_file == said(capsys, "align", file, "--text", "lo x", "--model", line_run.folder, "--json")
    assert of_file[0] == 0 and [w["text"] for w in json.loads(of_file[1])["words"]] == ["lo", "x"]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="a pipe has no name there")
def test_lines_are_read_once_and_may_be_a_pipe(line_run: Run, lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = lines.parent / "files" / "000.png"
    out, into = os.pipe()
    with os.fdopen(into, "w") as writer:
        writer.write("lo x\n")
    of_pipe = said(capsys, "align", file, "--lines", f"/dev/fd/{out}", "--model", line_run.folder, "--json")
    os.close(out)
    assert of_pipe == said(capsys, "align", file, "--text", "lo x", "--model", line_run.folder, "--json")


def test_a_line_of_characters_that_the_model_lacks_is_named(
    sound_run: Run, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "said.txt"
    text.write_text("ab c\nabcq?\n\nq\n" + "c\n" * 3000)
    code, out, err = said(
        capsys, "align", sounds.parent / "files" / "000.wav", "--lines", text, "--model", sound_run.folder
    )
    assert (code, out, err.count("\n")) == (2, "", 1) and len(err) < 300 + len(str(text))
    assert f"{text}:2: the model lacks 'q', '?', and some in 1 more of its lines, expected" in err


def test_a_text_that_leaves_most_out_is_not_sure(line_run: Run, lines: Path) -> None:
    reader = Reader.load(line_run.folder)
    signal = reader.signal(lines.parent / "files" / "001.png")
    read = reader.read([signal])[0]
    whole, part = (reader.align(signal, text) for text in (read.text.strip(), read.text.strip()[0]))
    assert whole.confidence == pytest.approx(
        math.prod(one.confidence for one in whole.characters) ** (1 / len(whole.text))
    )
    assert part.confidence == pytest.approx(math.exp(part.score - whole.score)) and part.score < whole.score - 1
    assert part.confidence < part.characters[0].confidence
