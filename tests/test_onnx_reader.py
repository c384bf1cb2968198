"""Exported models that read, by onnxruntime alone."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from makers import line_image, model_file, save_model, tone
from terminal import said

from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.reading.reader import Reader

pytest.importorskip("onnxruntime", reason="recognizer[onnx] is not installed")
onnx = pytest.importorskip("onnx", reason="recognizer[onnx] is not installed")

GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "export.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from recognizer.export.onnx_file import export_onnx

    folder = tmp_path_factory.mktemp("exported")
    for kind in ("handwriting", "speech"):
        save_model(kind, folder / f"{kind}.safetensors")
        export_onnx(model_file(kind), folder / f"{kind}.onnx")
    for i in range(3):
        line_image("a line of words"[: 7 + 4 * i]).save(folder / f"{i}.png")
    return folder


def python(*words: object) -> str:
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("options", [DecoderOptions(), DecoderOptions(engine="beam"), DecoderOptions(tta=2)], ids=str)
def test_it_reads_what_the_model_file_reads(folder: Path, options: DecoderOptions) -> None:
    files = sorted(folder.glob("*.png"))
    ours = Reader.load(folder / "handwriting.safetensors", "cpu", options).transcribe(files)
    theirs = Reader.load(folder / "handwriting.onnx", "auto", options).transcribe(files)
    assert [one.text for one in theirs] == [one.text for one in ours] != ["", "", ""]
    assert [[w.text for w in one.words] for one in theirs] == [[w.text for w in one.words] for one in ours]
    np.testing.assert_allclose([one.confidence for one in theirs], [one.confidence for one in ours], atol=1e-3)


def test_sound_is_read_too(folder: Path) -> None:
    ours, theirs = (Reader.load(folder / f"speech.{suffix}", "cpu") for suffix in ("safetensors", "onnx"))
    sound = [tone(0.7), tone(0.3)]
    assert [one.text for one in theirs.transcribe(sound, 16000)] == [one.text for one in ours.transcribe(sound, 16000)]


def test_a_line_is_read_without_torch(folder: Path) -> None:
    code = (
        "import sys, recognizer\n"
        f"text = recognizer.load({str(folder / 'handwriting.onnx')!r}).transcribe({str(folder / '1.png')!r}).text\n"
        "print(text, 'torch' in sys.modules, sep='|')"
    )
    text, loaded = python("-c", code).rstrip("\n").split("|")
    assert loaded == "False"
    assert text == Reader.load(folder / "handwriting.safetensors", "cpu").transcribe(folder / "1.png").text


def test_the_command_line_exports_and_reads(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = folder / "handwriting.safetensors", tmp_path / "new.onnx"
    code, text, _ = said(capsys, "export", model, "--to", "onnx", "--out", out)
    assert code == 0 and text.startswith(f"{out}: ")
    files = sorted(folder.glob("*.png"))
    assert said(capsys, "transcribe", *files, "--model", out) == said(capsys, "transcribe", *files, "--model", model)
    before = out.read_bytes()
    code, _, error = said(capsys, "export", model, "--to", "onnx", "--out", out)
    assert code == 2 and "is there already" in error and out.read_bytes() == before
    assert said(capsys, "export", model, "--to", "onnx", "--out", out, "--force", "--int8")[0] == 0


def test_an_export_is_called_as_the_folder_of_its_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "my run"
    run.mkdir()
    (run / "model.safetensors").write_bytes((folder / "handwriting.safetensors").read_bytes())
    monkeypatch.chdir(run)
    for model in (".", "../my run/."):
        code, text, _ = said(capsys, "export", model, "--to", "onnx", "--force")
        assert code == 0 and text.startswith("my run.onnx: ") and (run / "my run.onnx").is_file()


def example(folder: Path) -> Path:
    """Write the example of the guide as a file."""
    found = re.search(r"<!-- onnx-example -->\n```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert found
    (folder / "example.py").write_text(found[1])
    return folder / "example.py"


def test_the_example_in_the_guide_reads_the_same(folder: Path, tmp_path: Path) -> None:
    files = sorted(folder.glob("*.png"))
    lines = python(example(tmp_path), folder / "handwriting.onnx", *files).splitlines()
    texts = [one.text for one in Reader.load(folder / "handwriting.onnx").transcribe(files)]
    assert [line.strip() for line in lines] == [text.strip() for text in texts]


def test_the_example_refuses_what_it_would_write_in_another_order(folder: Path, tmp_path: Path) -> None:
    from recognizer.export.onnx_file import export_onnx

    made = model_file("handwriting")
    text = replace(made.alphabet.text, order="rtl")
    export_onnx(replace(made, alphabet=replace(made.alphabet, text=text)), tmp_path / "rtl.onnx")
    call: list[str | Path] = [sys.executable, example(tmp_path), tmp_path / "rtl.onnx", folder / "0.png"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "in the order of the picture (rtl), expected a model of logical order" in done.stderr


def test_files_of_others_and_damaged_ones_are_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "none.onnx").write_bytes(b"not a model at all")
    with pytest.raises(RecognizerError, match="none.onnx: not an ONNX file that can be read"):
        Reader.load(tmp_path / "none.onnx")
    foreign = onnx.load(folder / "handwriting.onnx")
    del foreign.metadata_props[:]
    onnx.save(foreign, tmp_path / "foreign.onnx")
    with pytest.raises(
        RecognizerError, match="its metadata lack 'recognizer', expected a file that `recognizer export"
    ):
        Reader.load(tmp_path / "foreign.onnx")
    with pytest.raises(RecognizerError, match="ONNX is read on the CPU"):
        Reader.load(folder / "handwriting.onnx", "cuda")


def test_without_onnxruntime_the_message_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RecognizerError, match=r"pip install 'recognizer\[onnx\]'"):
        Reader.load(folder / "handwriting.onnx")


def test_what_reads_takes_an_export_and_what_changes_a_model_does_not(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "info", folder / "speech.onnx")
    assert code == 0 and out.startswith("speech.onnx: reads speech, ")
    for words in (("lm", "tune", "--lm", "en"), ("calibrate",)):
        code, out, err = said(capsys, *words, folder / "speech.onnx", tmp_path, "--out", tmp_path / "made.safetensors")
        assert (code, out, err) == (
            2,
            "",
            f"recognizer: {folder / 'speech.onnx'}: an export, which is read and not changed, expected the model file "
            f"it is made of\n",
        )


def test_the_server_says_which_export_it_reads_with(folder: Path) -> None:
    from web_client import serving

    with serving(folder, models={"handwriting": str(folder / "handwriting.onnx")}) as client:
        assert client.get("/api/project").status_code == 200


def test_a_shipped_model_takes_its_language_model_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = said(capsys, "export", "speech", "--to", "onnx", "--out", tmp_path / "other.onnx")
    assert code == 0
    theirs, ours = Reader.load(tmp_path / "other.onnx"), Reader.load("speech")
    assert theirs.decoder.settings == ours.decoder.settings and ours.decoder.settings.lm is not None
    assert Reader.load(tmp_path / "other.onnx", options=DecoderOptions(lm=Path("none"))).decoder.settings.lm is None
