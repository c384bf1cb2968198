"""Read files that a user names."""

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recognizer.decoding.choice import DecoderOptions
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.errors import RecognizerError
from recognizer.reader import Reader
from recognizer.shipped import shipped_models
from recognizer.signals.kinds import MEDIA, NOUNS, kind_of
from recognizer.signals.signal import Signal
from recognizer.writers.record import Record, record

RUN = 64  # files that are read from disk before the network sees them


@dataclass(frozen=True)
class Transcript:
    """What became of one file.

    Args:
        name: of the file as the user gave it, "-" for standard input.
        record: what was read, None where the file is at fault.
        error: why there is no record.
    """

    name: str
    record: Record | None
    error: str = ""


@dataclass(frozen=True)
class Manner:
    """How files are read.

    Args:
        model: a model file or the name of a shipped model; None lets each file's kind pick the shipped one of its name.
        device: "auto", "cpu" or "cuda".
        decoder: what the decoder is asked for.
        say: takes what a user should know of the decoder.
    """

    model: str | None
    device: str
    decoder: DecoderOptions
    say: Callable[[str], None]

    def reader(self, name: str) -> Reader:
        """Load a reader."""
        loaded = Reader.load(name, self.device, self.decoder)
        for note in loaded.decoder.notes:
            self.say(note)
        return loaded


def doubtful(hypothesis: Hypothesis, below: float) -> list[int]:
    """Return the numbers of the words whose confidence is below a limit."""
    return [i for i, word in enumerate(hypothesis.words) if word.confidence < below]


def marked(hypothesis: Hypothesis, below: float) -> str:
    """Return the text with each word whose confidence is below a limit as [word?]."""
    marks = set(doubtful(hypothesis, below))
    words = iter(range(len(hypothesis.words)))
    return re.sub(r"\S+", lambda found: f"[{found[0]}?]" if next(words) in marks else found[0], hypothesis.text)


def transcribe(names: Sequence[str], manner: Manner) -> Iterator[Transcript]:
    """Yield a transcript for each file, in order; a file at fault does not stop the others.

    Args:
        names: files, folders (all images, recordings and InkML files in them), "-" for standard input.
        manner: how they are read.
    """
    readers: dict[str, Reader] = {}
    if manner.model is not None:
        readers["any"] = manner.reader(manner.model)
    sources = list(_sources(names))
    for start in range(0, len(sources), RUN):
        yield from _run(sources[start : start + RUN], readers, manner)


def _run(
    sources: list[tuple[str, Path | BinaryIO]], readers: dict[str, Reader], manner: Manner
) -> Iterator[Transcript]:
    """Yield the transcripts of one run of files, those of one model read in one batch."""
    waiting: dict[str, list[tuple[int, Signal]]] = {}
    done: dict[int, Transcript] = {}
    for i, (name, source) in enumerate(sources):
        try:
            key = "any" if "any" in readers else kind_of(source)
            if key not in readers:
                if key not in shipped_models():
                    raise RecognizerError(f"{name}: {NOUNS[key]}, which no model that is shipped reads, wanted --model")
                readers[key] = manner.reader(key)
            waiting.setdefault(key, []).append((i, readers[key].signal(source, name=name)))
        except RecognizerError as error:
            done[i] = Transcript(name, None, str(error))
    for key, parts in waiting.items():
        hypotheses = readers[key].read([signal for _, signal in parts])
        for (i, signal), hypothesis in zip(parts, hypotheses, strict=True):
            done[i] = Transcript(sources[i][0], record(sources[i][0], hypothesis, signal))
    yield from (done[i] for i in range(len(sources)))


def _sources(names: Sequence[str]) -> Iterator[tuple[str, Path | BinaryIO]]:
    """Yield (name, file) of what the user named, folders opened up.

    Raises:
        RecognizerError: a folder holds nothing that can be read.
    """
    for name in names:
        path = Path(name)
        if name == "-":
            yield name, io.BytesIO(sys.stdin.buffer.read())
        elif path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in MEDIA)
            if not inside:
                raise RecognizerError(f"{name}: no image, no recording, no pen strokes in this folder")
            yield from ((str(p), p) for p in inside)
        else:
            yield name, path
