"""The table of what a decoder's parts contribute reads as `evaluate` does, with the label priors that are stated."""

from dataclasses import replace
from pathlib import Path

import decoder_table
import pytest
from terminal import said
from tiny import Run

from recognizer.decoding.options import DecoderOptions
from recognizer.evaluation.evaluate import evaluate
from recognizer.model import model_file
from recognizer.reading import language_choice
from recognizer.reading.reader import Reader

STATED = ("--prior-weight", 0.8, "--temperature", 1.5)


def built(capsys: pytest.CaptureFixture[str], folder: Path, *stated: object) -> Path:
    """Return a language model of a tiny text that states these options of `lm build`."""
    (folder / "text.txt").write_text("lox ol\nxo lx-\nol lox\n")
    lm = folder / "lox.ngram"
    assert said(capsys, "lm", "build", folder / "text.txt", "--order", 3, "--cutoff", 0, *stated, "--out", lm)[0] == 0
    return lm


def shown_rates(run: Run, corpus: Path, options: DecoderOptions) -> str:
    """Return the rates of `evaluate`, of both splits of a row."""
    report = evaluate(Reader.load(run.folder, options=options), "tiny", corpus, "valid", print)
    return " | ".join([f"{report.characters.rate:.2%} | {report.words.rate:.2%}"] * 2)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let little be tried."""
    for name, values in (("WEIGHTS", (0.5,)), ("BONUSES", (0.0,)), ("WIDTHS", ()), ("RESCORE_WEIGHTS", (0.25,))):
        monkeypatch.setattr(decoder_table, name, values)


@pytest.mark.parametrize("stated", [STATED, ()], ids=["stated", "not stated"])
def test_rows_with_a_language_model_read_as_evaluate_does(
    stated: tuple[object, ...],
    line_run: Run,
    lines: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    few: None,
) -> None:
    lm = built(capsys, tmp_path, *stated)
    decoder_table.main([str(line_run.folder), str(lines), "--split", "valid", "--lm", str(lm), "--rescore", str(lm)])
    lines_out = capsys.readouterr().out.splitlines()
    rows = dict(line.strip("| ").split(" | ", 1) for line in lines_out[2:])
    used = "label priors x 0.8, temperature 1.5" if stated else "no label priors"
    fused, anew = f"lox.ngram x 0.5, word bonus 0, beam 25, {used}", "the same, ranked anew by lox.ngram x 0.25"
    assert list(rows) == ["best path", "beam 25", fused, anew]
    options = DecoderOptions(lm=lm, lm_weight=0.5)
    assert rows[fused] == shown_rates(line_run, lines, options)
    assert rows[anew] == shown_rates(line_run, lines, replace(options, rescore=lm, rescore_weight=0.25))
    if stated:  # else what follows would tell nothing
        without = replace(options, prior_weight=0.0, temperature=1.0)
        assert rows[fused] != shown_rates(line_run, lines, without)


def test_a_model_that_reads_words_by_sound_has_no_rows_without_its_lexicon(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lexicon = tmp_path / "small.lexicon"
    lexicon.write_text("lox\tl aa k s\nol\tow l\n")
    monkeypatch.setattr(language_choice, "shipped_lexicon", lambda name: lexicon)  # in place of 59,067 words
    lm = str(built(capsys, tmp_path, "--unit", "word"))
    decoder_table.main(["speech-words", str(sounds), "--split", "valid", "--lm", lm, "--rescore", lm])
    shown = capsys.readouterr()
    assert [line.partition(" x ")[0] for line in shown.out.splitlines()[2:]] == [
        "| lox.ngram",
        "| the same, ranked anew by lox.ngram",
    ]
    assert "no rows of best path and beam 25: without its lexicon the model reads no words" in shown.err


def test_the_model_file_is_opened_once(
    line_run: Run,
    lines: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    few: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, real = [], model_file.load_model_file

    def load_model_file(path: Path) -> model_file.ModelFile:
        opened.append(path.name)
        return real(path)

    monkeypatch.setattr(model_file, "load_model_file", load_model_file)
    lm = str(built(capsys, tmp_path))
    decoder_table.main([str(line_run.folder), str(lines), "--split", "valid", "--lm", lm, lm, "--rescore", lm])
    assert opened == ["model.safetensors"]
