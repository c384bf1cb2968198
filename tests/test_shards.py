"""A corpus in several files is the corpus in one."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from makers import lines_with_a_bad_one
from terminal import said

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.corpus.sample import Sample
from recognizer.corpus.shards import Shards, open_store, shard_name
from recognizer.corpus.store import COLUMNS, Header, Packed, Store, Unusable, write_store
from recognizer.errors import RecognizerError

HEADER = Header("toy", "handwriting", {"height": 3}, {}, {})


def rows(first: int, last: int) -> list[Packed | Unusable]:
    """Return samples of one to a few columns; every fifth is suspect, every seventh is in "test"."""
    return [
        Packed(
            Sample(Path(f"{i:02}.png"), f"line {i}", "test" if i % 7 == 0 else "train", f"w{i % 3}", f"m:{i}"),
            np.full((1 + i % 4, 3), i, np.uint8),
            float(i),
            bytes([i]) * 32,
            ("inverted",) if i % 2 else (),
            faults=("blank",) if i % 5 == 0 else (),
        )
        for i in range(first, last)
    ]


@pytest.fixture
def both(tmp_path: Path) -> tuple[Store, Store]:
    """Return a corpus of 20 samples in one file, and in three shards of which the second is empty."""
    bad = Unusable("bad.png", "cut short", "m:99: bad.png: broken off")
    one = open_store(write_store(tmp_path / "one", HEADER, [*rows(0, 20), bad]).parent)
    for number, samples in enumerate((rows(0, 8), [], [*rows(8, 20), bad]), 1):
        write_store(tmp_path / "three", HEADER, samples, shard_name(number, 3))
    return one, open_store(tmp_path / "three")


def test_shards_are_read_as_one_corpus(both: tuple[Store, Store]) -> None:
    one, three = both
    assert isinstance(three, Shards) and len(three) == len(one) == 20
    assert three.header == one.header and three.header.left_out == {"cut short": 1}
    assert three.fingerprint() == one.fingerprint()
    assert three.counts.tolist() == one.counts.tolist() and three.extents.tolist() == one.extents.tolist()
    for i in (-1, *range(20)):
        assert np.array_equal(three.signal(i), one.signal(i)) and three.sample(i) == one.sample(i)
        assert (three.digest(i), three.notes(i), three.group(i)) == (one.digest(i), one.notes(i), one.group(i))
        assert [block.tolist() for block in three.blocks(i, 2)] == [block.tolist() for block in one.blocks(i, 2)]
    assert all(three.column(name) == one.column(name) for name in COLUMNS)
    assert three.indices("test") == [0, 7, 14] and three.splits() == one.splits()
    assert three.unusable() == one.unusable() and three.faults() == one.faults() == {
        i: ["blank"] for i in (0, 5, 10, 15)
    }
    alphabet = Alphabet((), TextSettings())
    assert three.frames_needed(alphabet) == one.frames_needed(alphabet)
    with pytest.raises(IndexError):
        three.signal(20)


def test_a_shard_is_opened_when_its_first_sample_is_asked_for(tmp_path: Path, both: tuple[Store, Store]) -> None:
    three = pickle.loads(pickle.dumps(both[1]))
    last = tmp_path / "three" / shard_name(3, 3)
    data = bytearray(last.read_bytes())
    data[-3] ^= 1  # in its index, which the checksums cover
    last.write_bytes(data)
    assert len(three) == 20 and three.text(7) == "line 7"
    with pytest.raises(RecognizerError, match="corpus-00003-of-00003.pack: damaged"):
        three.text(8)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("corpus.pack", "corpus.pack and corpus-00001-of-00003.pack in one folder"),
        ("corpus-00001-of-00004.pack", "divisions by 3 and 4"),
    ],
)
def test_a_folder_of_two_forms_is_refused(name: str, message: str, tmp_path: Path, both: tuple[Store, Store]) -> None:
    write_store(tmp_path / "three", HEADER, rows(0, 2), name)
    with pytest.raises(RecognizerError, match=message):
        open_store(tmp_path / "three")


def test_shards_that_are_missing_or_of_another_corpus_are_named(tmp_path: Path, both: tuple[Store, Store]) -> None:
    second = tmp_path / "three" / shard_name(2, 3)
    second.unlink()
    with pytest.raises(RecognizerError, match="1 of 3 shards missing, first corpus-00002-of-00003.pack"):
        open_store(tmp_path / "three")
    write_store(second.parent, Header("toy", "handwriting", {"height": 4}, {}, {}), [], second.name)
    with pytest.raises(RecognizerError, match="corpus-00002-of-00003.pack: prepared otherwise"):
        open_store(tmp_path / "three")


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Return a folder of 12 lines and a bad file."""
    return lines_with_a_bad_one(tmp_path / "lines", 12)


