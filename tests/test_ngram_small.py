"""Pruned and quantised n-gram models, their small files, and what is said of damaged ones."""

import json
import math
import random
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language.build import BuildReport, BuildSettings, build
from recognizer.language.compact import compact, expand
from recognizer.language.counts import count
from recognizer.language.kneser_ney import Smoothed, smooth
from recognizer.language.ngram import About, NGram, of_trie
from recognizer.language.ngram_file import ARRAYS, open_ngram
from recognizer.language.packed import OLD_MAGIC
from recognizer.language.perplexity import perplexity
from recognizer.language.pruning import prune
from recognizer.language.quantization import quantize
from recognizer.language.text import by_frequency, encode
from recognizer.language.trie import Trie, suffixes


def quiet(message: str) -> None:
    pass


def babble(seed: int, lines: int) -> list[str]:
    dice = random.Random(seed)
    return [
        " ".join(f"w{min(int(dice.expovariate(0.2)), 30)}" for _ in range(dice.randint(1, 9))) for _ in range(lines)
    ]


def written(folder: Path, lines: list[str]) -> Path:
    path = folder / "text.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def smoothed(folder: Path, lines: list[str], order: int = 3) -> Smoothed:
    text = by_frequency(encode([written(folder, lines)], "word", TextSettings(), quiet))
    return smooth(count(text, order, quiet), (0,), quiet)


def built(folder: Path, settings: BuildSettings, lines: list[str], name: str = "m.lm") -> tuple[Path, BuildReport]:
    return folder / name, build([written(folder, lines)], settings, folder / name, quiet)


def after(model: NGram, state: int) -> np.ndarray:
    """Return the probability of every word but <s> after a state, float64."""
    words = np.array([i for i, word in enumerate(model.words) if word != "<s>"])
    return np.exp(model.scores(np.full(len(words), state), words)[0], dtype=np.float64)


@pytest.mark.parametrize("threshold", [1e-6, 1e-4, 1e-2])
def test_probabilities_of_a_pruned_model_sum_to_one(tmp_path: Path, threshold: float) -> None:
    path, report = built(tmp_path, BuildSettings(4, "word", prune=threshold), babble(1, 300))
    model = open_ngram(path)
    for state in np.unique(model.states).tolist():
        assert after(model, state).sum() == pytest.approx(1, abs=1e-4)
    assert sum(report.sizes) < sum(report.counted)


def test_what_begins_or_ends_a_kept_ngram_is_kept(tmp_path: Path) -> None:
    whole = smoothed(tmp_path, babble(2, 200), order=4)
    trie = prune(whole.trie, whole.occurrences, 3e-4)
    links = suffixes(trie)
    assert 0 < trie.sizes[3] < whole.trie.sizes[3]
    for order in (2, 3, 4):
        place, below = trie.slice_of(order), trie.slice_of(order - 1)
        ends = links[place.start + 1 : place.stop + 1]
        assert ((ends > below.start) & (ends <= below.stop)).all()


def test_the_rise_is_the_relative_entropy_of_the_model_without_the_ngram(tmp_path: Path) -> None:
    """Leave out one bigram by hand, compare the whole distribution of its context, and prune just below and above."""
    whole = smoothed(tmp_path, ["a b", "a c", "a b", "b c", "c a", "a d", "d b"] * 3, order=2)
    trie, places = whole.trie, whole.trie.slice_of(2)
    rises = []
    for place in range(places.start, places.stop):
        context, word = divmod(int(trie.keys[place]), len(trie.words))
        old = after(of_trie(trie, about()), context)
        new = after(of_trie(without(trie, place), about()), context)
        share = whole.occurrences[context - 1] / whole.occurrences[: len(trie.words)].sum()
        rises.append(math.expm1(share * float((old * np.log(old / new)).sum())))
    for threshold in sorted(rises)[::3]:
        kept = prune(trie, whole.occurrences, threshold * (1 + 1e-4)).sizes[1:] or (0,)
        assert kept[0] == sum(rise > threshold * (1 + 1e-4) for rise in rises)
        kept = prune(trie, whole.occurrences, threshold * (1 - 1e-4)).sizes[1:] or (0,)
        assert kept[0] == sum(rise >= threshold * (1 - 1e-4) for rise in rises)


def about() -> About:
    return About("word")


