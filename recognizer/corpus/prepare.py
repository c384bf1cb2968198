"""Pack a corpus that a user brings into a store."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.common.plain_data import from_plain
from recognizer.common.processors import in_processes
from recognizer.corpus.alphabet import LOGICAL, Alphabet, TextSettings
from recognizer.corpus.archives import Place, opened
from recognizer.corpus.collections import Document
from recognizer.corpus.ctc_feasibility import EMPTY
from recognizer.corpus.found_source import AskedOfPages, find, find_known, said
from recognizer.corpus.picture_order import DIRECTIONS, MARKED, has_right_to_left, marks_in
from recognizer.corpus.recipes import recipe_names
from recognizer.corpus.sample import Sample
from recognizer.corpus.shards import MOST, refuse_other_form, shard_name
from recognizer.corpus.splits import Say, share_of, with_splits
from recognizer.corpus.store import FILE, Header, Packed, Store, Unusable, write_store
from recognizer.corpus.writing_direction import direction_fault
from recognizer.errors import RecognizerError
from recognizer.inputs.lines.page_line import page_line_digest
from recognizer.inputs.registry import default_signal, kind_named, kind_of, read_signal
from recognizer.inputs.speech.audio import TOO_LONG, seconds
from recognizer.inputs.speech.part import sound_part
from recognizer.pages.page import file_of, page_and_line

SAMPLES_A_WORKER = 200  # fewer are read in the time that it takes to start a process
MOST_NAMES = 3  # of samples in a note; `check` names all
LOST = "text whose order in the picture is that of another text too: a right reading counts as wrong"
ORDER = "text of both writing directions, learned in the order of the picture"
UNREADABLE = "cannot be read"  # the reason where nobody knows a better one
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")  # those that are no white space
Progress = Callable[[int, int], None]  # samples done, samples in all


@dataclass(frozen=True)
class PrepareSettings:
    """How a corpus is packed.

    Args:
        signal: signal settings that differ from the kind's defaults.
        valid_share: share of the groups (or of the files, where none has a group) that become "valid" where the
            source names no split at all; None for SHARE, a number is refused where the source names splits.
        test_share: likewise for "test".
        pages: patterns of the XML files that count in a collection of pages; none takes all.
        rules: name or file of the transcription rules that texts go through, "" for none.
        long: take recordings of any length, those beyond `max_seconds` block by block: to be read, not learned from.
        phones: put the phones of English transcripts in their place, with the token "|" between words.
        shards: files that the corpus is divided into, 0 for one file that is no shard.
        shard: which of them is made, counted from 1; 0 for all.
    """

    signal: dict[str, Any]
    valid_share: float | None = None
    test_share: float | None = None
    pages: tuple[str, ...] = ()
    rules: str = ""
    long: bool = False
    phones: bool = False
    shards: int = 0
    shard: int = 0

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing to learn."""
        shares = [share_of(given) for given in (self.valid_share, self.test_share)]
        if not (min(shares) >= 0 and sum(shares) < 1):  # NaN neither
            raise RecognizerError("valid and test shares are at least 0 and below 1 together")
        if not 0 <= self.shards <= MOST:
            raise RecognizerError(f"--shards is {self.shards}, expected 1 to {MOST}")
        if not 0 <= self.shard <= self.shards:
            raise RecognizerError(f"--shard is {self.shard}, expected a number of 1 to {self.shards} of --shards")


@dataclass(frozen=True)
class Prepared:
    """What was packed.

    Args:
        path: the store, or the folder of its shards.
        splits: samples of each split.
        characters: of the raw transcripts of each split.
        left_out: reason by reason, with counts; the files that could not be used are among them.
        noted: what was kept but deserves a word.
        unusable: each file that could not be used.
        documents: of a collection of pages, what was packed of each.
        card: of a collection of pages, what it says of itself.
    """

    path: Path
    splits: Counter[str]
    characters: Counter[str]
    left_out: Counter[str]
    noted: Counter[str]
    unusable: list[Unusable]
    documents: Sequence[Document] = ()
    card: dict[str, str] = field(default_factory=dict)

    @property
    def bad(self) -> list[str]:
        """A line for each file that could not be used."""
        return [one.line for one in self.unusable]


