"""Which files of a folder are read, and which only belong to others."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image_file import pages_of
from recognizer.inputs.registry import suffixes
from recognizer.pages.image_lookup import find_image
from recognizer.pages.page import IMAGES, SUFFIX, file_of, mark_of
from recognizer.pages.parse import HEAD, begins_as_xml, form_of, image_of_page

OURS = b"<!-- recognizer "  # before the root of XML that `transcribe` wrote


def readable_files(files: Sequence[Path]) -> list[Path]:
    """Return what can be read of files, in their order; the images of pages are read as pages, not as lines.

    Of an image that holds several pages those are there, as FILE[2], that no XML describes, if one describes another.

    An XML file that is empty, broken or may not be read is there instead of its image, so that it is named, and so is
    what is no XML though it is called so, which may be an image by its content; XML that
    `transcribe` wrote for an image that is there is no page of its own.
    """
    pages = {path for path in files if form_of(path) or is_unreadable_xml(path) or _is_no_xml(path)}
    real = {os.path.realpath(path) for path in files if path.suffix.lower() in IMAGES} if pages else set()
    described: dict[str, set[str]] = {}  # images, with the pages of each that have XML: "[2]", "" for the only one
    for path in pages.copy():
        try:
            page = image_of_page(path) if form_of(path) else find_image(path, "").path
        except RecognizerError:  # reading the page will say what is wrong with it
            continue
        image = os.path.realpath(file_of(page))
        if image in real and _is_ours(path):
            pages.discard(path)
        else:
            described.setdefault(image, set()).add(mark_of(page))
    return [one for path in files for one in ([path] if path in pages else _rest_of(path, described))]


def _rest_of(path: Path, described: Mapping[str, Collection[str]]) -> list[Path]:
    """Return a file that is no page, or of an image of several pages those that no XML describes."""
    if path.suffix.lower() not in suffixes():
        return []
    done = described.get(os.path.realpath(path), ()) if described else ()
    if not done:
        return [path]
    return [one for one in pages_of(path) if one.name.removeprefix(path.name) not in done] if "" not in done else []


def is_unreadable_xml(path: Path) -> bool:
    """Return whether a file is called XML, and is empty or may not be read."""
    if path.suffix.lower() != SUFFIX or not path.is_file():
        return False
    return not path.stat().st_size or not os.access(path, os.R_OK)


def _is_no_xml(path: Path) -> bool:
    """Return whether a file is called XML, and is none from its first character on: an image, say."""
    if path.suffix.lower() != SUFFIX or not path.is_file():
        return False
    with open(path, "rb") as file:
        return not begins_as_xml(file.read(HEAD))


def _is_ours(path: Path) -> bool:
    """Return whether XML was written by `transcribe`, by its name and the comment before its root."""
    if not path.name.endswith((".page.xml", ".alto.xml")):
        return False
    try:
        with open(path, "rb") as file:
            return OURS in file.read(HEAD)
    except OSError:
        return False
