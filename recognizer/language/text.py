"""Text files as sentences, cut into the units that a language model counts."""

import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
SPECIALS = (UNKNOWN, START, END)
# The space of a character model: ARPA files separate their words by white space, so a space cannot stand for itself.
SPACE = "▁"
UNITS = ("character", "word")
BYTE_ORDER_MARK = "\ufeff"
BLOCK = 1 << 20  # characters of text that are encoded at once
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Line:
    """One sentence and its place.

    Args:
        path: the file.
        number: the line in it, from 1.
        text: the sentence, normalised.
    """

    path: Path
    number: int
    text: str


@dataclass(frozen=True)
class Encoded:
    """Sentences as one stream of word numbers.

    Args:
        tokens: (T,) int32, every sentence between the numbers of <s> and </s>.
        words: the word of every number; the first three are <unk>, <s>, </s>.
        lines: sentences.
        blank: lines that held nothing after normalisation and were left out.
    """

    tokens: npt.NDArray[np.int32]
    words: tuple[str, ...]
    lines: int
    blank: int


def read_lines(path: Path, settings: TextSettings) -> Iterator[Line]:
    """Yield every line of a .txt, .gz or .xz file in UTF-8, normalised; blank ones have the text "".

    A byte order mark before the first line is no part of it.

    Raises:
        RecognizerError: the file cannot be read, or a line is not UTF-8.
    """
    number = 0
    try:
        with _opened(path) as file:
            for number, raw in enumerate(file, 1):
                text = raw.decode("utf-8")
                yield Line(
                    path, number, settings.normalize(text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text)
                )
    except UnicodeDecodeError:
        raise RecognizerError(f"{path}:{number}: not UTF-8, expected a sentence a line in UTF-8") from None
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise RecognizerError(f"{path}: cannot be read ({error}), expected text, .gz or .xz") from error


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return lzma.open(path, "rb") if path.suffix == ".xz" else open(path, "rb")


def split(text: str, unit: str) -> list[str]:
    """Return the tokens of a normalised `text`: its words, or its characters with the space as "▁"."""
    return text.split() if unit == "word" else list(text.replace(" ", SPACE))


def join(tokens: Iterable[str], unit: str) -> str:
    """Return the text that `tokens` spell."""
    return " ".join(tokens) if unit == "word" else "".join(tokens).replace(SPACE, " ")


def refuse_reserved(line: Line, unit: str) -> None:
    """Refuse a sentence that holds a word which the model needs for itself.

    Raises:
        RecognizerError: the line holds "▁" (unit character), or <s>, </s> or <unk> as a word.
    """
    reserved = (SPACE,) if unit == "character" else SPECIALS
    for word in reserved:
        if word in line.text and word in split(line.text, unit):
            raise RecognizerError(f"{line.path}:{line.number}: holds {word}, which the language model keeps for itself")


def encode(paths: Iterable[Path], unit: str, settings: TextSettings, progress: Progress) -> Encoded:
    """Read all `paths` into one stream of numbers, a block of lines at a time.

    Raises:
        RecognizerError: a file is at fault, or all of them hold no sentence.
    """
    encoder = _CharacterEncoder() if unit == "character" else _WordEncoder()
    parts: list[npt.NDArray[np.int32]] = []
    lines = blank = 0
    for path in paths:
        progress(f"reading {path.name}")
        for block in _blocks(read_lines(path, settings), unit):
            full = [text for text in block if text]
            blank += len(block) - len(full)
            lines += len(full)
            parts.append(encoder.encode(full))
    if not lines:
        raise RecognizerError("the text of the language model is empty, expected a sentence a line")
    return Encoded(np.concatenate(parts), tuple(encoder.numbers), lines, blank)


def by_frequency(text: Encoded, most: int = 0, letters: str = "") -> Encoded:
    """Return `text` with its words numbered by how often they occur; all but the `most` commonest become <unk>.

    Frequent words get small numbers, which a compact model stores in less space. 0 keeps every word; of words that
    occur equally often the one that came first goes first. The special words count for nothing in `most`. Where
    `letters` are given, a word that holds another character becomes <unk> too.
    """
    occurrences = np.bincount(text.tokens, minlength=len(text.words))
    ranked = np.argsort(-occurrences[len(SPECIALS) :], kind="stable") + len(SPECIALS)
    if letters:
        ranked = ranked[[set(text.words[i]) <= set(letters) for i in ranked.tolist()]]
    kept = np.concatenate((np.arange(len(SPECIALS)), ranked[: most or len(ranked)]))
    numbers = np.zeros(len(text.words), np.int32)  # <unk> where nothing else is said
    numbers[kept] = np.arange(len(kept))
    return Encoded(numbers[text.tokens], tuple(text.words[i] for i in kept), text.lines, text.blank)


def _blocks(lines: Iterable[Line], unit: str) -> Iterator[list[str]]:
    block: list[str] = []
    size = 0
    for line in lines:
        refuse_reserved(line, unit)
        block.append(line.text)
        size += len(line.text)
        if size >= BLOCK:
            yield block
            block, size = [], 0
    yield block


class _WordEncoder:
    def __init__(self) -> None:
        self.numbers = {word: i for i, word in enumerate(SPECIALS)}

    def encode(self, lines: list[str]) -> npt.NDArray[np.int32]:
        numbers = self.numbers
        out: list[int] = []
        for text in lines:
            out.append(1)
            out += [numbers.setdefault(word, len(numbers)) for word in text.split()]
            out.append(2)
        return np.array(out, np.int32)


class _CharacterEncoder:
    """Code points through a table: Python never sees the single characters."""

    def __init__(self) -> None:
        self.numbers = {word: i for i, word in enumerate(SPECIALS)}
        self.table = np.zeros(0x110000, np.int32)
        # Two code points that no UTF-8 text can hold carry the sentence marks through the table.
        self.table[0xD800], self.table[0xD801] = 1, 2

    def encode(self, lines: list[str]) -> npt.NDArray[np.int32]:
        text = "".join(f"\ud800{line}\ud801" for line in lines).replace(" ", SPACE)
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        for point in np.flatnonzero(np.bincount(points, minlength=1)):
            if not self.table[point]:
                self.table[point] = self.numbers.setdefault(chr(point), len(self.numbers))
        return self.table[points]
