"""The table of what a decoder's parts contribute reads as `evaluate` does, with the label priors that are stated."""

from dataclasses import replace
from pathlib import Path

import decoder_table
import pytest
from terminal import said
from tiny import Run

from recognizer.decoding.options import DecoderOptions
from recognizer.evaluation.evaluate import evaluate
from recognizer.reading.reader import Reader

STATED = ("--prior-weight", 0.8, "--temperature", 1.5)


def shown_rates(run: Run, corpus: Path, options: DecoderOptions) -> str:
    """Return the rates of `evaluate`, of both splits of a row."""
    report = evaluate(Reader.load(run.folder, options=options), "tiny", corpus, "valid", print)
    return " | ".join([f"{report.characters.rate:.2%} | {report.words.rate:.2%}"] * 2)


@pytest.mark.parametrize("stated", [STATED, ()], ids=["stated", "not stated"])
def test_rows_with_a_language_model_read_as_evaluate_does(
    stated: tuple[object, ...],
    line_run: Run,
    lines: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, few in (("WEIGHTS", (0.5,)), ("BONUSES", (0.0,)), ("WIDTHS", ()), ("RESCORE_WEIGHTS", (0.25,))):
        monkeypatch.setattr(decoder_table, name, few)
    text, lm = tmp_path / "text.txt", tmp_path / "lox.ngram"
    text.write_text("lox ol\nxo lx-\nol lox\n")
    assert said(capsys, "lm", "build", text, "--order", 3, "--cutoff", 0, *stated, "--out", lm)[0] == 0
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
