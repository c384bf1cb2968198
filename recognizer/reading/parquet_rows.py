"""What was read of many files as rows of Parquet files, a file for each batch."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from recognizer.common.atomic_write import replacing
from recognizer.errors import RecognizerError
from recognizer.reading.transcription import Transcript

FILES = "part-*.parquet"  # of a folder of rows
NAMES = b"recognizer.files"  # the metadata that name the files of a batch, as JSON


@dataclass(frozen=True)
class Row:
    """A reading of a file or of a line of a page, or what is wrong with it.

    Args:
        file: as it was given; of an image of several pages with the number of the page.
        name: of the line FILE#ID of a page, else the file's.
        text: "" where there is an error.
        confidence: 0 to 1, 0 where there is an error.
        record: the whole reading as JSON, as `transcribe --json` writes it; "" where there is an error.
        error: one line, "" where there is none.
    """

    file: str
    name: str
    text: str
    confidence: float
    record: str
    error: str


@dataclass(frozen=True)
class RowsThere:
    """What a folder of rows holds.

    Args:
        files: those that were read, or found to be at fault.
        errors: a line for each fault.
    """

    files: frozenset[str]
    errors: tuple[str, ...]


def rows_of(transcript: Transcript) -> Iterator[Row]:
    """Yield the rows of a file: its readings, then its errors; of a long recording a row for each piece."""
    file = transcript.name
    errors = [*transcript.errors]
    try:
        for one in transcript.long.records() if transcript.long else transcript.records:
            record = json.dumps(one.as_data(), ensure_ascii=False)
            yield Row(file, one.name, one.hypothesis.text, one.hypothesis.confidence, record, "")
    except RecognizerError as error:  # in the middle of a long recording
        errors.append(str(error))
    for line in errors:
        yield Row(file, file, "", 0.0, "", line)


def write_rows(folder: Path, names: Sequence[str], rows: Iterable[Row]) -> Path:
    """Write the rows of a batch of files, whole or not at all; done twice, a batch takes its own place.

    Args:
        folder: that holds the rows of all batches.
        names: of the files of the batch.
        rows: of them.

    Raises:
        RecognizerError: pyarrow is not installed, or the folder cannot be written.
    """
    pyarrow, parquet = _libraries()
    kinds = {"confidence": pyarrow.float64()}
    columns = [(one.name, kinds.get(one.name, pyarrow.string())) for one in fields(Row)]
    listed = json.dumps(list(names)).encode()
    schema = pyarrow.schema(columns, metadata={NAMES: listed})
    values = [dict(zip(schema.names, map(_storable, astuple(row)), strict=True)) for row in rows]
    path = folder / f"part-{hashlib.sha256(listed).hexdigest()[:20]}.parquet"
    with replacing(path) as file:
        parquet.write_table(pyarrow.Table.from_pylist(values, schema=schema), file)
    return path


def rows_there(folder: Path) -> RowsThere:
    """Return which files the rows of a folder are of.

    Raises:
        RecognizerError: pyarrow is not installed, or a file of rows is damaged.
    """
    _, parquet = _libraries()
    files: set[str] = set()
    errors: list[str] = []
    for path in sorted(folder.glob(FILES)):
        try:
            table = parquet.read_table(path, columns=["error"])
            files.update(json.loads(table.schema.metadata[NAMES]))
        except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's own errors are ValueErrors
            reason = str(error).partition("\n")[0]
            raise RecognizerError(
                f"{path}: damaged, or not written by --format parquet ({reason}): expected rows, else to be removed"
            ) from None
        errors += [line for line in table.column("error").to_pylist() if line]
    return RowsThere(frozenset(files), tuple(errors))


def _libraries() -> tuple[Any, Any]:
    """Return pyarrow and its part for Parquet."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise RecognizerError("--format parquet takes the package pyarrow: pip install 'recognizer[ray]'") from None
    return pyarrow, parquet


def _storable(value: Any) -> Any:
    """Return what Parquet can hold: bytes of a file's name that are no Unicode as escapes."""
    if not isinstance(value, str):
        return value
    return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
