"""The table of a neural language model beside an n-gram, on tiny lines and tiny models."""

from pathlib import Path

import neural_table
import pytest
from terminal import said
from tiny import Run

from recognizer.errors import RecognizerError
from recognizer.language import lstm
from recognizer.language.ngram_file import open_ngram
from recognizer.language.perplexity import perplexity
from recognizer.reading import language_choice

TEXT = ["lox ol", "xo lx-", "ol lox", "x-o l", "lx ol-"]


@pytest.fixture
def models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path]:
    """An n-gram and an LSTM of a tiny text."""
    text, ngram, neural = tmp_path / "text.txt", tmp_path / "three.ngram", tmp_path / "lstm.safetensors"
    text.write_text("\n".join(TEXT * 3) + "\n")
    build = ("lm", "build", text, "--order", 3, "--cutoff", 0, "--prior-weight", 0.8, "--temperature", 1.5)
    assert said(capsys, *build, "--out", ngram)[0] == 0
    words = ("lm", "train", text, "--hidden", 8, "--steps", 5, "--least", 1, "--batch", 2, "--span", 8)
    assert said(capsys, *words, "--out", neural)[0] == 0
    return ngram, neural


def test_bits_are_those_of_the_models(models: tuple[Path, Path]) -> None:
    ngram, neural = models
    assert neural_table.bits(ngram, TEXT) == perplexity(open_ngram(ngram), TEXT).bits_per_character
    assert neural_table.bits(neural, TEXT) == lstm.perplexity(lstm.load(neural), TEXT).bits_per_character


def test_the_table_has_a_row_a_use(
    models: tuple[Path, Path], line_run: Run, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ngram, neural = map(str, models)
    words = [str(line_run.folder), str(lines), "--split", "valid", "--samples", "3", "--beam", "4", "--lm", ngram]
    neural_table.main([*words, "--neural", neural])
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert shown[0] == "| bits a character | tuned on, 3 | valid, 3 |" and shown[3].startswith("| lstm.safetensors |")
    starts = ["| best path |", "| three.ngram x 0.", "| the same, ranked anew by lstm.safetensors x 0."]
    assert all(line.startswith(start) for line, start in zip(shown[6:], starts, strict=False))
    assert shown[9].startswith("| lstm.safetensors x 0.") and "in the beam" in shown[9] and len(shown) == 10
    stated = "label priors x 0.8, temperature 1.5"  # by the n-gram; the neural model states none
    ends = ["| best path", stated, stated, "no label priors"]
    assert all(line.partition(" | ")[0].endswith(end) for line, end in zip(shown[6:], ends, strict=True))
    with pytest.raises(RecognizerError, match="an n-gram, expected a model that `recognizer lm train` wrote"):
        neural_table.main([*words, "--neural", ngram])


def test_a_model_of_words_by_sound_has_no_rows_that_compare_phones_with_words(
    models: tuple[Path, Path],
    sounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lexicon, words = tmp_path / "small.lexicon", tmp_path / "words.ngram"
    lexicon.write_text("lox\tl aa k s\nol\tow l\n")
    monkeypatch.setattr(language_choice, "shipped_lexicon", lambda name: lexicon)  # in place of 59,067 words
    build = ("lm", "build", tmp_path / "text.txt", "--order", 2, "--cutoff", 0, "--unit", "word", "--out", words)
    assert said(capsys, *build)[0] == 0
    given = ["speech-words", str(sounds), "--split", "valid", "--samples", "2", "--beam", "4", "--lm", str(words)]
    neural_table.main([*given, "--neural", str(models[1])])
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    starts = [line.partition(" x ")[0] for line in shown[6:]]
    assert starts == ["| words.ngram", "| the same, ranked anew by lstm.safetensors"]
