"""Recordings of any length: blocks, pieces, joined texts."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from makers import save_model
from numpy.typing import NDArray
from terminal import said
from test_segmentation import RATE, blocks, hush, pieces_of, recorded, voice

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.decoding.joining import joined, stitched
from recognizer.errors import RecognizerError
from recognizer.inputs.speech.audio import SpeechSettings, read_recording, read_speech, signal_from_array
from recognizer.inputs.speech.streaming import Resampler, open_recording
from recognizer.reading.reader import Reader


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("speech", tmp_path_factory.mktemp("model") / "m.safetensors")


def long_signal() -> NDArray[np.int16]:
    """Return 75 s with a pause between each two of its 18 phrases."""
    return recorded(*(part for i in range(18) for part in (voice(2 + i % 3, i), hush(0.5 + 0.7 * (i % 3)))))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return that recording as a file."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    soundfile.write(path, long_signal(), RATE)
    return path


@pytest.fixture(scope="module")
def spoken(long: Path, model: Path) -> list[str]:
    """Return the words that the model reads in it."""
    reader = Reader.load(model)
    return [word.text for word in reader.transcribe(long).words]


def in_words(text: str, start: float, step: float = 1.0) -> Hypothesis:
    """Return a reading whose words last 0.8 s and begin `step` s after one another."""
    words = text.split()
    spans = [Span(w, start + i * step, start + i * step + 0.8, 1.0) for i, w in enumerate(words)]
    letters = [
        Span(c, s.start + 0.8 * k / len(s.text), s.start + 0.8 * (k + 1) / len(s.text), 1.0)
        for s in spans
        for k, c in enumerate(s.text)
    ]
    at = 0
    characters: list[Span] = []
    for s in spans:
        gap = [Span(" ", s.start - 0.2, s.start, 1.0)] if characters else []
        characters += gap + letters[at : at + len(s.text)]
        at += len(s.text)
    return Hypothesis(text, 1.0, tuple(characters), tuple(spans))


def test_the_text_of_a_long_recording_is_that_of_its_pieces(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signal = long_signal()
    soundfile.write(tmp_path / "long.wav", signal, RATE)
    files = []
    for i, piece in enumerate(pieces_of([signal], RATE)):
        files.append(tmp_path / f"{i}.wav")
        soundfile.write(files[-1], piece.values, RATE)
    assert len(files) > 2
    code, out, err = said(capsys, "transcribe", tmp_path / "long.wav", "--model", model)
    assert code == 0 and f"read in {len(files)} pieces" in err
    _, parts, _ = said(capsys, "transcribe", *files, "--model", model)
    assert out.splitlines() == [line.split("\t")[1] for line in parts.splitlines()]
    assert Reader.load(model).transcribe(tmp_path / "long.wav").text == " ".join(out.splitlines())
    assert Reader.load(model).transcribe(signal, rate=RATE).text == " ".join(out.splitlines())


def test_places_of_pieces_are_those_of_the_whole(long: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "transcribe", long, "--model", model, "--format", "json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert all(row["file"].endswith("long.flac") and row["unit"] == "s" for row in rows)
    for row in rows:
        inside = [span for span in row["words"] + row["characters"]]
        assert all(row["start"] <= span["start"] <= span["end"] <= row["end"] + 0.05 for span in inside)
    starts = [span["start"] for row in rows for span in row["characters"]]
    assert starts == sorted(starts)


@pytest.mark.parametrize("form", ["srt", "vtt", "ctm", "textgrid"])
def test_a_long_recording_is_written_in_every_form_for_sound(
    form: str, long: Path, model: Path, spoken: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed, _ = said(capsys, "transcribe", long, "--model", model, "--format", form)
    code, _, _ = said(capsys, "transcribe", long, "--model", model, "--format", form, "--out", tmp_path)
    assert code == 0
    (written,) = tmp_path.iterdir()
    assert written.suffix.lower() == f".{form}"
    assert written.read_text() == printed and len(printed.splitlines()) >= 3
    # Subtitles divide words that last too long; what is said stays.
    text = "".join(re.findall(r"^[a-z ]+$", printed, re.MULTILINE)) if form in ("srt", "vtt") else printed
    assert spoken and all(word in text for word in spoken)
    code, _, err = said(capsys, "transcribe", long, "--model", model, "--format", form, "--out", tmp_path)
    assert code == 2 and f"{written} is there already; --overwrite reads the recording anew, --resume" in err


def test_a_long_recording_is_no_image_of_a_page(long: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "transcribe", long, "--model", model, "--format", "hocr")
    assert code == 2 and out == "" and "a recording, expected an image for hocr" in err


def test_a_long_recording_that_breaks_off_says_where_and_keeps_what_was_read(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "whole.flac", long_signal(), RATE)
    data = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "half.flac").write_bytes(data[: len(data) * 9 // 10])
    code, out, err = said(capsys, "transcribe", tmp_path / "half.flac", "--model", model)
    assert code == 2 and "broken off" in err and out
    code, out, _ = said(capsys, "transcribe", tmp_path / "half.flac", tmp_path / "whole.flac", "--model", model)
    assert code == 1 and len(out.splitlines()) > 4


@pytest.mark.parametrize("rate", [16000, 8000, 44100, 48000, 11025])
def test_blocks_are_what_the_whole_is(rate: int, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    sound = np.clip(np.cumsum(random.normal(0, 0.01, (25 * rate + 77, 2)), axis=0) % 0.4 - 0.2, -1, 1)
    soundfile.write(tmp_path / "a.wav", sound, rate)
    whole = read_speech(tmp_path / "a.wav", SpeechSettings())
    with open_recording(tmp_path / "a.wav", SpeechSettings(), "a.wav", print) as recording:
        parts = list(recording.blocks())
    assert len(parts) > 2 and recording.seconds == pytest.approx(len(whole) / 16000, abs=1e-3)
    assert np.abs(np.concatenate(parts).astype(int) - whole).max(initial=0) <= 1


def test_a_resampler_gives_all_samples_whatever_the_blocks() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 6000).astype(np.float32)
    for size in (7, 1000, 6000):
        resampler = Resampler(22050, 16000)
        made = [resampler.push(sound[i : i + size]) for i in range(0, len(sound), size)] + [resampler.finish()]
        assert len(np.concatenate(made)) == int(np.ceil(6000 * 16000 / 22050))


def test_channels_that_cancel_are_noticed_and_one_is_read() -> None:
    mono = recorded(voice(1)) / 32768
    file = io.BytesIO()
    soundfile.write(file, np.stack((mono, -mono), axis=1), RATE, format="WAV")
    signal = read_recording(file, SpeechSettings(), "a.wav")
    assert "cancel" in signal.notes[0] and np.abs(signal.values - mono * 32768).max() <= 1
    told: list[str] = []
    with open_recording(file, SpeechSettings(), "a.wav", told.append) as recording:
        assert np.array_equal(np.concatenate(list(recording.blocks())), signal.values)
    assert told == [f"a.wav: {signal.notes[0]}"]


def test_channels_of_an_array_that_cancel_are_not_averaged() -> None:
    mono = recorded(voice(1))
    assert np.array_equal(signal_from_array(np.stack((mono, -mono), axis=1), RATE, SpeechSettings()), mono)


def test_channels_that_cancel_behind_hiss_are_noticed() -> None:
    mono = recorded(voice(1)) / 32768
    hiss = np.random.default_rng(1).normal(0, 3e-4, (12 * RATE, 2))
    file = io.BytesIO()
    told: list[str] = []
    soundfile.write(file, np.concatenate((hiss, np.stack((mono, -mono), axis=1))), RATE, format="WAV")
    with open_recording(file, SpeechSettings(), "a.wav", told.append) as recording:
        read = np.concatenate(list(recording.blocks()))
    assert len(told) == 1 and "cancel" in told[0]
    assert np.abs(read[-len(mono) :].astype(int)).max() > 0.5 * np.abs(mono * 32768).max()


def test_floats_beyond_full_scale_are_the_same_long_or_short() -> None:
    loud = 3.0 * recorded(voice(1)) / np.abs(recorded(voice(1))).max()
    file = io.BytesIO()
    told: list[str] = []
    soundfile.write(file, loud, RATE, format="WAV", subtype="FLOAT")
    signal = read_recording(file, SpeechSettings(), "a.wav")
    with open_recording(file, SpeechSettings(), "a.wav", told.append) as recording:
        assert np.array_equal(np.concatenate(list(recording.blocks())), signal.values)
    assert told == ["a.wav: its samples reach 3 times full scale and are divided by that"]
    assert signal.notes == (told[0].removeprefix("a.wav: "),)


def test_a_channel_is_chosen_and_one_that_is_not_there_refused() -> None:
    one, two = recorded(voice(1)) / 32768, recorded(voice(1, 5)) / 32768
    file = io.BytesIO()
    soundfile.write(file, np.stack((one, two), axis=1), RATE, format="WAV")
    assert np.abs(read_recording(file, SpeechSettings(), "a", 2).values - two * 32768).max() <= 1
    assert np.abs(read_recording(file, SpeechSettings(), "a").values - (one + two) * 16384).max() <= 1
    with pytest.raises(RecognizerError, match="a: no channel 3, expected 1 to 2"):
        read_recording(file, SpeechSettings(), "a", 3)


def test_joined_readings_have_one_space_between_them_and_none_for_silence() -> None:
    parts = [in_words("one two", 0), Hypothesis("", 0.9), in_words("three", 5)]
    whole = joined(parts, Alphabet(tuple(" ehnortw")))
    assert whole.text == "one two three" == "".join(span.text for span in whole.characters)
    assert [word.text for word in whole.words] == ["one", "two", "three"]
    assert joined([Hypothesis("", 0.9), Hypothesis("", 0.8)], Alphabet(("a",))) == Hypothesis("", 0.8)


def test_an_overlap_is_read_once() -> None:
    before, after = in_words("a b c d e", 0), in_words("c d x f g", 2)
    one, other = stitched(before, after, 2.0, 5.0)
    assert f"{one.text} {other.text}" == "a b c d x f g"
    assert "".join(span.text for span in one.characters) == one.text
    assert "".join(span.text for span in other.characters) == other.text == "x f g"


def test_an_overlap_that_is_read_in_two_ways_is_parted_in_its_middle() -> None:
    one, other = stitched(in_words("a b c d e", 0), in_words("v w x y z", 2), 2.0, 5.0)
    assert (one.text, other.text) == ("a b c", "x y z") or (one.text, other.text) == ("a b c d", "x y z")
    assert stitched(Hypothesis("", 1.0), in_words("p q", 2), 2.0, 3.0)[1].text == "p q"


def test_blocks_of_a_test_are_blocks() -> None:
    assert [len(b) for b in blocks(np.zeros(5, np.int16), 2)] == [2, 2, 1]


def test_evaluate_reads_a_long_recording_as_transcribe_does(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "long.flac", long_signal(), RATE)
    soundfile.write(tmp_path / "short.wav", recorded(voice(2)), RATE)
    _, out, _ = said(capsys, "transcribe", tmp_path / "long.flac", "--model", model)
    (tmp_path / "all.tsv").write_text(
        f"file\ttext\tsplit\nlong.flac\t{' '.join(out.split())}\tall\nshort.wav\ta b\tall\n"
    )
    code, out, err = said(
        capsys, "evaluate", model, tmp_path / "all.tsv", "--split", "all", "--json", tmp_path / "r.json"
    )
    report = json.loads((tmp_path / "r.json").read_text())
    assert code == 0 and "left out" not in err and report["samples"] == 2
    edits, size = report["character_edits"], report["characters"]
    assert size > 40 and sum(edits[kind] for kind in ("substitutions", "deletions", "insertions")) < 40


def test_a_long_recording_that_breaks_off_is_left_out_of_an_evaluation_by_name(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "whole.flac", long_signal(), RATE)
    data = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "half.flac").write_bytes(data[: len(data) * 9 // 10])
    (tmp_path / "all.tsv").write_text("file\ttext\tsplit\nhalf.flac\ta\tall\nwhole.flac\tb\tall\n")
    code, _, _ = said(capsys, "evaluate", model, tmp_path / "all.tsv", "--split", "all", "--json", tmp_path / "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    assert code == 1 and report["samples"] == 1 and report["skipped_reasons"] == {"cut short or damaged": 1}
