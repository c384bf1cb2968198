"""A corpus packed into one memory-mapped file."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError
from recognizer.files import replacing

MAGIC = b"RECPACK\x01"  # the last byte is the version of the format
FILE = "corpus.pack"
ALIGNMENT = 64  # bytes, of every array in the file


@dataclass(frozen=True)
class Header:
    """What a store says of itself.

    Args:
        name: of the corpus.
        kind: "handwriting" or "speech".
        signal: the settings its signals were made with.
        text: the text settings that its recipe proposes.
        left_out: what `prepare` could not use, reason by reason, with counts.
        licence: as the card states it, "" where unknown.
    """

    name: str
    kind: str
    signal: dict[str, Any]
    text: dict[str, Any]
    left_out: dict[str, int]
    licence: str = ""


class Store:
    """Random access to the samples of a packed corpus; a sample costs no more than its own bytes."""

    def __init__(self, path: Path) -> None:
        """Open `path`, a store or the folder that holds one, in milliseconds whatever its size.

        Raises:
            RecognizerError: missing, foreign, truncated or of a newer format.
        """
        self.path = path / FILE if path.is_dir() else path
        if not self.path.is_file():
            raise RecognizerError(f"{path}: no prepared corpus there, wanted a folder that `recognizer prepare` made")
        with open(self.path, "rb") as file:
            head = file.read(16)
            if len(head) < 16 or head[:7] != MAGIC[:7]:
                raise RecognizerError(f"{self.path}: not a prepared corpus, wanted one that `recognizer prepare` made")
            if head[7] != MAGIC[7]:
                raise RecognizerError(f"{self.path}: format {head[7]}, wanted {MAGIC[7]}: prepare it again")
            meta = json.loads(file.read(int.from_bytes(head[8:], "little")))
        self.header = Header(**meta["header"])
        if self.path.stat().st_size != meta["size"]:
            raise RecognizerError(f"{self.path}: {self.path.stat().st_size} bytes, wanted {meta['size']}: cut short")
        self._data = np.memmap(self.path, dtype=np.uint8, mode="r")
        arrays = {
            name: self._data[start : start + size].view(dtype) for name, (start, size, dtype) in meta["arrays"].items()
        }
        self._signals, self._starts = arrays["signals"], arrays["starts"]
        self._shape = tuple(meta["shape"])
        self._dtype = np.dtype(meta["dtype"])
        self._strings, self._string_starts = arrays["strings"], arrays["string_starts"].reshape(-1, 5)
        self._hashes = arrays["hashes"].reshape(-1, 32)
        self.counts: np.ndarray = arrays["counts"]
        self.extents: np.ndarray = arrays["extents"]

    def __reduce__(self) -> tuple[type["Store"], tuple[Path]]:
        """Travel to another process as a path; the memory map is shared through the file."""
        return Store, (self.path,)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.counts)

    def signal(self, index: int) -> np.ndarray:
        """Return the signal (T, ...) of a sample as a read-only view of the file."""
        start, end = int(self._starts[index]), int(self._starts[index + 1])
        return self._signals[start:end].view(self._dtype).reshape(-1, *self._shape)

    def sample(self, index: int) -> Sample:
        """Return what the manifest said of a sample."""
        path, text, split, group, origin = (self._string(index, column) for column in range(5))
        return Sample(Path(path), text, split, group, origin)

    def text(self, index: int) -> str:
        """Return the raw transcript of a sample."""
        return self._string(index, 1)

    def group(self, index: int) -> str:
        """Return the writer, speaker or page of a sample."""
        return self._string(index, 3)

    def digest(self, index: int) -> str:
        """Return the SHA-256 of a sample's source file."""
        return self._hashes[index].tobytes().hex()

    def indices(self, split: str) -> list[int]:
        """Return the samples of a split in the order of the manifest.

        Raises:
            RecognizerError: there is no such split; the ones there are named.
        """
        splits = [self._string(index, 2) for index in range(len(self))]
        found = [index for index, name in enumerate(splits) if name == split]
        if not found:
            names = ", ".join(f"{name!r}" for name in sorted(set(splits)))
            raise RecognizerError(f"{self.path}: no sample in split {split!r}, there are {names}")
        return found

    def splits(self) -> list[str]:
        """Return the names of the splits in order of appearance."""
        return list(dict.fromkeys(self._string(index, 2) for index in range(len(self))))

    def fingerprint(self) -> str:
        """Return a SHA-256 over the source hashes, texts and splits: equal for equal corpora."""
        digest = hashlib.sha256(self._hashes.tobytes())
        for index in range(len(self)):
            digest.update(f"{self._string(index, 1)}\0{self._string(index, 2)}\0".encode())
        return digest.hexdigest()

    def _string(self, index: int, column: int) -> str:
        start = int(self._string_starts[index, column])
        flat = index * 5 + column + 1
        end = int(self._string_starts.reshape(-1)[flat])
        return self._strings[start:end].tobytes().decode()


