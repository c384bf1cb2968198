"""Samples that a measurement leaves out by name: pictures cut at wrong places, recordings of something else."""

from dataclasses import dataclass
from pathlib import Path, PurePath

from recognizer.corpus.manifest import read_lines
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.evaluation.names import unescaped

COMMENT = "#"
Owners = dict[str, list[tuple[PurePath, int]]]  # name of a file -> the samples of that name


@dataclass(frozen=True)
class Exclusions:
    """What a list took from a split.

    Args:
        by: path of the list; empty for none.
        samples: how many it took.
    """

    by: str = ""
    samples: int = 0


def exclude(store: Store, indices: list[int], path: Path | None) -> tuple[list[int], Exclusions]:
    """Return the samples of a split that a list does not name.

    Args:
        store: the corpus.
        indices: of the split's samples.
        path: a list with the name of a sample's file a line, alone or after the last parts of its path, as it is or as
            `evaluate --out` writes it; what follows a "#" at the start of a line is a remark. None leaves all in.
            Names of other splits may stand there.

    Raises:
        RecognizerError: the list cannot be read, names a sample that the corpus lacks, or names none or all of
            the split.
    """
    if path is None:
        return indices, Exclusions()
    owners: Owners = {}
    for index in range(len(store)):
        owner = store.sample(index).path
        owners.setdefault(owner.name, []).append((owner, index))
    named: set[int] = set()
    for number, line in read_lines(path):
        name = line.strip()
        if not name or name.startswith(COMMENT):
            continue
        found = next(filter(None, (_called(one, owners) for one in (line, name, unescaped(name)))), [])
        if not found:
            raise RecognizerError(f"{path}:{number}: no sample of {store.header.name} is called {name!r}")
        named.update(found)
    kept = [index for index in indices if index not in named]
    if len(kept) == len(indices) or not kept:
        which = "all samples" if not kept else "no sample"
        raise RecognizerError(f"{path}: names {which} of the split, expected some of its {len(indices)}")
    return kept, Exclusions(str(path), len(indices) - len(kept))


def _called(name: str, owners: Owners) -> list[int]:
    """Return the samples whose path ends with a name."""
    wanted = PurePath(name).parts
    return [
        index for path, index in owners.get(wanted[-1] if wanted else "", []) if path.parts[-len(wanted) :] == wanted
    ]
