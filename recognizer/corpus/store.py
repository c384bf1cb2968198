"""A corpus packed into one memory-mapped file.

MAGIC with the version; the length of the head (8 bytes, little endian); the head, JSON: what the corpus says of itself,
each array's place (start, bytes, type), checksums. From byte GAP on the arrays, each at a multiple of ALIGNMENT: the
signals one after the other, then what `_Writer._index` names, among it what `prepare` found in texts and signals.
"""

import hashlib
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recognizer.common.atomic_write import replacing
from recognizer.common.plain_data import from_plain
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.ctc_feasibility import needed
from recognizer.corpus.integrity import CHECKS, CURE, checksum, read_arrays, sealed
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError
from recognizer.model.upgrade import upgrade_kind

MAGIC = b"RECPACK\x03"  # the last byte is the version of the format
READ = (2, 3)  # versions that are read; 2 lacks what `prepare` found
SHARES = {"valid": "--valid-share", "test": "--test-share"}  # options of prepare that make a split
FILE = "corpus.pack"
ALIGNMENT = 64  # bytes, of every array in the file
GAP = 16384  # bytes before the first array: magic, length and JSON
COLUMNS = ("path", "text", "split", "group", "origin", "notes")  # the strings of a sample
NOTE_END = "\n"  # between the notes of one sample
STRAY = "surrogatepass"  # file names need not be Unicode


@dataclass(frozen=True)
class Header:
    """What a store says of itself.

    Args:
        name: of the corpus.
        kind: "handwriting", "speech" or "strokes".
        signal: the settings its signals were made with.
        text: the text settings that its recipe proposes.
        left_out: what `prepare` could not use, reason by reason, with counts.
        licence: as the card states it, "" where unknown.
        card: what a published collection says of itself: title, home, languages, period, hands, guidelines.
        rules: the transcription rules that its texts went through, "" where none.
    """

    name: str
    kind: str
    signal: dict[str, Any]
    text: dict[str, Any]
    left_out: dict[str, int]
    licence: str = ""
    card: dict[str, str] = field(default_factory=dict)
    rules: str = ""


@dataclass(frozen=True)
class Packed:
    """One sample on its way into a store.

    Args:
        sample: its manifest row.
        values: its signal (T, ...).
        extent: length of the file in its own unit.
        digest: SHA-256 of the file, 32 bytes.
        notes: what was found odd and repaired.
        blocks: all of a signal that is too long for memory, (T, ...) each; `values` then has its form alone.
        faults: what is suspect about the signal, each in a few words; None where nobody has looked.
    """

    sample: Sample
    values: np.ndarray
    extent: float
    digest: bytes
    notes: tuple[str, ...] = ()
    blocks: Iterable[np.ndarray] | None = None
    faults: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Unusable:
    """A file that could not be packed.

    Args:
        name: of the file.
        reason: the class of the fault, such as "cut short".
        line: for people: where it stands and what is wrong with it.
    """

    name: str
    reason: str
    line: str


