"""The artificial languages: what may stand where, what a network that counts knows, the tables of the script."""

import random

import grammar
import pytest
import torch
from grammars import Course, Predictor, Word, accepts, counted, counts_to, encode, learn, reber, rebers

from recognizer.errors import RecognizerError
from recognizer.network.cells import CellSettings


def test_a_counted_string_says_what_may_stand_where() -> None:
    word = counted(2)
    assert word.text == "aabb"
    assert [sorted(legal) for legal in word.legal] == [["a"], ["a", "b"], ["a", "b"], ["b"], ["end"]]
    word = counted(2, "abc")
    assert word.text == "aabbcc"
    assert [sorted(legal) for legal in word.legal[3:]] == [["b"], ["c"], ["c"], ["end"]]


def test_a_reber_string_repeats_its_second_symbol_before_the_last() -> None:
    dice = random.Random(0)
    for onward in (0.5, 0.8):
        for _ in range(50):
            word = reber(dice, onward)
            assert word.text[1] == word.text[-2] and word.legal[-3] == {word.text[1]}
            symbols = [*word.text, "end"]
            assert all(symbol in legal for symbol, legal in zip(symbols, word.legal, strict=True))
    assert len({word.text for word in rebers(1, 20, 12, 15, 0.5)}) == 20


def test_more_reber_strings_than_there_are_is_refused() -> None:
    with pytest.raises(RecognizerError, match="embedded Reber: 4 strings of 9 to 9 symbols, .* 5"):
        rebers(1, 5, 9, 9, 0.5)


def test_strings_are_numbered_with_their_end() -> None:
    data = encode([counted(1), counted(2)], "ab")
    assert data.given.tolist() == [[0, 1, 2, 0, 0], [0, 1, 1, 2, 2]]
    assert data.target.tolist() == [[1, 2, 0, -100, -100], [1, 1, 2, 2, 0]]
    assert data.legal[0].tolist() == [[False, True, False], [False, True, True], [True, False, False]] + 2 * [
        [True] * 3
    ]


def test_a_network_is_accepted_only_where_it_knows_every_place() -> None:
    torch.manual_seed(0)
    model = Predictor("ab", CellSettings(hidden=8))
    words = [counted(n) for n in (1, 2, 3)]
    assert not any(accepts(model, words))
    learn(model, words, Course(250, 0.03, batch=3, seed=0))
    assert accepts(model, words) == [True] * 3
    assert not all(accepts(model, [Word("aabb", (*counted(2).legal[:4], frozenset("a")))]))


@pytest.mark.slow
def test_noise_makes_an_open_cell_count_far_beyond_what_it_learned() -> None:
    torch.manual_seed(1)
    model = Predictor("ab", CellSettings(hidden=8, forget_bias=16.0))
    learn(model, [counted(n) for n in range(1, 8)], Course(600, 0.05, 0.6))
    assert counts_to(model, 30) == 30


def test_the_tables_have_a_row_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    grammar.main(["--rows", "lstm", "lstm-exact", "--seeds", "1", "--steps", "5", "--number", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert [sum(line.startswith(start) for line in lines) for start in ("| `lstm` |", "| `lstm`, open, noise |")] == [
        3,
        3,
    ]