def prepare(
    name_or_path: str,
    source: Path | None,
    out: Path,
    settings: PrepareSettings,
    say: Say,
    progress: Progress = lambda done, total: None,
    workers: int = 1,
) -> Prepared:
    """Pack a known corpus (its name, with `source`) or a manifest, folder or archive (its path) into `out`.

    Args:
        name_or_path: what to pack.
        source: where a known corpus lies: a folder, or an archive of one.
        out: folder of the store.
        settings: how.
        say: takes lines for people.
        progress: is told how many samples are done, of how many.
        workers: processes that read files; the store does not depend on how many.

    Raises:
        RecognizerError: the source is at fault as a whole, not one of its files can be used, or `out` holds a corpus
            that is divided otherwise.
    """
    known = name_or_path in recipe_names()
    if known and source is None:
        raise RecognizerError(f"{name_or_path}: expected --source with the folder it was unpacked to")
    refuse_other_form(out, settings.shards)
    with opened(source if source and known else Path(name_or_path), out) as place, _telling_of(place):
        asked = AskedOfPages(settings.pages, settings.rules)
        found = find_known(name_or_path, place.folder, asked) if known else find(name_or_path, place.folder, asked)
        if settings.phones:
            found = said(found)
        samples = with_splits(found.samples, {"valid": settings.valid_share, "test": settings.test_share}, say)
        header = _with_signal(found.header, settings, found.left_out)
        header = _with_order(header, samples, found.noted)
        if fault := direction_fault((sample.text for sample in samples), header.signal):
            found.noted[fault] += 1
        _note_empty(header, samples, found.noted)
        path = out if settings.shards else out / FILE
        done = Prepared(
            path,
            Counter(),
            Counter(),
            found.left_out,
            found.noted,
            [],
            _uncounted(found.documents, settings),
            header.card,
        )
        parts = list(_parts(samples, header, settings))
        tell = _telling(progress, sum(len(part.samples) for part in parts))
        written = []
        for part in parts:
            number = min(workers, max(1, len(part.samples) // SAMPLES_A_WORKER))
            made = in_processes(partial(_pack, part.header), part.samples, number)
            if settings.long:
                made = _with_long(part.header, part.samples, made)
            packed = _packed(part.samples, made, done, tell)
            if not settings.shards:
                packed = _not_empty(str(source or name_or_path), packed, done)
            written.append(write_store(out, part.header, place.as_published(packed), part.file_name))
        done.unusable[:] = [one for one in place.as_published(done.unusable) if isinstance(one, Unusable)]
        if settings.shards and not settings.shard:
            refuse_empty_shards(str(source or name_or_path), done, written)
    found.left_out.update(one.reason for one in done.unusable)
    return done


@contextmanager
def _telling_of(place: Place) -> Iterator[None]:
    """Let errors name an archive, and not the folder that it was unpacked to, which does not stay."""
    try:
        yield
    except RecognizerError as error:
        if place.archive is None:
            raise
        raise RecognizerError(str(error).replace(str(place.folder), str(place.archive)), error.reason) from None


def prepared_of(store: Store, noted: Counter[str]) -> Prepared:
    """Return what was packed into a store, as `prepare` would have told it.

    Args:
        store: that was made.
        noted: what was kept but deserves a word, which a store does not hold.
    """
    splits, characters = Counter[str](), Counter[str]()
    for split, text in zip(store.column("split"), store.column("text"), strict=True):
        splits[split] += 1
        characters[split] += len(text)
    left_out, card = Counter(store.header.left_out), store.header.card
    return Prepared(store.path, splits, characters, left_out, noted, store.unusable(), (), card)


def refuse_empty_shards(source: str, done: Prepared, written: Iterable[Path]) -> None:
    """Remove the shards of a corpus of nothing, which is not kept.

    Raises:
        RecognizerError: not one file could be used.
    """
    if not done.splits:
        for path in written:
            path.unlink()
        _refuse_empty(source, done)


def _with_signal(header: Header, settings: PrepareSettings, left_out: Counter[str]) -> Header:
    """Return a header with the signal settings that hold.

    Raises:
        RecognizerError: a setting that this kind has not, or a bad value.
    """
    signal = {**default_signal(header.kind), **settings.signal}
    if unknown := settings.signal.keys() - default_signal(header.kind).keys():
        raise RecognizerError(f"signal.{min(unknown)}: no setting of {header.kind}, there are {', '.join(signal)}")
    kind_named(header.kind).settings(signal)
    return replace(header, signal=signal, left_out=dict(left_out))


def _with_order(header: Header, samples: list[Sample], noted: Counter[str]) -> Header:
    """Return a header by which texts are learned in the order of the picture, where that is another than their own."""
    text = from_plain(TextSettings, header.text, "text")
    direction = str(header.signal.get("direction", ""))
    mixed = text.order == LOGICAL and text.unit == "character" and direction in DIRECTIONS
    texts = [one.text for one in samples if has_right_to_left(one.text) or marks_in(one.text)] if mixed else []
    if not texts or direction_fault((sample.text for sample in samples), header.signal):
        return header
    settings = replace(text, order=direction)
    alphabet = Alphabet((), settings)
    normal = [settings.normalize(one) for one in texts]
    try:
        learned = [alphabet.learned(one) for one in normal]
    except RecognizerError as error:  # learned as before there was another order
        noted[str(error)] += 1
        return header
    other = sum("".join(symbols) != one for symbols, one in zip(learned, normal, strict=True))
    if not other:
        return header
    noted[ORDER] += other
    whole = [(symbols, one) for symbols, one in zip(learned, normal, strict=True) if len(symbols) == len(one)]
    if marked := len(normal) - len(whole):
        noted[f"{MARKED} ({marks_in(''.join(normal))})"] += marked
    if lost := sum("".join(alphabet.spoken(symbols)[1]) != one for symbols, one in whole):
        noted[LOST] += lost
    return replace(header, text=asdict(settings))


def _note_empty(header: Header, samples: list[Sample], noted: Counter[str]) -> None:
    """Note the samples whose text says nothing: whatever is read of them counts as wrong."""
    text = from_plain(TextSettings, header.text, "text")
    empty = [one.origin or str(one.path) for one in samples if not one.fault and not text.normalize(one.text)]
    if empty:
        more = f" and {len(empty) - MOST_NAMES} more" if len(empty) > MOST_NAMES else ""
        noted[f"{EMPTY}, from which nothing can be learned: {', '.join(empty[:MOST_NAMES])}{more}"] += len(empty)


def _uncounted(documents: Sequence[Document], settings: PrepareSettings) -> list[Document]:
    """Return the documents before their lines are packed; what the source left out stands in the first shard alone."""
    first = settings.shard in (0, 1)
    return [replace(one, lines=Counter(), left_out=Counter(one.left_out if first else ())) for one in documents]


@dataclass(frozen=True)
class _Part:
    """What goes into one file: all samples, or those of a shard."""

    samples: list[Sample]
    header: Header
    file_name: str


def _parts(samples: list[Sample], header: Header, settings: PrepareSettings) -> Iterator[_Part]:
    """Yield what goes into each file, in the order of the samples; shards differ in size by one sample at most.

    What the source left out before a sample was looked at is counted in the first shard alone.

    Raises:
        RecognizerError: less samples than shards.
    """
    if not (shards := settings.shards):
        yield _Part(samples, header, FILE)
        return
    if len(samples) < shards:
        raise RecognizerError(f"--shards is {shards}, expected at most {len(samples)}, the number of samples")
    for number in range(1, shards + 1):
        if settings.shard in (0, number):
            own = samples[len(samples) * (number - 1) // shards : len(samples) * number // shards]
            yield _Part(own, header if number == 1 else replace(header, left_out={}), shard_name(number, shards))


def _telling(progress: Progress, total: int) -> Callable[[], None]:
    """Return what tells of one more sample."""
    numbers = count(1)
    return lambda: progress(next(numbers), total)


def _packed(
    samples: list[Sample], made: Iterable[Packed | Unusable], done: Prepared, tell: Callable[[], None]
) -> Iterator[Packed | Unusable]:
    """Yield each sample with its signal or with what is wrong with its file, and count it in `done`."""
    documents = {document.name: document for document in done.documents}
    for sample, one in zip(samples, made, strict=True):
        tell()
        if document := documents.get(sample.group):
            document.take(sample.split, "" if isinstance(one, Packed) else one.reason)
        if isinstance(one, Packed):
            done.splits[sample.split] += 1
            done.characters[sample.split] += len(sample.text)
        else:
            done.unusable.append(one)
        yield one


def _not_empty(source: str, packed: Iterable[Packed | Unusable], done: Prepared) -> Iterator[Packed | Unusable]:
    """Yield what is packed; a corpus of nothing is not written.

    Raises:
        RecognizerError: at the end, where not one file could be used.
    """
    yield from packed
    if not done.splits:
        _refuse_empty(source, done)


def _refuse_empty(source: str, done: Prepared) -> None:
    raise RecognizerError(f"{source}: not one of {len(done.unusable)} files can be used, first {done.bad[0]}")


def _with_long(header: Header, samples: list[Sample], made: Iterable[Packed | Unusable]) -> Iterator[Packed | Unusable]:
    """Yield what was made, and in place of recordings that are too long for one piece, all of them, block by block."""
    for sample, one in zip(samples, made, strict=True):
        too_long = isinstance(one, Unusable) and one.reason == TOO_LONG
        yield _pack_long(header, sample) if too_long else one


def _pack(header: Header, sample: Sample) -> Packed | Unusable:
    """Return a sample with its signal, or what is wrong with its file."""
    if sample.fault:
        return Unusable(str(sample.path), sample.reason or UNREADABLE, sample.fault)
    try:
        _refuse_stray_text(sample)
        _refuse_turned_stretch(sample.path)
        made = read_signal(header.kind, header.signal, sample.path)
        kind = kind_named(header.kind)
        faults = tuple(kind.faults(made.values, kind.settings(header.signal)))
        on_page = page_and_line(sample.path)
        digest = page_line_digest(*on_page) if on_page else _digest(sample.path)
        return Packed(sample, made.values, made.extent, digest, made.notes, faults=faults)
    except RecognizerError as error:
        reason = error.reason or _reason(header.kind, sample.path)
        return Unusable(str(sample.path), reason, f"{sample.origin}: {error}")
    except OSError as error:
        line = f"{sample.origin}: {sample.path}: cannot be read ({error.strerror or error})"
        return Unusable(str(sample.path), _reason(header.kind, sample.path), line)


def _pack_long(header: Header, sample: Sample) -> Packed:
    """Return a recording that is written block by block, and never in memory as a whole."""
    from recognizer.inputs.speech.streaming import file_signal

    settings = kind_named(header.kind).settings(header.signal)
    blocks = file_signal(sample.path, settings)
    digest = hashlib.sha256()
    with open(sample.path, "rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return Packed(sample, np.zeros(0, np.int16), seconds(sample.path), digest.digest(), (), blocks)


def _digest(path: Path) -> bytes:
    """Return a SHA-256 of a file, or of the part of one that a name such as FILE[2] or FILE[1-2.5] speaks of."""
    file = file_of(path)
    digest = hashlib.sha256(file.read_bytes())
    if file != path:
        digest.update(path.name.encode(errors="surrogateescape"))
    return digest.digest()


def _refuse_stray_text(sample: Sample) -> None:
    """Refuse halves of surrogate pairs, which JSON can spell and no file can hold, and control characters.

    Control characters but for white space are no writing, and XML has no place for them.
    """
    try:
        sample.text.encode()
    except UnicodeEncodeError as error:
        code = ord(sample.text[error.start])
        raise RecognizerError(f"half a character, U+{code:04X}, expected Unicode text", "text is not Unicode") from None
    if stray := CONTROL.search(sample.text):
        raise RecognizerError(
            f"the control character U+{ord(stray[0]):04X} in its text, expected what is written", "control character"
        )


def _refuse_turned_stretch(path: Path) -> None:
    """Refuse a stretch of a recording that ends where it begins, or before."""
    part = sound_part(path)
    if part and part.end <= part.start:
        raise RecognizerError(
            f"from {part.start:g} to {part.end:g} s, expected an end behind the start, in seconds", "bad stretch"
        )


def _reason(kind: str, path: Path) -> str:
    """Return the class of a file's fault as far as the file system and its first bytes tell."""
    try:
        if not file_of(path).stat().st_size:
            return "empty file"
        return UNREADABLE if kind_of(path) == kind else "of another kind"
    except FileNotFoundError:
        return "no such file"
    except OSError:
        return UNREADABLE
