"""Input at fault gets one line and exit code 2, in Python a RecognizerError."""

import errno
import io
import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from makers import line_image, model_file, page_image, save_model, tone
from PIL import Image

import recognizer
from recognizer.cli import main
from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError
from recognizer.inputs.lines import image_file
from recognizer.inputs.lines.image import HandwritingSettings, line_from_array, read_line
from recognizer.model.model_file import save_model_file

Write = Callable[[Path], object]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_model("handwriting", folder / "handwriting")
    save_model("speech", folder / "speech")
    return folder


def encoded(form: str, **options: str) -> bytes:
    memory = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 300), np.uint8))
    image.save(memory, form, **options)
    return memory.getvalue()


def half(form: str, **options: str) -> Write:
    return lambda path: path.write_bytes(encoded(form, **options)[:2000])


def png_header(columns: int, rows: int) -> bytes:
    """Return a PNG that says how large it is and holds nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return head + struct.pack(">I", 1000) + b"IDAT"


def flac_cut(path: Path) -> None:
    soundfile.write(path, np.random.default_rng(1).normal(0, 0.1, 32000), 16000)
    path.write_bytes(path.read_bytes()[:20000])


def wave(seconds: float) -> Write:
    return lambda path: soundfile.write(path, tone(seconds), 16000)


IMAGES: dict[str, tuple[str, Write, str]] = {
    "missing": ("line.png", lambda path: None, "no such file"),
    "empty": ("line.png", lambda path: path.write_bytes(b""), "empty"),
    "text": ("line.png", lambda path: path.write_text("no picture at all\n"), "not an image"),
    "half a PNG": ("line.png", half("PNG"), "whole image"),
    "half a JPEG": ("line.jpg", half("JPEG"), "whole image"),
    "half a WebP": ("line.webp", half("WEBP"), "image"),
    "half a TIFF": ("line.tif", half("TIFF"), "whole image"),
    "half a compressed TIFF": ("line.tif", half("TIFF", compression="tiff_lzw"), "image"),
    "half a GIF": ("line.gif", half("GIF"), "whole image"),
    "half a BMP": ("line.bmp", half("BMP"), "whole image"),
    "one pixel": ("line.png", lambda path: Image.new("L", (1, 1)).save(path), "at least 8 x 8"),
    "as high as a house": ("line.png", lambda path: path.write_bytes(png_header(30000, 30000)), "at most 50,000,000"),
    "rather high": ("line.png", lambda path: path.write_bytes(png_header(9000, 9000)), "81,000,000 pixels"),
    "very wide": ("line.png", lambda path: Image.new("L", (9000, 10)).save(path), "at most 20000"),
    "a folder of nothing": ("folder", lambda path: path.mkdir(), "no image"),
    "a sound": ("sound.wav", wave(1.0), "reads handwriting: expected an image"),
}
SOUNDS: dict[str, tuple[str, Write, str]] = {
    "missing": ("sound.flac", lambda path: None, "no such file"),
    "empty": ("sound.flac", lambda path: path.write_bytes(b""), "empty"),
    "text": ("sound.wav", lambda path: path.write_text("no sound at all\n"), "not a sound"),
    "half a FLAC": ("sound.flac", flac_cut, "broken off"),
    "a hundredth of a second": ("sound.wav", wave(0.01), "expected 0.02 s or more"),
    "an image": ("line.png", lambda path: line_image().save(path), "reads speech: expected a recording"),
}
FILES = [("handwriting", *case) for case in IMAGES.values()] + [("speech", *case) for case in SOUNDS.values()]


def line_of(words: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """Run the command line; return its one line of complaint, the process's own streams looked at too."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capfd.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert said.err.startswith("recognizer: ") and said.err.count("\n") == 1 and said.err.endswith("\n"), said.err
    return said.err


@pytest.mark.parametrize(("kind", "name", "write", "wanted"), FILES, ids=[*IMAGES, *(f"{k} (sound)" for k in SOUNDS)])
def test_a_file_at_fault_is_named_in_one_line(
    kind: str, name: str, write: Write, wanted: str, tmp_path: Path, models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / name)
    said = line_of(["transcribe", str(tmp_path / name), "--model", str(models / kind)], capfd)
    assert name in said and wanted in said
    if name != "folder":
        with pytest.raises(RecognizerError, match=name):
            recognizer.load(models / kind).transcribe(tmp_path / name)