class Store:
    """Random access to the samples of a packed corpus; a sample costs no more than its own bytes."""

    def __init__(self, path: Path) -> None:
        """Open `path`, a store or the folder that holds one; no signal is read.

        Raises:
            RecognizerError: missing, foreign, truncated, damaged or of another format.
        """
        self.path = path / FILE if path.is_dir() else path
        if not self.path.is_file():
            raise RecognizerError(f"{path}: no prepared corpus there, expected a folder that `recognizer prepare` made")
        version, meta = _read_meta(self.path)
        # A plain array over the map: indexing the map's own class costs several times as much.
        data = np.asarray(np.memmap(self.path, dtype=np.uint8, mode="r"))
        arrays = read_arrays(self.path, version, meta, data, len(COLUMNS))
        self.header = _header(self.path, meta["header"])
        self._signals, self._starts = arrays["signals"], arrays["starts"]
        self._checks = arrays.get(CHECKS)
        self._shape, self._dtype = tuple(meta["shape"]), np.dtype(meta["dtype"])
        self._strings, self._string_starts = arrays["strings"], arrays["string_starts"]
        self._hashes = arrays["hashes"].reshape(-1, 32)
        self._unusable, self._faults, self._needed = arrays["unusable"], arrays.get("faults"), arrays.get("needed")
        self.counts: np.ndarray = arrays["counts"]
        self.extents: np.ndarray = arrays["extents"]

    def __reduce__(self) -> tuple[type["Store"], tuple[Path]]:
        """Travel to another process as a path; the memory map is shared through the file."""
        return Store, (self.path,)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.counts)

    def signal(self, index: int) -> np.ndarray:
        """Return the signal (T, ...) of a sample as a read-only view of the file.

        Raises:
            RecognizerError: its bytes are not those that were written.
        """
        index = range(len(self))[index]
        start, end = int(self._starts[index]), int(self._starts[index + 1])
        data = self._signals[start:end]
        if self._checks is not None and checksum(data) != int(self._checks[index]):
            raise RecognizerError(f"{self.path}: damaged (the signal of {self.sample(index).path}): {CURE}")
        values: np.ndarray = data.view(self._dtype).reshape(-1, *self._shape)
        return values

    def blocks(self, index: int, steps: int) -> Iterator[np.ndarray]:
        """Yield the signal of a sample in blocks of so many steps, read from the file and not held in memory."""
        size = self._dtype.itemsize * math.prod(self._shape)
        left = int(self.counts[index])
        with open(self.path, "rb") as file:
            file.seek(GAP + int(self._starts[range(len(self))[index]]))
            while left:
                taken = min(steps, left)
                yield np.frombuffer(file.read(taken * size), self._dtype).reshape(-1, *self._shape)
                left -= taken

    def sample(self, index: int) -> Sample:
        """Return what the manifest said of a sample."""
        path, text, split, group, origin = (self._string(index, name) for name in COLUMNS[:5])
        return Sample(Path(path), text, split, group, origin)

    def text(self, index: int) -> str:
        """Return the raw transcript of a sample."""
        return self._string(index, "text")

    def group(self, index: int) -> str:
        """Return the writer, speaker or page of a sample."""
        return self._string(index, "group")

    def notes(self, index: int) -> tuple[str, ...]:
        """Return what was found odd in a sample's file and repaired."""
        return tuple(note for note in self._string(index, "notes").split(NOTE_END) if note)

    def column(self, name: str) -> list[str]:
        """Return one string of each sample: a name of COLUMNS."""
        column = COLUMNS.index(name)
        starts = self._string_starts[column :: len(COLUMNS)][: len(self)].tolist()
        ends = self._string_starts[column + 1 :: len(COLUMNS)].tolist()
        strings = self._strings.tobytes()
        return [self._text(strings[start:end]) for start, end in zip(starts, ends, strict=True)]

    def unusable(self) -> list[Unusable]:
        """Return the files that `prepare` could not use, each with its reason."""
        try:
            return [Unusable(**one) for one in json.loads(self._unusable.tobytes())]
        except (ValueError, TypeError, RecursionError):
            raise RecognizerError(f"{self.path}: damaged (its list of unusable files): {CURE}") from None

    def faults(self) -> dict[int, list[str]] | None:
        """Return what `prepare` found suspect about signals, by sample; None where it has not looked at all of them."""
        if self._faults is None:
            return None
        try:
            found = json.loads(self._faults.tobytes())
            return None if found is None else {range(len(self))[index]: list(map(str, few)) for index, few in found}
        except (ValueError, TypeError, IndexError, RecursionError):
            raise RecognizerError(f"{self.path}: damaged (its list of suspect signals): {CURE}") from None

    def frames_needed(self, alphabet: Alphabet) -> list[int]:
        """Return the fewest output frames that CTC can spell each text in, kept or, for other settings, counted now."""
        if self._needed is not None and alphabet.text == from_plain(TextSettings, self.header.text, "text"):
            return self._needed.tolist()  # type: ignore[no-any-return]
        return [needed(text, alphabet) for text in self.column("text")]

    def digest(self, index: int) -> str:
        """Return the SHA-256 of a sample's source file."""
        return bytes(self._hashes[index]).hex()

    def indices(self, split: str) -> list[int]:
        """Return the samples of a split in the order of the manifest.

        Raises:
            RecognizerError: there is no such split; the ones there are named.
        """
        splits = self.column("split")
        found = [index for index, name in enumerate(splits) if name == split]
        if not found:
            names = ", ".join(f"{name!r}" for name in sorted(set(splits)))
            share = f", or with {SHARES[split]} from one that names none" if split in SHARES else ""
            raise RecognizerError(
                f"{self.path}: no sample in split {split!r}, there are {names}: expected one of these (--split; of "
                f"train --data.train, --data.valid), or a corpus prepared anew from a source that names it{share}"
            )
        return found

    def splits(self) -> list[str]:
        """Return the names of the splits in order of appearance."""
        return list(dict.fromkeys(self.column("split")))

    def hashes(self) -> bytes:
        """Return the SHA-256 of each sample's source file, 32 bytes each, one after the other."""
        return self._hashes.tobytes()

    def fingerprint(self) -> str:
        """Return a SHA-256 over the source hashes, texts and splits: equal for equal corpora."""
        digest = hashlib.sha256(self.hashes())
        for text, split in zip(self.column("text"), self.column("split"), strict=True):
            digest.update(f"{text}\0{split}\0".encode(errors=STRAY))
        return digest.hexdigest()

    def _string(self, index: int, name: str) -> str:
        flat = range(len(self))[index] * len(COLUMNS) + COLUMNS.index(name)
        start, end = self._string_starts[flat : flat + 2].tolist()
        return self._text(bytes(self._strings[start:end]))

    def _text(self, data: bytes) -> str:
        try:
            return data.decode(errors=STRAY)
        except UnicodeDecodeError:
            raise RecognizerError(f"{self.path}: damaged (a text in it is not UTF-8): {CURE}") from None


