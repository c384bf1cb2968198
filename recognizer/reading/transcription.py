"""Read files that a user names."""

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from recognizer.common.processors import Division
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.formats.result import Result, make_result
from recognizer.inputs.folders import list_folder
from recognizer.inputs.readable_files import readable_files
from recognizer.inputs.registry import kind_named
from recognizer.pages.page import Page
from recognizer.pretrained import pretrained_models
from recognizer.reading.found_lines import left_out, writing_of
from recognizer.reading.long_recordings import LongRecording
from recognizer.reading.opening import FileOpener, OpenedFile
from recognizer.reading.reader import Reader

CONVERT = "expected it as PNG or TIFF, or as FLAC or WAV"
FIRST, RUN = 4, 64  # files, or lines of pages, that are read together: few at first, that the first texts come soon


@dataclass(frozen=True)
class Transcript:
    """What became of one file.

    Args:
        name: of the file as the user gave it, "-" for standard input.
        records: what was read: of a page a record for each line that can be read, of any other file one.
        errors: what is at fault, one line each: the file, or lines of the page.
        page: the page that the file describes, None where it is no page.
        long: a recording that is read piece by piece while its records are asked for, None for all else.
    """

    name: str
    records: tuple[Result, ...]
    errors: tuple[str, ...] = ()
    page: Page | None = None
    long: LongRecording | None = None


@dataclass(frozen=True)
class TranscribeOptions:
    """How files are read.

    Args:
        model: a model file or the name of a shipped model; None lets each file's kind pick the shipped one of its name.
        device: "auto", "cpu" or "cuda".
        decoder: what the decoder is asked for.
        say: takes what a user should know of the decoder, and of lines that were found.
        find_lines: take every image for a page whose lines are to be found; else only one that looks like a page.
        all_lines: keep what was found as a line though nothing that is read of it is believed.
        channel: of recordings, from 1 on; 0 for the mean of all.
        heard: takes how many seconds of a long recording are read, of how many.
        progress: takes how many files are read, and how many there are.
        division: how many batches are read at once; None fills the processors that may be used.
        precision: what the network is computed in: "float32", "bf16" or "auto".
        readers: models that are loaded already, by kind, or "any"; what is loaded is kept there.
    """

    model: str | None
    device: str
    decoder: DecoderOptions
    say: Callable[[str], None]
    find_lines: bool = False
    all_lines: bool = False
    channel: int = 0
    heard: Callable[[int, int], None] = lambda done, total: None
    progress: Callable[[int, int], None] = lambda done, total: None
    division: Division | None = None
    precision: str = "float32"
    readers: dict[str, Reader] = field(default_factory=dict)

    def reader(self, name: str) -> Reader:
        """Load a reader."""
        loaded = Reader.load(name, self.device, self.decoder, self.division, self.precision)
        for note in loaded.decoder.notes:
            self.say(note)
        return loaded

    def reader_of(self, name: str, kind: str) -> tuple[str, Reader]:
        """Return the reader of a file's kind and by what name it is kept, loaded the first time that it is asked for.

        Raises:
            RecognizerError: no shipped model reads the kind.
        """
        key = "any" if "any" in self.readers else kind
        if key not in self.readers:
            if key not in pretrained_models():
                raise RecognizerError(f"{name}: {kind_named(key).noun}, which no shipped model reads, expected --model")
            self.readers[key] = self.reader(key)
        return key, self.readers[key]


def doubtful(hypothesis: Hypothesis, below: float) -> list[int]:
    """Return the numbers of the words whose confidence is below a limit."""
    return [i for i, word in enumerate(hypothesis.words) if word.confidence < below]


def marked(hypothesis: Hypothesis, below: float) -> str:
    """Return the text with each word whose confidence is below a limit as [word?]."""
    marks = set(doubtful(hypothesis, below))
    words = iter(range(len(hypothesis.words)))
    return re.sub(r"\S+", lambda found: f"[{found[0]}?]" if next(words) in marks else found[0], hypothesis.text)


