"""The XML file of a page to the tree of its elements, which holds all that the file holds."""

from pathlib import Path
from typing import Any

from recognizer.errors import RecognizerError


def parse_xml(path: Path) -> Any:
    """Return the lxml.etree._ElementTree of an XML file, with its comments and processing instructions.

    Nothing outside the file is ever fetched; lxml bounds depth (256) and what entities grow to.

    Raises:
        RecognizerError: the file cannot be read, is empty, or is no XML.
    """
    from lxml import etree

    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror}), expected PAGE XML or ALTO") from None
    if not data.strip():
        raise RecognizerError(f"{path}: the file is empty, expected PAGE XML or ALTO", "empty file")
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities="internal", no_network=True, huge_tree=False))
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        reason = str(error).partition("\n")[0].replace("Opening and ending tag mismatch", "mismatched tag")
        raise RecognizerError(f"{path}: {reason}, expected PAGE XML or ALTO", "XML that is broken") from None
    return root.getroottree()