@dataclass(frozen=True)
class Head:
    """What the head of a store says, before any of its arrays is looked at.

    Args:
        header: what the store says of itself.
        samples: how many it says that it holds.
    """

    header: Header
    samples: int


def read_head(path: Path) -> Head:
    """Return the head of the store in the file `path`; `Store` looks at the rest.

    Raises:
        RecognizerError: foreign, truncated, damaged or of another format.
    """
    _, meta = _read_meta(path)
    try:
        return Head(_header(path, meta["header"]), meta["arrays"]["counts"][1] // 8)
    except (KeyError, TypeError, IndexError) as error:
        raise RecognizerError(f"{path}: damaged ({error}): {CURE}") from None


def _header(path: Path, data: Any) -> Header:
    try:
        found = from_plain(Header, data, "head")
    except RecognizerError as error:
        raise RecognizerError(f"{path}: damaged, or of a newer version ({error}): {CURE}") from None
    return replace(found, kind=upgrade_kind(found.kind))


def write_store(folder: Path, header: Header, samples: Iterable[Packed | Unusable], file_name: str = FILE) -> Path:
    """Write `samples` as the file of that name in `folder`, whole or not at all, and return its path.

    The signals stream through, so that memory holds one at a time. Files that could not be used are kept by name,
    and their reasons are added to what `header` counts as left out.
    """
    path = folder / file_name
    with replacing(path) as file:
        writer = _Writer(file, Alphabet((), from_plain(TextSettings, header.text, "text")))
        for one in samples:
            if isinstance(one, Packed):
                try:
                    writer.add(one)
                except RecognizerError as error:
                    name = str(one.sample.path)
                    writer.unusable.append(Unusable(name, error.reason or "cannot be read", str(error)))
            else:
                writer.unusable.append(one)
        writer.finish(header)
    return path


def _read_meta(path: Path) -> tuple[int, dict[str, Any]]:
    """Return the version of a whole store's format, and the JSON before its arrays."""
    with open(path, "rb") as file:
        head = file.read(16)
        if len(head) < 16 or head[:7] != MAGIC[:7]:
            raise RecognizerError(f"{path}: not a prepared corpus, expected one that `recognizer prepare` made")
        if head[7] not in READ:
            cure = "prepare it again" if head[7] < MAGIC[7] else "upgrade recognizer, or prepare it again"
            raise RecognizerError(f"{path}: format {head[7]}, expected {MAGIC[7]}: {cure}")
        length = int.from_bytes(head[8:], "little")
        text = file.read(min(length, GAP))
    size = path.stat().st_size
    try:
        meta: dict[str, Any] = json.loads(text)
        whole = meta["size"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RecognizerError(f"{path}: {size} bytes, its head is damaged or cut short: prepare it again") from None
    if size != whole:
        raise RecognizerError(f"{path}: {size} bytes, expected {whole}: cut short, prepare it again")
    return head[7], meta


class _Writer:
    """Signals first, behind a gap for the head, then the index, then the head into the gap."""

    def __init__(self, file: BinaryIO, alphabet: Alphabet) -> None:
        self.file, self.alphabet = file, alphabet
        file.seek(GAP)
        # Plain numbers and bytes: a million samples as objects of Python would take a gigabyte.
        self.starts, self.counts, self.extents, self.checks = array("q", [0]), array("q"), array("d"), array("L")
        self.strings, self.string_sizes = bytearray(), array("q")
        self.hashes = bytearray()
        self.unusable: list[Unusable] = []
        self.needed, self.faults = array("l"), list[tuple[int, tuple[str, ...]]]()
        self.all_looked_at = True
        self.form: tuple[str, tuple[int, ...]] | None = None

    def add(self, packed: Packed) -> None:
        """Append one sample."""
        values = np.ascontiguousarray(packed.values)
        form = (values.dtype.str, values.shape[1:])
        self.form = self.form or form
        assert form == self.form, f"signals of one store have one form: {form} after {self.form}"
        size, check = self._write(packed.blocks or (values,))
        self.checks.append(check)
        self._add_findings(packed)
        self.starts.append(self.starts[-1] + size)
        self.counts.append(size // (values.itemsize * math.prod(values.shape[1:])))
        self.extents.append(packed.extent)
        sample = packed.sample
        row = (str(sample.path), sample.text, sample.split, sample.group, sample.origin, NOTE_END.join(packed.notes))
        for part in row:
            data = part.encode(errors=STRAY)
            self.strings += data
            self.string_sizes.append(len(data))
        self.hashes += packed.digest

    def _add_findings(self, packed: Packed) -> None:
        """Append what `train` would else have to look for in every signal and text."""
        self.needed.append(needed(packed.sample.text, self.alphabet))
        self.all_looked_at &= packed.faults is not None
        if packed.faults:
            self.faults.append((len(self.counts), packed.faults))

    def _write(self, blocks: Iterable[np.ndarray]) -> tuple[int, int]:
        """Write a signal and return its bytes and their checksum; one whose source is at fault leaves no trace.

        Raises:
            RecognizerError: the source breaks off.
        """
        size = check = 0
        try:
            for block in blocks:
                data = np.ascontiguousarray(block).tobytes()
                self.file.write(data)
                size, check = size + len(data), checksum(data, check)
        except RecognizerError:
            self.file.seek(GAP + self.starts[-1])
            raise
        return size, check

    def finish(self, header: Header) -> None:
        """Write the index behind the signals and the head before them."""
        left_out = Counter(header.left_out) + Counter(one.reason for one in self.unusable)
        dtype, shape = self.form or ("|u1", ())
        arrays: dict[str, tuple[int, int, str]] = {"signals": (GAP, self.starts[-1], "|u1")}
        checksums: dict[str, int] = {}
        for name, values in self._index():
            arrays[name], checksums[name] = (self._align(), values.nbytes, values.dtype.str), checksum(values)
            self.file.write(values.tobytes())
        self.file.truncate(self.file.tell())  # where the last array is empty nothing was written at its place
        plain = asdict(replace(header, left_out=dict(left_out)))
        meta = {"header": plain, "arrays": arrays, "dtype": dtype, "shape": shape, "size": self.file.tell()}
        head = json.dumps(sealed(meta, checksums)).encode()
        assert len(head) + 16 <= GAP, "the head outgrew its gap"
        self.file.seek(0)
        self.file.write(MAGIC + len(head).to_bytes(8, "little") + head)

    def _index(self) -> Iterable[tuple[str, np.ndarray]]:
        """Return the arrays behind the signals by name."""
        unusable = json.dumps([asdict(one) for one in self.unusable]).encode()
        faults = json.dumps(self.faults if self.all_looked_at else None).encode()
        return (
            ("starts", np.array(self.starts, "<i8")),
            ("counts", np.array(self.counts, "<i8")),
            ("extents", np.array(self.extents, "<f8")),
            # One start a string, then the end of the last.
            ("string_starts", np.concatenate(([0], np.cumsum(np.array(self.string_sizes)))).astype("<i8")),
            ("strings", np.frombuffer(self.strings, np.uint8)),
            ("hashes", np.frombuffer(self.hashes, np.uint8)),
            ("unusable", np.frombuffer(unusable, np.uint8)),
            ("needed", np.array(self.needed, "<i4")),
            ("faults", np.frombuffer(faults, np.uint8)),
            (CHECKS, np.array(self.checks, "<u4")),
        )

    def _align(self) -> int:
        self.file.seek(-(-self.file.tell() // ALIGNMENT) * ALIGNMENT)
        return self.file.tell()
