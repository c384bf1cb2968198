"""Pack splits of several prepared corpora together, as one split of one, to measure a model on all of them at once.

    python scripts/pool_splits.py data/cremma-18:test data/lectaurep-repertoires:test:5 --out data/unseen

A part is CORPUS:SPLIT, or CORPUS:SPLIT:N for each Nth page of it alone, in the order of their names. Groups get the
corpus's name in front, so that intervals draw the documents of all; signals are taken as they were packed, so the
corpora must have been prepared with the same settings.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from recognizer.commands.exit_codes import run_and_exit
from recognizer.corpus.shards import open_store
from recognizer.corpus.store import Header, Packed, Store, write_store
from recognizer.errors import RecognizerError
from recognizer.pages.page import file_of


@dataclass(frozen=True)
class Part:
    """A split of a prepared corpus, or each `every`th page of it."""

    store: Store
    split: str
    every: int

    @cached_property
    def indices(self) -> list[int]:
        """The samples that are taken, in the corpus's order."""
        paths = self.store.column("path")
        pages = {i: str(file_of(Path(paths[i]))) for i in self.store.indices(self.split)}
        taken = set(sorted(set(pages.values()))[:: self.every])
        return [i for i, page in pages.items() if page in taken]

    def samples(self, split: str) -> Iterator[Packed]:
        """Yield the samples as they were packed, in another split."""
        extents = self.store.extents
        for i in self.indices:
            sample, name = self.store.sample(i), self.store.header.name
            moved = replace(sample, split=split, group=f"{name}/{sample.group}" if sample.group else "")
            digest = bytes.fromhex(self.store.digest(i))
            yield Packed(moved, np.array(self.store.signal(i)), float(extents[i]), digest, self.store.notes(i))


def main() -> None:
    """Write the corpus, and say what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", metavar="CORPUS:SPLIT[:N]")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="test", help="that all parts become (default test)")
    chosen = parser.parse_args()
    parts = [part_of(text) for text in chosen.parts]
    samples = (sample for part in parts for sample in part.samples(chosen.split))
    path = write_store(chosen.out, header_of(parts, chosen.out.name), samples)
    for part in parts:
        print(f"{part.store.header.name}, {part.split}: {len(part.indices)} samples")
    print(path)


def part_of(text: str) -> Part:
    """Return the part that CORPUS:SPLIT[:N] names.

    Raises:
        RecognizerError: it has another form, or names nothing.
    """
    found = re.fullmatch(r"([^:]+):([^:]+)(?::([1-9]\d*))?", text)
    if not found:
        raise RecognizerError(f"{text}: expected CORPUS:SPLIT or CORPUS:SPLIT:N, N a whole number from 1 on")
    return Part(open_store(Path(found[1])), found[2], int(found[3] or 1))


def header_of(parts: list[Part], name: str) -> Header:
    """Return what the corpus says of itself.

    Raises:
        RecognizerError: signals or texts were made in different ways.
    """
    first = parts[0].store.header
    for part in parts[1:]:
        other = part.store.header
        for what in ("kind", "signal", "text"):
            if getattr(other, what) != getattr(first, what):
                raise RecognizerError(
                    f"{other.name}: {what} {getattr(other, what)}, expected {getattr(first, what)} as of {first.name}: "
                    "prepare both alike"
                )
    licences = dict.fromkeys(part.store.header.licence for part in parts if part.store.header.licence)
    rules = dict.fromkeys(part.store.header.rules for part in parts if part.store.header.rules)
    return Header(name, first.kind, first.signal, first.text, {}, "; ".join(licences), rules="; ".join(rules))


if __name__ == "__main__":
    run_and_exit("pool_splits", main)
