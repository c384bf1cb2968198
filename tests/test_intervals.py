"""Tests of intervals: groups are drawn where there are any, in blocks; two readings are compared in pairs."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from recognizer.evaluation import intervals
from recognizer.evaluation.intervals import difference, interval, units_of

GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "intervals.md"
GROUPS = [f"writer {i // 20}" for i in range(600)]  # thirty writers of twenty lines


def hands(seed: int) -> tuple[list[int], list[int]]:
    """Return errors and sizes of lines, whose writers differ much and whose lines of a writer do not."""
    random = np.random.default_rng(seed)
    rates = np.repeat(random.uniform(0.01, 0.2, 30), 20)
    return random.binomial(40, rates).tolist(), [40] * 600


def test_groups_make_the_interval_as_wide_as_the_spread_of_their_means_says() -> None:
    errors, sizes = hands(1)
    low, high = interval(errors, sizes, units_of(GROUPS))
    means = np.array(errors).reshape(30, 20).sum(1) / 800
    expected = 2 * 1.96 * means.std() / np.sqrt(30)
    assert high - low == pytest.approx(expected, rel=0.1)
    narrow = interval(errors, sizes, units_of([""] * 600))
    assert high - low > 2.5 * (narrow[1] - narrow[0])


def test_an_interval_by_groups_holds_the_true_rate_about_as_often_as_it_says() -> None:
    truth, inside, by_lines = 0.105, 0, 0  # the mean of the writers' rates
    for seed in range(60):
        errors, sizes = hands(seed)
        for groups, name in ((GROUPS, "groups"), ([""] * 600, "lines")):
            low, high = interval(errors, sizes, units_of(groups))
            inside += name == "groups" and low <= truth <= high
            by_lines += name == "lines" and low <= truth <= high
    assert inside >= 52 and by_lines <= 40


def test_what_is_drawn_is_said() -> None:
    assert units_of(["a", "b", "a"]).describe() == "2 groups (a, b); of so few the interval is rough"
    assert units_of([f"w{i:02}" for i in range(12)] * 2).describe() == "12 groups (w00, w01, w02, ...)"
    assert units_of(["", ""]).describe().startswith("2 samples, since no groups are known: too narrow")
    assert units_of(["a", "a"]).describe().startswith("2 samples, since all are of one group (a)")
    assert units_of([]).number == 0


def test_a_sample_of_no_group_stands_for_itself() -> None:
    units = units_of(["a", "", "a", "", "b"])
    assert units.members.tolist() == [0, 2, 0, 3, 1] and units.number == 4


def test_blocks_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    errors, sizes = hands(2)
    whole = interval(errors, sizes, units_of(GROUPS)), difference(errors, sizes, sizes, units_of(GROUPS))
    monkeypatch.setattr(intervals, "BLOCK", 70)
    parts = interval(errors, sizes, units_of(GROUPS)), difference(errors, sizes, sizes, units_of(GROUPS))
    assert whole == parts


def test_a_hundred_thousand_samples_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 40)
    units = units_of([""] * 100_000)
    errors, sizes = [1] * 100_000, [40] * 100_000
    tracemalloc.start()
    interval(errors, sizes, units)
    difference(errors, sizes, sizes, units)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # one draw at a time would be 1.6e6, all at once 64e6 for the numbers of the samples alone


def test_a_reading_that_is_better_everywhere_is_told_from_chance() -> None:
    errors, sizes = hands(3)
    better = [error - (i % 3 == 0 and error > 0) for i, error in enumerate(errors)]
    found = difference(errors, better, sizes, units_of(GROUPS))
    assert found.rate == pytest.approx((sum(better) - sum(errors)) / sum(sizes))
    assert found.low < found.rate < found.high < 0 and found.p < 0.005 and found.certain


def test_pairs_tell_what_the_two_intervals_alone_cannot() -> None:
    errors, sizes = hands(4)
    better = [max(0, error - 1) for error in errors]
    units = units_of(GROUPS)
    assert interval(better, sizes, units)[1] > interval(errors, sizes, units)[0]
    assert difference(errors, better, sizes, units).certain


def test_what_one_writer_alone_decides_is_not_told_from_chance() -> None:
    errors, sizes = hands(5)
    better = [0 if i < 20 else error for i, error in enumerate(errors)]
    assert difference(errors, better, sizes, units_of([""] * 600)).certain
    found = difference(errors, better, sizes, units_of(GROUPS))
    assert not found.certain and found.p > 0.9 and found.high == 0


def test_chance_is_told_apart_about_as_rarely_as_it_says() -> None:
    told = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        one, other = (random.binomial(40, 0.1, 600).tolist() for _ in range(2))
        told += difference(one, other, [40] * 600, units_of(GROUPS)).certain
    assert told <= 7


def test_a_reading_does_not_differ_from_itself() -> None:
    errors, sizes = hands(6)
    found = difference(errors, errors, sizes, units_of(GROUPS))
    assert (found.rate, found.low, found.high, found.p, found.certain) == (0, 0, 0, 1.0, False)


def test_draws_of_empty_references_alone_are_left_out() -> None:
    units = units_of(["a", "b"])
    assert interval([3, 5], [10, 0], units) == (0.3, 0.8)
    found = difference([3, 5], [2, 5], [10, 0], units)
    assert (found.rate, found.low, found.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert np.isnan(interval([1, 2], [0, 0], units)).all() and interval([0, 0], [0, 0], units) == (0, 0)
    assert difference([0, 0], [0, 0], [0, 0], units).rate == 0


@pytest.mark.parametrize(("groups", "stated"), [(2, 49), (5, 80), (13, 88)])
def test_so_much_of_the_truth_is_covered_as_the_guide_says(groups: int, stated: int) -> None:
    rows = [line.strip("|").split("|") for line in GUIDE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    table = {int(a): int(b.strip(" %")) for a, b in zip(rows[0][1:], rows[2][1:], strict=True)}
    assert table[groups] == stated
    units, inside = units_of([f"writer {i // 15}" for i in range(15 * groups)]), 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        errors = random.binomial(40, np.repeat(random.beta(2, 20, groups), 15))
        low, high = interval(errors.tolist(), [40] * len(errors), units)
        inside += low <= 2 / 22 <= high
    assert inside / 200 == pytest.approx(stated / 100, abs=0.08)


def test_groups_of_two_tell_nothing_from_chance() -> None:
    found = difference([10, 10], [5, 5], [100, 100], units_of(["a", "b"]))
    assert found.high < 0 and found.p >= 0.4 and not found.certain
