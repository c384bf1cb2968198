"""Which XML files of a folder count as its pages, where an image has several."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.inputs.folders import list_folder
from recognizer.pages.parse import form_of, image_of_page


def matches(inner: str, patterns: Sequence[str]) -> bool:
    """Return whether a path below a source fits a pattern; one without a slash is of the file's own name."""
    return any(fnmatchcase(inner if "/" in p else inner.rpartition("/")[2], p) for p in patterns)


def unread(path: Path) -> str:
    """Return why nobody can tell what XML says, "" where one can."""
    try:
        return "" if path.stat().st_size and os.access(path, os.R_OK) else "an empty file, or one that may not be read"
    except OSError as error:
        return str(error.strerror or error)


def second_page(source: Path, path: Path, other: Path, image: Path) -> RecognizerError:
    """Return the error of two pages `path` and `other` below `source` that describe one image, with what chooses."""
    pattern, without = _choosing(source, path, other)
    lacking = f" ({without} images have no such page)" if without else ""
    choice = f'name those that count with --pages, such as --pages "{pattern}"{lacking}, or ' if pattern else ""
    return RecognizerError(
        f"{path}: describes {image.name}, as {other} does, expected one page of an image: "
        f"{choice}move one of the two out of the folder"
    )


def _choosing(source: Path, path: Path, other: Path) -> tuple[str, int]:
    """Return a pattern that leaves no image two pages, with how many images it leaves none; "" where none is worth it.

    One that leaves out as many images as it decides is none: it is of these two pages, not of two forms of all.
    """
    of_image: dict[Path, list[str]] = defaultdict(list)
    for page in filter(form_of, list_folder(source).files):
        try:
            of_image[image_of_page(page)].append(page.relative_to(source).as_posix())
        except RecognizerError:  # reading the page says what is wrong with it
            continue
    decided = sum(len(pages) > 1 for pages in of_image.values())
    found: list[tuple[str, int]] = []
    for pattern in _patterns(path.relative_to(source), other.relative_to(source)):
        kept = [sum(matches(page, [pattern]) for page in pages) for pages in of_image.values()]
        if max(kept, default=0) == 1 and kept.count(0) < decided:
            found.append((pattern, kept.count(0)))
    return min(found, key=lambda one: one[1], default=("", 0))


def _patterns(one: Path, other: Path) -> Iterator[str]:
    """Yield patterns by which two files may differ: the folder in which their ways part, an end or a begin of names."""
    longer, shorter = sorted((one, other), key=lambda path: len(path.name), reverse=True)
    for path, against in ((longer, shorter), (shorter, longer)):
        folders, others = path.parts[:-1], against.parts[:-1]
        shared = len(os.path.commonprefix([folders, others]))
        if shared < len(folders):
            yield f"{'*/' if shared else ''}{escape(folders[shared])}/*{path.suffix}"
        if end := _own_end(path.name, against.name):
            yield f"*{escape(end)}"
        if begin := _own_end(path.name[::-1], against.name[::-1])[::-1]:
            yield f"{escape(begin)}*"


def _own_end(name: str, other: str) -> str:
    """Return a name from the last sign between words on to which it is that of another, such as _kraken.xml."""
    shared = len(os.path.commonprefix([name, other]))
    signs = [k for k in range(1, shared + 1) if all(k < len(n) and not n[k].isalnum() for n in (name, other))]
    return name[signs[-1] :] if signs else ""
