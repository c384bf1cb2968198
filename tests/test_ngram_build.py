"""Counting, smoothing and building n-gram models, against counts and probabilities worked out by hand."""

import gzip
import lzma
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language import counts as counting
from recognizer.language.build import BuildReport, BuildSettings, build
from recognizer.language.counts import count
from recognizer.language.kneser_ney import FALLBACK, discounts_of, thresholds
from recognizer.language.ngram import NGram
from recognizer.language.ngram_file import open_ngram
from recognizer.language.text import Encoded, Line, encode, join, read_lines, split


def quiet(message: str) -> None:
    pass


def written(folder: Path, *lines: str) -> Path:
    path = folder / "text.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def model(folder: Path, settings: BuildSettings, *lines: str) -> tuple[NGram, BuildReport]:
    out = folder / "model.ng"
    report = build([written(folder, *lines)], settings, out, quiet)
    return open_ngram(out), report


def babble(seed: int, lines: int) -> list[str]:
    """Return sentences whose words follow a skewed distribution, so that low counts of all kinds occur."""
    dice = random.Random(seed)
    words = [f"w{i}" for i in range(40)]
    return [
        " ".join(words[min(int(dice.expovariate(0.15)), 39)] for _ in range(dice.randint(1, 9))) for _ in range(lines)
    ]


def prob(m: NGram, context: list[str], word: str) -> float:
    state = m.start if context[:1] == ["<s>"] else 0
    for token in context[context[:1] == ["<s>"] :]:
        state = int(m.scores([state], m.ids([token]))[1][0])
    return float(np.exp(m.scores([state], m.ids([word]))[0][0]))


def test_two_sentences_have_the_probabilities_of_pencil_and_paper(tmp_path: Path) -> None:
    m, report = model(tmp_path, BuildSettings(order=2, unit="word"), "a b", "a c")
    # Words before: a 1, b 1, c 1, </s> 2, together 5; discounts 0.5, 1, 1.5; left for the five words alike: 2.5 / 5.
    assert prob(m, [], "a") == pytest.approx(0.5 / 5 + 0.5 / 5)
    assert prob(m, [], "</s>") == pytest.approx(1 / 5 + 0.5 / 5)
    assert prob(m, [], "<unk>") == pytest.approx(0.5 / 5)
    # After a: b and c once each, so 2 x 0.5 of 2 is left for the unigrams.
    assert prob(m, ["a"], "b") == pytest.approx(0.5 / 2 + 0.5 * 0.2)
    assert prob(m, ["a"], "a") == pytest.approx(0.5 * 0.2)
    assert prob(m, ["<s>"], "a") == pytest.approx(1 / 2 + 1 / 2 * 0.2)
    assert prob(m, ["b"], "</s>") == pytest.approx(0.5 + 0.5 * 0.3)
    assert report.sizes == (6, 5) and report.lines == 2 and report.tokens == 6


def test_discounts_follow_equation_26() -> None:
    # n1 = 4, n2 = 2, n3 = 1, n4 = 1: Y = 4 / 8; D1 = 1 - 2 Y 2/4, D2 = 2 - 3 Y 1/2, D3 = 3 - 4 Y 1/1.
    assert discounts_of(np.array([1, 1, 1, 1, 2, 2, 3, 4, 9]), 1) == ((0.5, 1.25, 1.0), "")


def test_discounts_fall_back_where_a_count_is_missing_and_say_so() -> None:
    values, note = discounts_of(np.array([1, 1, 2, 4]), 3)
    assert values == FALLBACK and "order 3" in note and "count 3" in note


def test_discounts_fall_back_where_they_leave_their_range_and_say_so() -> None:
    values, note = discounts_of(np.array([1] + [2] * 2 + [3] * 9 + [4]), 2)
    assert values == FALLBACK and "discount of count 2 would be" in note


def test_a_small_text_reports_that_its_discounts_fell_back(tmp_path: Path) -> None:
    m, report = model(tmp_path, BuildSettings(order=3, unit="word"), "a b", "a c")
    assert len(report.notes) == 3 and m.about.notes == report.notes


@pytest.mark.parametrize("unit", ["word", "character"])
@pytest.mark.parametrize("cutoff", [(0,), (0, 0, 1), (0, 1, 2)])
def test_the_probabilities_after_every_context_sum_to_one(tmp_path: Path, unit: str, cutoff: tuple[int, ...]) -> None:
    m, report = model(tmp_path, BuildSettings(order=4, unit=unit, cutoff=cutoff), *babble(3, 300))
    words = np.array([i for i, word in enumerate(m.words) if word != "<s>"])
    states = np.unique(m.states)
    log_probs, _ = m.scores(np.repeat(states, len(words)), np.tile(words, len(states)))
    assert np.exp(log_probs.reshape(len(states), -1), dtype=np.float64).sum(1) == pytest.approx(
        np.ones(len(states)), abs=1e-5
    )
    assert (report.sizes == report.counted) == (cutoff == (0,))


