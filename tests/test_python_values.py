"""Tests of what Python callers hand over: accepted and read as the file would be, or refused in one line."""

import io
import os
import socket
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import soundfile
import torch
from makers import line_image, model_file, save_model, tone
from PIL import Image

import recognizer
from recognizer.errors import RecognizerError
from recognizer.inputs.signal import Signal
from recognizer.reading.reader import Reader


@pytest.fixture(scope="module")
def hand() -> Reader:
    return Reader(model_file("handwriting"), torch.device("cpu"))


@pytest.fixture(scope="module")
def ear() -> Reader:
    return Reader(model_file("speech"), torch.device("cpu"))


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("values") / "line.png"
    line_image().save(path)
    return path


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("values") / "sound.wav"
    soundfile.write(path, tone(0.7), 16000, subtype="PCM_16")
    return path


class Named:
    """A path of another library."""

    def __init__(self, path: Path) -> None:
        """Stand for `path`."""
        self.path = path

    def __fspath__(self) -> str:
        """Return the path."""
        return str(self.path)


def with_alpha(grey: np.ndarray) -> np.ndarray:
    """Return black of which as much is put on as the paper is dark."""
    return np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey])


def image_values(path: Path) -> dict[str, Any]:
    grey = np.asarray(Image.open(path))
    colour = np.dstack([grey] * 3)
    return {
        "text": str(path),
        "bytes of a path's text": Named(path),
        "bytes of the file": path.read_bytes(),
        "a bytearray": bytearray(path.read_bytes()),
        "a memory view": memoryview(path.read_bytes()),
        "a file in memory": io.BytesIO(path.read_bytes()),
        "an open file": open(path, "rb"),
        "a Pillow image": Image.open(path),
        "a Pillow image in colour": Image.open(path).convert("RGB"),
        "a Pillow image with transparency": Image.open(path).convert("RGBA"),
        "a Pillow image for print": Image.open(path).convert("L").convert("CMYK"),
        "a Pillow image with transparency multiplied in": Image.open(path).convert("LA").convert("La"),
        "an array": grey,
        "a matrix": np.matrix(grey),
        "an array of one colour last": grey[:, :, None],
        "an array of one colour first": grey[None],
        "an array of three colours": colour,
        "an array of three colours first": np.moveaxis(colour, 2, 0),
        "an array with transparency": with_alpha(grey),
        "floats": grey / 255.0,
        "half floats": (grey / 255.0).astype(np.float16),
        "an array that is not in order": np.asfortranarray(grey),
        "a tensor": torch.from_numpy(grey.copy()),
        "a tensor of torchvision": torch.from_numpy(grey.copy())[None].float() / 255,
        "a tensor with a gradient": (torch.from_numpy(grey.copy()).double() / 255).requires_grad_(),
    }


def test_every_form_of_an_image_reads_as_its_file(hand: Reader, png: Path) -> None:
    expected = hand.transcribe(png)
    for name, value in image_values(png).items():
        found = hand.transcribe(value)
        assert found.text == expected.text, name
        assert abs(found.confidence - expected.confidence) < 0.02, name


def test_an_image_that_lies_on_its_side_is_read_upright(hand: Reader, png: Path, tmp_path: Path) -> None:
    turned = Image.open(png).convert("RGB").rotate(90, expand=True)
    exif = turned.getexif()
    exif[0x0112] = 6  # to be turned clockwise
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=100)
    assert hand.transcribe(Image.open(tmp_path / "turned.jpg")).text == hand.transcribe(tmp_path / "turned.jpg").text


def test_black_and_white_is_read(hand: Reader, png: Path) -> None:
    bits = np.asarray(Image.open(png)) > 128
    assert hand.transcribe(bits).text == hand.transcribe(Image.fromarray(bits)).text


@pytest.mark.parametrize(
    "make",
    [
        lambda sound: sound,
        lambda sound: sound[:, None],
        lambda sound: sound[None],
        lambda sound: np.stack([sound, sound]),
        lambda sound: (sound * 32768).astype(np.int16),
        lambda sound: sound.astype(np.float64),
        torch.from_numpy,
        lambda sound: torch.from_numpy(sound)[None],
    ],
)
@pytest.mark.parametrize("rate", [16000, 16000.0, np.int64(16000), np.float32(16000)])
def test_every_form_of_sound_reads_as_its_file(make: Any, rate: Any, ear: Reader, wav: Path) -> None:
    samples, _ = soundfile.read(wav, dtype="float32")
    assert ear.transcribe(make(samples), rate=rate).text == ear.transcribe(wav).text


