"""A corpus that comes as an archive: unpacked for as long as it is read."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.corpus.download import unpack
from recognizer.corpus.store import Packed, Unusable

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Place:
    """Where a corpus is read.

    Args:
        folder: the folder or file to read.
        archive: the archive that it was unpacked from, None where it was none.
    """

    folder: Path
    archive: Path | None = None

    def as_published(self, samples: Iterable[Packed | Unusable]) -> Iterator[Packed | Unusable]:
        """Yield samples under the names that they have in the archive, since what is unpacked does not stay."""
        for one in samples:
            if self.archive is None:
                yield one
            elif isinstance(one, Packed):
                inner = one.sample.path.relative_to(self.folder)
                yield replace(one, sample=replace(one.sample, path=self.archive / inner))
            else:
                here = str(self.folder)
                yield replace(
                    one,
                    name=one.name.replace(here, str(self.archive)),
                    line=one.line.replace(here, str(self.archive)),
                )


def is_archive(path: Path) -> bool:
    """Return whether a file is named as an archive is."""
    return path.is_file() and path.name.lower().endswith(ARCHIVES)


@contextmanager
def opened(path: Path, beside: Path) -> Iterator[Place]:
    """Yield the folder of a corpus; an archive is unpacked beside the store that it becomes, and removed afterwards.

    Raises:
        RecognizerError: the archive is at fault.
    """
    if not is_archive(path):
        yield Place(path)
        return
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=beside) as temporary:
        unpack(path, Path(temporary))
        inside = list(Path(temporary).iterdir())
        # Archives of a repository hold one folder, named by the repository and its commit.
        alone = inside[0] if len(inside) == 1 and inside[0].is_dir() else Path(temporary)
        yield Place(alone, path)
