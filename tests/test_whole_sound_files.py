"""Sound files as they are found: joined, with headers that say too little or too much, cut, damaged."""

import io
import struct

import numpy as np
import pytest
import soundfile
from makers import tone

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.audio import SpeechSettings, read_recording, read_speech
from recognizer.inputs.speech.streaming import open_recording
from recognizer.inputs.speech.whole_file import ogg_checksum

SECONDS = 1.5
HALF = 0.5


def made(form: str, subtype: str | None = None, seconds: float = SECONDS, rate: int = 16000) -> bytes:
    memory = io.BytesIO()
    soundfile.write(memory, tone(seconds, rate), rate, format=form, subtype=subtype)
    return memory.getvalue()


def heard(data: bytes) -> float:
    """Return how many seconds are read of a file, whole and in blocks alike."""
    whole = read_speech(io.BytesIO(data), SpeechSettings(), "a sound")
    with open_recording(io.BytesIO(data), SpeechSettings(), "a sound", lambda _: None) as recording:
        blocks = np.concatenate(list(recording.blocks()))
    assert abs(len(whole) - len(blocks)) <= 1
    assert np.abs(whole.astype(int)).max() > 5000
    return len(whole) / 16000


def refusal(data: bytes) -> str:
    with pytest.raises(RecognizerError) as caught:
        read_speech(io.BytesIO(data), SpeechSettings(), "a sound")
    return str(caught.value)


