"""Tests of folding phones."""

import pytest

from recognizer.corpus.phones import FORTY_EIGHT, SIXTY_ONE, THIRTY_NINE, fold
from recognizer.errors import RecognizerError


def test_the_sets_of_phones_have_61_48_and_39_members() -> None:
    assert (len(set(SIXTY_ONE)), len(FORTY_EIGHT), len(THIRTY_NINE)) == (61, 48, 39)
    assert set(fold(SIXTY_ONE, 48)) == set(FORTY_EIGHT) and set(fold(SIXTY_ONE, 39)) == set(THIRTY_NINE)


def test_closures_fold_to_cl_and_vcl_and_then_to_silence() -> None:
    phones = "h# pcl p bcl b epi pau q ix zh ao el en ax-h axr".split()
    assert fold(phones, 48) == "sil cl p vcl b epi sil ix zh ao el en ax er".split()
    assert fold(phones, 39) == "sil sil p sil b sil sil ih sh aa l n ah er".split()
    assert fold(phones, 61) == phones


def test_folding_in_two_steps_is_folding_in_one() -> None:
    assert fold(fold(SIXTY_ONE, 48), 39) == fold(SIXTY_ONE, 39) == fold(fold(SIXTY_ONE, 39), 39)


def test_a_phone_that_cannot_be_folded_is_named() -> None:
    with pytest.raises(RecognizerError, match="'xx' cannot be folded to 39"):
        fold(["aa", "xx"], 39)
    with pytest.raises(RecognizerError, match="'sil' cannot be folded to 61"):
        fold(["sil"], 61)
    with pytest.raises(RecognizerError, match="expected 61, 48 or 39"):
        fold([], 40)
