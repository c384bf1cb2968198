"""Text to labels, labels to text."""

import pytest

from recognizer.corpus.alphabet import Alphabet, TextSettings, alphabet_of, frames_needed
from recognizer.errors import RecognizerError

LETTERS = Alphabet(tuple("abc \u00e9"))


def test_class_0_is_the_blank_and_symbols_count_from_1() -> None:
    assert LETTERS.classes == 6
    assert LETTERS.encode("cab") == [3, 1, 2]
    assert LETTERS.decode([3, 1, 2]) == "cab"


def test_text_survives_the_way_to_labels_and_back() -> None:
    for text in ("", "abc", "a b c", "\u00e9a"):
        assert LETTERS.decode(LETTERS.encode(text)) == text


def test_text_is_normalised_before_it_is_encoded() -> None:
    assert LETTERS.encode("e\u0301") == LETTERS.encode("\u00e9") == [5]
    assert LETTERS.encode("  a \t b\n") == LETTERS.encode("a b")


def test_a_character_without_a_class_is_named() -> None:
    with pytest.raises(RecognizerError, match="character 'x' in 'axe' is not in the alphabet"):
        LETTERS.encode("axe")
    with pytest.raises(RecognizerError, match=f"^character 'x' in '{'a' * 10}x{'b' * 10}' is not in the alphabet$"):
        LETTERS.encode("a" * 9999 + "x" + "b" * 9999)
    assert LETTERS.unknown("x, a x e") == ["x", ",", "e"]


def test_tokens_are_separated_by_white_space() -> None:
    phones = Alphabet(("ah", "sh"), TextSettings(unit="token"))
    assert phones.encode("sh  ah sh") == [2, 1, 2]
    assert phones.decode([2, 1, 2]) == "sh ah sh"
    assert phones.unknown("sh zz") == ["zz"]


NORMALISED = {
    "NFD": (TextSettings(form="NFD"), "\u00e9", "e\u0301"),
    "NFKC": (TextSettings(form="NFKC"), "\ufb01x \u00b2", "fix 2"),
    "lower": (TextSettings(case="lower"), "\u00c9A", "\u00e9a"),
    "lower keeps the form": (TextSettings(case="lower"), "\u0130", "i\u0307"),
    "replace": (TextSettings(replace={"\u2019": "'", "\u00ad": ""}), "l\u2019a\u00adb", "l'ab"),
    "replace in order": (TextSettings(replace={"a": "b", "b": "c"}), "ab", "cc"),
    "replace what is decomposed": (TextSettings(replace={"e\u0301": "e"}), "\u00e9", "e"),
    "replace by what is decomposed": (TextSettings(replace={"@": "e\u0301"}), "@", "\u00e9"),
    "replace what stays apart": (
        TextSettings(replace={"\u0958": "\u0915"}),
        "\u0958\u0915\u093c",
        "\u0915\u0915",
    ),
    "replace what is composed, in NFD": (TextSettings(form="NFD", replace={"\u00e9": "e"}), "\u00e9", "e"),
    "replaced, and composed again": (TextSettings(replace={"\u00ad": ""}), "e\u00ad\u0301", "\u00e9"),
    "replaced spaces": (TextSettings(replace={"_": " "}), "_a__b_", "a b"),
    "non-breaking space": (TextSettings(), "a\u00a0b", "a b"),
}


@pytest.mark.parametrize(("settings", "raw", "wanted"), NORMALISED.values(), ids=NORMALISED)
def test_normalising_does_what_is_set_and_nothing_twice(settings: TextSettings, raw: str, wanted: str) -> None:
    assert settings.normalize(raw) == wanted
    if settings.replace != {"a": "b", "b": "c"}:
        assert settings.normalize(wanted) == wanted


def test_what_is_put_may_be_what_nfkc_would_change() -> None:
    assert TextSettings(form="NFKC", replace={"1/2": "\u00bd"}).normalize("1/2") == "\u00bd"


def test_replacements_that_find_nothing_are_told_with_what_is_there_instead() -> None:
    lower = TextSettings(case="lower", replace={"\u00c9": "e", "e\u0301": "e", "<n>": "N", "N": "n"})
    assert lower.idle_replacements() == {"\u00c9": "\u00e9"}
    assert TextSettings(form="NFKC", replace={"\u00b2": ""}).idle_replacements() == {"\u00b2": "2"}


@pytest.mark.parametrize("values", [{"form": "NFX"}, {"case": "upper"}, {"unit": "word"}])
def test_settings_that_mean_nothing_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(RecognizerError, match=f"text.{min(values)} is '{min(values.values())}', expected one of"):
        TextSettings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("symbols", "fault"), [(("a", "a"), "stands twice"), (("a", ""), "an empty symbol")])
def test_an_alphabet_that_cannot_be_told_apart_is_refused(symbols: tuple[str, ...], fault: str) -> None:
    with pytest.raises(RecognizerError, match=fault):
        Alphabet(symbols)


def test_the_alphabet_of_texts_is_sorted_and_counted() -> None:
    alphabet, counts = alphabet_of(["ba", "ab c"], TextSettings())
    assert alphabet.symbols == (" ", "a", "b", "c")
    assert counts == {" ": 1, "a": 2, "b": 2, "c": 1}


@pytest.mark.parametrize(("labels", "frames"), [([], 0), ([1], 1), ([1, 2], 2), ([1, 1], 3), ([1, 1, 1, 2, 2], 8)])
def test_ctc_needs_a_blank_between_equal_labels(labels: list[int], frames: int) -> None:
    assert frames_needed(labels) == frames


def test_a_text_has_single_spaces_inside_and_none_outside() -> None:
    letters = Alphabet((" ", "a", "b"))
    for labels, text in (([1, 1, 2, 1, 1, 3, 1], "a b"), ([1, 1], ""), ([2, 1, 3], "a b"), ([1, 2], "a"), ([], "")):
        assert letters.text_of(labels) == text == letters.text.normalize(text)
    assert Alphabet(("a", "b")).text_of([1, 2]) == "ab"
    assert Alphabet(("a", "b"), TextSettings(unit="token")).text_of([2, 1]) == "b a"
