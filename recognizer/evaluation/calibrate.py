"""Fit the maps from confidences to shares of right answers, and store them in the model file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.evaluation.calibration import (
    FITS,
    added,
    best_methods,
    calibration_errors,
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
        methods: of the map of each kind of which something was read.
        samples: that were read.
        before: expected calibration error of each kind without maps.
        after: the same with maps fitted on other samples of the split.
        path: of the model file with the maps of the whole split.
    """

    methods: dict[str, str]
    samples: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    path: Path

    @property
    def method(self) -> str:
        """The methods in words, one where all kinds have the same."""
        used = list(dict.fromkeys(self.methods.values()))
        return used[0] if len(used) == 1 else ", ".join(f"{kind}s {one}" for kind, one in self.methods.items())


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
        method: "temperature", "isotonic", or "best": for each kind that with the lower error on samples held out.
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
    chosen, after = best_methods(judged, FITS if method == "best" else (method,))
    maps = fit_calibrations(judged, chosen, name, reader.decoder.settings.describe())
    with_model = reader.decoder.settings.lm is not None
    write_header(path, out, {"calibration": added(reader.model_file.calibration, maps, with_model)})
    methods = {kind: one for kind, one in chosen.items() if after[kind] is not None}
    return Calibrated(methods, len(indices), calibration_errors(judged), after, out)
