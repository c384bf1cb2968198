"""Confidences turned into shares of right answers, and how far they are from them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import rate_of

METHODS = ("none", "temperature", "isotonic")
TINY = 1e-6  # a confidence is never nearer than this to 0 or 1 where its logit is taken
BINS = 15
RISE = 0.01  # of an isotonic map, a unit of confidence, before its first level and after its last

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """A rising map from confidences to shares of right answers.

    Args:
        method: "none", "temperature" (logit p' = slope logit p + offset) or "isotonic" (straight lines between knots).
        slope: of the logit, the inverse of the temperature.
        offset: of the logit.
        knots: confidences, rising.
        values: the share of right answers at each knot, never falling.
    """

    method: str = "none"
    slope: float = 1.0
    offset: float = 0.0
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a map that is none.

        Raises:
            RecognizerError: an unknown method, knots that fall, values outside 0 to 1 or falling.
        """
        if self.method not in METHODS:
            raise RecognizerError(f"calibration: method {self.method!r}, expected one of {', '.join(METHODS)}")
        rising = all(np.diff(self.knots) > 0) and all(np.diff(self.values) >= 0)
        inside = all(0 <= value <= 1 for value in self.values)
        if self.method == "isotonic" and not (rising and inside and len(self.knots) == len(self.values) > 0):
            raise RecognizerError("calibration: expected rising knots and as many values from 0 to 1 that never fall")
        if not self.slope > 0 or not np.isfinite([self.slope, self.offset]).all():
            raise RecognizerError(
                f"calibration: slope {self.slope}, offset {self.offset}, expected numbers, slope above 0"
            )

    def apply(self, confidences: Sequence[float] | Floats) -> Floats:
        """Return the calibrated confidences (M,)."""
        given = np.asarray(confidences, dtype=np.float64)
        if self.method == "temperature":
            return _sigmoid(self.slope * _logit(given) + self.offset)
        return np.interp(given, self.knots, self.values) if self.method == "isotonic" else given

    def data(self) -> dict[str, object]:
        """Return the map as plain data for a model file."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


def calibration_of(data: dict[str, object]) -> Calibration:
    """Return the map that `Calibration.data` wrote.

    Raises:
        RecognizerError: the data is not of this form.
    """
    try:
        lists = {name: tuple(map(float, data[name])) for name in ("knots", "values")}  # type: ignore[call-overload]
        numbers = {name: float(data[name]) for name in ("slope", "offset")}  # type: ignore[arg-type]
        assert set(data) == {"method", *lists, *numbers}
        return Calibration(str(data["method"]), numbers["slope"], numbers["offset"], lists["knots"], lists["values"])
    except (KeyError, TypeError, ValueError, AssertionError):
        raise RecognizerError(f"calibration: {data!r}, expected method, slope, offset, knots, values") from None


def fit_temperature(confidences: Sequence[float], correct: Sequence[bool]) -> Calibration:
    """Fit slope and offset of the logit to the right answers by maximum likelihood (Platt 1999, with his targets).

    Raises:
        RecognizerError: there is no pair, or a confidence is outside 0 to 1.
    """
    given, right = _pairs(confidences, correct)
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    columns = np.stack((_logit(given), np.ones(len(given))), 1)
    theta = np.array([1.0, 0.0])
    for _ in range(100):  # Newton steps of a convex loss, held back by a small ridge
        chance = _sigmoid(columns @ theta)
        slope = columns.T @ (target - chance) - 1e-6 * theta
        curve = (columns * (chance * (1 - chance))[:, None]).T @ columns + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        theta = theta + step * min(1.0, 1 / max(abs(step).max(), 1e-12))
        if abs(step).max() < 1e-10:
            break
    return Calibration("temperature", max(float(theta[0]), TINY), float(theta[1]))


def fit_isotonic(confidences: Sequence[float], correct: Sequence[bool]) -> Calibration:
    """Fit the never falling map of least squares (pool adjacent violators, Ayer et al. 1955), bent into straight lines.

    A level of n answers, k of them right, counts for (k + 1) / (n + 2), as Platt's targets do: few answers make nothing
    certain, and none is ever 0 or 1. Levels that fall by that are pooled too. The lines go from the middle of one level
    to that of the next; before the first and after the last they rise a little, so that what differed still does: who
    accepts the surest samples first can tell one from the other within a level.

    Raises:
        RecognizerError: there is no pair, or a confidence is outside 0 to 1.
    """
    given, right = _pairs(confidences, correct)
    levels, place = np.unique(given, return_inverse=True)
    columns = np.bincount(place, right), np.bincount(place).astype(np.float64), np.bincount(place, given)
    exact = _never_falling(np.stack(columns, 1), 0.0)
    hits, weights, sums = _never_falling(exact, 1.0).T
    middles, shares = sums / weights, (hits + 1) / (weights + 2)
    first = shares[0] - min(RISE * middles[0], shares[0] / 2)
    last = shares[-1] + min(RISE * (1 - middles[-1]), (1 - shares[-1]) / 2)
    knots = {0.0: first, 1.0: last} | dict(zip(middles.tolist(), shares.tolist(), strict=True))
    return Calibration(
        "isotonic", knots=tuple(map(float, sorted(knots))), values=tuple(float(knots[k]) for k in sorted(knots))
    )


def calibrated(hypothesis: Hypothesis, character: Calibration, word: Calibration, line: Calibration) -> Hypothesis:
    """Return the hypothesis with each confidence sent through the map of its kind."""
    return Hypothesis(
        hypothesis.text,
        float(line.apply([hypothesis.confidence])[0]),
        _mapped(hypothesis.characters, character),
        _mapped(hypothesis.words, word),
        hypothesis.score,
    )


def expected_calibration_error(confidences: Sequence[float], correct: Sequence[bool], bins: int = BINS) -> float:
    """Return the mean gap of confidence and share of right answers over bins of equal mass, weighted by their mass.

    Naeini et al. 2015 with equally filled bins; pairs of equal confidence stay in one bin.

    Raises:
        RecognizerError: there is no pair, or a confidence is outside 0 to 1.
    """
    given, right = _pairs(confidences, correct)
    order = np.argsort(given, kind="stable")
    given, right = given[order], right[order]
    first = np.searchsorted(given, given)  # the place of the first equal confidence decides
    bin_of = first * bins // len(given)
    gaps = np.bincount(bin_of, right - given, bins)
    return float(np.abs(gaps).sum() / len(given))


@dataclass(frozen=True)
class Coverage:
    """What accepting only confident samples brings.

    Args:
        threshold: accepted are confidences of at least this.
        accepted: how many samples that are.
        share: of all samples.
        errors: edits in them.
        units: reference units in them.
    """

    threshold: float
    accepted: int
    share: float
    errors: int
    units: int

    @property
    def rate(self) -> float:
        """Errors per unit; infinite where there are errors and no unit, 0 where there is none of either."""
        return rate_of(self.errors, self.units)


def risk_coverage(
    confidences: Sequence[float], errors: Sequence[int], units: Sequence[int], shares: Sequence[float]
) -> list[Coverage]:
    """Return for each of `shares` the highest threshold that accepts at least so many samples, and its errors.

    Args:
        confidences: (M,) of each sample.
        errors: (M,) edits of each sample.
        units: (M,) reference characters or words of each sample.
        shares: wanted shares of samples, in (0, 1].

    Raises:
        RecognizerError: there is no sample, or a confidence is outside 0 to 1.
    """
    given, _ = _pairs(confidences, [False] * len(confidences))
    order = np.argsort(-given, kind="stable")
    wrong, total = np.cumsum(np.asarray(errors)[order]), np.cumsum(np.asarray(units)[order])
    rows = []
    for share in shares:
        assert 0 < share <= 1, "expected shares in (0, 1]"
        threshold = float(given[order][int(np.ceil(share * len(given) - 1e-9)) - 1])
        accepted = int((given >= threshold).sum())
        taken = int(wrong[accepted - 1]), int(total[accepted - 1])
        rows.append(Coverage(threshold, accepted, accepted / len(given), *taken))
    return rows


def _pairs(confidences: Sequence[float], correct: Sequence[bool]) -> tuple[Floats, NDArray[np.bool_]]:
    given, right = np.asarray(confidences, dtype=np.float64), np.asarray(correct, dtype=bool)
    if len(given) == 0 or len(given) != len(right):
        raise RecognizerError(
            f"calibration: {len(given)} confidences, {len(right)} answers, expected as many, at least one"
        )
    if not ((given >= 0) & (given <= 1)).all():
        raise RecognizerError("calibration: a confidence outside 0 to 1")
    return given, right


def _never_falling(rows: Floats, prior: float) -> Floats:
    """Return the rows (M, 3) of right answers, answers and sums of confidences, pooled until their shares rise.

    Args:
        rows: in the order of their confidences.
        prior: right answers, and as many wrong ones, that each row has besides its own.
    """
    pooled: list[Floats] = []
    for row in rows:
        pooled.append(row)
        while len(pooled) > 1 and _share(pooled[-2], prior) >= _share(pooled[-1], prior):
            last = pooled.pop()
            pooled[-1] = pooled[-1] + last
    return np.stack(pooled)


def _share(row: Floats, prior: float) -> float:
    return float((row[0] + prior) / (row[1] + 2 * prior))


def _mapped(spans: tuple[Span, ...], to: Calibration) -> tuple[Span, ...]:
    values = to.apply([span.confidence for span in spans]).tolist()
    return tuple(Span(s.text, s.start, s.end, value) for s, value in zip(spans, values, strict=True))


def _logit(chance: Floats) -> Floats:
    clipped = np.clip(chance, TINY, 1 - TINY)
    return np.log(clipped) - np.log1p(-clipped)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
