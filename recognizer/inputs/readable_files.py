"""Which files of a folder are read, and which only belong to others."""

import os
from collections.abc import Sequence
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.inputs.registry import suffixes
from recognizer.pages.image_lookup import find_image
from recognizer.pages.page import IMAGES, SUFFIX, file_of
from recognizer.pages.parse import HEAD, begins_as_xml, form_of, image_of_page

OURS = b"<!-- recognizer "  # before the root of XML that `transcribe` wrote


def readable_files(files: Sequence[Path]) -> list[Path]:
    """Return what can be read of files, in their order; the images of pages are read as pages, not as lines.

    An XML file that is empty, broken or may not be read is there instead of its image, so that it is named, and so is
    what is no XML though it is called so, which may be an image by its content; XML that
    `transcribe` wrote for an image that is there is no page of its own.
    """
    pages = {path for path in files if form_of(path) or is_unreadable_xml(path) or _is_no_xml(path)}
    real = {os.path.realpath(path) for path in files if path.suffix.lower() in IMAGES} if pages else set()
    images: set[str] = set()
    for path in pages.copy():
        try:
            image = os.path.realpath(file_of(image_of_page(path) if form_of(path) else find_image(path, "").path))
        except RecognizerError:  # reading the page will say what is wrong with it
            continue
        if image in real and _is_ours(path):
            pages.discard(path)
        else:
            images.add(image)
    return [
        path
        for path in files
        if path in pages or (path.suffix.lower() in suffixes() and not (images and os.path.realpath(path) in images))
    ]


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
