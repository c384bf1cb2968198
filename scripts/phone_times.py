"""See whether an aligner puts phones where they sound: pictures over the spectrogram, and a delay that is measured.

    python scripts/phone_times.py RUN data/kathleen-phones --pictures 2 --out docs/lab/phones

Sibilants are loud above 4 kHz, vowels below 1 kHz. For every shift of all times by up to 100 ms the script prints by
how many decibels the ratio of the two bands is higher in sibilants than in vowels. Were the middles of spans those of
the sounds, no shift would part the two better than none; a best shift above zero says that the times are early
by so much.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.corpus.store import Store  # noqa: E402
from recognizer.decoding.hypothesis import Span  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

Floats = NDArray[np.float64]
RATE = 16000  # samples a second
WINDOW, HOP = 256, 80  # samples: 16 and 5 ms
LOW, HIGH = 1000.0, 4000.0  # Hz: vowels are loud below, sibilants above
SIBILANTS = frozenset({"s", "sh", "z", "zh", "ch", "jh"})
VOWELS = frozenset({"aa", "ae", "ah", "ao", "aw", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"})
SHIFTS = tuple(step / 100 for step in range(-10, 11))  # seconds


def spectrogram(sound: Floats) -> Floats:
    """Return decibels (T, WINDOW // 2 + 1) of sound (samples,), a frame each 5 ms, the first centred on sample 0."""
    padded = np.pad(sound, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    return 10.0 * np.log10(np.abs(np.fft.rfft(frames)) ** 2 + 1e-9)


def brightness(levels: Floats) -> Floats:
    """Return by how many decibels the mean level of each frame (T,) is higher above 4 kHz than below 1 kHz."""
    frequencies = np.fft.rfftfreq(WINDOW, 1 / RATE)
    high, low = levels[:, frequencies >= HIGH], levels[:, (frequencies >= 100.0) & (frequencies <= LOW)]
    return np.asarray(high.mean(1) - low.mean(1), np.float64)


def contrasts(samples: Sequence[tuple[Floats, Sequence[Span]]]) -> Mapping[float, float]:
    """Return for each shift how many decibels brighter sibilants are than vowels at the middles of their spans.

    Args:
        samples: brightness (T,) of a recording, with its phones in seconds.

    Raises:
        RecognizerError: there are no sibilants, or no vowels.
    """
    found = {}
    for shift in SHIFTS:
        means = []
        for kind in (SIBILANTS, VOWELS):
            seen = [
                _at(bright, (one.start + one.end) / 2 + shift)
                for bright, spans in samples
                for one in spans
                if one.text in kind
            ]
            if not seen:
                raise RecognizerError(
                    "phones: no sibilants or no vowels in the samples, expected symbols such as s, ih"
                )
            means.append(float(np.mean(seen)))
        found[shift] = means[0] - means[1]
    return found


def _at(bright: Floats, seconds: float) -> float:
    return float(bright[min(max(round(seconds * RATE / HOP), 0), len(bright) - 1)])


def picture(levels: Floats, spans: Sequence[Span], title: str, path: Path) -> None:
    """Draw a spectrogram with the phones at their times, the line of each at the middle of its span."""
    from matplotlib import pyplot

    seconds = len(levels) * HOP / RATE
    figure, axes = pyplot.subplots(figsize=(max(8.0, 4 * seconds), 3.6))
    top = float(levels.max())
    axes.imshow(
        levels.T,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, RATE / 2000),
        vmin=top - 80,
        vmax=top,
        cmap="gray_r",
    )
    for place, one in enumerate(spans):
        middle = (one.start + one.end) / 2
        colour = "C3" if one.text in SIBILANTS else "C0" if one.text in VOWELS else "C2"
        axes.axvline(middle, color=colour, linewidth=0.8, alpha=0.8)
        axes.text(middle, RATE / 2000 * (1.01 + 0.06 * (place % 2)), one.text, ha="center", fontsize=8, color=colour)
    axes.set(xlabel="seconds", ylabel="kHz")
    axes.set_title(title, fontsize=9, pad=24)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)


def aligned(reader: Reader, store: Store, split: str, number: int) -> Iterator[tuple[str, Floats, Sequence[Span]]]:
    """Yield name, sound (samples,) and placed phones of the first samples of a split."""
    for index in store.indices(split)[:number]:
        sample = store.sample(index)
        signal = reader.signal(sample.path)
        yield sample.path.stem, np.asarray(signal.values, np.float64), reader.align(signal, sample.text).characters


def main(words: Sequence[str] | None = None) -> None:
    """Align, print how well each shift parts sibilants from vowels, draw the pictures asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model of phones: a file or a folder of a run")
    parser.add_argument("corpus", type=Path, help="prepared corpus whose recordings are still where they were")
    parser.add_argument("--split", default="test")
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--pictures", type=int, default=0, help="of the first samples (needs the extra `study`)")
    parser.add_argument("--out", type=Path, default=Path("phones"), help="folder of the pictures")
    chosen = parser.parse_args(words)
    reader = Reader.load(chosen.model, options=DecoderOptions(engine="greedy"))
    if reader.kind != "speech":
        raise RecognizerError(f"{chosen.model}: a model of {reader.kind}, expected one of speech in phones")
    seen: list[tuple[Floats, Sequence[Span]]] = []
    for name, sound, spans in aligned(reader, open_store(chosen.corpus), chosen.split, chosen.samples):
        levels = spectrogram(sound)
        if len(seen) < chosen.pictures:
            picture(levels, spans, name, path := chosen.out / f"{name}.png")
            print(f"picture: {path}")
        seen.append((brightness(levels), spans))
    found = contrasts(seen)
    best = max(found, key=found.__getitem__)
    phones = sum(len(spans) for _, spans in seen)
    print(f"{len(seen)} recordings, {phones} phones\n\n| shift of all times | sibilants brighter than vowels by |")
    print("| ---: | ---: |")
    for shift, contrast in found.items():
        print(f"| {1000 * shift:+.0f} ms | {contrast:.1f} dB |")
    print(f"\nbest shift {1000 * best:+.0f} ms: {found[best]:.1f} dB, {found[0.0]:.1f} dB as they are")


if __name__ == "__main__":
    run_and_exit("phone_times", main)
