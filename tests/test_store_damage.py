"""Packed corpora whose bytes are not those that were written are refused in one line, whatever was changed."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recognizer.corpus.integrity import sealed
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import FILE, GAP, Header, Packed, Store, Unusable, write_store
from recognizer.errors import RecognizerError

HEADER = Header("c", "handwriting", {"height": 8}, {}, {}, "CC0", {"title": "a title"})


def samples() -> Iterator[Packed | Unusable]:
    """Yield ten lines of noise and a file that could not be used."""
    random = np.random.default_rng(1)
    for i in range(10):
        sample = Sample(Path(f"{i}.png"), f"text {i} é", "train", f"writer {i % 3}", f"m.tsv:{i}")
        values = random.integers(0, 255, (20 + i, 8), np.uint8)
        yield Packed(sample, values, 20.0 + i, random.bytes(32), ("a note",))
    yield Unusable("x.png", "cut short", "x.png: cut short")


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return write_store(tmp_path, HEADER, samples())


def everything(path: Path) -> list[object]:
    """Return all that a store holds."""
    found = Store(path)
    rows: list[object] = [found.header, found.unusable(), found.fingerprint(), found.column("notes")]
    for i in range(len(found)):
        rows += [found.sample(i), found.signal(i).tobytes(), found.digest(i), found.extents[i], found.counts[i]]
    return rows


def used(data: bytes) -> list[int]:
    """Return the places of the bytes that mean something, without padding."""
    length = int.from_bytes(data[8:16], "little")
    arrays = json.loads(data[16 : 16 + length])["arrays"].values()
    return [*range(16 + length), *(place for start, size, _ in arrays for place in range(start, start + size))]


def test_any_flipped_bit_is_noticed(packed: Path) -> None:
    good, random = packed.read_bytes(), np.random.default_rng(1)
    for place in random.choice(used(good), 300, replace=False).tolist():
        data = bytearray(good)
        data[place] ^= 1 << int(random.integers(0, 8))
        packed.write_bytes(data)
        with pytest.raises(RecognizerError, match=r"corpus\.pack: "):
            everything(packed)


def test_a_damaged_signal_is_named_and_the_others_are_read(packed: Path) -> None:
    data = bytearray(packed.read_bytes())
    data[GAP + 20 * 8] ^= 1  # the first byte of the second
    packed.write_bytes(data)
    found = Store(packed)
    with pytest.raises(
        RecognizerError, match=r"corpus\.pack: damaged \(the signal of 1\.png\): prepare the corpus again"
    ):
        found.signal(1)
    assert len(found.signal(0)) == 20 and len(found.signal(2)) == 22


def head(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    found: dict[str, object] = json.loads(data[16 : 16 + int.from_bytes(data[8:16], "little")])
    return found


def put_head(path: Path, meta: object) -> None:
    text, data = json.dumps(meta).encode(), path.read_bytes()
    path.write_bytes(data[:8] + len(text).to_bytes(8, "little") + text + data[16 + len(text) :])


def test_a_corpus_without_checksums_is_read_as_before(packed: Path) -> None:
    before = everything(packed)
    meta = {name: value for name, value in head(packed).items() if name not in ("checksums", "seal")}
    put_head(packed, meta)
    assert everything(packed) == before


def test_one_checksum_cannot_be_taken_away(packed: Path) -> None:
    meta = head(packed)
    checksums = dict(meta["checksums"])  # type: ignore[call-overload]
    del checksums["strings"]
    put_head(packed, sealed({k: v for k, v in meta.items() if k not in ("checksums", "seal")}, checksums))
    with pytest.raises(RecognizerError, match="its head lacks checksums"):
        Store(packed)


HEADS = {
    "no names": [1],
    "another part": {"more": 1},
    "a text for a place": {"arrays": {"signals": "x"}},
    "an array outside": {"arrays": {"counts": [1 << 40, 80, "<i8"]}},
    "an array before": {"arrays": {"counts": [-8, 80, "<i8"]}},
    "an array of half a number": {"arrays": {"counts": [0, 79, "<i8"]}},
    "an array of objects": {"arrays": {"counts": [0, 80, "|O"]}},
    "signals of objects": {"dtype": "|O"},
    "signals of no size": {"shape": [0]},
    "a shape of texts": {"shape": ["8"]},
    "another shape": {"shape": [16]},
    "a header of texts": {"header": "x"},
    "a kind of number": {"header": {**vars(HEADER), "kind": 1}},
    "a header of a newer version": {"header": {**vars(HEADER), "colour": 1}},
}


@pytest.mark.parametrize("seal", [True, False])
@pytest.mark.parametrize("name", list(HEADS))
def test_a_head_of_another_form_is_refused(name: str, seal: bool, packed: Path) -> None:
    change = HEADS[name]
    meta: object = change
    if isinstance(change, dict):
        whole = head(packed)
        arrays = {**whole["arrays"], **change.get("arrays", {})}  # type: ignore[dict-item]
        checksums = whole.pop("checksums")
        meta = {k: v for k, v in {**whole, **change, "arrays": arrays}.items() if k != "seal"}
        meta = sealed(meta, checksums) if seal else meta  # type: ignore[arg-type]
    put_head(packed, meta)
    with pytest.raises(RecognizerError, match=r"corpus\.pack: "):
        everything(packed)


def test_texts_that_are_no_utf_8_are_refused(packed: Path) -> None:
    put_head(packed, {name: value for name, value in head(packed).items() if name not in ("checksums", "seal")})
    start = head(packed)["arrays"]["strings"][0]  # type: ignore[index]
    data = bytearray(packed.read_bytes())
    data[start : start + 3] = b"\xff\xff\xff"
    packed.write_bytes(data)
    with pytest.raises(RecognizerError, match="a text in it is not UTF-8"):
        Store(packed).sample(0)


def test_a_store_of_nothing_is_a_store(tmp_path: Path) -> None:
    write_store(tmp_path, HEADER, [])
    assert len(Store(tmp_path / FILE)) == 0 and Store(tmp_path).splits() == []
