"""The alphabet report: each oddity of the characters is found, and plain texts are left in peace."""

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.alphabet_report import AlphabetReport, named, report_alphabet, script

PLAIN = Alphabet(())


def alphabet_report(*train: str, text: TextSettings | None = None) -> AlphabetReport:
    return report_alphabet({"train": train}, "train", Alphabet((), text or TextSettings()))


def test_characters_that_only_validation_or_test_has_are_told() -> None:
    report = report_alphabet({"train": ["ab"], "valid": ["abc"], "test": ["dad"]}, "train", PLAIN)
    assert report.elsewhere == {"valid": {"c": 1}, "test": {"d": 2}} and report.learned == {"a": 1, "b": 1}


def test_a_models_alphabet_says_what_it_cannot_write() -> None:
    report = report_alphabet({"train": ["ab"], "test": ["abc"]}, "train", Alphabet(("a", "c")))
    assert report.elsewhere == {"train": {"b": 1}, "test": {"b": 1}}


def test_without_a_split_that_is_learned_all_characters_count() -> None:
    report = report_alphabet({"": ["ab"], "test": ["c"]}, "train", PLAIN)
    assert report.learned == {"a": 1, "b": 1, "c": 1} and report.elsewhere == {}


def test_characters_seen_fewer_than_ten_times_are_rare() -> None:
    assert alphabet_report("a" * 10 + "b" * 9).rare == {"b": 9}


def test_a_cyrillic_letter_in_a_latin_text_is_found_with_its_twin() -> None:
    report = alphabet_report("caf\u0435 et th\u00e9")
    assert report.look_alikes == [
        ("\u0435", 1, "CYRILLIC among LATIN letters, looks like e U+0065 LATIN SMALL LETTER E")
    ]


def test_a_latin_letter_in_a_cyrillic_text_is_found_with_its_twin() -> None:
    (case,) = alphabet_report("\u0434\u043e\u0431\u0440\u044b\u0439 \u0434eнь").look_alikes
    assert case[0] == "e" and case[2].startswith("LATIN among CYRILLIC letters, looks like \u0435 U+0435")


def test_a_text_of_one_script_has_no_look_alikes() -> None:
    assert alphabet_report("\u0395\u03bb\u03bb\u03ac\u03c2, 12!").look_alikes == []
    assert [script(c) for c in "a\u0430\u03b1\u05d01 "] == ["LATIN", "CYRILLIC", "GREEK", "HEBREW", "", ""]


def test_japanese_is_of_one_script_and_modifier_letters_are_of_any() -> None:
    assert alphabet_report("\u65e5\u3005\u306e\u30bf\u30fc, Hawai\u02bbi", "\u65e5" * 9).look_alikes == [
        (letter, count, "LATIN among CJK letters") for letter, count in (("H", 1), ("a", 2), ("i", 2), ("w", 1))
    ]


def test_a_ligature_is_the_same_as_its_letters() -> None:
    assert alphabet_report("\ufb01n").look_alikes == [("\ufb01", 1, "the same as 'fi' by NFKC")]


def test_signs_in_several_forms_are_told() -> None:
    report = alphabet_report("l'un\u2019deux - trois \u2013 quatre", "un")
    assert report.families == {"dashes": {"-": 1, "\u2013": 1}, "apostrophes": {"'": 1, "\u2019": 1}}


def test_a_saltillo_is_like_an_apostrophe_and_a_maqaf_like_a_hyphen() -> None:
    report = alphabet_report("'\ua78c\u02be -\u05be")
    assert report.families == {
        "dashes": {"-": 1, "\u05be": 1},
        "apostrophes": {"'": 1, "\u02be": 1, "\ua78c": 1},
    }


def test_control_characters_of_the_raw_texts_are_told() -> None:
    report = alphabet_report("a\u200bb\tc\u00add")
    assert report.invisible == {"\t": 1, "\u00ad": 1, "\u200b": 1}


def test_characters_that_normalisation_changes_are_told() -> None:
    report = alphabet_report("A\u00a0\u212b-", "b", text=TextSettings(case="lower", replace={"-": ""}))
    assert report.changed == [
        ("-", 1, ""),
        ("A", 1, "a"),
        ("\u00a0", 1, " "),
        ("\u212b", 1, "\u00e5"),
    ]
    assert report.changed_texts == 1


def test_a_decomposed_text_counts_as_changed() -> None:
    assert alphabet_report("cafe\u0301", "caf\u00e9").changed_texts == 1


def test_characters_are_named_so_that_they_can_be_told_apart() -> None:
    assert named("a") == "a U+0061 LATIN SMALL LETTER A"
    assert named("\u00a0") == "U+00A0 NO-BREAK SPACE" and named("\x07") == "U+0007 (without a name)"
