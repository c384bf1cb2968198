"""An evaluation as numbers, a table and JSON."""

import json
from collections import Counter

import pytest

from recognizer.corpus.alphabet import Alphabet
from recognizer.evaluation.calibration import ScoredConfidences
from recognizer.evaluation.calibration_report import CalibrationReport
from recognizer.evaluation.metrics import Edits
from recognizer.evaluation.report import Report, Scored, score, table

LETTERS = Alphabet(tuple(" abcde"))
READ = [  # name, group, reference, reading
    ("1.png", "anna", "ab cd", "ab cd"),
    ("2.png", "anna", "ab", "ad"),
    ("3.png", "bert", "abcd e", "cd e"),
    ("4.png", "bert", "", "a"),
]


def scored() -> list[Scored]:
    return [score(name, group, said, read, 0.5, LETTERS) for name, group, said, read in READ]


def report() -> Report:
    return Report("m", "corpus", "test", scored(), {"blank image": 2, "cannot be read": 1}, "NFC", Counter({"x": 2}))


def test_a_sample_is_held_against_its_reference_by_symbol_and_by_word() -> None:
    one = score("1.png", "", "ab cd", "ab dd e", 0.9, LETTERS)
    assert one.characters == Edits(substitutions=1, insertions=2, units=5)
    assert one.words == Edits(substitutions=1, insertions=1, units=2)


def test_rates_are_sums_over_all_samples() -> None:
    whole = report()
    assert whole.characters == Edits(1, 2, 1, 13)
    assert whole.words == Edits(2, 0, 1, 5)
    data = whole.as_data()
    assert data["cer"] == pytest.approx(4 / 13) and data["wer"] == pytest.approx(3 / 5)


def test_the_fixed_names_are_in_the_data() -> None:
    data = report().as_data()
    counts = {name: data[name] for name in ("samples", "characters", "words", "skipped")}
    assert counts == {"samples": 4, "characters": 13, "words": 5, "skipped": 3}
    assert data["skipped_reasons"] == {"blank image": 2, "cannot be read": 1}
    assert data["normalization"] == "NFC"
    assert json.loads(json.dumps(data)) == json.loads(json.dumps(report().as_data()))


def test_what_has_no_rate_is_null_in_the_data() -> None:
    nothing = Report("m", "c", "test", [score("1.png", "anna", "", "a", 0.5, LETTERS)], {}, "NFC")
    data = json.loads(json.dumps(nothing.as_data(), allow_nan=False))
    assert data["cer"] is None and data["groups"]["anna"] == {"cer": None, "characters": 0}
    assert data["character_edits"]["insertions"] == 1


def test_where_all_references_are_empty_no_rate_is_told() -> None:
    one = score("1.png", "anna", "", "ab cd", 0.5, LETTERS)
    judged = [ScoredConfidences((), (), ((0.5, False),))]
    nothing = Report("m", "c", "test", [one], {}, "NFC", trust=CalibrationReport(judged))
    data = json.loads(json.dumps(nothing.as_data(), allow_nan=False))
    assert (data["cer"], data["wer"], data["cer_95"], data["wer_95"]) == (None,) * 4
    assert {(row["cer"], row["wer"]) for row in data["risk_coverage"]} == {(None, None)}
    text = table(nothing)
    assert "CER no reference  95 % no reference  0 substituted" in text and "WER no reference  95 % no ref" in text
    assert "inf" not in text and "nan" not in text and "00.00%" not in text.replace("lines 50.00%", "")


