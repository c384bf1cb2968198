"""ARPA files in and out, as KenLM and SRILM write them, with their faults named."""

import gzip
import random
from pathlib import Path

import numpy as np
import pytest

from recognizer.errors import RecognizerError
from recognizer.language import arpa
from recognizer.language.build import BuildSettings, build
from recognizer.language.ngram import NGram
from recognizer.language.ngram_file import open_ngram

TOY = """\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-1.5\t<unk>
0\t<s>\t-0.5
-1\t</s>
-0.25\ta\t-0.125
-0.75\tb\t0

\\2-grams:
-0.5\t<s> a
-0.25\ta b
-0.0625\tb </s>

\\end\\
"""


def saved(folder: Path, text: str) -> Path:
    path = folder / "toy.arpa"
    path.write_text(text, encoding="utf-8")
    return path


def log10_of(model: NGram, text: str) -> float:
    return float(model.rescore([text])[0] / np.log(10))


def test_a_toy_scores_as_its_lines_add_up(tmp_path: Path) -> None:
    model = open_ngram(saved(tmp_path, TOY))
    assert log10_of(model, "a b") == pytest.approx(-0.5 - 0.25 - 0.0625)
    # a after a: weight of a, then a alone; </s> likewise.
    assert log10_of(model, "a a") == pytest.approx(-0.5 - 0.125 - 0.25 - 0.125 - 1)
    assert log10_of(model, "x") == pytest.approx(-0.5 - 1.5 - 1)


def test_what_was_written_is_read_unchanged_plain_and_gzip(tmp_path: Path) -> None:
    trie, notes = arpa.read(saved(tmp_path, TOY))
    for name in ("out.arpa", "out.arpa.gz"):
        arpa.write(trie, tmp_path / name)
        again, _ = arpa.read(tmp_path / name)
        assert again.words == trie.words and again.sizes == trie.sizes and notes == ()
        for left, right in ((again.keys, trie.keys), (again.probs, trie.probs), (again.backoffs, trie.backoffs)):
            assert np.array_equal(left, right)
    assert gzip.decompress((tmp_path / "out.arpa.gz").read_bytes()) == (tmp_path / "out.arpa").read_bytes()


def test_the_order_of_the_lines_does_not_matter(tmp_path: Path) -> None:
    mixed = TOY.replace("-0.5\t<s> a\n-0.25\ta b\n", "-0.25\ta b\n-0.5\t<s> a\n").replace("-0.75\tb\t0\n", "")
    mixed = mixed.replace("-1.5\t<unk>\n", "-0.75\tb\t0\n-1.5\t<unk>\n")
    assert log10_of(open_ngram(saved(tmp_path, mixed)), "a b") == pytest.approx(-0.8125)


def test_a_file_without_unk_gets_one_and_says_so(tmp_path: Path) -> None:
    lacking = TOY.replace("-1.5\t<unk>\n", "").replace("1=5", "1=4")
    model = open_ngram(saved(tmp_path, lacking))
    assert "no <unk>" in model.about.notes[0]
    assert log10_of(model, "a b") == pytest.approx(-0.8125)
    assert log10_of(model, "x") == pytest.approx(-0.5 - 100 - 1)


def test_a_trigram_whose_last_words_are_no_bigram_scores_as_srilm_means_it(tmp_path: Path) -> None:
    text = TOY.replace("ngram 2=3\n", "ngram 2=3\nngram 3=1\n").replace("-0.25\ta b", "-0.25\ta b\t-0.3")
    text = text.replace("\n\\end\\", "\n\\3-grams:\n-0.01\ta b a\n\n\\end\\")
    # "b a" is no bigram: after "a b a" the context is that of "a".
    assert log10_of(open_ngram(saved(tmp_path, text)), "a b a") == pytest.approx(-0.5 - 0.25 - 0.01 - 0.125 - 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2=3", "2=4", "toy.arpa:17: 3 2-grams since line 12, expected the 4"),
        ("2=3", "2=2", "toy.arpa:17: 3 2-grams"),
        ("ngram 2=3", "ngram 3=3", "toy.arpa:3: .*expected ngram 2=COUNT"),
        ("ngram 2=3", "ngram 2=three", "toy.arpa:3: .*expected ngram 2=COUNT"),
        ("\\2-grams:", "\\3-grams:", r"toy.arpa:12: .*expected .2-grams:"),
        ("-0.25\ta b", "-0.2.5\ta b", "toy.arpa:14: .*not a number"),
        ("-0.25\ta b", "0.25\ta b", "toy.arpa:14: .*0 or less"),
        ("-0.25\ta b", "nan\ta b", "toy.arpa:14: .*0 or less"),
        ("-0.25\ta b", "-0.25\ta b\t-1", "toy.arpa:14: 4 fields"),
        ("-0.25\ta b", "-0.25\ta", "toy.arpa:14: 2 fields"),
        ("-0.25\ta b", "-0.25\ta c", "toy.arpa:14: the word 'c' is not among the 1-grams"),
        ("-0.25\ta b", "-0.25\t<s> a", "toy.arpa:14: the 2-gram stands twice"),
        ("-0.75\tb", "-0.75\ta", "toy.arpa:10: the word 'a' stands twice"),
        ("\n\\end\\\n", "", "toy.arpa:15: the file ends, expected .end"),
        ("\\end\\", "\\3-grams:", r"toy.arpa:17: .*expected .end. after 2 orders"),
        ("\\data\\", "data", r"toy.arpa:1: 'data', expected .data"),
        ("-1\t</s>", "-1\tc", "</s> is not among|the word '</s>' is not among"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TOY
    with pytest.raises(RecognizerError, match=message):
        arpa.read(saved(tmp_path, TOY.replace(old, new)))


def test_a_context_that_is_missing_is_named(tmp_path: Path) -> None:
    text = TOY.replace("ngram 2=3\n", "ngram 2=3\nngram 3=1\n")
    text = text.replace("\n\\end\\", "\n\\3-grams:\n-0.01\tb a b\n\n\\end\\")
    with pytest.raises(RecognizerError, match="toy.arpa:19: its first 2 words are no 2-gram"):
        arpa.read(saved(tmp_path, text))


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="none.arpa"):
        open_ngram(tmp_path / "none.arpa")
    cut = tmp_path / "cut.arpa.gz"
    cut.write_bytes(gzip.compress(TOY.encode())[:-12])
    with pytest.raises(RecognizerError, match="cut.arpa.gz"):
        arpa.read(cut)


@pytest.mark.parametrize("unit", ["word", "character"])
def test_kenlm_reads_what_was_built_and_scores_it_alike(tmp_path: Path, unit: str) -> None:
    kenlm = pytest.importorskip("kenlm", reason="kenlm is not installed: its own reading of the file is not compared")
    dice = random.Random(1)
    lines = [" ".join(dice.choice("abcdefgh") * dice.randint(1, 2) for _ in range(8)) for _ in range(200)]
    (tmp_path / "text.txt").write_text("\n".join(lines[:150]))
    out = tmp_path / "model.arpa"
    build([tmp_path / "text.txt"], BuildSettings(order=4, unit=unit, cutoff=(0, 0, 1)), out, lambda message: None)
    theirs, ours = kenlm.Model(str(out)), open_ngram(out)
    for line in [*lines[150:], "x a"]:
        assert log10_of(ours, line) == pytest.approx(theirs.score(" ".join(ours.tokens(line))), abs=1e-4)
