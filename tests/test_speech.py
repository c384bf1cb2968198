"""Reading, judging and writing sound."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.audio import (
    SpeechSettings,
    faults,
    read_recording,
    read_speech,
    seconds,
    signal_from_array,
    to_int16,
    write_speech,
)

SETTINGS = SpeechSettings()
KINDS = [
    ("WAV", "PCM_16", 0.001),
    ("WAV", "PCM_U8", 0.01),
    ("WAV", "PCM_24", 0.001),
    ("WAV", "PCM_32", 0.001),
    ("WAV", "FLOAT", 0.001),
    ("FLAC", "PCM_16", 0.001),
    ("OGG", "VORBIS", 0.1),
    ("OGG", "OPUS", 0.1),
    ("MP3", "MPEG_LAYER_III", 0.1),
]


def tone(rate: int = 16000, length: float = 1.0, hertz: float = 440.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(length * rate)) / rate)


def packed(samples: NDArray[Any], rate: int = 16000, kind: str = "WAV", subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def refusal(data: bytes, settings: SpeechSettings = SETTINGS) -> str:
    with pytest.raises(RecognizerError) as caught:
        read_speech(io.BytesIO(data), settings, "a.sound")
    assert str(caught.value).startswith("a.sound: ")
    return str(caught.value)


@pytest.mark.parametrize("kind, subtype, tolerance", KINDS)
def test_every_kind_of_file_gives_the_same_tone(kind: str, subtype: str, tolerance: float) -> None:
    signal = read_speech(io.BytesIO(packed(tone(), kind=kind, subtype=subtype)), SETTINGS)
    assert signal.dtype == np.int16 and signal.shape == (16000,)
    assert np.sqrt(np.mean((signal / 32768 - tone()) ** 2)) < tolerance


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 24000, 44100, 44101, 48000])
def test_every_rate_gives_the_same_tone(rate: int) -> None:
    signal = read_speech(io.BytesIO(packed(tone(rate), rate)), SETTINGS)
    assert len(signal) == 16000
    assert np.abs(signal / 32768 - tone())[400:-400].max() < 0.002


def test_resampling_folds_nothing_back() -> None:
    signal = signal_from_array(tone(48000, hertz=9000), 48000, SETTINGS)
    assert np.abs(signal[400:-400]).max() <= 3


def test_sixteen_bits_come_back_as_they_were() -> None:
    wanted = np.random.default_rng(0).integers(-32768, 32768, 4000).astype(np.int16)
    assert np.array_equal(read_speech(io.BytesIO(packed(wanted, kind="FLAC")), SETTINGS), wanted)
    assert np.array_equal(signal_from_array(wanted, 16000, SETTINGS), wanted)


def test_channels_are_averaged() -> None:
    both = np.stack((tone(), np.zeros(16000)), axis=1)
    assert np.abs(read_speech(io.BytesIO(packed(both)), SETTINGS) / 32768 - tone() / 2).max() < 0.0001


def test_loud_floats_are_divided_by_their_peak() -> None:
    signal = signal_from_array(4 * tone() / np.abs(tone()).max(), 16000, SETTINGS)
    wanted = signal_from_array(tone() / np.abs(tone()).max(), 16000, SETTINGS)
    assert np.abs(signal.astype(int) - wanted).max() <= 1


def test_loud_floats_of_a_file_are_divided_by_their_peak_and_it_is_said() -> None:
    loud = 4 * tone() / np.abs(tone()).max()
    read = read_recording(io.BytesIO(packed(loud, subtype="FLOAT")), SETTINGS, "loud.wav")
    assert read.notes == ("its samples reach 4 times full scale and are divided by that",)
    assert np.abs(read.values.astype(int) - signal_from_array(loud, 16000, SETTINGS)).max() <= 1
    assert read_recording(io.BytesIO(packed(tone(), subtype="FLOAT")), SETTINGS, "fine.wav").notes == ()


def test_what_is_louder_than_sixteen_bits_is_clipped_not_wrapped() -> None:
    signal = to_int16((4 * tone()).astype(np.float32))
    assert signal.max() == 32767 and signal.min() == -32768
    assert np.all(signal[1:18] > 0)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match=r"gone\.wav: cannot be read \(No such file"):
        read_speech(tmp_path / "gone.wav", SETTINGS)


def test_an_empty_file_is_named() -> None:
    assert "empty file" in refusal(b"")


@pytest.mark.parametrize(
    "data",
    [b"twelve pages of text " * 9, packed(tone())[:30], packed(tone(), kind="OGG", subtype="VORBIS")[:30]],
    ids=["text", "WAV", "Ogg"],  # of bytes that chance has a part in: processes compare their lists of tests
)
def test_what_is_no_sound_is_named(data: bytes) -> None:
    assert "not a sound" in refusal(data)


def test_a_name_that_ends_in_raw_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(4000))
    with pytest.raises(RecognizerError, match="not a sound"):
        read_speech(tmp_path / "a.raw", SETTINGS)


def test_a_broken_flac_file_says_how_much_of_it_is_there() -> None:
    data = packed(tone(length=4) + np.random.default_rng(0).normal(0, 0.1, 64000), kind="FLAC")
    message = refusal(data[: len(data) // 2])
    got = int(message.split("broken off, ")[1].split()[0])
    assert 20000 < got < 32000 and message.endswith("its header says 64000")


@pytest.mark.parametrize(
    "kind, subtype", [("WAV", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]
)
def test_a_broken_file_of_another_kind_is_named_too(kind: str, subtype: str) -> None:
    data = packed(tone(length=4) + np.random.default_rng(0).normal(0, 0.1, 64000), kind=kind, subtype=subtype)
    assert "broken off" in refusal(data[: len(data) * 6 // 10])


def test_a_wav_file_from_a_pipe_that_knows_no_end_is_read() -> None:
    data = packed(tone()).replace(struct.pack("<I", 32000), b"\xff\xff\xff\xff")
    assert len(read_speech(io.BytesIO(data), SETTINGS)) == 16000


def without_header(samples: NDArray[np.float64]) -> bytes:
    data = packed(samples, kind="MP3", subtype="MPEG_LAYER_III")
    assert b"Xing" in data[:100]
    return data[data.index(data[:2], 4) :]


def loud_and_quiet() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.random.default_rng(0).normal(0, 0.1, 64000), np.zeros(64000)


def test_an_mp3_file_whose_length_is_guessed_short_is_refused() -> None:
    loud, quiet = loud_and_quiet()
    assert "variable bit rate" in refusal(without_header(np.concatenate((loud, quiet))))


def test_an_mp3_file_whose_length_is_guessed_long_is_read_whole() -> None:
    loud, quiet = loud_and_quiet()
    signal = read_speech(io.BytesIO(without_header(np.concatenate((quiet, loud)))), SETTINGS)
    assert 128000 <= len(signal) < 128000 + 4096


def test_a_recording_beyond_the_limit_is_refused_by_its_header() -> None:
    said = refusal(packed(tone(length=2)), SpeechSettings(max_seconds=1.0))
    assert "2.0 s long, longer than max_seconds = 1: cut it, or name stretches of it by start and end in a" in said


@pytest.mark.parametrize("samples", [0, 319])
def test_a_recording_too_short_to_hold_speech_is_refused(samples: int) -> None:
    assert f"{samples} samples" in refusal(packed(np.zeros(samples)))


def test_samples_that_are_no_numbers_are_counted() -> None:
    samples = tone()
    samples[[3, 5]] = np.nan, np.inf
    assert "2 samples are not finite" in refusal(packed(samples, subtype="FLOAT"))


@pytest.mark.parametrize(
    "array, word",
    [
        (np.zeros(16000, np.int32), "int32"),
        (np.zeros((16000, 0)), "shape"),
        (np.zeros((16000, 1, 1)), "shape"),
        (np.zeros((2, 16000)), "2 samples"),
        (np.full(16000, 20000.0), "peak 20000"),
    ],
)
def test_an_array_that_is_no_sound_is_refused(array: NDArray[np.float64], word: str) -> None:
    with pytest.raises(RecognizerError, match=word):
        signal_from_array(array, 16000, SETTINGS)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_what_is_written_is_read_back_equal(tmp_path: Path, suffix: str) -> None:
    signal = signal_from_array(tone(), 16000, SETTINGS)
    write_speech(tmp_path / f"a{suffix}", signal, SETTINGS)
    assert np.array_equal(read_speech(tmp_path / f"a{suffix}", SETTINGS), signal)
    assert seconds(tmp_path / f"a{suffix}") == 1.0


def test_sound_is_not_written_as_a_picture(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match=r"\.png"):
        write_speech(tmp_path / "a.png", np.zeros(400, np.int16), SETTINGS)


def test_faults_are_named() -> None:
    fine = signal_from_array(tone(), 16000, SETTINGS)
    assert faults(fine, SETTINGS) == []
    assert faults(fine // 2000, SETTINGS) == ["silent (peak below -60 dBFS)"]
    assert faults(fine[:800], SETTINGS) == ["shorter than 0.1 s"]
    assert faults(fine, SpeechSettings(max_seconds=0.5)) == ["longer than max_seconds = 0.5"]
    assert faults(fine + np.int16(4000), SETTINGS) == ["off centre (mean +12% of full scale)"]
    assert faults(to_int16((4 * tone()).astype(np.float32)), SETTINGS)[0].startswith("clipped (6")


def test_a_lone_peak_at_full_scale_is_no_fault() -> None:
    signal = signal_from_array(tone(), 16000, SETTINGS)
    signal[::100] = 32767
    assert faults(signal, SETTINGS) == []


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(RecognizerError, match="sample_rate"):
        SpeechSettings(sample_rate=16)
    with pytest.raises(RecognizerError, match="max_seconds"):
        SpeechSettings(max_seconds=0.0)


@pytest.mark.parametrize("corpus", ["fsdd", "librispeech-mini", "kathleen", "speechocean762"])
def test_real_recordings_are_read_whole(shared: Path, corpus: str) -> None:
    for path in sorted((shared / "corpora" / corpus / "audio").iterdir())[:10]:
        signal = read_speech(path, SETTINGS)
        assert len(signal) == pytest.approx(seconds(path) * 16000, abs=1)
        assert faults(signal, SETTINGS) == []
