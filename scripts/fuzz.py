"""Damages files of every format that is read, and says what becomes of it.

    python scripts/fuzz.py [FORMAT ...] [--number 10000] [--seed 1] [--keep DIR]

Each mutation of a good file must be read or refused in one line (`RecognizerError`). What else can happen is counted
and shown: a traceback, a reading that takes longer than it may, and, of a format with checksums, another content that
was read in silence. `--keep` writes the files that led to these. The table of formats is in fuzz_formats.py.
"""

import argparse
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import DONE, FOUND, run_and_exit  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402

SECONDS = 20.0  # of the processor that a damaged file may take
WAITING = 20  # times as long on the clock: what takes longer waits for something that does not come
SHOWN = 5  # findings of a kind
EXTREMES = (b"-1", b"0", b"1e999", b"nan", b"2147483648", b"18446744073709551616", b"9" * 400, b"1e-400", b"", b"-0.5")
DEEP = 3000  # brackets in one another

Mutation = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Format:
    """A format that is read.

    Args:
        name: of it.
        suffix: of its files.
        examples: writes good files into a folder and returns their bytes.
        read: reads a file and returns its content in a form that can be compared.
        sealed: whether checksums tell that a file is another one.
        special: mutations that know the format, beside those of bytes.
        text: whether it is text, whose numbers and brackets are worth a mutation.
    """

    name: str
    suffix: str
    examples: Callable[[Path], list[bytes]]
    read: Callable[[Path], object]
    sealed: bool = False
    special: tuple[Mutation, ...] = ()
    text: bool = False


@dataclass
class Findings:
    """What became of the mutations of a format.

    Args:
        counts: by what became of them.
        bad: each that is no reading and no refusal: what it was, the bytes.
        refusals: how messages begin, to see that they differ.
    """

    counts: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[str, bytes]] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: str, data: bytes) -> None:
        """Count an outcome; keep what it should not be."""
        kind = outcome.partition(":")[0]
        self.counts[kind] += 1
        if kind not in ("read", "refused"):
            self.bad.append((outcome, data))


def fuzz(one: Format, number: int, seed: int) -> Findings:
    """Read `number` mutations of a format's good files; the same seed gives the same mutations."""
    chance, findings = random.Random(f"{one.name} {seed}"), Findings()
    with tempfile.TemporaryDirectory() as folder:
        goods = one.examples(Path(folder))
        path = Path(folder) / f"damaged{one.suffix}"
        contents = []
        for good in goods:
            path.write_bytes(good)
            contents.append(one.read(path))
        for _ in range(number):
            which = chance.randrange(len(goods))
            data = mutated(goods[which], goods, one, chance)
            path.write_bytes(data)
            findings.add(outcome(one, path, contents[which], data == goods[which]), data)
    return findings


