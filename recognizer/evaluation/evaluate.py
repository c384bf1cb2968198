"""Measure a model on one split of a corpus."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.store import Store
from recognizer.evaluation.calibration import score_confidences
from recognizer.evaluation.calibration_report import CalibrationReport
from recognizer.evaluation.exclusion_list import exclude
from recognizer.evaluation.open_corpus import open_corpus
from recognizer.evaluation.read_samples import Progress, no_progress, read_samples
from recognizer.evaluation.report import Report, score
from recognizer.evaluation.tags import EVERY_TAG, TagChoice, choose_by_tags
from recognizer.reading.reader import Reader

ALL = "all"


Look = Callable[[Report, Store, Sequence[int]], None]


def evaluate(
    reader: Reader,
    model: str,
    corpus: Path,
    split: str,
    say: Callable[[str], None],
    without: Path | None = None,
    progress: Progress = no_progress,
    look: Look | None = None,
    tags: TagChoice = EVERY_TAG,
) -> Report:
    """Read every sample of a split as `transcribe` would and count the edits.

    Args:
        reader: the model.
        model: what to call it.
        corpus: a prepared corpus, or a manifest or folder, which is packed for this call alone.
        split: which samples; "all" takes every one, where no split is called so.
        say: takes lines for people.
        without: a list of samples to leave out, as `exclude` reads it.
        progress: takes how many samples are read, and how many there are.
        look: takes the report with the open corpus and the report's samples in it, for what shows them.
        tags: of pages, by which samples are taken or left.

    Raises:
        RecognizerError: no such corpus or split, one of another kind or form, or a list that does not fit.
    """
    with open_corpus(reader, corpus, say, long=True) as store:
        every = split == ALL and ALL not in store.column("split")
        chosen = choose_by_tags(store, list(range(len(store))) if every else store.indices(split), tags, say)
        indices, left_out = exclude(store, chosen, without)
        hypotheses = read_samples(reader, store, indices, progress)
        alphabet, references, scored, judged = reader.decoder.written, [], [], []
        for index, hypothesis in zip(indices, hypotheses, strict=True):
            sample = store.sample(index)
            said, name = alphabet.text.normalize(sample.text), str(sample.path)
            references.append(said)
            scored.append(score(name, sample.group, said, hypothesis.text, hypothesis.confidence, alphabet))
            judged.append(score_confidences(said, hypothesis, alphabet))
        known = set(alphabet.symbols)
        strange = Counter(s for said in references for s in alphabet.split(said) if s not in known)
        skipped, text, unit = dict(store.header.left_out), describe(alphabet.text), unit_of(alphabet.text)
        own = reader.calibrations
        calibration = f"fitted on {own.corpus} as read by {own.decoder}" if own else ""
        trust = CalibrationReport(judged, reader.describe(), calibration)
        about = (store.fingerprint(), unit, trust, left_out)
        report = Report(model, store.header.name, split, scored, skipped, text, strange, *about)
        if look:
            look(report, store, indices)
        return report


def unit_of(text: TextSettings) -> str:
    """Return what a symbol is that errors are counted over: "character", "token" or "phone"."""
    return "phone" if text.scoring else text.unit


def describe(text: TextSettings) -> str:
    """Return in words what is done to a transcript before it is compared."""
    parts = [text.form, "white space as single spaces, none outside"]
    if text.case != "keep":
        parts.append(f"{text.case} case")
    parts += [f"{old!r} to {new!r}" if new else f"without {old!r}" for old, new in text.replace.items()]
    if text.scoring == "timit-39":
        parts.append("61 phones folded to 39 classes, q deleted (Lee and Hon 1989)")
    return ", ".join(parts)
