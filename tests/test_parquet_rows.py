"""Rows of what was read, in Parquet files."""

from pathlib import Path

import pytest

from recognizer.errors import RecognizerError
from recognizer.reading.parquet_rows import Row, rows_of, rows_there, write_rows
from recognizer.reading.transcription import Transcript

READ = Row("a.png", "a.png", "a line", 0.5, '{"text": "a line"}', "")
BAD = Row("b.png", "b.png", "", 0.0, "", "b.png: no image")


def test_a_file_at_fault_is_a_row() -> None:
    assert list(rows_of(Transcript("b.png", (), ("b.png: no image",)))) == [BAD]


def test_a_batch_is_one_file_however_often_it_is_written(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="recognizer[ray] is not installed")
    path = write_rows(tmp_path, ["a.png", "b.png"], [READ, BAD])
    assert write_rows(tmp_path, ["a.png", "b.png"], [READ, BAD]) == path
    assert write_rows(tmp_path, ["caf\udce9.png"], []) != path  # a name that is no Unicode, and nothing to read in it
    assert len(list(tmp_path.iterdir())) == 2
    assert [Row(**row) for row in parquet.read_table(path).to_pylist()] == [READ, BAD]
    there = rows_there(tmp_path)
    assert there.files == {"a.png", "b.png", "caf\udce9.png"} and there.errors == ("b.png: no image",)


def test_a_damaged_file_of_rows_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="recognizer[ray] is not installed")
    (tmp_path / "part-1.parquet").write_bytes(b"no rows at all")
    with pytest.raises(RecognizerError, match="part-1.parquet: damaged, or not written by --format parquet"):
        rows_there(tmp_path)
