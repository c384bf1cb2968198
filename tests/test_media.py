"""Sound in containers, which PyAV reads."""

import io
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from makers import save_model
from terminal import said
from test_segmentation import RATE, recorded, voice

from recognizer.errors import RecognizerError
from recognizer.inputs.registry import kind_of
from recognizer.inputs.speech.audio import SpeechSettings, read_recording, seconds
from recognizer.inputs.speech.media import is_container
from recognizer.inputs.speech.streaming import open_recording

FORMS = [("a.m4a", "ipod", "aac"), ("a.mp4", "mp4", "aac"), ("a.webm", "webm", "libopus"), ("a.aac", "adts", "aac")]


def encode(path: Path, form: str, codec: str, sound: np.ndarray, rate: int = 48000) -> Path:
    """Write float32 sound (samples,) by PyAV."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        fifo = av.AudioFifo()
        fifo.write(frame)
        while block := fifo.read(960, partial=True):
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return path


def phrase(seconds: float, rate: int = 48000) -> np.ndarray:
    sound = recorded(voice(seconds)) / 32768
    return np.interp(np.arange(round(seconds * rate)) / rate, np.arange(len(sound)) / RATE, sound)


@pytest.mark.parametrize("name, form, codec", FORMS)
def test_sound_in_a_container_is_the_sound(name: str, form: str, codec: str, tmp_path: Path) -> None:
    path = encode(tmp_path / name, form, codec, phrase(2))
    assert kind_of(path) == "speech"
    signal = read_recording(path, SpeechSettings())
    assert signal.extent == pytest.approx(2, abs=0.1)
    wanted = recorded(voice(2)).astype(float)
    spectrum, other = (np.abs(np.fft.rfft(one[4000:28000]))[:3000] for one in (wanted, signal.values.astype(float)))
    assert np.corrcoef(spectrum, other)[0, 1] > 0.9
    with open_recording(path, SpeechSettings(), name, print) as recording:
        assert np.abs(np.concatenate(list(recording.blocks())).astype(int) - signal.values).max() <= 1


def test_a_container_that_breaks_off_is_named(tmp_path: Path) -> None:
    data = encode(tmp_path / "a.webm", "webm", "libopus", phrase(4)).read_bytes()
    (tmp_path / "a.webm").write_bytes(data[: len(data) // 2])
    with pytest.raises(RecognizerError, match=r"a\.webm: (broken off|cannot be read)"):
        read_recording(tmp_path / "a.webm", SpeechSettings())


def test_a_film_without_sound_is_named(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        container.mux(stream.encode(None))
    with pytest.raises(RecognizerError, match="holds no sound"):
        read_recording(tmp_path / "a.mp4", SpeechSettings())


def film(path: Path, sounds: list[np.ndarray], seconds: float, begin: float = 0.0) -> Path:
    """Write a film of so many seconds whose sounds (samples,) at 16 kHz begin at a time of their own."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width = video.height = 32
        tracks = [container.add_stream("aac" if path.suffix == ".mp4" else "pcm_s16le", rate=RATE) for _ in sounds]
        for track in tracks:
            track.layout = "mono"
        for _ in range(round(10 * seconds)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        container.mux(video.encode(None))
        for track, sound in zip(tracks, sounds, strict=True):
            form = track.codec_context.format.name
            for start in range(0, len(sound) // 1024 * 1024, 1024):
                values = sound[None, start : start + 1024]
                values = (values * 32767).astype(np.int16) if form.startswith("s16") else values.astype(np.float32)
                frame = av.AudioFrame.from_ndarray(values, format=form, layout="mono")
                frame.rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), start + round(begin * RATE)
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def test_a_film_that_goes_on_when_its_sound_is_over_is_whole(tmp_path: Path) -> None:
    sound = phrase(2, RATE)
    path = film(tmp_path / "a.mkv", [sound], 6)
    assert read_recording(path, SpeechSettings()).extent == pytest.approx(2, abs=0.1)
    (tmp_path / "b.mkv").write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(RecognizerError, match=r"b\.mkv: (broken off|cannot be read)"):
        read_recording(tmp_path / "b.mkv", SpeechSettings())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_begins_late_is_read_where_it_is_in_the_film(suffix: str, tmp_path: Path) -> None:
    path = film(tmp_path / f"a{suffix}", [phrase(2, RATE)], 6, begin=3.0)
    signal = read_recording(path, SpeechSettings())
    assert signal.extent == pytest.approx(5, abs=0.1)
    assert np.abs(signal.values[: 29 * RATE // 10].astype(int)).max() < 50 < np.abs(signal.values.astype(int)).max()
    assert seconds(path) == pytest.approx(5, abs=1.1)


def test_another_sound_in_a_film_is_named(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [phrase(2, RATE), phrase(2, RATE)], 2)
    told: list[str] = []
    note = "the first of its 2 sounds is read (ffmpeg -map takes another out)"
    assert read_recording(path, SpeechSettings()).notes == (note,)
    with open_recording(path, SpeechSettings(), "a.mkv", told.append) as recording:
        list(recording.blocks())
    assert told == [f"a.mkv: {note}"]


def test_without_pyav_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x1cftypM4A \0\0\2\0" + bytes(100))
    monkeypatch.setitem(sys.modules, "av", None)
    model = save_model("speech", tmp_path / "m.safetensors")
    code, out, err = said(capsys, "transcribe", tmp_path / "a.m4a", "--model", model)
    assert code == 2 and out == "" and err.count("\n") == 1
    assert "pip install 'recognizer[media]'" in err and "FLAC" in err


@pytest.mark.slow
def test_a_long_film_is_read_piece_by_piece(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = np.concatenate([part for i in range(14) for part in (phrase(4), np.zeros(48000))])
    path = encode(tmp_path / "a.mp4", "mp4", "aac", sound)
    model = save_model("speech", tmp_path / "m.safetensors")
    code, out, err = said(capsys, "transcribe", path, "--model", model, "--format", "srt")
    assert code == 0 and "0:01:10 read in" in err and out.startswith("1\n00:00:0")


def test_pictures_in_such_containers_are_no_sound() -> None:
    assert is_container(b"\0\0\0\x20ftypM4A ") and is_container(b"\x1aE\xdf\xa3" + bytes(8))
    assert not is_container(b"\0\0\0\x20ftypheic") and not is_container(b"\0\0\0\x20ftypavif")
    assert kind_of(io.BytesIO(b"\0\0\0\x20ftypisom" + bytes(90))) == "speech"