@pytest.mark.parametrize("block", [1, 3, 7, 1 << 20])
def test_counts_equal_a_counter_whatever_the_block(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, block: int) -> None:
    monkeypatch.setattr(counting, "BLOCK", block)
    lines = babble(5, 40)
    text = encode([written(tmp_path, *lines)], "word", TextSettings(), quiet)
    counted = count(text, 4, quiet)
    for order in range(1, 5):
        expected: Counter[tuple[str, ...]] = Counter()
        for line in lines:
            row = ["<s>", *line.split(), "</s>"]
            expected.update(tuple(row[i : i + order]) for i in range(len(row) - order + 1))
        assert named(text, counted, order) == expected


def named(text: Encoded, counted: counting.Counts, order: int) -> Counter[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [()]
    for keys in counted.keys[:order]:
        rows = [(*rows[key // len(text.words)], text.words[key % len(text.words)]) for key in keys.tolist()]
    return Counter({row: n for row, n in zip(rows, counted.counts[order - 1].tolist(), strict=True) if n})


def test_pruned_ngrams_are_those_that_occur_rarely(tmp_path: Path) -> None:
    lines = ["a b c", "a b c", "a b d"]
    _, all_kept = model(tmp_path, BuildSettings(order=3, unit="word"), *lines)
    _, pruned = model(tmp_path, BuildSettings(order=3, unit="word", cutoff=(0, 0, 1)), *lines)
    # Once each: "a b d", "b d </s>".
    assert pruned.sizes == (*all_kept.sizes[:2], all_kept.sizes[2] - 2)


def test_a_space_is_a_token_of_a_character_model() -> None:
    assert split("ab c", "character") == ["a", "b", "▁", "c"]
    assert join(split("ab c", "character"), "character") == "ab c"
    assert join(split("ab c", "word"), "word") == "ab c"


def test_characters_and_words_become_the_same_numbers_as_their_tokens(tmp_path: Path) -> None:
    path = written(tmp_path, "ab a", "", "é𝄞b")
    text = encode([path], "character", TextSettings(), quiet)
    assert [text.words[i] for i in text.tokens] == ["<s>", "a", "b", "▁", "a", "</s>", "<s>", "é", "𝄞", "b", "</s>"]
    words = encode([path], "word", TextSettings(), quiet)
    assert [words.words[i] for i in words.tokens] == ["<s>", "ab", "a", "</s>", "<s>", "é𝄞b", "</s>"]
    assert (text.lines, text.blank) == (2, 1)


def test_plain_gzip_and_xz_text_read_alike(tmp_path: Path) -> None:
    plain = written(tmp_path, "un  deux", "trois")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(plain.read_bytes()))
    for name in ("text.txt", "a.txt.gz", "a.txt.xz"):
        path = tmp_path / name
        assert list(read_lines(path, TextSettings())) == [Line(path, 1, "un deux"), Line(path, 2, "trois")]


@pytest.mark.parametrize(
    ("data", "unit", "message"),
    [
        (b"fine\n\xff\n", "word", "text.txt:2: not UTF-8"),
        ("fine\na ▁ b\n".encode(), "character", "text.txt:2: holds ▁"),
        (b"a </s> b\n", "word", "text.txt:1: holds </s>"),
        (b"\n \n", "word", "empty"),
        (b"", "character", "empty"),
    ],
)
def test_text_at_fault_is_named(tmp_path: Path, data: bytes, unit: str, message: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    with pytest.raises(RecognizerError, match=message):
        build([path], BuildSettings(order=2, unit=unit), tmp_path / "out.ng", quiet)
    assert not (tmp_path / "out.ng").exists()


def test_a_cut_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress(b"un deux trois\n" * 50)[:-9])
    with pytest.raises(RecognizerError, match="text.txt.gz: cannot be read"):
        list(read_lines(path, TextSettings()))


def test_a_text_of_one_word_makes_a_model(tmp_path: Path) -> None:
    m, _ = model(tmp_path, BuildSettings(order=3, unit="word"), "seul")
    assert prob(m, ["<s>"], "seul") > prob(m, ["<s>"], "<unk>") > 0


@pytest.mark.parametrize("cutoff", [(1,), (0, 2, 1), (0, -1), (0, 0, 0, 1)])
def test_thresholds_that_cannot_be_are_refused(cutoff: tuple[int, ...]) -> None:
    with pytest.raises(RecognizerError, match="cutoff is"):
        thresholds(cutoff, 3)


@pytest.mark.parametrize(("order", "unit"), [(1, "word"), (11, "word"), (3, "syllable")])
def test_settings_that_cannot_be_are_refused(order: int, unit: str) -> None:
    with pytest.raises(RecognizerError, match="expected"):
        BuildSettings(order=order, unit=unit)