def test_one_file_at_fault_among_many_does_not_stop_the_others(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "c.png"):
        line_image().save(tmp_path / name)
    (tmp_path / "b.png").write_text("nothing")
    with pytest.raises(SystemExit) as ended:
        main(["transcribe", *(str(tmp_path / f"{n}.png") for n in "abc"), "--model", str(models / "handwriting")])
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert [line.split("\t")[0][-5:] for line in said.out.splitlines()] == ["a.png", "c.png"]
    assert said.err.count("\n") == 1 and "b.png" in said.err


def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(image: Image.Image) -> np.ndarray:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(image_file, "_flatten", decode)
    (tmp_path / "line.png").write_bytes(png_header(30000, 30000))
    with pytest.raises(RecognizerError, match="at most"):
        read_line(tmp_path / "line.png", HandwritingSettings())


def test_a_page_is_no_line(tmp_path: Path, models: Path) -> None:
    page_image(12).save(tmp_path / "page.png")
    with pytest.raises(
        RecognizerError, match="page.png: looks like a page of about 12 lines, expected an image of one line"
    ):
        recognizer.load(models / "handwriting").transcribe(tmp_path / "page.png")


def test_every_real_page_is_refused(shared: Path) -> None:
    pages = sorted((shared / "pages").rglob("*.jpg"))
    assert len(pages) == 5
    for page in pages:
        with pytest.raises(RecognizerError, match="looks like a page"):
            read_line(page, HandwritingSettings())


def test_real_words_written_large_are_no_pages(shared: Path) -> None:
    for path in sorted((shared / "corpora" / "hooker" / "lines").iterdir())[::400]:
        with Image.open(path) as image:
            large = np.asarray(image.convert("L").resize((image.width * 3, image.height * 3)))
        assert line_from_array(large, HandwritingSettings()).values.shape[1] == 64


