"""Splits of several corpora packed together by scripts/pool_splits.py."""

import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from pool_splits import main

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import Header, Packed, Store, write_store
from recognizer.errors import RecognizerError


def pool(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["pool_splits", *map(str, words)])
    main()


def test_splits_of_corpora_become_a_split_of_one(lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool(monkeypatch, f"{lines}:valid", f"{lines}:train:3", "--out", tmp_path / "pooled", "--split", "valid")
    source, pooled = Store(lines), Store(tmp_path / "pooled")
    valid, train = source.indices("valid"), source.indices("train")
    pages = sorted({str(source.sample(i).path) for i in train})[::3]
    taken = valid + [i for i in train if str(source.sample(i).path) in pages]
    assert pooled.splits() == ["valid"] and len(pooled) == len(taken) and len(pages) < len(train)
    for at, i in enumerate(taken):
        assert pooled.text(at) == source.text(i) and pooled.digest(at) == source.digest(i)
        assert np.array_equal(pooled.signal(at), source.signal(i))
        group = source.group(i)
        assert pooled.group(at) == (f"{source.header.name}/{group}" if group else "")


def test_texts_stay_what_they_are_in_all_corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, letters = tmp_path / "tokens", tmp_path / "letters"
    sample = Packed(Sample(Path("a.wav"), "AH B", "test", "", ""), np.zeros(9, np.int16), 1.0, bytes(32))
    for folder, unit in ((tokens, "token"), (letters, "character")):
        write_store(folder, Header(folder.name, "speech", {}, asdict(TextSettings(unit=unit)), {}), [sample])
    pool(monkeypatch, f"{tokens}:test", "--out", tmp_path / "pooled")
    assert Store(tmp_path / "pooled").header.text["unit"] == "token"
    with pytest.raises(RecognizerError, match="prepare both alike"):
        pool(monkeypatch, f"{tokens}:test", f"{letters}:test", "--out", tmp_path / "both")


@pytest.mark.parametrize("part", ["nothing", "a:test:0", "a:test:x"])
def test_a_part_of_another_form_is_refused(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecognizerError, match="expected CORPUS:SPLIT"):
        pool(monkeypatch, part, "--out", tmp_path / "pooled")


def test_corpora_of_other_signals_are_refused(
    lines: Path, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecognizerError, match="prepare both alike"):
        pool(monkeypatch, f"{lines}:valid", f"{sounds}:valid", "--out", tmp_path / "pooled")
    assert not (tmp_path / "pooled").exists()
