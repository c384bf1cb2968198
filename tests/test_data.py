"""Tests of batches: what an epoch holds, for which process, in which order."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch

from recognizer.common.batching import batch_by_budget
from recognizer.corpus.alphabet import Alphabet, alphabet_of
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import Header, Packed, Store, write_store
from recognizer.errors import RecognizerError
from recognizer.training.config import DataSettings
from recognizer.training.data import BatchSampler, Corpora, SampleRef

BUDGET = 120.0  # columns of a batch


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    """Return two corpora of 40 and 20 lines of 10 to 50 columns, without a picture in them."""
    folder = tmp_path_factory.mktemp("corpora")
    stores = []
    for name, number in (("large", 40), ("small", 20)):
        random = np.random.default_rng(number)
        samples = [
            Packed(
                Sample(Path(f"{name}-{i}.png"), "lo", "train" if i else "valid"),
                np.full((int(random.integers(10, 51)), 16), i, np.uint8),
                0.0,
                bytes(32),
            )
            for i in range(number)
        ]
        stores.append(Store(write_store(folder / name, Header(name, "handwriting", {"height": 16}, {}, {}), samples)))
    return Corpora(stores)


def sampler(corpora: Corpora, seed: int = 1, **settings: object) -> BatchSampler:
    made = DataSettings(corpus=["large", "small"], **settings)  # type: ignore[arg-type]
    return BatchSampler(corpora, corpora.items("train"), BUDGET, made, seed)


def batches(of: BatchSampler, epoch: int, rank: int = 0, world: int = 1) -> list[list[SampleRef]]:
    of.rank, of.world = rank, world
    of.set_epoch(epoch)
    numbers, groups = zip(*of, strict=True)
    assert numbers == tuple(range(len(of)))
    return list(groups)


def test_an_epoch_holds_every_sample_once(corpora: Corpora) -> None:
    for epoch in range(5):
        seen = Counter(item for group in batches(sampler(corpora), epoch) for item in group)
        assert seen == Counter(corpora.items("train"))


@pytest.mark.parametrize("world", [2, 3])
def test_the_processes_share_an_epoch_among_them(corpora: Corpora, world: int) -> None:
    shares = [batches(sampler(corpora), 3, rank, world) for rank in range(world)]
    assert Counter(item for share in shares for group in share for item in group) == Counter(corpora.items("train"))
    assert len({len(share) for share in shares}) == 1
    assert all(group for share in shares for group in share)


def test_batches_keep_to_their_budget(corpora: Corpora) -> None:
    for epoch in range(10):
        for group in batches(sampler(corpora), epoch):
            assert len(group) * max(corpora.count(item) for item in group) <= BUDGET


def test_a_batch_holds_samples_of_like_length(corpora: Corpora) -> None:
    spread = [max(map(corpora.count, g)) - min(map(corpora.count, g)) for g in batches(sampler(corpora), 0)]
    assert np.mean(spread) < 10  # of 40 columns between shortest and longest


def test_the_same_seed_and_epoch_give_the_same_batches(corpora: Corpora) -> None:
    assert batches(sampler(corpora), 2) == batches(sampler(corpora), 2)
    assert batches(sampler(corpora), 2) != batches(sampler(corpora), 3)
    assert batches(sampler(corpora), 2) != batches(sampler(corpora, seed=2), 2)


def test_the_epoch_does_not_depend_on_those_before(corpora: Corpora) -> None:
    old = sampler(corpora)
    batches(old, 0)
    batches(old, 1)
    assert batches(old, 2) == batches(sampler(corpora), 2)


def test_a_weight_takes_its_share_of_a_corpus_anew_each_epoch(corpora: Corpora) -> None:
    epochs = []
    for epoch in range(40):
        items = [item for group in batches(sampler(corpora, weights=[0.5, 1.0]), epoch) for item in group]
        assert Counter(item.corpus for item in items) == {0: 20, 1: 19}
        epochs.append(frozenset(items))
    assert len(set(epochs)) > 1
    assert frozenset.union(*epochs) == frozenset(corpora.items("train"))


def test_a_weight_above_one_takes_all_and_some_again(corpora: Corpora) -> None:
    again = []
    for epoch in range(40):
        items = [item for group in batches(sampler(corpora, weights=[2.5, 1.0]), epoch) for item in group]
        assert Counter(item.corpus for item in items) == {0: 98, 1: 19}
        counts = Counter(item for item in items if item.corpus == 0)
        assert set(counts.values()) == {2, 3} and len(counts) == 39
        again.append(frozenset(item for item, count in counts.items() if count == 3))
    assert len(set(again)) > 1


def test_short_first_begins_with_short_samples_in_the_first_epoch_alone(corpora: Corpora) -> None:
    lengths = [
        [np.mean([corpora.count(item) for item in group]) for group in batches(sampler(corpora, sortagrad=True), e)]
        for e in (0, 1)
    ]
    assert lengths[0] == sorted(lengths[0])
    assert lengths[1] != sorted(lengths[1])


def test_cut_keeps_order_and_budget() -> None:
    items = [SampleRef(0, i) for i in range(5)]
    runs = batch_by_budget(items, [10.0, 20.0, 30.0, 90.0, 10.0], 60.0)
    assert [[item.index for item in run] for run in runs] == [[0, 1], [2], [3], [4]]


def test_cut_keeps_the_budget_of_each_of_several_shares() -> None:
    items = [SampleRef(0, i) for i in range(5)]
    runs = batch_by_budget(items, [30.0] * 5, 60.0, 2)
    assert [len(run) for run in runs] == [4, 1]
    assert [len(run) for run in batch_by_budget(items, [25.0] * 5, 60.0, 2)] == [4, 1]  # three in one share would be 75


def test_a_batch_holds_signals_counts_and_labels(lines: Path) -> None:
    corpora = Corpora([Store(lines)])
    items = corpora.items("train")[:3]
    alphabet, _ = alphabet_of(map(corpora.text, items), tiny.line_config(lines).text or Alphabet(()).text)
    batch = corpora.batch(items, 7, alphabet)
    assert batch.number == 7 and list(batch.items) == items
    assert batch.x.shape == (3, int(batch.counts.max()), tiny.HEIGHT)
    at = 0
    for i, item in enumerate(items):
        label_count, count = int(batch.label_counts[i]), int(batch.counts[i])
        assert alphabet.decode(batch.labels[at : at + label_count].tolist()) == corpora.text(item)
        assert torch.equal(batch.x[i, :count], torch.from_numpy(corpora.stores[0].signal(item.index).copy()))
        assert bool((batch.x[i, count:] == 255).all())
        at += label_count


def test_a_character_without_a_class_is_named(lines: Path) -> None:
    corpora = Corpora([Store(lines)])
    with pytest.raises(RecognizerError, match="is not in the alphabet"):
        corpora.batch(corpora.items("train"), 0, Alphabet(("l",)))


def test_a_sample_is_named_by_corpus_and_file(corpora: Corpora) -> None:
    assert corpora.name(SampleRef(1, 3)) == "small: small-3.png"


def test_a_split_that_no_corpus_has_is_refused_with_those_there_are(corpora: Corpora) -> None:
    with pytest.raises(RecognizerError, match="no sample in split 'dev', there are 'train', 'valid'"):
        corpora.items("dev")


def test_a_run_with_fewer_samples_than_processes_is_refused(lines: Path, tmp_path: Path) -> None:
    corpus = tiny.pack(tiny.write_lines(tmp_path / "files", ["lo", "ox"], ["train", "valid"]), tmp_path / "packed", 16)
    with pytest.raises(RecognizerError, match="1 samples to learn for 2 processes"):
        tiny.fit(tiny.line_config(corpus), tmp_path / "run", devices=2)
