"""The XML file of a page to the tree of its elements, which holds all that the file holds."""

import re
from pathlib import Path
from typing import Any

from recognizer.errors import RecognizerError

PLACE = re.compile(r"(, line \d+, column \d+)?$")  # at the end of what lxml says
HINT = re.compile(r"[:,]? *((use|try) (the )?XML_PARSE_HUGE( option)?|see \w+\.)")
LIMITS = {  # of libxml2, by what it says of them: no page comes near to them
    r"Excessive depth|too deep": "elements more than 256 deep in one another",
    r"Resource limit|too big|huge text": "an attribute, text or comment of more than ten million characters",
    r"Name too long": "a name of more than 50,000 characters",
    r"amplification|reference loop": "entities that grow without bounds",
}


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
        raise _broken(path, error) from None
    return root.getroottree()


def stated_image(path: Path) -> str:
    """Return the name of the image that PAGE XML or ALTO states, "" for none; what comes after it is not read.

    Raises:
        RecognizerError: the file cannot be read, or is no XML up to there.
    """
    from lxml import etree

    try:
        for event, element in etree.iterparse(
            str(path), events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=False
        ):
            name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
            if event == "start" and name == "Page" and element.get("imageFilename") is not None:
                return str(element.get("imageFilename"))
            if event == "end" and name == "fileName":
                return (element.text or "").strip()
            if event == "start" and name in ("Layout", "TextRegion", "TextLine"):
                break
    except (etree.XMLSyntaxError, OSError, ValueError, LookupError) as error:
        raise _broken(path, error) from None
    return ""


def _broken(path: Path, error: Exception) -> RecognizerError:
    """Return the fault of XML that lxml refuses, without the hints that it gives to programmers."""
    said = (getattr(error, "msg", None) or str(error)).partition("\n")[0]
    for sign, limit in LIMITS.items():
        if re.search(sign, said):
            reason = f"{limit}{PLACE.findall(said)[0]}: no page needs it, take it out or export the page again"
            return RecognizerError(f"{path}: {reason}; expected PAGE XML or ALTO", "XML beyond all limits")
    reason = HINT.sub("", said.replace("Opening and ending tag mismatch", "mismatched tag"))
    return RecognizerError(f"{path}: {reason}, expected PAGE XML or ALTO", "XML that is broken")
