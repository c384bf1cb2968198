"""A page's XML to the page, whichever form it has."""

import functools
import re
from pathlib import Path
from typing import BinaryIO

from recognizer.errors import RecognizerError
from recognizer.pages.alto import alto_page
from recognizer.pages.image_lookup import find_image
from recognizer.pages.page import SUFFIX, Page
from recognizer.pages.page_xml import pcgts_page
from recognizer.pages.stray_outlines import with_believable_outlines
from recognizer.pages.xml import plain_tag
from recognizer.pages.xml_tree import parse_xml, stated_image

MAX_BYTES = 50_000_000  # of an XML file
HEAD = 4096  # bytes that tell what a file is: the first element of an XML file mostly begins in them
LONG_HEAD = 1_000_000  # more bytes of an XML file in which it is sought
MARKUP = b"<"  # with which XML begins
FIRST_ELEMENT = re.compile(rb"<([A-Za-z_][^\s/>]*)")
FORMS = {"PcGts": pcgts_page, "alto": alto_page}


def form_of(path: Path) -> str:
    """Return "PcGts" (PAGE XML) or "alto" by the first element of a file, "" for any other file."""
    if path.suffix.lower() != SUFFIX or not path.is_file():
        return ""
    try:
        with open(path, "rb") as file:
            return form_of_head(read_head(file, path))
    except OSError:
        return ""


def read_head(file: BinaryIO, path: Path) -> bytes:
    """Return the first bytes of an open file, which tell what it is; of XML up to its first element."""
    head = file.read(HEAD)
    if path.suffix.lower() == SUFFIX and not FIRST_ELEMENT.search(_without_comments(head)):
        head += file.read(LONG_HEAD)  # a licence or a history in a comment before the root
    return head


def image_of_page(path: Path) -> Path:
    """Return where the image of a page is, reading no more of its XML than says so.

    Raises:
        RecognizerError: it is nowhere, or several are, or the XML is broken before it names one.
    """
    return find_image(path, stated_image(path)).path


def form_of_head(head: bytes) -> str:
    """Return "PcGts" or "alto" by the first bytes of a file, "" for any other file."""
    head = plain_head(head)
    if not head.startswith(MARKUP):
        return ""
    found = FIRST_ELEMENT.search(_without_comments(head))
    name = found[1].rpartition(b":")[2].decode("ascii", "ignore") if found else ""
    return name if name in FORMS else ""


def begins_as_xml(head: bytes) -> bool:
    """Return whether the first bytes of a file may be those of XML."""
    return plain_head(head).startswith(MARKUP)


def plain_head(head: bytes) -> bytes:
    """Return first bytes in an encoding like ASCII, without byte order mark and white space before them."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _without_comments(head: bytes) -> bytes:
    return re.sub(rb"<!--.*?(?:-->|$)", b"", head, flags=re.DOTALL)


def read_page(path: Path) -> Page:
    """Read PAGE XML of any year, or ALTO of 2 to 4.

    Raises:
        RecognizerError: no such file, no XML, XML of another kind, XML that is nested too deeply.
    """
    if not path.is_file():
        raise RecognizerError(f"{path}: no such file", "no such file")
    return _read(path, path.stat().st_mtime_ns, path.stat().st_size)


@functools.lru_cache(maxsize=8)
def _read(path: Path, _changed: int, size: int) -> Page:
    if size > MAX_BYTES:
        raise RecognizerError(f"{path}: {size} bytes, expected a page of at most {MAX_BYTES:,}", "too large")
    tree = parse_xml(path)
    root, alive = tree.getroot(), list(tree.iter())
    if plain_tag(root) not in FORMS:
        raise RecognizerError(
            f"{path}: XML of <{plain_tag(root)}>, expected PAGE XML (<PcGts>) or ALTO (<alto>)", "XML of another kind"
        )
    page = with_believable_outlines(FORMS[plain_tag(root)](root, path))
    del alive  # lxml makes its elements anew where nobody holds them, and the readers tell them apart by identity
    return page