def unlike_models(good: bytes) -> dict[str, tuple[bytes, str]]:
    size = struct.unpack("<Q", good[:8])[0]
    header = json.loads(good[8 : 8 + size])
    newer = json.loads(header["__metadata__"]["recognizer"]) | {"format": 99}
    other = json.dumps({"__metadata__": {"recognizer": json.dumps(newer)}}).encode()
    foreign = json.dumps({"__metadata__": {"made": "elsewhere"}}).encode()
    listed = json.dumps({"__metadata__": {"recognizer": "[1]"}}).encode()
    zipped, plain = io.BytesIO(), io.BytesIO()
    torch.save({"weight": torch.ones(2)}, zipped)
    pickle.dump({"weight": 1}, plain)
    return {
        "a torch.save": (zipped.getvalue(), "pickled"),
        "a pickle": (plain.getvalue(), "pickled"),
        "cut in its header": (good[: 8 + size // 2], "cut short"),
        "cut in its weights": (good[:-100], "weights cannot be read"),
        "of a newer format": (struct.pack("<Q", len(other)) + other, "upgrade"),
        "of another program": (struct.pack("<Q", len(foreign)) + foreign, "not a model file"),
        "with a list for a header": (struct.pack("<Q", len(listed)) + listed, "not a model file"),
        "random bytes": (np.random.default_rng(1).bytes(1000), "not a model file"),
        "empty": (b"", "not a model file"),
        "seven bytes": (b"1234567", "not a model file"),
    }


def test_a_foreign_broken_or_newer_model_is_refused(
    tmp_path: Path, models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    line_image().save(tmp_path / "line.png")
    for name, (data, wanted) in unlike_models((models / "handwriting").read_bytes()).items():
        path = tmp_path / "model.safetensors"
        path.write_bytes(data)
        for words in (["info", str(path)], ["transcribe", str(tmp_path / "line.png"), "--model", str(path)]):
            if (name, words[0]) != ("cut in its weights", "info"):
                said = line_of(words, capfd)
                assert "model.safetensors" in said and wanted in said, (name, said)


def test_a_model_that_is_not_there_is_named_with_those_that_are(capfd: pytest.CaptureFixture[str]) -> None:
    said = line_of(["transcribe", "line.png", "--model", "no-such-model"], capfd)
    assert "no-such-model: no such model file; shipped models:" in said


CALLS = {
    "no verb": ([], "required: VERB"),
    "unknown verb": (["transcibe"], "invalid choice: 'transcibe'"),
    "unknown flag": (["info", "x", "--jsn"], "--jsn"),
    "no file": (["transcribe"], "required: files"),
    "a word for a number": (["prepare", "x", "--out", "y", "--height", "tall"], "invalid int value: 'tall'"),
    "no corpus": (["evaluate", "MODEL", "no-such-corpus"], "no-such-corpus: not there, expected a prepared corpus"),
    "unknown corpus": (["prepare", "copist", "--source", ".", "--out", "y"], "copiste"),
    "unknown split": (["prepare", "x", "--out", "y", "--valid-share", "2"], "below 1"),
    "channel 0": (["transcribe", "x", "--channel", "0"], "--channel is 0, expected 1 or more"),
    "no such device": (["evaluate", "MODEL", "x", "--device", "warp"], "expected auto, cpu or cuda"),
}


@pytest.mark.parametrize(("words", "wanted"), CALLS.values(), ids=CALLS)
def test_a_call_at_fault_gets_one_line(
    words: list[str], wanted: str, models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = [str(models / "handwriting") if word == "MODEL" else word for word in words]
    assert wanted in line_of(words, capfd)


MANIFESTS = {
    "without text": ("file\ttranscript\nline.png\tx\n", "no column text"),
    "without file": ("name\ttext\nline.png\tx\n", "no column file"),
    "a field too few": ("file\ttext\nline.png\n", "manifest.tsv:2: 1 fields, expected 2"),
    "a file that is not there": ("file\ttext\nother.png\tx\n", "other.png is not there"),
    "nothing": ("", "no column file or text"),
}


@pytest.mark.parametrize(("table", "wanted"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_at_fault_is_named(
    table: str, wanted: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    line_image().save(tmp_path / "line.png")
    (tmp_path / "manifest.tsv").write_text(table)
    said = line_of(["prepare", str(tmp_path / "manifest.tsv"), "--out", str(tmp_path / "out")], capfd)
    assert "manifest.tsv" in said and wanted in said
    assert not (tmp_path / "out" / "corpus.pack").exists()


def fail(*unused: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_model_as_it_was(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_model("handwriting", tmp_path / "model.safetensors")
    before = path.read_bytes()
    changed = model_file("handwriting")
    changed.card = "another"
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(RecognizerError, match=r"model\.safetensors: cannot be written \(No space left"):
        save_model_file(changed, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path / "file" / "report.json", tmp_path):
        with pytest.raises(RecognizerError, match="cannot be written"):
            write_atomically(path, b"{}")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_files_that_may_not_be_read_are_named(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line_image().save(tmp_path / "line.png")
    real = open

    def guarded(file: object, *rest: object, **more: object) -> object:
        if str(file).endswith("line.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return real(file, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", guarded)
    said = line_of(["transcribe", str(tmp_path / "line.png"), "--model", str(models / "handwriting")], capfd)
    assert "line.png: cannot be read (Permission denied)" in said


ARRAYS = {
    "not a number": np.full((48, 100), np.nan),
    "a colour that is not a number": np.full((48, 100, 3), np.nan),
    "above one": np.full((48, 100), 200.0),
    "below nothing": np.full((48, 100), -0.1),
    "whole numbers of 64 bits": np.full((48, 100), 200),
    "four axes": np.zeros((1, 1, 48, 100), np.uint8),
    "two channels": np.zeros((48, 100, 2), np.uint8),
    "empty": np.zeros((0, 0), np.uint8),
    "empty floats": np.zeros((0, 5)),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(RecognizerError, match="expected"):
        line_from_array(array, HandwritingSettings())


def test_sound_that_is_no_number_is_refused(models: Path) -> None:
    reader = recognizer.load(models / "speech")
    with pytest.raises(RecognizerError, match="not finite"):
        reader.transcribe(np.full(16000, np.nan, np.float32), rate=16000)
    with pytest.raises(RecognizerError, match="without its sample rate"):
        reader.transcribe(tone(1.0))
