"""Calibration of confidences, its measure, and what accepting the confident brings."""

import json
from pathlib import Path

import numpy as np
import pytest

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.evaluation.calibrate import Calibrated
from recognizer.evaluation.calibration import (
    FITS,
    ScoredConfidences,
    best_methods,
    calibration_errors,
    cross_validate,
    fit_calibrations,
)
from recognizer.evaluation.confidence_maps import (
    Calibration,
    calibrated,
    calibration_of,
    expected_calibration_error,
    fit_isotonic,
    fit_temperature,
    risk_coverage,
)


def pairs(seed: int, overconfident: float = 3.0) -> tuple[list[float], list[bool]]:
    """Return confidences whose logit is `overconfident` times too large, and answers."""
    random = np.random.default_rng(seed)
    logit = random.normal(1, 1, 5000)
    correct = random.random(5000) < 1 / (1 + np.exp(-logit))
    return (1 / (1 + np.exp(-overconfident * logit))).tolist(), correct.tolist()


def test_the_error_of_two_bins_is_what_one_counts_by_hand() -> None:
    given = [0.6, 0.6, 0.9, 0.9]
    assert expected_calibration_error(given, [True, False, True, True], 2) == pytest.approx((0.1 + 0.1) / 2)
    assert expected_calibration_error([0.5, 0.5], [True, False]) == 0.0
    assert expected_calibration_error([1.0], [False]) == 1.0


@pytest.mark.parametrize("fit", [fit_temperature, fit_isotonic])
def test_fitted_on_some_it_helps_on_others(fit: type) -> None:
    calibration = fit(*pairs(1))
    given, correct = pairs(2)
    before = expected_calibration_error(given, correct)
    after = expected_calibration_error(calibration.apply(given).tolist(), correct)
    assert before > 0.1 and after < 0.03


def test_temperature_finds_the_factor_again() -> None:
    calibration = fit_temperature(*pairs(3, overconfident=4.0))
    assert calibration.slope == pytest.approx(0.25, abs=0.02)
    assert calibration.offset == pytest.approx(0.0, abs=0.1)


def test_isotonic_pools_what_falls() -> None:
    calibration = fit_isotonic([0.1, 0.2, 0.3, 0.4], [False, True, False, True])
    assert calibration.knots == pytest.approx((0.0, 0.1, 0.25, 0.4, 1.0))
    assert calibration.values == pytest.approx((0.332333, 1 / 3, 0.5, 2 / 3, 0.672667), abs=1e-6)
    assert calibration.apply([0.1, 0.25, 0.4]).tolist() == pytest.approx([1 / 3, 0.5, 2 / 3])


def test_isotonic_pools_what_falls_for_want_of_answers() -> None:
    calibration = fit_isotonic([0.5] * 10 + [0.9], [True] * 9 + [False, True])  # 10 / 12, then 2 / 3
    assert calibration.knots == pytest.approx((0.0, 5.9 / 11, 1.0))
    assert calibration.values[1] == pytest.approx(11 / 13)


def test_isotonic_keeps_apart_what_it_levels() -> None:
    calibration = fit_isotonic([0.2, 0.4, 0.6, 0.8], [True, False, True, False])
    assert (np.diff(calibration.apply(np.linspace(0, 1, 11))) > 0).all()


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("given", [np.linspace(0.6, 0.95, 80), [0.9] * 10, [0.0] * 5, [1.0] * 5, [0.0, 1.0]])
def test_isotonic_of_one_answer_alone_is_neither_certain_nor_half_right(given: list[float], right: bool) -> None:
    calibration = fit_isotonic(list(given), [right] * len(given))
    mapped = calibration.apply(np.linspace(0, 1, 101))
    expected = (len(given) + 1 if right else 1) / (len(given) + 2)
    assert abs(mapped - expected).max() < 0.0101
    assert (np.diff(mapped) > 0).all() and 0 < mapped.min() and mapped.max() < 1


def test_isotonic_keeps_the_order_within_its_first_and_its_last_level() -> None:
    given = np.linspace(0, 1, 400)
    calibration = fit_isotonic(given.tolist(), (given > 0.5).tolist())
    mapped = calibration.apply(given)
    assert (np.diff(mapped) > 0).all() and 0 < mapped[0] < 0.01 and 0.99 < mapped[-1] < 1


