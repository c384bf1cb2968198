"""Tests of the packs that scripts/finetuning_table.py learns from."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recognizer.corpus.sample import Sample
from recognizer.corpus.store import Header, Packed, Store, write_store

ROOT = Path(__file__).resolve().parents[1]
CALL = """
import sys
sys.path.insert(0, "scripts")
from pathlib import Path
import finetuning_table as table
table.first_lines(Path(sys.argv[1]), 20, Path(sys.argv[2]))
table.old_lines([Path(sys.argv[1])] * 2, 5, Path(sys.argv[3]))
"""


def pack(folder: Path) -> Store:
    """Write 30 train lines, 8 of valid, 6 of test."""
    splits = ["train"] * 30 + ["valid"] * 8 + ["test"] * 6
    samples = (
        Packed(Sample(Path(f"{i}.png"), f"text {i}", s, "a", ""), np.full((9, 8), i, np.uint8), 9.0, bytes([i] * 32))
        for i, s in enumerate(splits)
    )
    signal = {"height": 8, "direction": "ltr", "contrast": "stretch"}
    write_store(folder, Header("hand", "handwriting", signal, {}, {}), samples)
    return Store(folder)


@pytest.mark.slow
def test_a_row_learns_the_first_lines_and_replays_no_validation(tmp_path: Path) -> None:
    hand = pack(tmp_path / "hand")
    places = [str(tmp_path / name) for name in ("hand", "first", "old")]
    subprocess.run([sys.executable, "-c", CALL, *places], cwd=ROOT, check=True)
    first, old = Store(tmp_path / "first"), Store(tmp_path / "old")
    assert first.column("split") == ["train"] * 20 + ["valid"] * 5
    assert [first.sample(i).text for i in range(20)] == [hand.sample(i).text for i in range(20)]
    assert np.array_equal(first.signal(3), hand.signal(3))
    assert old.column("split") == ["train"] * 10
