"""Packed corpora as batches for training, the same on every machine for the same seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from recognizer.common.batching import batch_by_budget
from recognizer.corpus.alphabet import Alphabet
from recognizer.corpus.store import Store
from recognizer.inputs.registry import kind_named
from recognizer.model.model import pad_signals
from recognizer.training.config import DataSettings

# Relative noise on lengths, so that batches of like length differ from epoch to epoch: samples within 8 % of each other
# in length may change places, and those of a batch differ by no more than that beyond what they do anyway.
SPREAD = 0.04


@dataclass(frozen=True)
class SampleRef:
    """Where one sample lies: the number of its corpus and its index there."""

    corpus: int
    index: int


@dataclass
class Batch:
    """Signals with their labels.

    Args:
        x: (N, T, ...) padded signals.
        counts: (N,) steps of each.
        labels: (sum of label_counts,) classes, one sample after the other; empty where not learned from.
        label_counts: (N,).
        items: which samples these are.
        number: of the batch within its epoch.
    """

    x: Tensor
    counts: Tensor
    labels: Tensor
    label_counts: Tensor
    items: Sequence[SampleRef]
    number: int

    def to(self, device: torch.device) -> "Batch":
        """Return the batch with its signals and counts on `device`; labels stay where CTC wants them."""
        move = [value.to(device, non_blocking=True) for value in (self.x, self.counts, self.labels, self.label_counts)]
        return Batch(move[0], move[1], move[2], move[3], self.items, self.number)


class Corpora:
    """Several stores of one kind, read as one."""

    def __init__(self, stores: Sequence[Store]) -> None:
        """Keep open `stores`; all have the same kind and signal settings, which the caller has checked."""
        self.stores = list(stores)
        self.kind = stores[0].header.kind

    def items(self, split: str) -> list[SampleRef]:
        """Return the samples of a split of every corpus that has it, in the order of the manifests.

        Raises:
            RecognizerError: none has it.
        """
        holding = [i for i, store in enumerate(self.stores) if split in store.splits()]
        if not holding:
            self.stores[0].indices(split)
        return [SampleRef(i, index) for i in holding for index in self.stores[i].indices(split)]

    def count(self, item: SampleRef) -> int:
        """Return the steps of a sample's signal."""
        return int(self.stores[item.corpus].counts[item.index])

    def text(self, item: SampleRef) -> str:
        """Return the raw transcript of a sample."""
        return self.stores[item.corpus].text(item.index)

    def name(self, item: SampleRef) -> str:
        """Return the corpus and file of a sample, for messages."""
        store = self.stores[item.corpus]
        return f"{store.header.name}: {store.sample(item.index).path}"

    def batch(self, items: Sequence[SampleRef], number: int, alphabet: Alphabet | None) -> Batch:
        """Return the padded batch of `items`, with labels where an alphabet is given."""
        signals = [torch.from_numpy(np.array(self.stores[i.corpus].signal(i.index))) for i in items]
        x, counts = pad_signals(signals, self.kind)
        labels = [alphabet.encode(self.text(item)) for item in items] if alphabet else [[] for _ in items]
        flat = torch.tensor([label for row in labels for label in row], dtype=torch.long)
        return Batch(x, counts, flat, torch.tensor([len(row) for row in labels]), items, number)