def test_prepare_makes_shards_at_once_or_one_by_one_by_any_number_of_workers(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, at_once, apart = tmp_path / "whole", tmp_path / "at once", tmp_path / "apart"
    assert said(capsys, "prepare", lines, "--out", whole)[0] == 1
    assert said(capsys, "prepare", lines, "--out", at_once, "--shards", "3", "--workers", "1")[0] == 1
    monkeypatch.setattr("recognizer.corpus.prepare.SAMPLES_A_WORKER", 2)
    codes = [
        said(capsys, "prepare", lines, "--out", apart, "--shards", "3", "--shard", k, "--workers", "2")[0]
        for k in "213"
    ]
    assert codes == [1, 0, 0]  # the second has the bad file
    for number in (1, 2, 3):
        name = shard_name(number, 3)
        assert (at_once / name).read_bytes() == (apart / name).read_bytes()
    one, three = open_store(whole), open_store(apart)
    assert three.header == one.header and three.fingerprint() == one.fingerprint()
    assert three.column("split") == one.column("split") and three.unusable() == one.unusable()
    assert said(capsys, "check", whole, "--json", tmp_path / "a.json")[0] == 1
    assert said(capsys, "check", apart, "--json", tmp_path / "b.json")[0] == 1
    a, b = (json.loads((tmp_path / f"{name}.json").read_text()) for name in "ab")
    assert {k: v for k, v in a.items() if k != "corpus"} == {k: v for k, v in b.items() if k != "corpus"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shards", "0"], "--shards is 0, expected at least 1"),
        (["--shards", "3", "--shard", "4"], "--shard is 4, expected a number of 1 to 3 of --shards"),
        (["--shard", "1"], "--shard takes --shards"),
        (["--engine", "ray"], "--engine ray makes all shards of a corpus, expected --shards and no --shard"),
        (["--address", "auto"], "--address has no effect without --engine ray"),
        (["--shards", "99"], "--shards is 99, expected at most 12, the number of samples"),
    ],
)
def test_a_division_that_cannot_be_is_one_line(
    words: list[str], message: str, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = said(capsys, "prepare", lines, "--out", tmp_path / "out", *words)
    assert code == 2 and message in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    "first, then", [([], ["--shards", "3"]), (["--shards", "3"], []), (["--shards", "3"], ["--shards", "2"])]
)
def test_a_corpus_is_not_packed_beside_one_that_is_divided_otherwise(
    first: list[str], then: list[str], lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert said(capsys, "prepare", lines, "--out", out, *first)[0] == 1
    before = {path.name for path in out.iterdir()}
    code, _, errors = said(capsys, "prepare", lines, "--out", out, *then)
    assert code == 2 and min(before) in errors and errors.count("\n") == 1
    assert {path.name for path in out.iterdir()} == before and len(open_store(out)) == 11
    assert said(capsys, "prepare", lines, "--out", out, *first)[0] == 1  # anew in the same form


def test_shards_of_nothing_are_not_left_behind(lines: Path, tmp_path: Path) -> None:
    for path in lines.glob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(RecognizerError, match="not one of 12 files can be used"):
        prepare(str(lines), None, tmp_path / "out", PrepareSettings({}, shards=2), print)
    assert not list((tmp_path / "out").glob("*.pack"))