def test_an_empty_reference_among_others_is_no_rate_of_its_own() -> None:
    read = [("1.png", "anna", "", "abcd", 0.9), ("2.png", "bert", "abcd", "abcd", 0.5), ("3.png", "", "ab", "ab", 0.1)]
    samples = [score(*sample, LETTERS) for sample in read]
    judged = [ScoredConfidences((), (), ((one.confidence, not one.characters.total),)) for one in samples]
    some = Report("m", "c", "test", samples, {}, "NFC", trust=CalibrationReport(judged))
    text, data = table(some), some.as_data()
    assert "  1.png  no reference, confidence 0.90" in text and "anna no reference" in text and "inf" not in text
    (first,) = [row for row in text.splitlines() if " 0.9000 " in row]
    assert first.split("1  ", 1)[1] == "no reference  no reference"
    assert data["risk_coverage"][0]["cer"] is None and data["risk_coverage"][-1]["cer"] == data["cer"] == 4 / 6
    assert data["cer_95"][1] <= 12 / 2


def test_nothing_read_where_nothing_is_to_be_read_is_no_error() -> None:
    data = Report("m", "c", "test", [score("1.png", "", "", "", 0.5, LETTERS)], {}, "NFC").as_data()
    assert (data["cer"], data["cer_95"]) == (0.0, (0.0, 0.0))


def test_confusions_show_what_is_not_seen() -> None:
    one = score("1.png", "", "a\u200cb c", "abd", 0.5, LETTERS)
    (line,) = [row for row in table(Report("m", "c", "test", [one], {}, "NFC")).splitlines() if "said>read" in row]
    assert line == "commonest confusions (said>read): '\\u200c'>- 1, ' '>'d' 1, 'c'>- 1"


def test_groups_come_worst_first() -> None:
    groups = report().groups()
    assert list(groups) == ["bert", "anna"]
    assert groups["bert"] == Edits(deletions=2, insertions=1, units=6)


def test_the_worst_samples_come_first_and_no_more_than_twenty() -> None:
    assert [sample.name for sample in report().worst()][0] == "3.png"
    many = Report("m", "c", "test", scored() * 10, {}, "NFC")
    assert len(many.worst()) == 20


def test_the_interval_holds_the_rate_and_is_the_same_each_time() -> None:
    low, high = report().interval("characters")
    assert 0.0 <= low < 4 / 13 < high
    assert (low, high) == report().interval("characters")


def test_the_table_states_what_the_data_state() -> None:
    text = table(report())
    for part in ("30.77%", "60.00%", "1 substituted, 2 deleted, 1 inserted", "13 characters", "5 words"):
        assert part in text
    assert "samples 4, skipped 3, blank image: 2, cannot be read: 1" in text
    assert "transcripts: NFC" in text and "'x' 2" in text
    assert "bert 50.0%" in text and "3.png  2 edits" in text
    assert "said abcd e" in text and "read cd e" in text


def test_samples_that_were_hardly_read_are_counted_with_their_groups_and_their_share_of_the_edits() -> None:
    read = [
        ("1.png", "anna", "abcd", "abce"),  # a quarter
        ("2.png", "anna", "abcd", "e"),  # all
        ("3.png", "bert", "abcd", "dcba e"),  # all and more
        ("4.png", "bert", "abcd", "bcd"),
        ("5.png", "bert", "", "ab"),  # nothing to read
        ("6.png", "bert", "abcd", "a"),  # just three quarters
    ]
    half = Report("m", "c", "test", [score(n, g, a, b, 0.5, LETTERS) for n, g, a, b in read], {}, "NFC")
    lost = [one.name for one in half.hardly_read()]
    assert lost == ["2.png", "3.png", "6.png"]
    edits = {one.name: one.characters.total for one in half.scored}
    share = sum(edits[name] for name in lost) / sum(edits.values())
    assert half.as_data()["hardly_read"] == {"samples": 3, "share_of_edits": share, "groups": {"bert": 2, "anna": 1}}
    told = [line for line in table(half).splitlines() if line.startswith("hardly read")]
    assert len(told) == 1 and told[0].endswith(f": 3, {share:.0%} of all edits, most in bert 2, anna 1")
    good = Report("m", "c", "test", half.scored[:1], {}, "NFC")
    assert "hardly read" not in table(good) and good.as_data()["hardly_read"]["samples"] == 0
