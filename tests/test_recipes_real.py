"""Tests of the recipes on the real corpora, where they are at hand."""

import re
from collections import Counter
from pathlib import Path

import pytest

from recognizer.corpus.alphabet import alphabet_of
from recognizer.corpus.recipes import Corpus, load_recipe

CUT = ("copiste", "hooker", "peraire", "mss19", "timeus")
SMALL = ("librispeech", "librispeech-mini", "kathleen", "speechocean762", "fsdd")


def put(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def read(name: str, root: Path) -> Corpus:
    return load_recipe(name).read(root)


@pytest.mark.parametrize("name", [name for name in CUT + SMALL if name != "librispeech"])
def test_the_card_states_the_counts_that_the_recipe_finds(shared: Path, name: str) -> None:
    samples = read(name, shared / "corpora" / name).samples
    counts = Counter(sample.split for sample in samples)
    card = load_recipe(name).card.read_text(encoding="utf-8")
    for split, count in counts.items():
        assert re.search(rf"^\| {split} \| {count:,} \|", card, re.MULTILINE), (split, count)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("copiste", {"train": 4157, "valid": 459, "test": 657}),
        ("hooker", {"train": 5710, "valid": 257, "test": 856}),
        ("peraire", {"train": 2032, "valid": 109, "test": 254}),
        ("mss19", {"train": 1003, "valid": 172, "test": 47}),
        ("timeus", {"train": 1268, "valid": 87, "test": 220}),
        ("fsdd", {"train": 2520, "valid": 180, "test": 300}),
        ("librispeech", {"train": 916, "valid": 80}),
        ("kathleen", {"train": 1473, "valid": 75, "test": 72}),
        ("speechocean762", {"train": 2160, "valid": 243}),
    ],
)
def test_real_corpora_are_read_whole_with_their_splits(shared: Path, name: str, counts: dict[str, int]) -> None:
    source = shared / "corpora" / ("librispeech-mini" if name == "librispeech" else name)
    corpus = read(name, source)
    assert Counter(sample.split for sample in corpus.samples) == counts and not corpus.left_out
    assert all(sample.group and sample.text for sample in corpus.samples)


@pytest.mark.parametrize("name", SMALL)
def test_real_speech_is_spelled_in_small_letters_apostrophe_and_space(shared: Path, name: str) -> None:
    source = shared / "corpora" / ("librispeech-mini" if name == "librispeech" else name)
    recipe = load_recipe(name)
    alphabet, _ = alphabet_of((sample.text for sample in recipe.read(source).samples), recipe.text)
    assert set(alphabet.symbols) <= set("abcdefghijklmnopqrstuvwxyz' ")


def test_the_split_of_fsdd_is_that_of_the_small_tree(shared: Path, tmp_path: Path) -> None:
    small = read("fsdd", shared / "corpora" / "fsdd").samples
    put(tmp_path, {f"recordings/{sample.path.stem}.wav": "" for sample in small})
    official = {sample.path.stem: sample for sample in read("fsdd", tmp_path).samples}
    assert all((official[s.path.stem].split, official[s.path.stem].text) == (s.split, s.text) for s in small)


def test_the_validation_speakers_of_speechocean762_are_those_of_the_small_tree(shared: Path, tmp_path: Path) -> None:
    small = read("speechocean762", shared / "corpora" / "speechocean762").samples
    tables = {"wav.scp": "{0} a/{0}.WAV", "text": "{0} X", "utt2spk": "{0} {1}"}
    for name, form in tables.items():
        put(tmp_path, {f"train/{name}": "".join(form.format(s.path.stem, s.group) + "\n" for s in small)})
    put(tmp_path, {f"a/{sample.path.stem}.WAV": "" for sample in small})
    official = {sample.path.stem: sample.split for sample in read("speechocean762", tmp_path).samples}
    assert official == {sample.path.stem: sample.split for sample in small}
