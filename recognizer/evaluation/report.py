"""What an evaluation found, as numbers, a table and JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recognizer.corpus.alphabet import Alphabet
from recognizer.evaluation.calibration_report import CalibrationReport, calibration_data, calibration_lines
from recognizer.evaluation.exclusion_list import Exclusions
from recognizer.evaluation.intervals import RESAMPLES, Units, interval, interval_words, units_of
from recognizer.evaluation.metrics import (
    NO_REFERENCE,
    Edits,
    confusions,
    edits_of,
    known,
    percent,
    scored_text,
    total,
)

WORST = 20  # samples listed
CONFUSIONS = 20  # pairs listed
LOST = 0.75  # edits a symbol from which on a sample counts as hardly read
FAR = 0.5  # edits a symbol from which on a sure reading makes its reference suspect
RATES = {"character": "CER", "token": "TER", "phone": "PER"}  # names of the error rate over each kind of symbol


@dataclass(frozen=True)
class Scored:
    """One sample with its reading.

    Args:
        name: of the file.
        group: writer, speaker or page, "" where unknown.
        reference: the normalised transcript, as it is scored.
        text: what was read, as it is scored.
        confidence: of the reading, in [0, 1].
        characters: edits over symbols.
        words: edits over white-space separated words.
        symbol_pairs: (reference, reading) of each edit over symbols, "" for a missing one.
        word_pairs: the same of words.
    """

    name: str
    group: str
    reference: str
    text: str
    confidence: float
    characters: Edits
    words: Edits
    symbol_pairs: tuple[tuple[str, str], ...]
    word_pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Report:
    """An evaluation.

    Args:
        model: what was evaluated.
        corpus: on what.
        split: of the corpus.
        scored: the samples.
        skipped: samples of the corpus that could not be used, by reason.
        normalization: what was done to the transcripts before they were compared.
        strange: characters of the references that the model cannot write, with counts.
        fingerprint: SHA-256 of the corpus.
        unit: what a symbol is: "character", "token" or "phone"; words are the same as tokens and phones.
        trust: confidences, and how they were come by.
        left_out: what a list named and is not in the rates.
    """

    model: str
    corpus: str
    split: str
    scored: Sequence[Scored]
    skipped: dict[str, int]
    normalization: str
    strange: Counter[str] = field(default_factory=Counter)
    fingerprint: str = ""
    unit: str = "character"
    trust: CalibrationReport = field(default_factory=CalibrationReport)
    left_out: Exclusions = field(default_factory=Exclusions)

    @property
    def characters(self) -> Edits:
        """Edits over all symbols."""
        return total(sample.characters for sample in self.scored)

    @property
    def words(self) -> Edits:
        """Edits over all words."""
        return total(sample.words for sample in self.scored)

    def groups(self) -> dict[str, Edits]:
        """Return the edits over symbols of each group, the worst first."""
        parts: dict[str, Edits] = {}
        for sample in self.scored:
            parts[sample.group] = parts.get(sample.group, Edits()) + sample.characters
        return dict(sorted(parts.items(), key=lambda item: -item[1].rate))

    def worst(self) -> list[Scored]:
        """Return the samples with the most edits."""
        return sorted(self.scored, key=lambda sample: -sample.characters.total)[:WORST]

    def confusions(self) -> list[tuple[tuple[str, str], int]]:
        """Return the commonest (reference, reading) pairs that differ, "" for a missing one."""
        pairs: Counter[tuple[str, str]] = Counter()
        for sample in self.scored:
            pairs.update(sample.symbol_pairs)
        return pairs.most_common(CONFUSIONS)

    def suspects(self) -> list[Scored]:
        """Return the samples whose reference looks wrong, the furthest off first.

        At least half of the reference's symbols are edits, in a sample that is read more surely than most are.
        """
        sure = float(np.median([sample.confidence for sample in self.scored])) if self.scored else 1.0
        found = [one for one in self.scored if one.characters.rate >= FAR and one.confidence > sure]
        return sorted(found, key=lambda one: -one.characters.rate)

    def hardly_read(self) -> list[Scored]:
        """Return the samples of which three quarters or more are wrong: perhaps not what their references say."""
        return [one for one in self.scored if one.characters.units and one.characters.rate >= LOST]

    def interval(self, unit: str) -> tuple[float, float]:
        """Return the 95 % interval of the rate of `unit` ("characters" or "words"); `units` says what is drawn.

        Both ends are NaN where the references are empty and something was read.
        """
        parts: list[Edits] = [getattr(sample, unit) for sample in self.scored]
        return interval([part.total for part in parts], [part.units for part in parts], self.units)

    @property
    def units(self) -> Units:
        """What intervals draw: groups where there are any, else samples."""
        return units_of([sample.group for sample in self.scored])

    def as_data(self) -> dict[str, Any]:
        """Return plain data; rates are fractions, the rest counts; `cer` is over symbols of any unit."""
        return {
            "model": self.model,
            "corpus": self.corpus,
            "sha256": self.fingerprint,
            "split": self.split,
            "unit": self.unit,
            RATES[self.unit].lower(): known(self.characters.rate),
            "cer": known(self.characters.rate),
            "wer": known(self.words.rate),
            "cer_95": _ends(self.interval("characters")),
            "wer_95": _ends(self.interval("words")),
            "intervals": f"{RESAMPLES} draws of {self.units.describe()}",
            "samples": len(self.scored),
            "characters": self.characters.units,
            "words": self.words.units,
            "skipped": sum(self.skipped.values()),
            "skipped_reasons": self.skipped,
            "left_out": vars(self.left_out) if self.left_out.by else None,
            "character_edits": vars(self.characters),
            "word_edits": vars(self.words),
            "normalization": self.normalization,
            "characters_the_model_cannot_write": dict(self.strange),
            "groups": {n: {"cer": known(e.rate), "characters": e.units} for n, e in self.groups().items()},
            "confusions": [{"reference": a, "read": b, "count": n} for (a, b), n in self.confusions()],
            "hardly_read": _hardly(self),
            "worst": [_plain(sample) for sample in self.worst()],
            "suspect_references": [_plain(sample) for sample in self.suspects()],
            **calibration_data(self.trust, self.scored),
            "readings": [_reading(sample) for sample in self.scored],
        }


def _ends(ends: tuple[float, float]) -> tuple[float, float] | None:
    """Return an interval as data hold it: None where there is nothing to read."""
    return None if known(ends[0]) is None else ends


def score(name: str, group: str, reference: str, text: str, confidence: float, alphabet: Alphabet) -> Scored:
    """Return a reading held against its normalised reference."""
    reference, text = scored_text(reference, alphabet.text), scored_text(text, alphabet.text)
    symbols, words = alphabet.split(reference), reference.split()
    of_symbols, of_words = tuple(confusions(symbols, alphabet.split(text))), tuple(confusions(words, text.split()))
    by_symbol, by_word = edits_of(of_symbols, len(symbols)), edits_of(of_words, len(words))
    return Scored(name, group, reference, text, confidence, by_symbol, by_word, of_symbols, of_words)


def table(report: Report) -> str:
    """Return the report as lines for people."""
    c, w = report.characters, report.words
    of_c, of_w = (interval_words(report.interval(unit)) for unit in ("characters", "words"))
    lines = [
        f"{report.model} on {report.corpus}, split {report.split}",
        f"{RATES[report.unit]} {percent(c.rate, '7.2%')}  95 % {of_c}  {_kinds(c)} of {c.units} {report.unit}s",
    ]
    if report.unit == "character":
        lines.append(f"WER {percent(w.rate, '7.2%')}  95 % {of_w}  {_kinds(w)} of {w.units} words")
    lines += [
        f"intervals: {RESAMPLES} draws of {report.units.describe()}",
        f"samples {len(report.scored)}, skipped {sum(report.skipped.values())}"
        + "".join(f", {reason}: {count}" for reason, count in report.skipped.items()),
        f"transcripts: {report.normalization}",
    ]
    if report.left_out.by:
        lines.append(f"left out, named in {report.left_out.by}: {report.left_out.samples}")
    if report.strange:
        strange = ", ".join(f"{symbol!r} {count}" for symbol, count in report.strange.most_common(CONFUSIONS))
        lines.append(f"{report.unit}s that the model cannot write: {strange}")
    groups = list(report.groups().items())
    if len(groups) > 1:
        lines.append(
            "groups, worst first: " + ", ".join(f"{n or '?'} {percent(e.rate, '.1%')}" for n, e in groups[:10])
        )
    pairs = [f"{repr(a) if a else '-'}>{repr(b) if b else '-'} {n}" for (a, b), n in report.confusions()]
    lines.append("commonest confusions (said>read): " + ", ".join(pairs))
    lines += _hardly_lines(report, len(groups) > 1)
    lines.append(f"the {min(WORST, len(report.scored))} worst samples:")
    for sample in report.worst():
        lines += [f"  {sample.name}  {sample.characters.total} edits", f"    said {sample.reference}"]
        lines.append(f"    read {sample.text}")
    suspects = report.suspects()
    lines.append(
        f"references that look wrong (surer than most, yet half of it or more read otherwise): {len(suspects)}"
    )
    for sample in suspects[:WORST]:
        off = f"{sample.characters.rate:.0%} off" if sample.characters.units else NO_REFERENCE
        lines += [f"  {sample.name}  {off}, confidence {sample.confidence:.2f}"]
        lines += [f"    said {sample.reference}", f"    read {sample.text}"]
    lines += calibration_lines(report.trust, report.scored)
    return "\n".join(lines)


def _hardly(report: Report) -> dict[str, Any]:
    lost = report.hardly_read()
    edits_lost, edits_all = total(one.characters for one in lost).total, report.characters.total
    groups = dict(Counter(one.group for one in lost).most_common())
    return {"samples": len(lost), "share_of_edits": edits_lost / max(edits_all, 1), "groups": groups}


def _hardly_lines(report: Report, several: bool) -> list[str]:
    """Return a line on what was hardly read, if anything, with its groups where the report has several."""
    found = _hardly(report)
    if not found["samples"]:
        return []
    groups = [f"{name or '?'} {count}" for name, count in list(found["groups"].items())[:3]]
    where = f", most in {', '.join(groups)}" if several else ""
    made = f"{found['samples']}, {found['share_of_edits']:.0%} of all edits{where}"
    return [f"hardly read ({LOST:.0%} wrong or more; look whether the files show their texts): {made}"]


def _kinds(part: Edits) -> str:
    return f"{part.substitutions} substituted, {part.deletions} deleted, {part.insertions} inserted"


def _reading(sample: Scored) -> dict[str, Any]:
    """Return a sample for another report to be held against."""
    return {
        "name": sample.name,
        "group": sample.group,
        "reference": sample.reference,
        "read": sample.text,
        "edits": sample.characters.total,
        "characters": sample.characters.units,
        "word_edits": sample.words.total,
        "words": sample.words.units,
    }


def _plain(sample: Scored) -> dict[str, Any]:
    return {
        "name": sample.name,
        "group": sample.group,
        "reference": sample.reference,
        "read": sample.text,
        "confidence": sample.confidence,
        "edits": sample.characters.total,
    }
