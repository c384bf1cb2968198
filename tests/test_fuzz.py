"""Seeded fuzz: a damaged file of any format is read or refused in one line, within seconds, never as another."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from fuzz import Format, fuzz  # noqa: E402
from fuzz_formats import FORMATS  # noqa: E402

from recognizer.errors import RecognizerError  # noqa: E402

FEW, MANY = 25, 300  # mutations, the few the first of the many; scripts/fuzz.py makes as many as one likes


@pytest.mark.parametrize("number", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", list(FORMATS))
def test_a_damaged_file_is_read_or_refused_in_one_line(name: str, number: int) -> None:
    found = fuzz(FORMATS[name], number, seed=1)
    assert [said for said, _ in found.bad] == []
    assert found.counts["refused"] > number // 10


def reading(path: Path) -> bytes:
    data = path.read_bytes()
    if len(data) < 5:
        raise ValueError("a traceback")
    if data[:1] != b"g":
        raise RecognizerError("no good")
    return data


def test_the_fuzz_finds_what_it_looks_for() -> None:
    one = Format("toy", ".toy", lambda folder: [b"good file of a toy"], reading, sealed=True)
    counts = fuzz(one, 200, seed=1).counts
    assert min(counts["refused"], counts["traceback"], counts["silent"]) > 0
    assert counts == fuzz(one, 200, seed=1).counts


def endless(path: Path) -> bytes:
    while path.read_bytes() != b"good":
        pass
    return b""


def waiting(path: Path) -> bytes:
    time.sleep(0 if path.read_bytes() == b"good" else 60)
    return b""


@pytest.mark.parametrize("read", [endless, waiting])
def test_what_does_not_end_is_a_hang(read: Callable[[Path], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.SECONDS", 0.05)
    found = fuzz(Format("endless", ".e", lambda _: [b"good"], read), 1, seed=1)
    assert [said for said, _ in found.bad] == ["hang: more than 0.05 s"]
