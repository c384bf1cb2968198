"""Fit the maps from confidences to shares of right answers, and store them in the model file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.evaluation.calibration import (
    FITS,
    added,
    calibration_errors,
    cross_validate,
    fit_calibrations,
    score_confidences,
)
from recognizer.evaluation.open_corpus import open_corpus, refuse_test
from recognizer.evaluation.read_samples import Progress, no_progress, read_samples
from recognizer.model.model_file import write_header
from recognizer.reading.reader import Reader


@dataclass(frozen=True)
class Calibrated:
    """What a calibration did.

    Args:
        method: of the maps.
        samples: that were read.
        before: expected calibration error of each kind without maps.
        after: the same with maps fitted on other samples of the split.
        path: of the model file with the maps of the whole split.
    """

    method: str
    samples: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    path: Path


def calibrate(
    reader: Reader,
    path: Path,
    out: Path,
    corpus: Path,
    split: str,
    method: str,
    say: Callable[[str], None],
    progress: Progress = no_progress,
) -> Calibrated:
    """Read a split, fit the maps, write the model file `path` with them as `out`.

    Args:
        reader: the model; its own maps are left aside.
        path: its file.
        out: where to write, perhaps the same.
        corpus: a prepared corpus, a manifest or a folder.
        split: validation samples.
        method: "temperature", "isotonic", or "best": that with the lower error of words on samples held out.
        say: takes lines for people.
        progress: takes how many samples are read, and how many there are.

    Raises:
        RecognizerError: a test split, no such split, fewer than two samples, an unknown method.
    """
    refuse_test(split, "calibrate")
    reader.calibrations = None
    with open_corpus(reader, corpus, say) as store:
        indices = store.indices(split)
        read = read_samples(reader, store, indices, progress)
        written = reader.decoder.written
        texts = [written.text.normalize(store.text(index)) for index in indices]
        name = f"{store.header.name} {split} ({store.fingerprint()[:16]}), {len(indices)} samples"
    judged = [score_confidences(text, one, written) for text, one in zip(texts, read, strict=True)]
    if method not in (*FITS, "best"):
        raise RecognizerError(f"calibration: method {method!r}, expected one of {', '.join(FITS)}, best")
    tried = {one: calibration_errors(cross_validate(judged, one)) for one in (FITS if method == "best" else (method,))}
    chosen = min(tried, key=lambda one: (tried[one]["word"] or 0.0, tried[one]["character"] or 0.0))
    maps = fit_calibrations(judged, chosen, name, reader.decoder.settings.describe())
    with_model = reader.decoder.settings.lm is not None
    write_header(path, out, {"calibration": added(reader.model_file.calibration, maps, with_model)})
    return Calibrated(chosen, len(indices), calibration_errors(judged), tried[chosen], out)