def outcome(one: Format, path: Path, content: object, same: bool) -> str:
    """Return "read", "refused", or what is wrong with what a file led to."""
    start = time.process_time()
    try:
        with _at_most(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = one.read(path)
    except RecognizerError as error:
        if "\n" in str(error) or not str(error):
            return f"not one line: {error}"
        return "refused"
    except TimeoutError:
        return f"hang: more than {SECONDS:g} s"
    except (Exception, RecursionError) as error:
        place = [frame for frame in traceback.extract_tb(error.__traceback__) if "recognizer" in frame.filename]
        where = f"{Path(place[-1].filename).name}:{place[-1].lineno}" if place else "?"
        return f"traceback: {type(error).__name__} at {where}: {str(error)[:120]}"
    if time.process_time() - start > SECONDS:
        return f"hang: more than {SECONDS:g} s"
    if one.sealed and not same and found != content:
        return "silent: another content was read"
    return "read"


def mutated(good: bytes, goods: list[bytes], one: Format, chance: random.Random) -> bytes:
    """Return a good file with one to three mutations."""
    data = good
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        choices: list[Mutation] = [*BYTES, *(TEXTS if one.text else ()), *one.special * 3]
        if chance.random() < 0.05:
            data = spliced(data, chance.choice(goods), chance)
        else:
            data = chance.choice(choices)(data, chance)
    return data


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Flip some bits."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 64)) if data else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    """Leave out the end."""
    return data[: chance.randrange(len(data) + 1)]


def without_part(data: bytes, chance: random.Random) -> bytes:
    """Leave out a part in the middle."""
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + chance.choice((1, 4, 64, 1000)) :]


def doubled(data: bytes, chance: random.Random) -> bytes:
    """Repeat a part."""
    start = chance.randrange(len(data) + 1)
    part = data[start : start + chance.choice((1, 8, 200))]
    return data[:start] + part * chance.choice((2, 2, 50)) + data[start:]


def strewn(data: bytes, chance: random.Random) -> bytes:
    """Put bytes of chance, or of one value, over a part or between two."""
    start, size = chance.randrange(len(data) + 1), chance.choice((1, 4, 16, 256))
    new = chance.choice((chance.randbytes(size), b"\0" * size, b"\xff" * size))
    return data[:start] + new + data[start + chance.choice((0, size)) :]


def other_number(data: bytes, chance: random.Random) -> bytes:
    """Put an extreme in the place of a number in a text."""
    places = list(re.finditer(rb"-?\d+(?:\.\d+)?", data[:200_000]))
    if not places:
        return data
    found = chance.choice(places)
    return data[: found.start()] + chance.choice(EXTREMES) + data[found.end() :]


def other_word(data: bytes, chance: random.Random) -> bytes:
    """Put a word of the text, or a strange one, in the place of another."""
    places = list(re.finditer(rb"\w+", data[:200_000]))
    if not places:
        return data
    found, strange = chance.choice(places), (b"null", b"true", b"[]", b"{}", "œ\u200b".encode(), b"\xff\xfe", b"\x00")
    new = chance.choice((chance.choice(places)[0], *strange))
    return data[: found.start()] + new + data[found.end() :]


def nested(data: bytes, chance: random.Random) -> bytes:
    """Put brackets in one another where a text has any place for them."""
    start = chance.randrange(len(data) + 1)
    opened, closed = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"- ", b"")))
    return data[:start] + opened * DEEP + closed * DEEP + data[start:]


def other_lines(data: bytes, chance: random.Random) -> bytes:
    """Swap, repeat or leave out a line."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    i, j = chance.randrange(len(lines)), chance.randrange(len(lines))
    action = chance.randrange(3)
    if action == 0:
        lines[i], lines[j] = lines[j], lines[i]
    elif action == 1:
        lines.insert(i, lines[j])
    else:
        del lines[i]
    return b"".join(lines)


BYTES: tuple[Mutation, ...] = (flipped, flipped, cut, without_part, doubled, strewn)
TEXTS: tuple[Mutation, ...] = (other_number, other_number, other_word, other_word, nested, other_lines)


def spliced(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return the beginning of one file with the end of another."""
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError where a block takes so much of the processor, or waits WAITING times as long.

    The clock on the wall alone would call slow what other programs keep waiting.
    """

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    if not hasattr(signal, "setitimer"):
        yield
        return
    timers = (signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, WAITING * seconds)
    before = [signal.signal(number, late) for _, number, _ in timers]
    for timer, _, most in timers:
        signal.setitimer(timer, most)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def main() -> int:
    """Fuzz the formats that the command line names."""
    from fuzz_formats import FORMATS

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(FORMATS)} (default all)")
    parser.add_argument("--number", type=int, default=10_000, help="mutations of each (default 10000)")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default 1)")
    parser.add_argument("--keep", type=Path, help="folder for the files that led to something wrong")
    chosen = parser.parse_args()
    if strange := set(chosen.formats) - FORMATS.keys():
        raise RecognizerError(f"{min(strange)}: no format of the table, expected some of {', '.join(FORMATS)}")
    wrong = 0
    for name in chosen.formats or FORMATS:
        start = time.monotonic()
        found = fuzz(FORMATS[name], chosen.number, chosen.seed)
        wrong += len(found.bad)
        counted = ", ".join(f"{kind} {number}" for kind, number in found.counts.most_common())
        print(f"{name}: {counted} ({time.monotonic() - start:.0f} s)", flush=True)
        for said, number in Counter(said for said, _ in found.bad).most_common(SHOWN):
            print(f"  {number} x {said}", flush=True)
        if chosen.keep:
            chosen.keep.mkdir(parents=True, exist_ok=True)
            for i, (_, data) in enumerate(found.bad):
                (chosen.keep / f"{name.replace(' ', '-')}-{i}{FORMATS[name].suffix}").write_bytes(data)
    return FOUND if wrong else DONE


if __name__ == "__main__":
    run_and_exit("fuzz", main)