def transcribe(names: Sequence[str], manner: TranscribeOptions) -> Iterator[Transcript]:
    """Yield a transcript for each file, in order; a file at fault does not stop the others.

    Args:
        names: files, folders (all pages, images, recordings and InkML files in them), "-" for standard input; a page
            is PAGE XML or ALTO, FILE#ID one of its lines.
        manner: how they are read.
    """
    if manner.model is not None and "any" not in manner.readers:
        manner.readers["any"] = manner.reader(manner.model)
    waiting: list[OpenedFile] = []
    together = FIRST
    sources = list(sources_of(names))  # what cannot be opened up ends the call before anything is read
    opener = FileOpener(
        manner.reader_of, manner.say, find_lines=manner.find_lines, channel=manner.channel, heard=manner.heard
    )
    for number, (name, source) in enumerate(sources):
        manner.progress(number - len(waiting), len(sources))
        for one in opener.open(name, source) if not isinstance(source, str) else [OpenedFile(name, errors=(source,))]:
            waiting.append(one)
            if one.long or sum(len(other.parts) for other in waiting) >= together:
                yield from _read(waiting, manner)
                waiting, together = [], together if one.long else min(RUN, 2 * together)
    yield from _read(waiting, manner)
    manner.progress(len(sources), len(sources))
    if not opener.images:
        for option in ["--find-lines"] * manner.find_lines + ["--all-lines"] * manner.all_lines:
            manner.say(f"{option} had no effect: no image without XML is among what was read")


def _read(opened: list[OpenedFile], manner: TranscribeOptions) -> Iterator[Transcript]:
    """Yield the transcripts of some files; signals of one model are read in one batch."""
    readers = manner.readers
    parts = [part for one in opened for part in one.parts]
    results: dict[int, Result] = {}
    for key in dict.fromkeys(part.key for part in parts):
        own = [part for part in parts if part.key == key]
        used = readers[key].describe()
        for part, hypothesis in zip(own, readers[key].read([part.signal for part in own]), strict=True):
            results[id(part)] = make_result(part.name, hypothesis, part.signal, used)
    for one in opened:
        made = Transcript(one.name, tuple(results[id(part)] for part in one.parts), one.errors, one.page, one.long)
        yield _written(made, manner.say) if one.found and not manner.all_lines else made


def _written(found: Transcript, say: Callable[[str], None]) -> Transcript:
    """Return the transcript of a page whose lines were found without those that are no writing, and say so."""
    assert found.page is not None
    try:
        kept = writing_of(found.name, [record.hypothesis for record in found.records])
    except RecognizerError as error:
        return replace(found, records=(), errors=(*found.errors, f"{error}, or --all-lines"))
    if out := len(found.records) - len(kept):
        say(f"{found.name}: {left_out(out)} (--all-lines has all)")
    page = replace(found.page, lines=tuple(found.page.lines[i] for i in kept))
    return replace(found, records=tuple(found.records[i] for i in kept), page=page)


def sources_of(names: Sequence[str]) -> Iterator[tuple[str, Path | BinaryIO | str]]:
    """Yield (name, file, or what is wrong with it) of what the user named, folders opened up.

    Raises:
        RecognizerError: a folder holds nothing that can be read.
    """
    for name in names:
        path = Path(name)
        if name == "-":
            yield name, io.BytesIO(sys.stdin.buffer.read())
        elif path.is_dir():
            listing = list_folder(path)
            inside = readable_files(listing.files)
            if not inside and not listing.faults and not listing.foreign:
                raise RecognizerError(f"{name}: no page, no image, no recording, no pen strokes in this folder")
            yield from ((str(p), p) for p in inside)
            yield from ((str(p), fault) for p, fault in listing.faults)
            yield from ((str(p), f"{p}: {p.suffix[1:].upper()} is not read, {CONVERT}") for p in listing.foreign)
        else:
            yield name, path
