"""The verbs lm and calibrate from the command line, on tiny models and texts."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch
from terminal import said
from tiny import Run
from torch import Tensor

from recognizer.common.interruption import Interrupted
from recognizer.decoding.decoder import Decoder
from recognizer.decoding.settings import settings_of
from recognizer.evaluation import tuning
from recognizer.evaluation.calibration import calibrations_of
from recognizer.evaluation.tuning import BONUSES, WEIGHTS, CachedLogProbs, Rates, few_voices
from recognizer.language import lstm
from recognizer.language.ngram_file import open_ngram
from recognizer.language.perplexity import perplexity
from recognizer.model.model_file import load_model_file, read_header
from recognizer.training.language_learner import LanguageLearner

TEXT = "lox ol\nxo lx-\nol lox\nx-o l\nlx ol-\n"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_text(TEXT * 3)
    return tmp_path / "text.txt"


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    code, out, err = said(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err


def refused_last(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Return the last line of a refusal that progress may precede."""
    code, out, err = said(capsys, *words)
    assert (code, out) == (2, "")
    return err.splitlines()[-1]


def test_a_model_is_built_and_foretells_its_text(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("c.arpa", "c.ng"):
        model = text.with_name(name)
        code, out, _ = said(capsys, "lm", "build", text, "--order", 3, "--out", model, "--cutoff", 0, 0, 1)
        assert code == 0 and out.startswith("15 lines, 102 characters, 0 blank") and str(model) in out
        code, out, _ = said(capsys, "lm", "perplexity", model, text)
        wanted = perplexity(open_ngram(model), TEXT.splitlines() * 3)
        assert f"perplexity {wanted.perplexity:.3f}, {wanted.bits_per_character:.4f} bits a character" in out
    said(capsys, "lm", "build", text, "--order", 2, "--unit", "word", "--out", text.with_name("w.arpa"))
    assert open_ngram(text.with_name("w.arpa")).about.unit == "word"


def test_bits_a_character_are_left_out_where_unk_hides_words(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, other = text.with_name("w.arpa"), text.with_name("other.txt")
    other.write_text(f"{TEXT.splitlines()[0]} unheard\n", encoding="utf-8")
    said(capsys, "lm", "build", text, "--order", 2, "--unit", "word", "--out", model)
    assert "bits a character" in said(capsys, "lm", "perplexity", model, text)[1]
    code, out, _ = said(capsys, "lm", "perplexity", model, other)
    assert code == 0 and "1 unknown" in out and "bits" not in out and "without the unknown" in out


def test_orders_that_pruning_empties_are_counted_as_none(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = text.with_name("c.ng")
    code, out, _ = said(capsys, "lm", "build", text, "--order", 3, "--out", model, "--prune", 0.9)
    assert code == 0 and "\n2-grams: 0 of " in out and "\n3-grams: 0 of " in out
    code, out, _ = said(capsys, "lm", "perplexity", model, text)
    assert code == 0 and "perplexity" in out


def test_texts_and_settings_at_fault_are_one_line(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = text.with_name("empty.txt")
    empty.write_text("\n \n")
    model = text.with_name("m.arpa")
    for words, line in (
        ([empty], "the text of the language model is empty"),
        ([text.with_name("none")], "cannot be read"),
        ([text, "--order", 1], "order is 1, expected 2 to 10"),
        ([text, "--order", "six"], "--order is 'six', expected a number"),
        ([text, "--cutoff", 1], "cutoff is [1], expected"),
        ([text, "--word-bonus", 800], "word-bonus is 800.0, expected -100 to 100"),
        (
            [text, "--lm-weight", 3, "--beam", 7],
            "an ARPA file states nothing for decoders, expected another name, or no",
        ),
    ):
        err = refused_last(capsys, "lm", "build", *words, "--out", model)
        assert line in err
    assert not model.exists()


def test_a_text_of_one_word_makes_a_model_that_says_what_it_lacked(
    text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = text.with_name("one.txt")
    one.write_text("lox\n")
    for unit in ("word", "character"):
        model = text.with_name(f"{unit}.arpa")
        code, out, _ = said(capsys, "lm", "build", one, "--unit", unit, "--out", model)
        assert code == 0 and "note: " in out
        code, out, _ = said(capsys, "lm", "perplexity", model, one)
        assert code == 0 and "1 lines" in out
    assert "the text is empty" in refused(capsys, "lm", "perplexity", model, _emptied(one))


def _emptied(path: Path) -> Path:
    path.write_text("\n")
    return path


def test_a_broken_language_model_is_one_line(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = text.with_name("x.arpa")
    broken.write_text("\\data\\\nngram 1=4\n\n\\1-grams:\n-1 <s>\n-1 </s>\n\\end\\\n")
    assert "x.arpa:7: 2 1-grams since line 4, expected the 4" in refused(capsys, "lm", "perplexity", broken, text)


def test_a_text_with_test_lines_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = "lo ox xo"
    corpus = tiny.pack(tiny.write_lines(tmp_path / "f", ["lo", row], ["train", "test"]), tmp_path / "p", tiny.HEIGHT)
    (tmp_path / "text.txt").write_text(f"ol lo\n{row}\n")
    (tmp_path / "clean.txt").write_text("ol lo xo\nlo ol\n")
    build = ["lm", "build", "--order", 2, "--out", tmp_path / "m.ng", "--against"]
    for source in (corpus, tmp_path / "f" / "manifest.tsv"):
        err = refused(capsys, *build, source, "--", tmp_path / "text.txt")
        assert "text.txt:2: holds the test line 'lo ox xo' (1 of 1 test lines" in err
        assert not (tmp_path / "m.ng").exists()
    assert "holds the test line" in refused(
        capsys, "lm", "train", tmp_path / "text.txt", "--out", tmp_path / "n", "--against", corpus
    )
    _, out, _ = said(capsys, *build, corpus, "--", tmp_path / "clean.txt")
    assert "none of 1 test lines stands in the text" in out


def test_a_corpus_without_test_lines_cannot_vouch_for_a_text(
    lines: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    err = refused(capsys, "lm", "build", text, "--out", text.with_name("m.ng"), "--against", lines)
    assert "no test lines to compare the text with, there are the splits 'train', 'valid'" in err


def neural(text: Path, out: str, *more: object) -> list[object]:
    sizes = ["--hidden", 8, "--embedding", 4, "--batch", 2, "--span", 8, "--least", 1, "--save-every", 3]
    return ["lm", "train", text, "--out", text.with_name(out), *sizes, *more]


def test_a_neural_model_is_trained_and_measured(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, *neural(text, "n.lm", "--steps", 60, "--rate", 0.03))
    assert code == 0 and "step 60, epoch" in out and not text.with_name("n.lm.training").exists()
    code, out, _ = said(capsys, "lm", "perplexity", text.with_name("n.lm"), text)
    found = lstm.perplexity(lstm.load(text.with_name("n.lm")), TEXT.splitlines() * 3)
    assert f"{found.bits_per_character:.4f} bits a character" in out
    assert found.bits_per_character < math.log2(6)


def test_a_killed_training_goes_on_to_the_same_weights(
    text: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(capsys, *neural(text, "whole.lm", "--steps", 10, "--dropout", 0.2))
    whole = lstm.load(text.with_name("whole.lm")).state_dict()
    kill_at(monkeypatch, 8)
    assert said(capsys, *neural(text, "cut.lm", "--steps", 10, "--dropout", 0.2))[0] == 130
    monkeypatch.undo()
    assert text.with_name("cut.lm.training").exists() and not text.with_name("cut.lm").exists()
    assert "--resume to go on" in refused(capsys, *neural(text, "cut.lm", "--steps", 10, "--dropout", 0.2))
    assert "begun with other settings" in refused(capsys, *neural(text, "cut.lm", "--steps", 11, "--resume"))
    said(capsys, *neural(text, "cut.lm", "--steps", 10, "--dropout", 0.2, "--resume"))
    for name, value in lstm.load(text.with_name("cut.lm")).state_dict().items():
        assert value.equal(whole[name]), name


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Stop the next training by the keyboard before its update `step`."""
    learn = LanguageLearner.training_step

    def stopping(self: LanguageLearner, batch: tuple[int, Tensor], number: int) -> Tensor:
        if batch[0] == step:
            raise Interrupted(signal.SIGINT)
        return learn(self, batch, number)

    monkeypatch.setattr(LanguageLearner, "training_step", stopping)


KILLER = """
import os, signal
from recognizer.cli import main
from recognizer.training.language_learner import LanguageLearner

learn = LanguageLearner.training_step

def kill(self, batch, number):
    if batch[0] == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    return learn(self, batch, number)

LanguageLearner.training_step = kill
main()
"""


@pytest.mark.slow
def test_a_training_that_the_system_killed_goes_on_to_the_same_file(text: Path, tmp_path: Path) -> None:
    (tmp_path / "killer.py").write_text(KILLER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}

    def call(*program: object, out: str, more: tuple[str, ...] = ()) -> int:
        words = map(str, neural(text, out, "--steps", 14, "--dropout", 0.3, *more))
        command = [sys.executable, *map(str, program), *words]
        return subprocess.run(command, env=environment, check=False, capture_output=True).returncode

    assert call("-m", "recognizer", out="whole.lm") == 0
    assert call(tmp_path / "killer.py", out="cut.lm") == -signal.SIGKILL
    assert text.with_name("cut.lm.training").exists() and not text.with_name("cut.lm").exists()
    assert call("-m", "recognizer", out="cut.lm", more=("--resume",)) == 0
    assert text.with_name("cut.lm").read_bytes() == text.with_name("whole.lm").read_bytes()
    assert not list(text.parent.glob("*.training")) and not list(text.parent.glob(".*.part"))


@pytest.fixture
def model(line_run: Run, tmp_path: Path) -> Path:
    shutil.copy(line_run.folder / "model.safetensors", tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_tuning_searches_with_the_threads_that_are_asked_for(
    model: Path, lines: Path, text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lm, threads, before = text.with_name("c.ng"), set[int](), torch.get_num_threads()
    said(capsys, "lm", "build", text, "--order", 3, "--out", lm)

    def noted(heard: CachedLogProbs, decoder: Decoder) -> Rates:
        threads.add(torch.get_num_threads())
        return Rates(0.5, 0.5)

    monkeypatch.setattr(tuning, "rates_of", noted)
    code, _, err = said(capsys, "lm", "tune", model, lines, "--lm", lm, "--beam", 5, "--threads", before + 1)
    assert code == 0, err
    assert threads == {before + 1} and torch.get_num_threads() == before


def test_tuning_writes_the_best_setting_of_its_surface(
    model: Path, lines: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = load_model_file(model).model.state_dict()
    lm = text.with_name("c.ng")
    said(capsys, "lm", "build", text, "--order", 3, "--out", lm)
    code, out, err = said(capsys, "lm", "tune", model, lines, "--lm", lm, "--split", "valid", "--beam", 5)
    tried = [line for line in err.splitlines() if line.startswith("weight ")]
    assert code == 0 and len(tried) >= len(WEIGHTS) * len(BONUSES) + 3
    assert any("priors  0.5  temperature  1.3" in line for line in tried)
    cers = [float(line.split("CER")[1].split("%")[0]) for line in tried]
    best = out.split("best setting, means of the corpora: ")[1].splitlines()[0]
    assert best in tried and float(best.split("CER")[1].split("%")[0]) == min(cers)
    settings = settings_of(read_header(model)["decoder"])
    assert settings.lm is not None and settings.lm.name == "c.ng"
    assert f"weight {settings.lm_weight:6.4g}  bonus {settings.word_bonus:6.4g}" in best
    assert all(value.equal(weights[name]) for name, value in load_model_file(model).model.state_dict().items())
    _, out, _ = said(capsys, "evaluate", model, lines, "--split", "valid", "--lm", lm)
    assert f"CER {min(cers):6.2f}%" in out
    _, out, err = said(capsys, "evaluate", model, lines, "--split", "valid")
    assert "decoder: best path" in out and "needs c.ng: give it with --lm" in err
    _, out, _ = said(capsys, "info", model)
    assert "decoder: beam" in out and "language model c.ng" in out


@pytest.mark.slow
def test_tuning_on_several_corpora_counts_each_alike_and_says_where_voices_are_few(
    model: Path, lines: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lm, other = text.with_name("c.ng"), text.with_name("other")
    said(capsys, "lm", "build", text, "--order", 3, "--out", lm)
    tiny.pack(tiny.write_lines(text.with_name("f"), ["lox", "ol"], ["valid", "valid"]), other, tiny.HEIGHT)
    out_file = text.with_name("tuned.safetensors")
    tune = ["lm", "tune", model, "--lm", lm, "--beam", 5, "--out", out_file]
    code, out, err = said(capsys, *tune, "--", lines, other)
    assert code == 0, err
    by_corpus = [line.split("best setting CER ")[1] for line in out.splitlines() if "best setting CER" in line]
    cers = [float(line.split("%")[0]) for line in by_corpus]
    mean = float(out.split("means of the corpora: ")[1].split("CER")[1].split("%")[0])
    assert len(cers) == 2 and mean == pytest.approx(sum(cers) / 2, abs=0.02)


def test_few_voices_are_named() -> None:
    def heard(name: str, *groups: str) -> CachedLogProbs:
        return CachedLogProbs((), (), name, frozenset(groups))

    assert "rests on one voice" in few_voices([heard("a", "anna")])
    assert "rests on 2 voices" in few_voices([heard("a", "anna"), heard("b", "anna")])
    assert "name no speakers" in few_voices([heard("a")])
    assert few_voices([heard("a", "anna", "ben"), heard("b", "carl")]) == ""


def test_calibration_is_stored_and_then_used(
    model: Path, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, after = tmp_path / "plain.json", tmp_path / "after.json"
    said(capsys, "evaluate", model, lines, "--split", "valid", "--json", plain)
    code, out, _ = said(capsys, "calibrate", model, lines, "--split", "valid", "--out", tmp_path / "c.safetensors")
    before = json.loads(plain.read_text())["expected_calibration_error"]
    assert code == 0 and f"before: characters {before['character']:.2%}, words {before['word']:.2%}" in out
    assert not read_header(model)["calibration"]
    _, out, _ = said(capsys, "evaluate", tmp_path / "c.safetensors", lines, "--split", "valid", "--json", after)
    found = json.loads(after.read_text())
    assert found["expected_calibration_error"]["character"] < before["character"]
    assert found["cer"] == json.loads(plain.read_text())["cer"]
    assert "calibrated, fitted on" in out and "as read by best path" in out
    assert [row["samples"] for row in found["risk_coverage"]][-1] == 6
    assert found["risk_coverage"][-1]["cer"] == found["cer"]


def test_readings_with_a_language_model_have_a_calibration_of_their_own(
    model: Path, lines: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lm, out_file = text.with_name("c.ng"), text.with_name("c.safetensors")
    said(capsys, "lm", "build", text, "--order", 3, "--out", lm)
    fit = ["calibrate", "--split", "valid", "--out", out_file]
    said(capsys, *fit, model, lines)
    plain = read_header(out_file)["calibration"]
    code, _, _ = said(capsys, *fit, out_file, lines, "--lm", lm)
    both = read_header(out_file)["calibration"]
    assert code == 0 and {name: both[name] for name in plain} == plain
    assert both["with_language_model"]["decoder"].startswith("beam 25, c.ng")
    with_model, without = calibrations_of(both, True), calibrations_of(both)
    assert with_model is not None and without is not None and with_model.decoder != without.decoder
    _, out, _ = said(capsys, "evaluate", out_file, lines, "--split", "valid", "--lm", lm)
    assert "as read by beam 25, c.ng" in out
    _, out, _ = said(capsys, "evaluate", out_file, lines, "--split", "valid")
    assert "as read by best path" in out
    said(capsys, *fit, out_file, lines)
    assert read_header(out_file)["calibration"] == both
    assert calibrations_of({"with_language_model": both["with_language_model"]}) is None
    _, out, _ = said(capsys, "info", out_file)
    assert "read by best path" in out and "read by beam 25, c.ng" in out


def test_nothing_is_fitted_on_a_test_split(
    model: Path, lines: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model.read_bytes()
    for words in (["lm", "tune", model, lines, "--lm", text], ["calibrate", model, lines]):
        err = refused(capsys, *words, "--split", "test-clean")
        assert "does not look at the split 'test-clean'" in err
    assert "no language model, expected --lm FILE" in refused(capsys, "lm", "tune", model, lines)
    assert "is what lm tune looks for" in refused(capsys, "lm", "tune", model, lines, "--lm", text, "--lm-weight", 1)
    assert "--tta is not for lm tune" in refused(capsys, "lm", "tune", model, lines, "--lm", text, "--tta", 2)
    assert "--by is 'ser', expected cer or wer" in refused(
        capsys, "lm", "tune", model, lines, "--lm", text, "--by", "ser"
    )
    assert "method 'guess', expected" in refused(capsys, "calibrate", model, lines, "--method", "guess")
    assert model.read_bytes() == before


def test_references_that_look_wrong_are_listed(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["x-x ol", "-l xo", "ol -x", "lo x-"]
    manifest = tiny.write_lines(tmp_path / "f", texts, ["valid"] * 4)
    _, read, _ = said(capsys, "transcribe", tmp_path / "f", "--model", model, "--json")
    rows = [json.loads(line) for line in read.splitlines()]
    surest = max(rows, key=lambda row: float(row["confidence"]))
    others = {Path(row["file"]).name: row["text"].strip() or "l" for row in rows}
    others[Path(surest["file"]).name] = "xxxxxxxxxxxxxxxx"
    table = "\n".join(f"{name}\t{said_}\tvalid" for name, said_ in others.items())
    manifest.write_text(f"file\ttext\tsplit\n{table}\n")
    corpus = tiny.pack(manifest, tmp_path / "p", tiny.HEIGHT)
    _, out, _ = said(capsys, "evaluate", model, corpus, "--split", "valid", "--json", tmp_path / "r.json")
    suspects = json.loads((tmp_path / "r.json").read_text())["suspect_references"]
    assert [Path(one["name"]).name for one in suspects] == [Path(surest["file"]).name]
    assert "references that look wrong (surer than most, yet half of it or more read otherwise): 1" in out


@pytest.mark.parametrize("more", [[], ["--prune", "1e-6"]])
def test_building_shows_a_bar_on_a_terminal_that_ends_with_its_last_step(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "a.txt"
    text.write_text("one two\ntwo three\n" * 20, encoding="utf-8")
    call = ("lm", "build", text, text, "--order", 3, *more, "--out")
    _, plain, lines = said(capsys, *call, tmp_path / "a.lm")
    steps = lines.splitlines()
    monkeypatch.setattr("recognizer.commands.progress.sys.stderr.isatty", lambda: True, raising=False)
    code, out, err = said(capsys, *call, tmp_path / "b.lm")
    assert code == 0 and out.replace("b.lm", "a.lm") == plain
    assert f"writing b.lm: step {len(steps)} of {len(steps)}" in err and f"step 1 of {len(steps)}" in err


def test_words_for_a_model_of_phones_may_hold_any_letter(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text.write_text("don't ask the queen\nit's in the box\n")
    model = text.with_name("w.arpa")
    code, _, _ = said(
        capsys, "lm", "build", text, "--unit", "word", "--order", 2, "--model", "speech-words", "--out", model
    )
    assert code == 0 and {"don't", "queen", "it's", "box"} <= set(model.read_text().split())
