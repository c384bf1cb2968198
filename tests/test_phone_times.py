"""Times of phones on a spectrogram: a hiss among vowels is bright where it is, and times that are off are found so."""

from pathlib import Path

import numpy as np
import phone_times
import pytest
from phone_times import RATE, brightness, contrasts, spectrogram

from recognizer.decoding.hypothesis import Span
from recognizer.errors import RecognizerError
from recognizer.reading.reader import Reader


def sound() -> phone_times.Floats:
    """A second: a low hum with two bursts of high noise, from 0.2 to 0.3 and 0.6 to 0.7 s."""
    times = np.arange(RATE) / RATE
    noise = np.diff(np.random.default_rng(1).normal(size=RATE + 1))
    hiss = ((times % 0.4 >= 0.2) & (times % 0.4 < 0.3) & (times < 0.8)).astype(float)
    return np.asarray(hiss * noise + (1 - hiss) * np.sin(2 * np.pi * 300 * times) + 1e-3)


def spans(off: float) -> list[Span]:
    """The phones of `sound`, all of them early by `off` seconds."""
    places = (("aa", 0.05, 0.15), ("s", 0.2, 0.3), ("iy", 0.4, 0.5), ("sh", 0.6, 0.7), ("m", 0.9, 1.0))
    return [Span(text, start - off, end - off, 1.0) for text, start, end in places]


@pytest.mark.parametrize("off", [-0.05, 0.0, 0.06])
def test_the_shift_that_parts_hiss_from_hum_is_where_the_phones_are(off: float) -> None:
    bright = brightness(spectrogram(sound()))
    found = contrasts([(bright, spans(off))])
    best = max(found.values())
    near = [shift for shift, contrast in found.items() if contrast > best - 3.0]
    assert best > 30.0 and abs(sum(near) / len(near) - off) < 0.011


def test_without_sibilants_nothing_is_claimed() -> None:
    with pytest.raises(RecognizerError, match="no sibilants"):
        contrasts([(np.zeros(100), spans(0.0)[:1])])


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    phone_times.picture(spectrogram(sound()), spans(0.0), "hum", tmp_path / "hum.png")
    assert (tmp_path / "hum.png").read_bytes().startswith(b"\x89PNG")


def test_the_script_aligns_a_corpus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def few(reader: object, store: object, split: str, number: int) -> list[tuple[str, phone_times.Floats, list[Span]]]:
        return [("one", sound(), spans(0.0))] * number

    class Ear:
        kind = "speech"

    monkeypatch.setattr(phone_times, "aligned", few)
    monkeypatch.setattr(phone_times, "open_store", lambda path: None)
    monkeypatch.setattr(Reader, "load", lambda *_, **__: Ear())
    phone_times.main(["run", "corpus", "--samples", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 recordings, 15 phones" and lines[-1].startswith("best shift ")
