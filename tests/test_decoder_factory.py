"""Choosing a decoder: what a command line and a model file ask for, and what it then does."""

import dataclasses
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from terminal import said
from tiny import Run

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.store import Store
from recognizer.decoding.beam_search import beam_search
from recognizer.decoding.decoder import Decoder
from recognizer.decoding.decoder_factory import make_decoder
from recognizer.decoding.decoder_files import DecoderFiles, name_file, open_language_model, read_words
from recognizer.decoding.greedy import greedy
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.decoding.options import DecoderOptions, asked, flag_of
from recognizer.decoding.scorers import CharacterModel
from recognizer.decoding.settings import BOUNDS, DecoderSettings, NamedFile, settings_of
from recognizer.errors import RecognizerError
from recognizer.language.build import BuildSettings, build
from recognizer.language.lstm import LanguageModel, LanguageModelSettings, save
from recognizer.language.ngram_file import open_ngram
from recognizer.language.text import SPACE
from recognizer.network.cells import CellSettings
from recognizer.reading.transcription import doubtful, marked

ALPHABET = Alphabet((" ", "a", "b", "c"))
TEXT = "ab cab\nbac ab\nab ab cab\ncab bac\n"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return a folder with a text, models of it, and lists of words."""
    (tmp_path / "text.txt").write_text(TEXT)
    for name, unit in (("c.ng", "character"), ("c.arpa", "character"), ("w.arpa", "word")):
        build([tmp_path / "text.txt"], BuildSettings(3, unit), tmp_path / name, lambda line: None)
    torch.manual_seed(1)
    settings = LanguageModelSettings(tuple(" abc"), embedding=4, cell=CellSettings(hidden=6))
    save(LanguageModel(settings).eval(), tmp_path / "n.safetensors")
    (tmp_path / "words").write_text("ab\ncab\n")
    return tmp_path


def random(samples: int = 6, frames: int = 14, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    x = (2 * torch.randn(samples, frames, 5, generator=torch.Generator().manual_seed(seed))).log_softmax(2)
    return x, torch.tensor([frames - i for i in range(samples)])


def texts(options: DecoderOptions, stored: dict[str, object] | None = None) -> list[str]:
    return [one.text for one in make_decoder(options, stored or {}, ALPHABET).decode(*random())]


def test_nothing_asked_for_is_the_best_path() -> None:
    assert make_decoder(DecoderOptions(), {}, ALPHABET).decode(*random()) == greedy(*random(), ALPHABET)


def test_an_option_of_the_beam_asks_for_the_beam(made: Path) -> None:
    decoder = make_decoder(DecoderOptions(lm=made / "c.ng", lm_weight=1.5), {}, ALPHABET)
    model = open_ngram(made / "c.ng")
    scorer = CharacterModel(model, ALPHABET, 1.5, TextSettings(), SPACE)
    wanted = beam_search(*random(), ALPHABET, decoder.settings.beam, scorer)
    found = decoder.decode(*random())
    assert found == [row[0] for row in wanted]
    assert [one.text for one in found] != texts(DecoderOptions()) and decoder.texts(*random()) == [
        one.text for one in found
    ]


def test_settings_come_back_from_a_model_file_without_a_path(made: Path) -> None:
    options = DecoderOptions(
        lm=made / "c.ng", beam=7, word_bonus=1.0, hot_words=made / "words", lexicon=made / "words", oov_penalty=3.0
    )
    settings = make_decoder(options, {}, ALPHABET).settings
    plain = json.dumps(settings.data(), allow_nan=False)
    assert str(made) not in plain
    assert settings_of(json.loads(plain)) == settings
    assert settings_of({}) == DecoderSettings()


def test_a_models_own_decoder_is_used_where_its_files_are_given(made: Path) -> None:
    stored = make_decoder(DecoderOptions(lm=made / "c.ng", lm_weight=1.5, beam=9), {}, ALPHABET).settings
    again = make_decoder(DecoderOptions(lm=made / "c.ng"), stored.data(), ALPHABET)
    assert again.settings == stored and not again.notes
    other = make_decoder(DecoderOptions(lm=made / "c.ng", lm_weight=0.25), stored.data(), ALPHABET)
    assert (other.settings.lm_weight, other.settings.beam.width) == (0.25, 9)


def test_a_models_own_decoder_is_left_aside_aloud_where_a_file_is_missing_or_another(made: Path) -> None:
    stored = make_decoder(DecoderOptions(lm=made / "c.ng", lm_weight=1.5), {}, ALPHABET).settings
    without = make_decoder(DecoderOptions(), stored.data(), ALPHABET)
    assert without.settings == DecoderSettings() and "needs c.ng: give it with --lm" in without.notes[0]
    other = make_decoder(DecoderOptions(lm=made / "c.arpa"), stored.data(), ALPHABET)
    assert other.settings.lm_weight == DecoderSettings().lm_weight
    assert other.notes[0].startswith("c.arpa is not the c.ng (sha256")
    asked = make_decoder(DecoderOptions(engine="greedy"), stored.data(), ALPHABET)
    assert asked.settings.engine == "greedy" and not asked.notes


def test_each_part_changes_what_is_read(made: Path) -> None:
    plain = texts(DecoderOptions(engine="beam"))
    parts = [
        DecoderOptions(lm=made / "w.arpa", lm_weight=2.0),
        DecoderOptions(lm=made / "n.safetensors", lm_weight=3.0),
        DecoderOptions(word_bonus=3.0),
        DecoderOptions(hot_words=made / "words", hot_bonus=9.0),
        DecoderOptions(rescore=made / "c.ng", rescore_weight=2.0),
    ]
    assert all(texts(part) != plain for part in parts)
    assert all(set(text.split()) <= {"ab", "cab"} for text in texts(DecoderOptions(lexicon=made / "words")))


def test_a_neural_model_in_the_beam_scores_as_it_scores_whole_texts(made: Path) -> None:
    model = open_language_model(made / "n.safetensors")
    assert isinstance(model, LanguageModel)
    for rows in (1, 20):  # 20 samples are followed in several runs
        log_probs, counts = random(rows, seed=3)
        counts = counts.clamp(min=3)
        options = DecoderOptions(lm=made / "n.safetensors", lm_weight=0.7, beam=300)
        found = [row[0] for row in make_decoder(options, {}, ALPHABET).candidates(log_probs, counts)]
        loss = torch.nn.CTCLoss(reduction="none")
        for i, one in enumerate(found):
            labels = torch.tensor([one.labels], dtype=torch.long)
            sizes = torch.tensor([len(log_probs[i, : counts[i]])]), torch.tensor([len(one.labels)])
            acoustic = -float(loss(log_probs[i, : counts[i], None], labels, *sizes))
            said = float(model.rescore([ALPHABET.decode(one.labels)])[0])
            assert one.score == pytest.approx(acoustic + 0.7 * said, abs=0.02)


def test_rescoring_ranks_by_the_sum_of_both() -> None:
    log_probs, counts = random(1)
    settings = DecoderSettings("beam", rescore=NamedFile("x", ""), rescore_weight=1.0)
    torch.manual_seed(1)
    model = LanguageModel(LanguageModelSettings(tuple(" abc"), embedding=4, cell=CellSettings(hidden=6))).eval()
    found = Decoder(settings, ALPHABET, DecoderFiles(rescore=model)).candidates(log_probs, counts)[0]
    plain = Decoder(DecoderSettings("beam"), ALPHABET, DecoderFiles(rescore=None))
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    best = plain.candidates(log_probs, counts)[0][0]
    same = next(one for one in found if one.labels == best.labels)
    assert same.score == pytest.approx(best.score + float(model.rescore([ALPHABET.decode(best.labels)])[0]), abs=1e-4)


def test_flashlight_takes_the_same_options(made: Path) -> None:
    pytest.importorskip("flashlight.lib.text.decoder")
    plain = texts(DecoderOptions(engine="flashlight"))
    assert texts(DecoderOptions(engine="flashlight", lm=made / "c.arpa", lm_weight=2.0)) != plain
    read = texts(DecoderOptions(engine="flashlight", lm=made / "w.arpa", lexicon=made / "words"))
    assert all(set(text.split()) <= {"ab", "cab"} for text in read) and any(read)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (DecoderOptions(engine="viterbi"), "decoder 'viterbi', expected one of greedy, beam, flashlight"),
        (DecoderOptions(engine="greedy", beam=5), "--beam has no effect on the best path"),
        (DecoderOptions(lm_weight=1.0), "--lm-weight has no effect without --lm"),
        (DecoderOptions(hot_bonus=1.0), "--hot-bonus has no effect without --hot-words"),
        (DecoderOptions(oov_penalty=1.0), "--oov-penalty has no effect without --lexicon"),
        (DecoderOptions(word_bonus=math.nan), "word-bonus is nan, expected a number"),
        (DecoderOptions(word_bonus=800.0), "word-bonus is 800.0, expected -100 to 100"),
        (DecoderOptions(temperature=1e-300), "temperature is 1e-300, expected 0.001 to 1000"),
        (DecoderOptions(beam=0), "beam: width 0"),
        (DecoderOptions(lm=Path("none.ng")), "none.ng: cannot be read"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: DecoderOptions, line: str) -> None:
    with pytest.raises(RecognizerError, match=line):
        make_decoder(options, {}, ALPHABET)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("lexicon", "ab\nbad zed\n", "lexicon:2: lexicon: 'bad': the model lacks 'd', 'e', 'z'"),
        ("lexicon", " \n", "lexicon: no words, expected a lexicon of a word a line"),
        ("hot_words", "é\n", "hot_words:1: list of hot words: 'é': the model lacks 'é'"),
        ("lm", "", "lm:0: the file ends, expected"),
        ("lm", "{}", "lm:1: .{}., expected .data"),
        (
            "lm",
            "\\data\\\nngram 1=3\n\n\\1-grams:\n-1 <s>\n-1 </s>\n\\end\\\n",
            "2 1-grams since line 4, expected the 3",
        ),
        ("lm", "\\data\\\nngram 1=1\n\n\\2-grams:\n-1 <s> a\n\\end\\\n", "expected .1-grams:"),
    ],
)
def test_files_at_fault_are_named(tmp_path: Path, name: str, content: str, line: str) -> None:
    path: Any = tmp_path / name
    path.write_text(content)
    with pytest.raises(RecognizerError, match=line):
        make_decoder(replace(DecoderOptions(), **{name: path}), {}, ALPHABET)


def test_flashlight_refuses_what_it_cannot_use(made: Path) -> None:
    for options, line in (
        (DecoderOptions("flashlight", lm=made / "c.ng"), "flashlight reads ARPA files"),
        (DecoderOptions("flashlight", lm=made / "n.safetensors"), "flashlight reads ARPA files"),
        (DecoderOptions("flashlight", lm=made / "w.arpa"), "a model of words, which flashlight takes only with"),
        (DecoderOptions("flashlight", lm=made / "c.arpa", lexicon=made / "words"), "takes only without --lexicon"),
        (DecoderOptions("flashlight", hot_words=made / "words"), "--hot-words is not for flashlight"),
    ):
        with pytest.raises(RecognizerError, match=line):
            make_decoder(options, {}, ALPHABET)


def test_a_foreign_decoder_in_a_model_file_is_refused() -> None:
    for data in ({"engine": "beam", "colour": 1}, {"beam": {"width": "x"}}, {"lm": {"name": "x"}}):
        with pytest.raises(RecognizerError, match="decoder|beam: "):
            make_decoder(DecoderOptions(), data, ALPHABET)


def test_characters_that_the_language_model_lacks_are_said(made: Path) -> None:
    wide = Alphabet((" ", "a", "b", "c", "é"))
    for name in ("c.ng", "n.safetensors"):
        assert (
            "does not know 1 of the model's characters: 'é'"
            in make_decoder(DecoderOptions(lm=made / name), {}, wide).notes[0]
        )


def test_words_below_a_confidence_are_marked() -> None:
    words = (Span("ab", 0, 1, 0.9), Span("c", 2, 3, 0.4))
    hypothesis = Hypothesis(" ab  c", 0.5, (), words)
    assert marked(hypothesis, 0.5) == " ab  [c?]" and doubtful(hypothesis, 0.5) == [1]
    assert marked(hypothesis, 0.0) == hypothesis.text
    assert marked(hypothesis, 1.0) == " [ab?]  [c?]"


def test_evaluate_and_transcribe_read_alike_by_beam_and_language_model(
    line_run: Run, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text("lox ol\nxo lx-\nol lox\n")
    build([tmp_path / "text.txt"], BuildSettings(3), tmp_path / "c.ng", lambda line: None)
    options = ["--lm", tmp_path / "c.ng", "--lm-weight", "0.8", "--word-bonus", "0.5"]
    report = tmp_path / "report.json"
    _, out, _ = said(capsys, "evaluate", line_run.folder, lines, "--split", "valid", "--json", report, *options)
    assert "decoder: beam 25, c.ng x 0.8, word bonus 0.5" in out, out
    store = Store(lines)
    files = [lines.parent / "files" / store.sample(i).path.name for i in store.indices("valid")]
    _, read, _ = said(capsys, "transcribe", *files, "--model", line_run.folder, *options)
    by_file = {Path(name).name: text for name, text in (line.split("\t") for line in read.splitlines())}
    worst = json.loads(report.read_text())["worst"]
    assert {Path(row["name"]).name: row["read"] for row in worst} == by_file
    _, plain, _ = said(capsys, "transcribe", *files, "--model", line_run.folder)
    assert plain != read


@pytest.mark.parametrize("name", list(BOUNDS))
def test_values_that_no_exponential_bears_are_refused(name: str) -> None:
    for value in BOUNDS[name]:
        given: dict[str, Any] = {name: value}
        assert value == 0 or getattr(DecoderSettings(**given), name) == value
    with pytest.raises(RecognizerError, match=rf"^{name.replace('_', '-')} is 1e\+308, expected \S+ to \S+$"):
        DecoderSettings(**{name: 1e308})  # type: ignore[arg-type]


def test_the_largest_values_are_borne(made: Path) -> None:
    most: dict[str, Any] = {
        name: BOUNDS[name][1] for name in ("lm_weight", "word_bonus", "hot_bonus", "rescore_weight")
    }
    for weight in BOUNDS["lm_weight"]:
        values = most | {"lm_weight": weight}
        assert any(texts(DecoderOptions(lm=made / "c.ng", hot_words=made / "words", rescore=made / "w.arpa", **values)))


def test_bad_values_on_the_command_line_are_one_line(
    line_run: Run, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines.parent / "files" / "000.png"
    for words, line in (
        (["--lm-weight", "much"], "--lm-weight is 'much', expected a number"),
        (["--word-bonus", "nan"], "--word-bonus is 'nan', expected a number"),
        (["--beam", "2.5"], "--beam is '2.5', expected a whole number"),
        (["--min-confidence", "7"], "--min-confidence is 7, expected 0 to 1"),
    ):
        code, out, err = said(capsys, "transcribe", file, "--model", line_run.folder, *words)
        assert (code, out, err) == (2, "", f"recognizer: {line}\n")


def test_doubtful_words_stand_in_text_and_json(line_run: Run, lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = lines.parent / "files" / "000.png"
    words = ["transcribe", file, "--model", line_run.folder, "--min-confidence", "1"]
    _, text, _ = said(capsys, *words)
    _, data, _ = said(capsys, *words, "--json")
    read = json.loads(data)
    assert text.split() == [f"[{word['text']}?]" for word in read["words"]] != []
    assert read["doubtful"] == list(range(len(read["words"])))


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert name_file(tmp_path / "a") == NamedFile("a", wanted)


def test_a_lexicon_with_spellings_lists_its_words(tmp_path: Path) -> None:
    (tmp_path / "spelled").write_text("ab a b |\ncab c a b\na a\nb ab\n")
    assert read_words(tmp_path / "spelled", ALPHABET, "lexicon") == ["ab", "cab", "a", "b"]


def test_every_option_is_a_setting_of_the_model_file_and_a_flag() -> None:
    names = [one.name for one in asked()]
    assert names == [one.name for one in dataclasses.fields(DecoderSettings)]
    flags = ["--decoder", *(f"--{name.replace('_', '-')}" for name in names[1:])]
    assert [flag_of(name) for name in names] == flags
