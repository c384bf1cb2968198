"""A stretch of a recording, and one of its channels, as a manifest names them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import default_signal, kind_of, read_signal

RATE = 16000


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return three seconds, louder from second to second on the left, silent on the right."""
    path = tmp_path_factory.mktemp("sound") / "a.wav"
    wave = np.sin(np.arange(3 * RATE) / 10) * np.repeat([0.1, 0.2, 0.4], RATE)
    soundfile.write(path, np.stack((wave, np.zeros_like(wave)), 1), RATE)
    return path


def peak(path: Path, part: str) -> tuple[float, float]:
    """Return seconds and peak of a stretch."""
    source = path.with_name(f"{path.name}{part}")
    assert kind_of(source) == "speech"
    values = read_signal("speech", default_signal("speech"), source).values
    return len(values) / RATE, float(np.abs(values.astype(int)).max()) / 32768


STRETCHES = [("[1-2,1]", 1.0, 0.2), ("[2-,1]", 1.0, 0.4), ("[0.25-0.75]", 0.5, 0.05), ("[0-1,2]", 1.0, 0.0)]


@pytest.mark.parametrize(("part", "seconds", "loud"), STRETCHES)
def test_a_stretch_is_cut_and_a_channel_chosen(part: str, seconds: float, loud: float, recording: Path) -> None:
    assert list(peak(recording, part)) == pytest.approx([seconds, loud], abs=0.01)


@pytest.mark.parametrize(
    ("part", "said"),
    [("[2-4]", "ends at 3.00 s"), ("[9-10]", "ends at"), ("[2-1]", "from 2 to 1"), ("[1500-2500]", "milliseconds")],
)
def test_a_stretch_that_is_not_there_is_named(recording: Path, part: str, said: str) -> None:
    with pytest.raises(RecognizerError, match=said):
        peak(recording, part)


def test_stretches_of_one_recording_are_samples_of_their_own(recording: Path, tmp_path: Path) -> None:
    rows = ["file\ttext\tstart\tend", "a.wav\tone\t0\t1", "a.wav\ttwo\t1\t2", "a.wav\tfive\t4\t5"]
    (recording.parent / "manifest.tsv").write_text("\n".join(rows) + "\n")
    done = prepare(str(recording.parent), None, tmp_path, PrepareSettings({}), lambda line: None)
    store = Store(tmp_path)
    assert store.column("text") == ["one", "two"] and len(done.bad) == 1 and "a.wav[4-5]" in done.bad[0]
    assert [len(store.signal(i)) for i in range(2)] == [RATE, RATE]
    assert store.digest(0) != store.digest(1)


def test_a_stretch_that_ends_before_it_begins_and_a_channel_that_is_not_there_are_named(
    recording: Path, tmp_path: Path
) -> None:
    rows = ["a.wav\tone\t0\t1\t1", "a.wav\ttwo\t3\t1\t", "a.wav\tthree\t2\t2\t", "a.wav\tfour\t0\t1\t3"]
    table = recording.parent / "m.tsv"
    table.write_text("\n".join(["file\ttext\tstart\tend\tchannel", *rows]) + "\n")
    done = prepare(str(table), None, tmp_path, PrepareSettings({}), lambda line: None)
    assert done.bad[:2] == [
        f"m.tsv:{line}: from {start} to {end} s, expected an end behind the start, in seconds"
        for line, start, end in ((3, 3, 1), (4, 2, 2))
    ]
    assert "no channel 3, expected 1 to 2" in done.bad[2]
    assert done.left_out == {"bad stretch": 2, "cannot be read": 1}
