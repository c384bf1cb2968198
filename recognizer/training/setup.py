"""What a run learns: samples, alphabet, settings of the model, made from the configuration alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from recognizer.common.plain_data import from_plain
from recognizer.corpus.alphabet import LOGICAL, Alphabet, TextSettings, alphabet_of
from recognizer.corpus.ctc_feasibility import infeasible
from recognizer.corpus.shards import open_store
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.model.model import ModelSettings
from recognizer.model.model_file import ModelFile, load_model_file
from recognizer.pretrained import find_model
from recognizer.training.config import Config
from recognizer.training.data import Corpora, SampleRef
from recognizer.training.finetuning import with_symbols_of


@dataclass(frozen=True)
class TrainingSetup:
    """What a run learns: made from the configuration alone, the same in every process.

    Args:
        corpora: the opened stores.
        train: samples to learn.
        valid: samples to choose by.
        left_out: names of training samples that CTC cannot spell.
        alphabet: of the training texts.
        counts: how often each symbol occurs in them.
        settings: of the model.
        source: the model that it starts from, if any.
    """

    corpora: Corpora
    train: list[SampleRef]
    valid: list[SampleRef]
    left_out: list[str]
    alphabet: Alphabet
    counts: Counter[str]
    settings: ModelSettings
    source: ModelFile | None


def make_setup(config: Config) -> TrainingSetup:
    """Open the corpora, make the alphabet, set aside what CTC cannot spell.

    Raises:
        RecognizerError: no corpus, corpora that do not fit together, impossible samples without permission.
    """
    corpora = open_corpora(config.data.folders)
    header = corpora.stores[0].header
    train, valid = corpora.items(config.data.train), corpora.items(config.data.valid)
    text = config.text or from_plain(TextSettings, header.text, "text")
    _refuse_other_order(corpora.stores, text)
    alphabet, counts = alphabet_of(map(corpora.text, train), text)
    source = load_model_file(find_model(config.init)) if config.init else None
    if source and source.settings.kind != header.kind:
        raise RecognizerError(
            f"{config.init}: reads {source.settings.kind}, but {corpora.stores[0].path} is {header.kind}"
        )
    if source and config.keep_symbols:
        alphabet = with_symbols_of(alphabet, source)
    settings = ModelSettings(header.kind, header.signal, config.features, config.network)
    train, left_out = feasible(corpora, train, alphabet, settings)
    if left_out and not config.data.allow_infeasible:
        raise RecognizerError(
            f"{len(left_out)} training samples have more characters than frames, first {left_out[0]}: expected "
            f"a higher frame rate (network.front.patch, pool_time) or --data.allow_infeasible true to leave them out"
        )
    if not train:
        raise RecognizerError(f"{config.data.folders}: no training sample is left")
    return TrainingSetup(corpora, train, valid, left_out, alphabet, counts, settings, source)


def _refuse_other_order(stores: Sequence[Store], text: TextSettings) -> None:
    """Refuse to learn labels in another order than that in which the pictures of a corpus show them."""
    for store in stores:
        order = from_plain(TextSettings, store.header.text, "text").order
        if order not in (LOGICAL, text.order):
            raise RecognizerError(
                f"{store.path}: its texts stand in the pictures in the order {order}, text.order is {text.order!r}: "
                f"expected --text.order {order}"
            )
        if text.order != LOGICAL and store.header.signal.get("direction") != text.order:
            direction = store.header.signal.get("direction", "of time")
            raise RecognizerError(
                f"text.order is {text.order!r}, {store.path} is read in the direction {direction}, expected the same"
            )


def open_corpora(folders: Sequence[str]) -> Corpora:
    """Open stores that one model can read.

    Raises:
        RecognizerError: none given, or kinds or signals that differ.
    """
    if not folders or not all(folders):
        raise RecognizerError("data.corpus is empty, expected a folder that `recognizer prepare` made")
    stores = [open_store(Path(folder)) for folder in folders]
    first = stores[0].header
    for store in stores[1:]:
        if (store.header.kind, store.header.signal) != (first.kind, first.signal):
            raise RecognizerError(
                f"{store.path}: {store.header.kind} {store.header.signal}, but {stores[0].path} is {first.kind} "
                f"{first.signal}: expected corpora prepared alike"
            )
    return Corpora(stores)


def feasible(
    corpora: Corpora, items: list[SampleRef], alphabet: Alphabet, settings: ModelSettings
) -> tuple[list[SampleRef], list[str]]:
    """Return the samples that CTC can spell, with the names of the others and why."""
    frames = settings.counts(torch.tensor([corpora.count(item) for item in items])).tolist()
    needed = [store.frames_needed(alphabet) for store in corpora.stores]
    kept, left = [], []
    for item, have in zip(items, frames, strict=True):
        if fault := infeasible(needed[item.corpus][item.index], have):
            left.append(f"{corpora.name(item)} ({fault[1] or fault[0]})")
        else:
            kept.append(item)
    return kept, left
