"""How far the confidences of an evaluation can be trusted, as a table and JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from recognizer.evaluation.calibration import KINDS, ScoredConfidences, calibration_errors
from recognizer.evaluation.confidence_maps import Coverage, risk_coverage
from recognizer.evaluation.metrics import Edits, known, percent

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of the samples, in the risk-coverage table


class Sample(Protocol):
    """What the table needs of a sample."""

    @property
    def confidence(self) -> float:
        """Of the reading."""

    @property
    def characters(self) -> Edits:
        """Edits over symbols."""

    @property
    def words(self) -> Edits:
        """Edits over words."""


@dataclass(frozen=True)
class CalibrationReport:
    """Where confidences come from, and what they were worth.

    Args:
        judged: the samples' confidences beside what was right.
        decoder: what read the samples.
        calibration: what the confidences were calibrated on, "" for not at all.
    """

    judged: Sequence[ScoredConfidences] = ()
    decoder: str = "best path"
    calibration: str = ""


def coverage(samples: Sequence[Sample], unit: str) -> list[Coverage]:
    """Return what accepting the most confident samples brings; `unit` of errors is "characters" or "words"."""
    parts: list[Edits] = [getattr(sample, unit) for sample in samples]
    confidences = [sample.confidence for sample in samples]
    return risk_coverage(confidences, [part.total for part in parts], [part.units for part in parts], SHARES)


def calibration_data(trust: CalibrationReport, samples: Sequence[Sample]) -> dict[str, Any]:
    """Return plain data for an evaluation's JSON."""
    data: dict[str, Any] = {"decoder": trust.decoder, "calibration": trust.calibration}
    if trust.judged:
        data["expected_calibration_error"] = calibration_errors(trust.judged)
        data["risk_coverage"] = [
            {
                "accept_from": c.threshold,
                "samples": c.accepted,
                "share": c.share,
                "cer": known(c.rate),
                "wer": known(w.rate),
            }
            for c, w in zip(coverage(samples, "characters"), coverage(samples, "words"), strict=True)
        ]
    return data


def calibration_lines(trust: CalibrationReport, samples: Sequence[Sample]) -> Iterator[str]:
    """Yield lines for people."""
    yield f"decoder: {trust.decoder}"
    yield f"confidences: {'calibrated, ' + trust.calibration if trust.calibration else 'not calibrated'}"
    if not trust.judged:
        return
    errors = calibration_errors(trust.judged)
    yield "expected calibration error: " + error_words(errors)
    yield "accepting the surest:  from    samples     CER     WER"
    rows = {
        c.accepted: (c, w) for c, w in zip(coverage(samples, "characters"), coverage(samples, "words"), strict=True)
    }
    for c, w in rows.values():
        rates = f"{percent(c.rate, '6.2%')}  {percent(w.rate, '6.2%')}"
        yield f"            {c.share:7.1%}  {c.threshold:7.4f}  {c.accepted:7d}  {rates}"


def error_words(errors: dict[str, float | None]) -> str:
    """Return expected calibration errors in words."""
    return ", ".join(f"{kind}s {'-' if errors[kind] is None else f'{errors[kind]:.2%}'}" for kind in KINDS)
