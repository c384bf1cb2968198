"""Where the image of a page is, given its XML."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote

from recognizer.errors import RecognizerError

IMAGES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".apng", ".pbm", ".pgm",
    ".ppm", ".pnm", ".jp2", ".j2k", ".j2c", ".jpx", ".jpf", ".avif", ".heic", ".heif",
)  # fmt: skip
"""Suffixes of images; what cannot be read of them is named, not passed over."""
OF_IMAGES = re.compile(
    r"(.*[-_. ])?(images?|imgs?|jpe?gs?|jp2s?|tiffs?|tifs?|pngs?|scans?|originals?|facsimiles?)([-_. ].*)?",
    re.I,
)
"""Names of folders of images beside a folder of pages; another folder beside may be another document."""
FRAME = re.compile(r"(.+)\[(\d{1,6})\]")  # an image that holds several pages, and the number of one of them
LEVELS = 3  # folders upwards from the XML in which a folder of images may stand


@dataclass(frozen=True)
class FoundImage:
    """The image of a page.

    Args:
        path: where it is.
        note: what is to be said of it, "" for nothing.
    """

    path: Path
    note: str = ""


def find_image(xml: Path, stated: str) -> FoundImage:
    """Return the image of a page.

    Args:
        xml: the page's file.
        stated: the name of the image in it: a name, a path, an address, with %20 for a space; "" where it names none.
            NAME[2] is the second page of an image that holds several, where no image is called so; so is what is found.

    It is sought by the stated name, then by that name with another suffix (pages are described from TIFF and published
    as JPEG), then by the XML's own stem: beside the XML, in the folder above (Transkribus), at the stated path from
    there (OCR-D), in a folder beside that of the XML (images/ beside page/, as Zenodo has them).

    Raises:
        RecognizerError: it is nowhere, or several are at one place.
    """
    name = PurePosixPath(stated.replace("\\", "/")).name
    for found in _by_stated(xml, stated, name):
        return FoundImage(found)
    if part := FRAME.fullmatch(stated):
        whole = find_image(xml, part[1])
        return FoundImage(whole.path.with_name(f"{whole.path.name}[{part[2]}]"), whole.note)
    for folder in _folders(xml) if name else ():
        if found_there := _of_stem(folder, PurePosixPath(unquote(name)).stem, xml, name):
            return FoundImage(found_there)
    for folder in _folders(xml):
        for stem in _own_stems(xml):
            if found_there := _of_stem(folder, stem, xml, name):
                # A name that begins as the XML's is a variant of it; another one is worth a word.
                alike = not name or normalize("NFC", unquote(name)).startswith(normalize("NFC", stem))
                note = "" if alike else f"its image {name!r} is not there, {found_there.name} of its own name was taken"
                return FoundImage(found_there, note)
    raise RecognizerError(
        f"{xml}: its image {name!r} is neither beside it nor in the folder above, nor in a folder of images beside it",
        "no such image",
    )


def _by_stated(xml: Path, stated: str, name: str) -> Iterator[Path]:
    """Yield the images that are called as the XML says."""
    if not name:
        return
    names = list(dict.fromkeys((name, unquote(name))))
    way = PurePosixPath(unquote(stated.replace("\\", "/")))
    for folder in _folders(xml):
        for one in names:
            if _is_file(folder / one):
                yield folder / one
    if not way.is_absolute() and "://" not in stated and len(way.parts) > 1 and ".." not in way.parts:
        for folder in (xml.parent, *xml.parent.parents[:LEVELS]):
            if _is_file(folder / way):
                yield folder / way
    for folder in _folders(xml):
        for one in names:
            yield from (path for path in _listing(folder) if _plain(path.name) == _plain(one))


def _own_stems(xml: Path) -> list[str]:
    """Return the XML's stem, and what is before each further dot: p.chocomufin.xml is of p.png too."""
    stems, stem = [], xml.stem
    while stem:
        stems.append(stem)
        stem = stem.rpartition(".")[0]
    return stems


def _of_stem(folder: Path, stem: str, xml: Path, name: str) -> Path | None:
    """Return the image of that stem in a folder, None where there is none.

    Raises:
        RecognizerError: there are several.
    """
    there = [folder / f"{stem}{suffix}" for suffix in IMAGES if _is_file(folder / f"{stem}{suffix}")]
    if not there:
        like = _plain(stem)
        listed = (path for path in _listing(folder) if path.suffix.lower() in IMAGES)
        there = [path for path in listed if _plain(path.stem) == like]
    if len(there) > 1:
        raise RecognizerError(
            f"{xml}: its image {name!r} is not there, but "
            f"{' and '.join(path.name for path in there)} are, expected one",
            "no such image",
        )
    return there[0] if there else None


def _folders(xml: Path) -> list[Path]:
    """Return the folders in which the image may stand: of the XML, above it, those of images beside it or above it."""
    found = [xml.parent, xml.parent.parent]
    for folder in (xml.parent, *xml.parent.parents[: LEVELS - 1]):
        below = xml.parent.relative_to(folder)
        beside = [path for path in _listing(folder.parent) if OF_IMAGES.fullmatch(path.name) and path.is_dir()]
        found += [path / below for path in beside if (path / below).is_dir()]
    found += [path for path in _listing(xml.parent) if OF_IMAGES.fullmatch(path.name) and path.is_dir()]
    return list(dict.fromkeys(found))


def _listing(folder: Path) -> list[Path]:
    """Return what is in a folder, sorted; nothing where it may not be read."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _plain(name: str) -> str:
    """Return a name such that spellings of it that look alike are equal: composed or not, in capitals or not."""
    return normalize("NFC", name).casefold()