@pytest.mark.parametrize("fit", [fit_temperature, fit_isotonic])
def test_order_is_kept_and_all_stays_in_0_to_1(fit: type) -> None:
    for given, correct in (pairs(4), ([0.0, 1.0], [True, True]), ([0.3], [False]), ([0.9, 0.1], [False, True])):
        mapped = fit(given, correct).apply(np.linspace(0, 1, 101))
        assert (np.diff(mapped) >= 0).all() and mapped.min() >= 0 and mapped.max() <= 1


def test_a_map_survives_json() -> None:
    for calibration in (Calibration(), fit_temperature(*pairs(5)), fit_isotonic([0.1, 0.9], [False, True])):
        assert calibration_of(json.loads(json.dumps(calibration.data()))) == calibration


def test_each_kind_has_the_method_that_is_better_for_it() -> None:
    random = np.random.default_rng(1)
    judged = []
    for _ in range(1000):
        words = [(float(c), bool(random.random() < (0.9 if c > 0.5 else 0.4))) for c in random.random(5)]  # a step
        logit = random.normal(1, 1)
        line = float(1 / (1 + np.exp(-3 * logit))), bool(random.random() < 1 / (1 + np.exp(-logit)))
        judged.append(ScoredConfidences((), tuple(words), (line,)))
    chosen, errors = best_methods(judged, FITS)
    assert (chosen["word"], chosen["line"]) == ("isotonic", "temperature")
    for kind in ("word", "line"):
        assert errors[kind] == min(calibration_errors(cross_validate(judged, one))[kind] or 1.0 for one in FITS)
    assert errors["character"] is None
    maps = fit_calibrations(judged, chosen, "c", "d")
    assert (maps.character.method, maps.word.method, maps.line.method) == ("none", "isotonic", "temperature")
    with pytest.raises(RecognizerError, match="method 'cold'"):
        fit_calibrations(judged, {**chosen, "line": "cold"}, "c", "d")


def test_the_methods_are_said_of_each_kind_where_they_differ() -> None:
    def said(**methods: str) -> str:
        return Calibrated(methods, 2, {}, {}, Path("m")).method

    assert said(character="isotonic", word="isotonic", line="isotonic") == "isotonic"
    assert said(word="isotonic", line="temperature") == "words isotonic, lines temperature"


def test_each_kind_of_confidence_has_its_map() -> None:
    spans = (Span("a", 0, 1, 0.5),)
    halves = [Calibration("isotonic", knots=(0.0, 1.0), values=(0.0, top)) for top in (0.2, 0.4, 0.6)]
    found = calibrated(Hypothesis("a", 0.5, spans, spans, -1.0), *halves)
    assert found.characters[0].confidence == pytest.approx(0.1)
    assert found.words[0].confidence == pytest.approx(0.2)
    assert found.confidence == pytest.approx(0.3)
    assert (found.text, found.score, found.words[0].end) == ("a", -1.0, 1)


def test_risk_and_coverage_of_four_lines() -> None:
    rows = risk_coverage([0.9, 0.8, 0.8, 0.1], [0, 1, 2, 10], [10, 10, 10, 10], [0.25, 0.5, 1.0])
    assert [(r.threshold, r.accepted, r.errors, r.units) for r in rows] == [
        (0.9, 1, 0, 10),
        (0.8, 3, 3, 30),
        (0.1, 4, 13, 40),
    ]
    assert rows[1].share == 0.75 and rows[1].rate == pytest.approx(0.1)


def test_bad_pairs_and_maps_are_named() -> None:
    with pytest.raises(RecognizerError, match="0 confidences, 0 answers"):
        fit_isotonic([], [])
    with pytest.raises(RecognizerError, match="outside 0 to 1"):
        fit_temperature([1.5], [True])
    with pytest.raises(RecognizerError, match="method 'cold'"):
        Calibration("cold")
    with pytest.raises(RecognizerError, match="never fall"):
        Calibration("isotonic", knots=(0.1, 0.2), values=(0.5, 0.4))
    with pytest.raises(RecognizerError, match="expected method, slope, offset, knots, values"):
        calibration_of({"method": "temperature"})