@pytest.mark.parametrize(
    ("form", "subtype"),
    [("WAV", "GSM610"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "NMS_ADPCM_16"), ("WAV", "G721_32"),
     ("AU", "G723_24"), ("AIFF", "GSM610"), ("WAV", "ULAW"), ("W64", "PCM_16"), ("RF64", "PCM_24"), ("NIST", "PCM_16"),
     ("AIFF", "PCM_16"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("FLAC", None), ("OGG", "VORBIS"), ("OGG", "OPUS"),
     ("MP3", None)],
)  # fmt: skip
def test_every_form_that_libsndfile_knows_is_read_to_its_end(form: str, subtype: str | None) -> None:
    rate = 8000 if subtype in ("NMS_ADPCM_16", "G721_32", "G723_24", "GSM610") else 16000
    assert heard(made(form, subtype, rate=rate)) == pytest.approx(SECONDS, abs=0.15)


def with_size(data: bytes, size: int) -> bytes:
    """Return a WAV file whose header states another size of its sound."""
    at = data.index(b"data") + 4
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


def test_a_wav_header_that_was_never_finished_or_says_half_is_mended() -> None:
    whole = made("WAV")
    sound = len(whole) - 44
    for stated in (0, sound // 2, sound - 2000, 0xFFFFFFFF, sound + 44):
        assert heard(with_size(whole, stated)) == pytest.approx(SECONDS, abs=0.001), stated
    assert "broken off, 48000 bytes of sound, its header says 60000" in refusal(with_size(whole, 60000))


def test_chunks_padding_and_tags_behind_the_sound_are_no_sound() -> None:
    whole = made("WAV")
    listed = b"LIST" + struct.pack("<I", 4) + b"INFO"
    for behind in (
        listed,
        listed * 300,
        bytes(4000),
        b"TAG" + bytes(125),
        b"JUNK" + struct.pack("<I", 100) + b"x" * 100,
    ):
        assert heard(whole + behind) == pytest.approx(SECONDS, abs=0.001), behind[:4]


@pytest.mark.parametrize("form", ["WAV", "RF64", "W64", "NIST", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("share", [0.4, 0.75, 0.97])
def test_a_file_that_is_cut_is_never_read_as_if_it_were_whole(form: str, share: float) -> None:
    whole = made(form)
    assert "broken off" in refusal(whole[: int(share * len(whole))])


@pytest.mark.parametrize("subtype", ["OPUS", "VORBIS"])
def test_ogg_streams_that_are_chained_are_read_one_after_the_other(subtype: str) -> None:
    joined = made("OGG", subtype) + made("OGG", subtype, HALF)
    assert heard(joined) == pytest.approx(SECONDS + HALF, abs=0.05)


def test_a_flipped_bit_a_missing_page_and_a_missing_end_of_an_ogg_file_are_named() -> None:
    whole = made("OGG", "OPUS", 3.0)
    places = [at for at in range(len(whole)) if whole[at : at + 4] == b"OggS"]
    assert len(places) > 3
    damaged = bytearray(whole)
    damaged[places[2] + 60] ^= 4
    assert "Ogg page 3 has a wrong checksum" in refusal(bytes(damaged))
    assert "Ogg pages are missing" in refusal(whole[: places[2]] + whole[places[3] :])
    page = whole[: places[1]]
    assert ogg_checksum(page) == struct.unpack("<I", page[22:26])[0]


@pytest.mark.parametrize("subtype", ["OPUS", "VORBIS"])
def test_an_ogg_file_without_an_end_is_read_as_far_as_it_goes_and_that_is_said(subtype: str) -> None:
    whole = made("OGG", subtype, 20.0)
    places = [at for at in range(len(whole)) if whole[at : at + 4] == b"OggS"]
    for data, seconds in ((whole[: places[-1]], 15.0), (whole[: places[-1]] + whole, 35.0)):
        assert seconds < heard(data) < seconds + 4.5
        notes: list[str] = []
        with open_recording(io.BytesIO(data), SpeechSettings(), "a sound", notes.append) as recording:
            list(recording.blocks())
        assert len(notes) == 1 and notes[0].startswith("a sound: an Ogg stream without its end flag")
        assert notes[0] == f"a sound: {read_recording(io.BytesIO(data), SpeechSettings(), 'a sound').notes[0]}"
    assert not read_recording(io.BytesIO(whole), SpeechSettings()).notes
    cut = bytearray(whole[: places[-1]])
    cut[-3] ^= 1
    assert "wrong checksum" in refusal(bytes(cut))


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
def test_the_samples_of_a_flac_file_are_held_against_its_checksum(subtype: str) -> None:
    memory = io.BytesIO()
    soundfile.write(memory, np.stack([tone(1.0, 16000), tone(1.0, 16000)[::-1]], 1), 16000, subtype, format="FLAC")
    whole = memory.getvalue()
    assert heard(whole) == pytest.approx(1.0)
    for at, bit in ((26, 1), (41, 128)):  # another sum is what other samples would have
        other = bytearray(whole)
        other[at] ^= bit
        assert "damaged, its samples are not those of its MD5 checksum" in refusal(bytes(other))
    unstated = whole[:26] + bytes(16) + whole[42:]
    assert heard(unstated) == pytest.approx(1.0)


def test_no_flipped_bit_of_a_flac_file_gives_other_samples() -> None:
    whole = made("FLAC", seconds=HALF)
    right = read_speech(io.BytesIO(whole), SpeechSettings())
    places = np.random.default_rng(3).integers(42, len(whole), 300)
    for at in places.tolist():
        other = bytearray(whole)
        other[at] ^= 1 << at % 8
        try:
            found = read_speech(io.BytesIO(bytes(other)), SpeechSettings())
        except RecognizerError:
            continue
        assert np.array_equal(found, right), at


def test_mp3_files_that_were_joined_are_read_one_after_the_other() -> None:
    one, two = made("MP3"), made("MP3", seconds=HALF)
    assert heard(one) == pytest.approx(SECONDS, abs=0.1)
    assert heard(one + two) == pytest.approx(SECONDS + HALF, abs=0.2)
    # The second without the frame that announces how many follow.
    bare = two[two.index(b"\xff\xf3", 4) if b"\xff\xf3" in two[4:] else two.index(b"\xff\xfb", 4) :]
    assert "variable bit rate without a Xing header" in refusal(one + bare)
    assert heard(one + b"TAG" + bytes(125)) == pytest.approx(SECONDS, abs=0.1)


def test_a_flac_file_whose_header_leaves_the_length_open_is_read_to_its_end() -> None:
    whole = bytearray(made("FLAC"))
    at = whole.index(b"fLaC") + 8 + 13
    whole[at] &= 0xF0
    whole[at + 1 : at + 5] = bytes(4)
    assert heard(bytes(whole)) == pytest.approx(SECONDS, abs=0.001)
    with pytest.raises(RecognizerError, match="longer than max_seconds = 1 "):
        read_speech(io.BytesIO(bytes(whole)), SpeechSettings(max_seconds=1.0), "a sound")


def test_what_the_decoder_of_mp3_says_itself_stays_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    broken = bytearray(made("MP3", seconds=4.0))
    broken[3000:3047] = b"\x00" * 47
    try:
        read_speech(io.BytesIO(bytes(broken)), SpeechSettings(), "a sound")
    except RecognizerError:
        pass
    assert capfd.readouterr().err == ""


def test_joined_sounds_of_two_rates_are_refused() -> None:
    joined = made("OGG", "VORBIS") + made("OGG", "VORBIS", rate=8000)
    assert "2 sounds of different rates or channels" in refusal(joined)