def without(trie: Trie, place: int) -> Trie:
    """Return a model of two orders without one bigram, the weight of its context computed anew, word by word."""
    context, _ = divmod(int(trie.keys[place]), len(trie.words))
    left = [i for i in range(trie.sizes[0], len(trie.keys)) if trie.keys[i] // len(trie.words) == context]
    left.remove(place)
    words = trie.keys[left] % len(trie.words)
    seen, lower = 10.0 ** trie.probs[left], 10.0 ** trie.probs[words]
    backoffs = np.delete(trie.backoffs, place)
    backoffs[context - 1] = math.log10((1 - seen.sum(dtype=float)) / (1 - lower.sum(dtype=float)))
    sizes = (trie.sizes[0], trie.sizes[1] - 1)
    return Trie(trie.words, sizes, np.delete(trie.keys, place), np.delete(trie.probs, place), backoffs)


def test_pruning_more_costs_more_perplexity_and_leaves_less(tmp_path: Path) -> None:
    lines, other = babble(3, 500), babble(4, 100)
    found = []
    for threshold in (0.0, 1e-5, 1e-4, 1e-3):
        path, report = built(tmp_path, BuildSettings(3, "word", prune=threshold), lines)
        found.append((sum(report.sizes), perplexity(open_ngram(path), lines).perplexity))
    assert [size for size, _ in found] == sorted((size for size, _ in found), reverse=True)
    assert [value for _, value in found] == sorted(value for _, value in found)
    assert perplexity(open_ngram(path), other).perplexity < 40


def test_codes_of_few_distinct_numbers_are_exact() -> None:
    values = np.array([-1.5, -0.25, -1.5, -3.0, -0.25], np.float32)
    found = quantize(values, 2)
    assert found.table[found.codes].tolist() == values.tolist() and (found.rms, found.worst) == (0.0, 0.0)


def test_the_stated_error_is_the_error_and_falls_with_the_bits() -> None:
    values = -np.random.default_rng(0).exponential(2.0, 20_000).astype(np.float32)
    errors = []
    for bits in (3, 5, 8):
        found = quantize(values, bits)
        off = np.abs(found.table[found.codes] - values)
        assert found.worst == pytest.approx(off.max()) and found.rms == pytest.approx(np.sqrt((off**2).mean()))
        assert len(found.table) <= 1 << bits
        errors.append(found.rms)
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_a_small_form_gives_back_the_ngrams_and_their_links(tmp_path: Path) -> None:
    whole = smoothed(tmp_path, babble(5, 300), order=4)
    for threshold in (0.0, 1e-4):
        trie = prune(whole.trie, whole.occurrences, threshold)
        orders, errors = compact(trie, 8)
        found, links = expand(trie.words, orders)
        assert found.sizes == trie.sizes and np.array_equal(found.keys, trie.keys)
        assert np.array_equal(links, suffixes(trie))
        assert np.abs(found.probs - trie.probs).max() * math.log(10) == pytest.approx(errors.worst, abs=1e-6)


def test_a_small_file_scores_as_the_whole_one_but_for_the_stated_error(tmp_path: Path) -> None:
    lines = babble(6, 300)
    whole, _ = built(tmp_path, BuildSettings(3, "word", prune=1e-6), lines, "whole.lm")
    small, report = built(tmp_path, BuildSettings(3, "word", prune=1e-6, quantize=8), lines, "small.lm")
    assert report.errors is not None and report.errors.rms < 0.02
    exact, rounded = open_ngram(whole), open_ngram(small)
    assert rounded.words == exact.words and np.array_equal(rounded.keys, exact.keys)
    assert np.abs(rounded.probs - exact.probs).max() <= report.errors.worst + 1e-6
    assert perplexity(rounded, lines).perplexity == pytest.approx(perplexity(exact, lines).perplexity, rel=0.01)
    # Of so few n-grams the header is the larger part.
    assert small.stat().st_size < whole.stat().st_size / 2


def test_a_file_says_what_its_makers_chose_for_decoders(tmp_path: Path) -> None:
    path, _ = built(tmp_path, BuildSettings(2, "word", quantize=8, weight=0.75, word_bonus=1.5), babble(7, 20))
    assert (open_ngram(path).about.weight, open_ngram(path).about.word_bonus) == (0.75, 1.5)


def test_only_the_commonest_words_are_kept_and_the_rest_is_unknown(tmp_path: Path) -> None:
    lines = ["a b c d", "a b c", "a b", "a"]
    path, report = built(tmp_path, BuildSettings(2, "word", vocabulary=2), lines)
    model = open_ngram(path)
    assert model.words == ("<unk>", "<s>", "</s>", "a", "b") and report.tokens == 14
    # c and d stand three times in the text, so what is unknown is likelier than in a model that knows them all.
    assert math.exp(model.scores([0], [model.unknown])[0][0]) > 1 / 14


def test_a_model_of_words_can_spell_what_it_lacks(tmp_path: Path) -> None:
    lines = ["the cat sat", "the hat sat", "a bat", "a rat"]
    path, _ = built(tmp_path, BuildSettings(2, "word", vocabulary=3, quantize=8), lines)
    spelling = open_ngram(path).spelling
    assert spelling is not None and spelling.about.unit == "character"
    likely, unlikely = (float(spelling.rescore([word])[0]) for word in ("mat", "qxz"))
    assert likely > unlikely


@pytest.mark.parametrize("bits", [0, 8])
def test_every_flipped_bit_is_noticed(tmp_path: Path, bits: int) -> None:
    path, _ = built(tmp_path, BuildSettings(3, "word", quantize=bits), babble(8, 30))
    whole = path.read_bytes()
    dice = random.Random(9)
    for _ in range(60):
        place = dice.randrange(20, len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        with pytest.raises(RecognizerError, match="m.lm: damaged"):
            open_ngram(path)
    for size in (21, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(RecognizerError, match="m.lm: damaged"):
            open_ngram(path)


def old_file(path: Path, model: NGram) -> None:
    """Write the form that version 0.1.0 wrote."""
    arrays = {name: np.array(getattr(model, name), kind) for name, kind in ARRAYS.items()}
    header = {
        "words": list(model.words),
        "sizes": list(model.sizes),
        "about": {"unit": "word", "text": asdict(model.about.text), "notes": []},
        "lengths": {name: len(array) for name, array in arrays.items()},
    }
    data = OLD_MAGIC + json.dumps(header).encode() + b"\n"
    for array in arrays.values():
        data += b"\0" * (-len(data) % 64) + array.tobytes()
    path.write_bytes(data)


def test_a_file_of_the_older_form_is_read(tmp_path: Path) -> None:
    path, _ = built(tmp_path, BuildSettings(3, "word"), babble(10, 50))
    model = open_ngram(path)
    old_file(tmp_path / "old.lm", model)
    old = open_ngram(tmp_path / "old.lm")
    assert old.rescore(babble(11, 20)).tolist() == model.rescore(babble(11, 20)).tolist()


@pytest.mark.parametrize("name", ["links", "states", "keys", "probs", "backoffs"])
def test_an_older_file_in_which_a_query_would_fail_or_never_end_is_refused(tmp_path: Path, name: str) -> None:
    path, _ = built(tmp_path, BuildSettings(3, "word"), babble(12, 50))
    model = open_ngram(path)
    array = np.array(getattr(model, name))
    array[5] = {"links": 5, "states": len(array) + 1, "keys": 3, "probs": np.nan, "backoffs": np.inf}[name]
    old_file(tmp_path / "old.lm", replace(model, **{name: array}))  # type: ignore[arg-type]
    with pytest.raises(RecognizerError, match="old.lm: damaged"):
        open_ngram(tmp_path / "old.lm")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prune": -0.1}, "prune is -0.1"),
        ({"prune": 1.0}, "prune is 1.0"),
        ({"quantize": 1}, "quantize is 1"),
        ({"quantize": 9}, "quantize is 9"),
        ({"vocabulary": -1}, "vocabulary is -1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(RecognizerError, match=message):
        BuildSettings(**settings)  # type: ignore[arg-type]


def test_an_arpa_file_cannot_be_quantised(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match=r"m.arpa: an ARPA file holds numbers as they are"):
        built(tmp_path, BuildSettings(2, "word", quantize=8), ["a b"], "m.arpa")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes("\ufeffshall i\nshall we\n".encode())
    build([tmp_path / "text.txt"], BuildSettings(2, "word"), tmp_path / "m.lm", quiet)
    assert set(open_ngram(tmp_path / "m.lm").words) == {"<unk>", "<s>", "</s>", "shall", "i", "we"}
