"""Measure a model on one split of a corpus."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.store import Store
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.evaluation.calibration import score_confidences
from recognizer.evaluation.calibration_report import CalibrationReport
from recognizer.evaluation.exclusion_list import exclude
from recognizer.evaluation.open_corpus import open_corpus
from recognizer.evaluation.report import Report, score
from recognizer.reader import Reader
from recognizer.recordings import read_blocks

ALL = "all"


def evaluate(
    reader: Reader, model: str, corpus: Path, split: str, say: Callable[[str], None], without: Path | None = None
) -> Report:
    """Read every sample of a split as `transcribe` would and count the edits.

    Args:
        reader: the model.
        model: what to call it.
        corpus: a prepared corpus, or a manifest or folder, which is packed for this call alone.
        split: which samples; "all" takes every one, where no split is called so.
        say: takes lines for people.
        without: a list of samples to leave out, as `exclude` reads it.

    Raises:
        RecognizerError: no such corpus or split, one of another kind or form, or a list that does not fit.
    """
    with open_corpus(reader, corpus, say, long=True) as store:
        every = split == ALL and ALL not in store.column("split")
        indices, left_out = exclude(store, list(range(len(store))) if every else store.indices(split), without)
        hypotheses = _read(reader, store, indices)
        alphabet, references, scored, judged = reader.alphabet, [], [], []
        for index, hypothesis in zip(indices, hypotheses, strict=True):
            sample = store.sample(index)
            said, name = alphabet.text.normalize(sample.text), str(sample.path)
            references.append(said)
            scored.append(score(name, sample.group, said, hypothesis.text, hypothesis.confidence, alphabet))
            judged.append(score_confidences(said, hypothesis, alphabet))
        known = set(alphabet.symbols)
        strange = Counter(s for said in references for s in alphabet.split(said) if s not in known)
        skipped, text = dict(store.header.left_out), describe(alphabet.text)
        unit = "phone" if alphabet.text.scoring else alphabet.text.unit
        own = reader.calibrations
        calibration = f"fitted on {own.corpus} as read by {own.decoder}" if own else ""
        trust = CalibrationReport(judged, reader.decoder.settings.describe(), calibration)
        about = (store.fingerprint(), unit, trust, left_out)
        return Report(model, store.header.name, split, scored, skipped, text, strange, *about)


def _read(reader: Reader, store: Store, indices: Sequence[int]) -> list[Hypothesis]:
    """Read samples as `transcribe` does: recordings that are too long to be read whole piece by piece."""
    longest, rate = (store.header.signal.get(name, math.inf) for name in ("max_seconds", "sample_rate"))
    long = {index for index in indices if store.counts[index] > longest * rate}
    rest = iter(reader.read_values([store.signal(index) for index in indices if index not in long]))
    return [
        read_blocks(reader, store.blocks(index, 10 * int(rate))) if index in long else next(rest) for index in indices
    ]


def describe(text: TextSettings) -> str:
    """Return in words what is done to a transcript before it is compared."""
    parts = [text.form, "white space as single spaces, none outside"]
    if text.case != "keep":
        parts.append(f"{text.case} case")
    parts += [f"{old!r} to {new!r}" if new else f"without {old!r}" for old, new in text.replace.items()]
    if text.scoring == "timit-39":
        parts.append("61 phones folded to 39 classes, q deleted (Lee and Hon 1989)")
    return ", ".join(parts)