@dataclass(frozen=True)
class Packed:
    """One sample on its way into a store: its manifest row, signal, extent in the file's unit, and source hash."""

    sample: Sample
    values: np.ndarray
    extent: float
    digest: bytes


def write_store(folder: Path, header: Header, samples: Iterable[Packed]) -> Path:
    """Write `samples` as `folder`/corpus.pack, whole or not at all, and return its path.

    The signals stream through, so that memory holds one at a time.
    """
    path = folder / FILE
    with replacing(path) as file:
        writer = _Writer(file)
        for packed in samples:
            writer.add(packed)
        writer.finish(header)
    return path


class _Writer:
    """Signals first, behind a gap for the head, then the index, then the head into the gap."""

    GAP = 16384  # bytes, before the first array: magic, length and JSON

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        file.seek(self.GAP)
        self.starts, self.counts, self.extents = [0], [], []  # type: list[int], list[int], list[float]
        self.strings: list[bytes] = []
        self.hashes: list[bytes] = []
        self.form: tuple[str, tuple[int, ...]] | None = None

    def add(self, packed: Packed) -> None:
        """Append one sample."""
        values = np.ascontiguousarray(packed.values)
        form = (values.dtype.str, values.shape[1:])
        self.form = self.form or form
        assert form == self.form, f"signals of one store have one form: {form} after {self.form}"
        data = values.tobytes()
        self.file.write(data)
        self.starts.append(self.starts[-1] + len(data))
        self.counts.append(len(values))
        self.extents.append(packed.extent)
        sample = packed.sample
        row = (str(sample.path), sample.text, sample.split, sample.group, sample.origin)
        self.strings.extend(part.encode() for part in row)
        self.hashes.append(packed.digest)

    def finish(self, header: Header) -> None:
        """Write the index behind the signals and the head before them."""
        dtype, shape = self.form or ("|u1", ())
        arrays: dict[str, tuple[int, int, str]] = {"signals": (self.GAP, self.starts[-1], "|u1")}
        string_starts = np.cumsum([0, *map(len, self.strings)])
        # The last start is the end of all strings; one padding row keeps the table rectangular.
        table = np.concatenate([string_starts, np.full(4, string_starts[-1])]).astype("<i8")
        for name, array in (
            ("starts", np.array(self.starts, "<i8")),
            ("counts", np.array(self.counts, "<i8")),
            ("extents", np.array(self.extents, "<f8")),
            ("string_starts", table),
            ("strings", np.frombuffer(b"".join(self.strings), np.uint8)),
            ("hashes", np.frombuffer(b"".join(self.hashes), np.uint8)),
        ):
            arrays[name] = (self._align(), array.nbytes, array.dtype.str)
            self.file.write(array.tobytes())
        meta = {"header": vars(header), "arrays": arrays, "dtype": dtype, "shape": shape, "size": self.file.tell()}
        head = json.dumps(meta).encode()
        assert len(head) + 16 <= self.GAP, "the head outgrew its gap"
        self.file.seek(0)
        self.file.write(MAGIC + len(head).to_bytes(8, "little") + head)

    def _align(self) -> int:
        self.file.seek(-(-self.file.tell() // ALIGNMENT) * ALIGNMENT)
        return self.file.tell()