class BatchSampler(Sampler[tuple[int, list[SampleRef]]]):
    """The batches of an epoch for one of several processes; seed, epoch and corpus decide alone.

    Samples of like length go together; the groups come in random order. A group holds the batches of all processes
    and is dealt out sample by sample, so that all have the same number of steps of about the same size.
    """

    def __init__(
        self, corpora: Corpora, items: Sequence[SampleRef], budget: float, settings: DataSettings, seed: int
    ) -> None:
        """Batch `items` within `budget` signal steps per process."""
        self.corpora, self.items, self.budget, self.settings, self.seed = corpora, list(items), budget, settings, seed
        self.rank, self.world, self.epoch = 0, 1, 0
        self.lengths = np.array([corpora.count(item) for item in items], float)

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass that of `epoch`."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the batches of the current epoch."""
        return len(self._groups())

    def __iter__(self) -> Iterator[tuple[int, list[SampleRef]]]:
        """Yield (number of the batch, its samples) for this process."""
        for number, group in enumerate(self._groups()):
            yield number, group[self.rank :: self.world]

    def _groups(self) -> list[list[SampleRef]]:
        random = np.random.default_rng([self.seed, self.epoch])
        chosen = self._chosen(random)
        noisy = self.lengths[chosen] * (1.0 + SPREAD * random.uniform(-1.0, 1.0, len(chosen)))
        order = chosen[np.argsort(noisy, kind="stable")]
        groups = batch_by_budget([self.items[i] for i in order], self.lengths[order].tolist(), self.budget, self.world)
        while len(groups) > 1 and min(map(len, groups)) < self.world:
            small = min(range(len(groups)), key=lambda i: len(groups[i]))
            groups[small - 1 if small else 1].extend(groups.pop(small))
        if self.settings.sortagrad and self.epoch == 0:
            return groups
        return [groups[i] for i in random.permutation(len(groups))]

    def _chosen(self, random: np.random.Generator) -> np.ndarray:
        """Return the positions of this epoch's samples: each corpus as often as its weight says, parts drawn anew."""
        if not self.settings.weights:
            return np.arange(len(self.items))
        corpus = np.array([item.corpus for item in self.items])
        parts = []
        for number, weight in enumerate(self.settings.weights):
            members = np.flatnonzero(corpus == number)
            whole, share = divmod(weight, 1.0)
            drawn = round(share * len(members)) if whole else max(1, round(share * len(members)))
            parts.append(np.sort(np.concatenate([members] * int(whole) + [random.permutation(members)[:drawn]])))
        return np.concatenate(parts)


class _Batches(Dataset[Batch]):
    """A list of samples in, their batch out."""

    def __init__(self, corpora: Corpora, alphabet: Alphabet | None) -> None:
        self.corpora, self.alphabet = corpora, alphabet

    def __getitem__(self, key: tuple[int, list[SampleRef]]) -> Batch:
        return self.corpora.batch(key[1], key[0], self.alphabet)


class CorpusData(lightning.LightningDataModule):
    """Lightning's door to packed corpora."""

    def __init__(
        self,
        corpora: Corpora,
        train: Sequence[SampleRef],
        valid: Sequence[SampleRef],
        alphabet: Alphabet,
        settings: DataSettings,
        seed: int,
    ) -> None:
        """Serve `train` in random batches with labels, `valid` in fixed ones without."""
        super().__init__()
        self.corpora, self.alphabet, self.settings = corpora, alphabet, settings
        self.valid_items = list(valid)
        self.sampler = BatchSampler(corpora, train, self._budget(), settings, seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return this process's share of the epoch that the trainer is in."""
        assert self.trainer is not None
        self.sampler.rank, self.sampler.world = self.trainer.global_rank, self.trainer.world_size
        # The epoch is set here too: with workers the first resumed epoch would else be read ahead as epoch 0.
        self.sampler.set_epoch(self.trainer.current_epoch)
        return self._loader(_Batches(self.corpora, self.alphabet), self.sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return this process's share of the validation samples."""
        assert self.trainer is not None
        order = sorted(self.valid_items, key=self.corpora.count)[self.trainer.global_rank :: self.trainer.world_size]
        runs = batch_by_budget(order, [self.corpora.count(item) for item in order], self._budget())
        return self._loader(_Batches(self.corpora, None), list(enumerate(runs)))

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move signals and counts."""
        return batch.to(device)

    def _budget(self) -> float:
        return kind_named(self.corpora.kind).batch_budget(self.settings, self.corpora.stores[0].header.signal)

    def _loader(self, batches: _Batches, sampler: Any) -> DataLoader[Batch]:
        return DataLoader(batches, batch_size=None, sampler=sampler, num_workers=self.settings.workers)
