"""n-gram models to and from files: ARPA, packed as they lie in memory, or packed small."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.corpus.alphabet import TextSettings
from recognizer.language import arpa, packed
from recognizer.language.compact import CompactErrors, CompactOrder, compact, expand
from recognizer.language.ngram import STATED, About, NGram, of_trie, unit_of
from recognizer.language.packed import Arrays, Contents
from recognizer.language.text import SPECIALS, UNITS
from recognizer.language.trie import Trie

ARRAYS = {"keys": "<i8", "probs": "<f4", "states": "<i4", "backoffs": "<f4", "links": "<i4"}
WORDS = "words"  # the stream of all words, a line each
SPELLING = "spelling."  # before the names of the streams of the model of spelling


def open_ngram(path: Path) -> NGram:
    """Map a packed file into memory, unpack a small one, or read an ARPA file.

    Raises:
        RecognizerError: the file is none of them, is cut short, or is at fault.
    """
    if packed.is_packed(path):
        contents = packed.read(path)
        try:
            return _opened(contents)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, MemoryError) as error:
            raise packed.damaged(path, error) from error
    trie, notes = arpa.read(path)
    return of_trie(trie, About(unit_of(trie.words), notes=notes))


def pack(model: NGram, path: Path) -> None:
    """Write `model` as one file whose arrays are mapped when it is opened: large and quick, nothing rounded."""
    about, arrays = _mapped(model)
    if model.spelling is not None:
        about["spelling"], more = _mapped(model.spelling)
        arrays.update({f"{SPELLING}{name}": array for name, array in more.items()})
    packed.write(path, about, arrays, small=False)


def pack_small(trie: Trie, about: About, spelling: tuple[Trie, About] | None, bits: int, path: Path) -> CompactErrors:
    """Write a model as one small file, its probabilities and weights rounded to codes of `bits` bits.

    Args:
        trie: a model in which the end of every n-gram is an n-gram too.
        about: what it says of itself.
        spelling: the same of a model of characters for the words that it lacks.
        bits: of a code, 2 to 8.
        path: of the file.

    Returns:
        How far the log-probabilities of `trie` are off.
    """
    told, arrays, errors = _small(trie, about, bits)
    if spelling is not None:
        told["spelling"], more, _ = _small(*spelling, bits)
        arrays.update({f"{SPELLING}{name}": array for name, array in more.items()})
    packed.write(path, told, arrays, small=True)
    return errors


def _mapped(model: NGram) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    arrays = {name: np.ascontiguousarray(getattr(model, name), kind) for name, kind in ARRAYS.items()}
    told = {**asdict(model.about), "sizes": list(model.sizes)}
    return told, {WORDS: _lines(model.words), **arrays}


def _small(trie: Trie, about: About, bits: int) -> tuple[dict[str, Any], dict[str, np.ndarray], CompactErrors]:
    orders, errors = compact(trie, bits)
    arrays = {WORDS: _lines(trie.words)}
    for number, order in enumerate(orders, 1):
        for name, array in asdict(order).items():
            arrays[f"{number}.{name}"] = _narrow(array)
    return {**asdict(about), "orders": len(orders), "bits": bits}, arrays, errors


def _narrow(array: np.ndarray) -> np.ndarray:
    """Return whole numbers in as few bytes as the largest needs."""
    if array.dtype.kind == "f":
        return array.astype("<f4")
    return array.astype(np.min_scalar_type(int(array.max(initial=0))).newbyteorder("<"))


def _lines(words: tuple[str, ...]) -> np.ndarray:
    return np.frombuffer("\n".join(words).encode(), np.uint8)


def _opened(contents: Contents) -> NGram:
    about, arrays = contents.about, contents.arrays
    if contents.old:
        return _model(about, arrays, tuple(about[WORDS]))
    spelling = None
    if "spelling" in about:
        parts = {name.removeprefix(SPELLING): array for name, array in arrays.items() if name.startswith(SPELLING)}
        spelling = _model(about["spelling"], parts, _words(parts))
    return _model(about, arrays, _words(arrays), spelling)


def _words(arrays: Arrays) -> tuple[str, ...]:
    return tuple(bytes(arrays[WORDS]).decode().split("\n"))


def _model(about: Mapping[str, Any], arrays: Arrays, words: tuple[str, ...], spelling: NGram | None = None) -> NGram:
    told = _about(about)
    if "orders" in about:
        trie, links = expand(words, [_order(arrays, number) for number in range(1, about["orders"] + 1)])
        return _checked(of_trie(trie, told, spelling, links))
    parts: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
    return _checked(NGram(words, told, tuple(about["sizes"]), **parts, spelling=spelling))


def _order(arrays: Arrays, number: int) -> CompactOrder:
    parts = {one.name: arrays[f"{number}.{one.name}"] for one in fields(CompactOrder)}
    whole = {name: parts[name].astype(np.int64) for name in ("followers", "gaps")}
    return CompactOrder(**{**parts, **whole})


def _about(about: Mapping[str, Any]) -> About:
    if about["unit"] not in UNITS:
        raise ValueError(f"unit {about['unit']!r}")
    text = TextSettings(**about["text"])
    chosen = {name: about.get(name) for name in STATED}
    return About(about["unit"], text, tuple(about["notes"]), **chosen)


def _checked(model: NGram) -> NGram:
    """Refuse arrays in which a query would fail, or go round for ever.

    Raises:
        ValueError: there is such a thing.
    """
    size, nodes, contexts = len(model.words), len(model.keys) + 1, len(model.backoffs)
    numbers, keys = np.arange(contexts), model.keys
    for fault, found in (
        ("a special word is missing", not set(SPECIALS) <= set(model.words)),
        ("a word stands twice", len(set(model.words)) != size),
        ("the sizes of its parts differ", sum(model.sizes) != nodes - 1 or len(model.probs) != nodes - 1),
        (
            "the sizes of its parts differ",
            len(model.states) != nodes or len(model.links) != contexts or contexts > nodes,
        ),
        ("not every word is a 1-gram", model.sizes[0] != size or not np.array_equal(keys[:size], np.arange(size))),
        ("its n-grams are not in order", not bool((np.diff(keys) > 0).all())),
        ("a context is none", not 0 <= int(keys[-1]) // size < contexts),
        ("a link leads nowhere", not bool(((model.links >= 0) & (model.links < np.maximum(numbers, 1))).all())),
        ("a state is no context", not bool(((model.states >= 0) & (model.states < contexts)).all())),
        ("a probability is none", not bool((model.probs <= 1e-3).all())),
        ("a back-off weight is no number", not bool(np.isfinite(model.backoffs).all())),
    ):
        if found:
            raise ValueError(fault)
    return model