def test_several_sources_come_in_any_form_that_has_an_order(hand: Reader, png: Path) -> None:
    one = hand.transcribe(png).text
    paths: list[Any] = [[png, str(png)], (png, png), (path for path in (png, png)), {"a": png, "b": png}.values()]
    for several in paths:
        assert [found.text for found in hand.transcribe(several)] == [one, one]
    assert hand.transcribe([]) == [] and hand.transcribe(iter([])) == []


def test_a_stream_that_cannot_go_back_is_read_to_its_end(hand: Reader, png: Path) -> None:
    there, here = socket.socketpair()
    with there, here, here.makefile("rb") as stream:
        there.sendall(png.read_bytes())
        there.shutdown(socket.SHUT_WR)
        assert hand.transcribe(stream).text == hand.transcribe(png).text


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": (None, "None cannot be read, expected a path"),
    "a number": (16000, "perhaps of Hz, which rate=... takes"),
    "sound with its rate": ((np.zeros(1000, np.float32), 16000), "perhaps of Hz"),
    "lists of numbers": ([[0, 1], [1, 0]], "type list cannot be read"),
    "a dictionary": ({"a": 1}, "a dict of sources, expected a list"),
    "a set": ({"a.png"}, "a set of sources"),
    "an array of texts": (np.array(["a.png"]), "an array of <U5, expected numbers"),
    "an array of objects": (np.array([None]), "an array of object"),
    "complex numbers": (np.zeros((40, 40), complex), "an array of complex128"),
    "a text file": (io.StringIO("a"), "a file opened as text"),
    "an image of floats": (Image.new("F", (40, 40)), "an image of mode F"),
    "a sparse tensor": (torch.eye(40).to_sparse(), "a tensor that cannot be used"),
    "a tensor without values": (torch.empty(40, 40, device="meta"), "a tensor that cannot be used"),
    "empty bytes": (b"", "it is empty, expected an image"),
    "bytes of nothing": (b"\x00" * 1000, ""),
    "an object": (object(), "type object cannot be read"),
    "an array of five axes": (np.zeros((1, 1, 1, 40, 40), np.uint8), "shape"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_be_read_is_one_line(name: str, hand: Reader, ear: Reader) -> None:
    value, fault = REFUSED[name]
    with pytest.raises(RecognizerError) as said:
        hand.transcribe(value)
    assert fault in str(said.value) and "\n" not in str(said.value)


def test_a_closed_file_is_one_line(hand: Reader, png: Path) -> None:
    with open(png, "rb") as file:
        pass
    with pytest.raises(RecognizerError, match="a file that cannot be read"):
        hand.transcribe(file)


def test_a_file_that_gives_nothing_is_one_line(hand: Reader, tmp_path: Path) -> None:
    class Gone:
        def read(self, size: int = -1) -> bytes:
            raise OSError("it is gone")

    with open(tmp_path / "written", "wb") as file, pytest.raises(RecognizerError, match="a file that cannot be read"):
        hand.transcribe(file)
    with pytest.raises(RecognizerError, match=r"a file that cannot be read \(it is gone\)"):
        hand.transcribe(Gone())  # type: ignore[call-overload]


def test_what_is_no_page_no_text_and_no_device_is_one_line(hand: Reader, png: Path, tmp_path: Path) -> None:
    wrong: Any = b"<PcGts/>"
    for work in (hand.transcribe_page, hand.named_page, hand.find_page):
        with pytest.raises(RecognizerError, match="a value of type bytes is no page, expected a path"):
            work(wrong)
    with pytest.raises(RecognizerError, match="a text to align of type bytes, expected a string"):
        hand.align(hand.signal(png), wrong)
    path = save_model("handwriting", tmp_path / "m.safetensors")
    for device in (None, "meta", "foo"):
        with pytest.raises(RecognizerError, match=rf"device '{device}' cannot be used .*, expected auto, cpu or cuda"):
            Reader.load(path, device)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0, -1, 22050.5, "16000", True, float("nan"), float("inf"), [16000], 10**9])
def test_a_rate_that_is_none_is_one_line(rate: Any, ear: Reader) -> None:
    with pytest.raises(RecognizerError, match="rate is .*, expected a whole number of Hz"):
        ear.transcribe(tone(0.5), rate=rate)


