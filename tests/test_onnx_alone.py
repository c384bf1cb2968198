"""Exported models where torch is not installed, and where they travel."""

import copy
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from makers import line_image, model_file, save_model

from recognizer.reading.reader import Reader

pytest.importorskip("onnxruntime", reason="recognizer[onnx] is not installed")
pytest.importorskip("onnx", reason="recognizer[onnx] is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from recognizer.export.onnx_file import export_onnx

    folder = tmp_path_factory.mktemp("exported")
    save_model("speech", folder / "speech.safetensors")
    for kind in ("handwriting", "speech"):
        export_onnx(model_file(kind), folder / f"{kind}.onnx")
    line_image().save(folder / "line.png")
    return folder


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_takes_torch_says_so_where_there_is_none(folder: Path) -> None:
    code = f"""
import sys
import numpy as np
sys.modules.update(torch=None, torchaudio=None)
import recognizer
from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.reading.reader import Reader

sound, reader = np.zeros(8000, np.float32), recognizer.load({str(folder / "speech.onnx")!r})
for work in (
    lambda: reader.transcribe(sound, 11025),
    lambda: reader.align(reader.signal(sound, 16000), "a"),
    lambda: reader.log_probs([reader.signal(sound, 16000).values]),
    lambda: Reader.load({str(folder / "speech.onnx")!r}, options=DecoderOptions(engine="beam")),
    lambda: recognizer.load({str(folder / "speech.safetensors")!r}),
):
    try:
        work()
    except RecognizerError as error:
        print(error)
"""
    lines = python(code).splitlines()
    assert len(lines) == 5 and all(re.search("takes the package torch(audio)?, which is not", line) for line in lines)


def test_an_export_is_described_without_torch(folder: Path) -> None:
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom recognizer.cli import main\n"
        f"main(['info', {str(folder / 'speech.onnx')!r}])"
    )
    assert python(code).startswith("speech.onnx: reads speech, ")


def test_a_reader_of_an_export_is_copied_and_travels(folder: Path) -> None:
    reader = Reader.load(folder / "handwriting.onnx")
    expected = reader.transcribe(folder / "line.png").text
    for other in (copy.copy(reader), copy.deepcopy(reader), pickle.loads(pickle.dumps(reader))):
        assert other.transcribe(folder / "line.png").text == expected
