"""The elements of an XML file with the places of their bytes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from recognizer.errors import RecognizerError

TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")


@dataclass
class ByteElement:
    """An element and where it stands in its file.

    Args:
        name: with its prefix, as the file writes it.
        attributes: by name, unescaped.
        start: of the start tag, in bytes.
        opened: end of the start tag.
        closed: start of the end tag; `opened` where the tag closes itself.
        end: behind the element.
        children: elements in it, in order.
    """

    name: str
    attributes: dict[str, str]
    start: int
    opened: int
    closed: int = 0
    end: int = 0
    children: "list[ByteElement]" = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The name without prefix."""
        return self.name.rpartition(":")[2]

    @property
    def prefix(self) -> str:
        """The prefix with its colon, or nothing."""
        return self.name[: -len(self.tag)]

    @property
    def closes_itself(self) -> bool:
        """Whether the element has no end tag."""
        return self.end == self.opened

    def iter(self) -> "Iterator[ByteElement]":
        """Yield the element and all below it, in the file's order."""
        yield self
        for child in self.children:
            yield from child.iter()

    def named(self, *tags: str) -> "list[ByteElement]":
        """Return the children of one of these names."""
        return [child for child in self.children if child.tag in tags]


def read_elements(path: Path) -> tuple[bytes, ByteElement]:
    """Return an XML file's bytes, in UTF-8, with its root element.

    Raises:
        RecognizerError: the file cannot be read, or is no XML.
    """
    try:
        data = _in_utf8(path.read_bytes())
        return data, parse_elements(data)
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror}), expected PAGE XML or ALTO") from None
    except (expat.ExpatError, UnicodeDecodeError, LookupError) as error:
        raise RecognizerError(f"{path}: {error}, expected PAGE XML or ALTO", "XML that is broken") from None


def parse_elements(data: bytes) -> ByteElement:
    """Return the root element of XML in UTF-8."""
    parser = expat.ParserCreate("utf-8")
    roots: list[ByteElement] = []
    open_elements: list[ByteElement] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        start = parser.CurrentByteIndex
        found = TAG.match(data, start)
        assert found, "expat has seen a start tag here"
        element = ByteElement(name, attributes, start, found.end())
        (open_elements[-1].children if open_elements else roots).append(element)
        open_elements.append(element)

    def finish(_name: str) -> None:
        element = open_elements.pop()
        element.closed = element.end = element.opened
        if data[element.opened - 2 : element.opened] != b"/>":
            element.closed = parser.CurrentByteIndex
            element.end = data.index(b">", element.closed) + 1

    parser.StartElementHandler, parser.EndElementHandler = begin, finish
    parser.Parse(data, True)
    return roots[0]


def _in_utf8(data: bytes) -> bytes:
    """Return XML of any encoding in UTF-8 without byte order mark, its declaration changed where it named another."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        declared = re.match(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""", data)
        encoding = declared[1].decode() if declared else "utf-8"
    if encoding.casefold() in ("utf-8", "utf8", "us-ascii", "ascii"):
        return data.removeprefix(b"\xef\xbb\xbf")
    text = data.decode(encoding)
    return re.sub(r"""(<\?xml[^>]*?encoding\s*=\s*["'])[\w.:-]+""", r"\g<1>UTF-8", text, count=1).encode()