def test_what_has_no_effect_is_refused(hand: Reader, ear: Reader, png: Path, wav: Path) -> None:
    sound = tone(0.5)
    for work, fault in (
        (lambda: ear.transcribe(wav, rate=3), "rate=3 has no effect on a file of sound, which states its own"),
        (lambda: ear.transcribe([wav, str(wav)], rate=16000), "rate=16000 has no effect on a file"),
        (lambda: ear.signal(wav, rate=16000), "rate=16000 has no effect on a file"),
        (lambda: hand.transcribe(np.asarray(Image.open(png)), rate=16000), "on what a model of handwriting reads"),
        (lambda: hand.transcribe([png, line_image()], rate=16000), "^rate=16000 has no effect on what a model"),
        (lambda: ear.signal(sound, rate=16000, channel=2), "channel=2 has no effect on an array, expected the samples"),
        (lambda: hand.signal(png, channel=3), "channel=3 has no effect on what a model of handwriting reads"),
    ):  # fmt: skip
        with pytest.raises(RecognizerError, match=fault):
            work()
    assert [one.text for one in ear.transcribe([wav, sound], rate=16000)] == [
        ear.transcribe(wav).text,
        ear.transcribe(sound, 16000).text,
    ]


def test_of_several_sources_the_one_at_fault_is_named(hand: Reader, png: Path, tmp_path: Path) -> None:
    good, faulty = np.full((40, 200), 255, np.uint8), np.full((40, 200), 2.0)
    for at_fault, fault in ((faulty, "array: "), (None, "None cannot be read"), (b"", "the file: ")):
        with pytest.raises(RecognizerError, match=rf"^sources\[2\]: {fault}"):
            hand.transcribe([png, good, at_fault])  # type: ignore[list-item]
    with pytest.raises(RecognizerError, match="^array: "):
        hand.transcribe(faulty)
    with pytest.raises(RecognizerError, match=f"^{tmp_path}/none.png: "):
        hand.transcribe([png, tmp_path / "none.png"])


def test_values_of_another_model_are_refused(hand: Reader, ear: Reader, png: Path) -> None:
    good = hand.signal(png).values
    wrong: list[Any] = [np.zeros((100, 32), np.uint8), good.astype(np.float32), good[:0], good[0, 0], "a.png"]
    for values in wrong:
        with pytest.raises(RecognizerError, match=r"^values\[1\]: .*, expected uint8 \(columns, 64\)"):
            hand.read_values([good, values])
    with pytest.raises(RecognizerError, match=r"^values\[0\]: uint8 .*, expected int16 \(samples of sound\)"):
        ear.read([hand.signal(png)])
    with pytest.raises(RecognizerError, match=r"^values\[0\]: int16 \(8000,\), expected uint8"):
        hand.align(ear.signal(tone(0.5), 16000), "a")


def test_a_model_of_sound_has_no_lines_and_a_line_may_be_named_by_text(hand: Reader, ear: Reader, png: Path) -> None:
    for work in (ear.line_or_page, ear.find_page):
        with pytest.raises(RecognizerError, match="line.png: an image of a page, and the model reads speech"):
            work(str(png))
    found, expected = hand.line_or_page(str(png)), hand.line_or_page(png)
    assert isinstance(found, Signal) and isinstance(expected, Signal)
    assert np.array_equal(found.values, expected.values)
    with pytest.raises(RecognizerError, match="None is no page, expected a path"):
        hand.line_or_page(None)  # type: ignore[arg-type]


def test_a_model_is_named_by_anything_that_is_a_path(tmp_path: Path) -> None:
    from makers import save_model

    path = save_model("handwriting", tmp_path / "m")
    names: list[Any] = [str(path), path, os.fsencode(path), Named(path)]
    for name in names:
        assert recognizer.load(name).kind == "handwriting"
    others: list[Any] = [None, 7, b"\xff\x00"]
    for strange in others:
        with pytest.raises(RecognizerError):
            recognizer.load(strange)


def test_callers_may_check_their_types() -> None:
    assert (Path(recognizer.__file__).parent / "py.typed").is_file()
    assert get_type_hints(recognizer.load, {"Reader": Reader})["path_or_name"] == str | os.PathLike[str]


def test_a_pillow_image_of_several_pages_and_a_mask_are_refused(hand: Reader, tmp_path: Path) -> None:
    pages = [line_image(text) for text in ("one", "two")]
    pages[0].save(tmp_path / "m.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(RecognizerError, match="2 pages, expected one of them"):
        hand.transcribe(Image.open(tmp_path / "m.tif"))
    with pytest.raises(RecognizerError, match="an array with a mask"):
        hand.transcribe(np.ma.masked_array(np.asarray(pages[0]), np.asarray(pages[0]) > 200))
    assert hand.transcribe(Image.open(tmp_path / "m.tif").copy()).text == hand.transcribe(pages[0]).text
