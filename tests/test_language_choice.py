"""Which language model a reader takes: by name, a file, none, the model file's own, a shipped model's default."""

import json
import lzma
import shutil
from pathlib import Path

import pytest
import tiny
from terminal import said
from tiny import Run

from recognizer import pretrained
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.decoder_factory import make_decoder
from recognizer.decoding.decoder_files import name_file
from recognizer.decoding.options import DecoderOptions
from recognizer.decoding.settings import DecoderSettings
from recognizer.errors import RecognizerError
from recognizer.language.build import BuildSettings, build
from recognizer.model.model_file import write_header
from recognizer.pretrained import find_language_model, find_lexicon, language_models, lexicons
from recognizer.reading.reader import Reader

TEXT = "lox ol\nxo lx-\nol lox\nx-o l\nlx ol-\n" * 3


@pytest.fixture(scope="module")
def made(line_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model and language models in it."""
    folder = tmp_path_factory.mktemp("pretrained")
    text = tmp_path_factory.mktemp("text") / "text.txt"
    text.write_text(TEXT)
    for name, unit in (("xx-characters.lm", "character"), ("xx-words.lm", "word"), ("yy-characters.lm", "character")):
        settings = BuildSettings(3, unit, quantize=8, weight=0.75, word_bonus=1.5, beam=30)
        build([text], settings, folder / name, lambda line: None)
    shutil.copy(line_run.folder / "model.safetensors", folder / "lines.safetensors")
    return folder


@pytest.fixture
def shipped(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that folder, which stands for that of the shipped models."""
    folder = Path(shutil.copytree(made, tmp_path / "pretrained"))
    monkeypatch.setattr(pretrained, "FOLDER", folder)
    monkeypatch.setattr(pretrained, "DEFAULT_LANGUAGES", {"lines": "xx"})
    return folder


def test_a_language_names_the_model_of_its_unit_for_the_kind_of_input(shipped: Path) -> None:
    assert language_models("handwriting") == ["xx", "yy"] and language_models("speech") == ["xx"]
    assert find_language_model("xx", "handwriting") == shipped / "xx-characters.lm"
    assert find_language_model("xx", "speech") == shipped / "xx-words.lm"
    with pytest.raises(RecognizerError, match=r"yy: no such file, nor a language model for speech .* \(xx\)"):
        find_language_model("yy", "speech")


def test_a_file_goes_before_a_name(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("xx").write_text("")
    assert find_language_model("xx", "speech") == Path("xx")


def test_a_shipped_model_is_read_with_its_language_and_says_so(shipped: Path) -> None:
    reader = Reader.load("lines", "cpu")
    settings = reader.decoder.settings
    assert (settings.engine, settings.lm_weight, settings.word_bonus) == ("beam", 0.75, 1.5)
    assert settings.lm is not None and settings.lm.name == "xx-characters.lm"
    assert "language model xx" in reader.decoder.notes[0] and "--lm none" in reader.decoder.notes[0]


@pytest.mark.parametrize("options", [DecoderOptions(lm=Path("none")), DecoderOptions(engine="greedy")])
def test_none_turns_it_off(shipped: Path, options: DecoderOptions) -> None:
    reader = Reader.load("lines", "cpu", options)
    assert reader.decoder.settings.engine == "greedy" and not reader.decoder.notes


def test_the_same_file_elsewhere_is_a_users_own_and_read_as_it_says(shipped: Path, tmp_path: Path) -> None:
    shutil.copy(shipped / "lines.safetensors", tmp_path / "lines.safetensors")
    assert Reader.load(tmp_path / "lines.safetensors", "cpu").decoder.settings.engine == "greedy"


def test_a_tuned_model_finds_the_shipped_language_model_that_it_names(
    shipped: Path, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tuned.safetensors"
    code, _, err = said(capsys, "lm", "tune", "lines", lines, "--lm", "xx", "--beam", 5, "--samples", 4, "--out", out)
    assert code == 0, err
    decoder = Reader.load(out, "cpu").decoder
    assert decoder.settings.lm is not None and decoder.settings.lm.name == "xx-characters.lm"
    assert decoder.outside.lm is not None and not decoder.notes
    without = Reader.load(out, "cpu", DecoderOptions(lm=Path("none"))).decoder
    assert without.settings.engine == "greedy" and not without.notes


def test_what_the_command_line_says_goes_before_what_the_file_suggests(shipped: Path) -> None:
    options = DecoderOptions(lm=Path("xx"), lm_weight=0.25)
    settings = Reader.load("lines", "cpu", options).decoder.settings
    assert (settings.lm_weight, settings.word_bonus) == (0.25, 1.5)


def test_transcribe_says_the_decoder_in_one_line_and_in_json(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.write_lines(tmp_path / "f", ["lox"], ["train"])
    (image,) = (tmp_path / "f").glob("*.png")
    code, out, err = said(capsys, "transcribe", image, "--model", "lines", "--format", "json")
    assert code == 0 and err.splitlines()[0].startswith("read with the language model xx")
    assert json.loads(out)["decoder"] == "beam 30, xx-characters.lm x 0.75, word bonus 1.5"


def test_words_that_cannot_be_written_are_counted(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("SHALL we GO\nwe go\n")
    build([tmp_path / "text.txt"], BuildSettings(2, "word"), tmp_path / "w.lm", lambda line: None)
    alphabet = Alphabet((" ", *"ewgo"), TextSettings())
    (note,) = make_decoder(DecoderOptions(lm=tmp_path / "w.lm"), {}, alphabet).notes
    assert note == ("2 of 4 words of the language model cannot be written with the model's characters: 'SHALL', 'GO'")


def test_words_that_a_named_model_cannot_write_are_unknown(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from recognizer.language.ngram_file import open_ngram

    (tmp_path / "t.txt").write_text("lox ol\nLOX ol\nlox ol\n")
    out = tmp_path / "w.lm"
    assert said(capsys, "lm", "build", tmp_path / "t.txt", "--unit", "word", "--out", out, "--model", "lines")[0] == 0
    assert set(open_ngram(out).words) == {"<unk>", "<s>", "</s>", "lox", "ol"}


def test_a_lexicon_that_comes_along_is_named_by_its_language_and_found_by_a_model(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Words by other units than their letters: the four strokes of the model say l, o, x and -.
    said_so = "log\tl o x\nox\to x\nlow\tl o\n"
    (shipped / "xx.lexicon.xz").write_bytes(lzma.compress(said_so.encode()))
    assert lexicons() == ["xx"] and find_lexicon("xx") == shipped / "xx.lexicon.xz"
    assert find_lexicon("yy") == Path("yy")
    monkeypatch.chdir(tmp_path)
    Path("xx").write_text(said_so)
    assert find_lexicon("xx") == Path("xx")
    Path("xx").unlink()
    named = Reader.load("lines", "cpu", DecoderOptions(lexicon=Path("xx"), lm=Path("none")))
    assert named.decoder.outside.pronunciations is not None
    stored = DecoderSettings(engine="beam", lexicon=name_file(shipped / "xx.lexicon.xz"))
    write_header(shipped / "lines.safetensors", tmp_path / "said.safetensors", {"decoder": stored.data()})
    own = Reader.load(tmp_path / "said.safetensors", "cpu").decoder
    assert own.outside.pronunciations is not None and own.settings == stored and not own.notes
    (shipped / "xx.lexicon.xz").unlink()
    without = Reader.load(tmp_path / "said.safetensors", "cpu").decoder
    assert without.settings.engine == "greedy" and "needs xx.lexicon.xz" in without.notes[0]
