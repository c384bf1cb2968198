"""Edits are counted exactly, and rates come from sums."""

import math
import random

import pytest

from recognizer.evaluation.metrics import Edits, confusions, distance, edits, total

PAIRS = {  # reference, reading: substitutions, deletions, insertions
    ("", ""): (0, 0, 0),
    ("abc", "abc"): (0, 0, 0),
    ("abc", "axc"): (1, 0, 0),
    ("abc", "ac"): (0, 1, 0),
    ("abc", "abbc"): (0, 0, 1),
    ("abc", ""): (0, 3, 0),
    ("", "abc"): (0, 0, 3),
    ("kitten", "sitting"): (2, 0, 1),
    ("ab", "ba"): (0, 1, 1),
}


@pytest.mark.parametrize(("pair", "counts"), PAIRS.items(), ids=[f"{a or '-'} {b or '-'}" for a, b in PAIRS])
def test_edits_are_those_of_a_shortest_alignment(pair: tuple[str, str], counts: tuple[int, int, int]) -> None:
    found = edits(*pair)
    assert found.total == sum(counts) == distance(*pair)
    assert found.units == len(pair[0])
    if pair != ("ab", "ba"):  # two substitutions are as short
        assert (found.substitutions, found.deletions, found.insertions) == counts


def slow_distance(a: list[str], b: list[str]) -> int:
    """Return the distance by the recurrence itself (Wagner and Fischer 1974)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def test_distances_of_random_words_are_those_of_the_recurrence() -> None:
    draw = random.Random(1)
    for _ in range(200):
        a, b = ([draw.choice(["a", "b", "ab", "c"]) for _ in range(draw.randint(0, 9))] for _ in range(2))
        assert distance(a, b) == edits(a, b).total == slow_distance(a, b)


def test_a_rate_is_edits_over_units() -> None:
    assert Edits(1, 2, 3, 12).rate == 0.5
    assert Edits().rate == 0.0
    assert math.isinf(Edits(insertions=1).rate)


def test_a_sum_is_no_mean_of_rates() -> None:
    parts = [edits("a", "b"), edits("aaaaaaaaa", "aaaaaaaaa")]
    assert total(parts).rate == 0.1
    assert total([]) == Edits()


def test_an_empty_reference_counts_its_insertions() -> None:
    whole = total([edits("", "xx"), edits("abcd", "abcd")])
    assert (whole.insertions, whole.units, whole.rate) == (2, 4, 0.5)


def test_confusions_pair_what_was_said_with_what_was_read() -> None:
    assert confusions("abc", "axc") == [("b", "x")]
    assert confusions("abc", "ac") == [("b", "")]
    assert confusions("ac", "abc") == [("", "b")]
    assert confusions(["one", "two"], ["one", "too"]) == [("two", "too")]
