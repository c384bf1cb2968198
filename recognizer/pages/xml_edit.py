"""Edits of the lines of a page's XML that leave every other byte as it was.

For corrections that a person made in the browser: of a file under version control the lines that were corrected change,
nothing else, neither the order of attributes nor the indentation. `recognizer.formats.page_update` puts the readings of
a whole page into its XML by way of a tree, since there every line is written anew.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from recognizer.errors import RecognizerError
from recognizer.pages.page import Points
from recognizer.pages.xml import own_names
from recognizer.pages.xml_elements import ByteElement, parse_elements, read_elements

LINE = "TextLine"
PAGE_TEXT, ALTO_TEXT = ("Word", "TextEquiv"), ("String", "SP", "HYP")  # what a line's text is written in
PAGE_BEFORE_TEXT = ("AlternativeImage", "Coords", "Baseline")  # what the schema puts before it
OFFSETS = re.compile(r"offset\s*:\s*\d")  # of Transkribus's tags: they speak of characters of the text that was
INDENT = "   "


@dataclass(frozen=True)
class EditedWord:
    """A word of a line.

    Args:
        text: of the word.
        outline: around it, in pixels of the page.
        confidence: in [0, 1], None where a person wrote it.
    """

    text: str
    outline: Points
    confidence: float | None = None


@dataclass(frozen=True)
class EditedLine:
    """A line as it is to be.

    Args:
        id: its name; one that the file does not have makes a new line.
        text: what it says; None leaves what stands there.
        outline: around it; () leaves it as it is.
        baseline: likewise.
        words: of the text, where their places are known.
        confidence: of the text, None where a person wrote or accepted it.
    """

    id: str
    text: str | None = None
    outline: Points = ()
    baseline: Points = ()
    words: tuple[EditedWord, ...] = ()
    confidence: float | None = None


def edit_lines(path: Path, lines: Sequence[EditedLine]) -> bytes:
    """Return PAGE XML or ALTO with exactly these lines, in this order as far as its regions allow.

    A line that is not named goes, a new one is put beside the line before it; regions, their order, comments, white
    space and all else stay to the byte.

    Raises:
        RecognizerError: the file is no page, or a new line has no outline.
    """
    data, root = read_elements(path)
    if root.tag not in ("PcGts", "alto"):
        raise RecognizerError(f"{path}: XML of <{root.tag}>, expected PAGE XML (<PcGts>) or ALTO (<alto>)")
    form = _Page() if root.tag == "PcGts" else _Alto()
    edits = _Edits(data)
    named = _lines_by_id(root, form)
    homes = _homes(root, named, lines, path)
    for home, members in homes:
        _arrange(edits, home, [(line, named.get(line.id)) for line in members], form)
    done = edits.apply()
    return _renew(done) if done != data and form.page else done


class _Edits:
    """Replacements of stretches of bytes that do not overlap."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.made: list[tuple[int, int, bytes]] = []

    def replace(self, start: int, end: int, new: str | bytes) -> None:
        """Put `new` in the place of the bytes from start to end, where it differs."""
        new = new.encode() if isinstance(new, str) else new
        if self.data[start:end] != new:
            self.made.append((start, end, new))

    def apply(self) -> bytes:
        """Return the bytes with all replacements."""
        data = self.data
        for start, end, new in sorted(self.made, key=lambda edit: edit[:2], reverse=True):
            data = data[:start] + new + data[end:]
        return data


@dataclass(frozen=True)
class _Form:
    """What the two forms of a page write differently."""

    page: bool
    id: str
    text: tuple[str, ...]
    before: tuple[str, ...]
    homes: tuple[str, ...]

    def tag(self, element: ByteElement, line: EditedLine) -> dict[str, str]:
        """Return the attributes of a line's element."""
        raise NotImplementedError

    def shape(self, line: EditedLine, prefix: str, indent: str) -> list[str]:
        """Return the elements of a line's place."""
        raise NotImplementedError

    def said(self, line: EditedLine, prefix: str, indent: str) -> list[str]:
        """Return the elements of a line's text."""
        raise NotImplementedError


class _Page(_Form):
    def __init__(self) -> None:
        super().__init__(True, "id", PAGE_TEXT, PAGE_BEFORE_TEXT, ("TextRegion", "TableCell"))

    def tag(self, element: ByteElement, line: EditedLine) -> dict[str, str]:
        made = dict(element.attributes)
        if line.text is not None and "custom" in made:
            kept = [part for part in re.findall(r"[^{}]*\{[^}]*\}", made["custom"]) if not OFFSETS.search(part)]
            made["custom"] = "".join(kept).strip()
        return made

    def shape(self, line: EditedLine, prefix: str, indent: str) -> list[str]:
        parts = [f'<{prefix}Coords points="{_pairs(line.outline)}"/>'] if line.outline else []
        return parts + ([f'<{prefix}Baseline points="{_pairs(line.baseline)}"/>'] if line.baseline else [])

    def said(self, line: EditedLine, prefix: str, indent: str) -> list[str]:
        parts = []
        for number, word in enumerate(line.words, 1):
            inner = f"\n{indent}{INDENT}"
            parts.append(
                f"<{prefix}Word id={quoteattr(f'{line.id}_word_{number}')}>"
                f'{inner}<{prefix}Coords points="{_pairs(word.outline)}"/>'
                f"{inner}{self._text(word.text, word.confidence, prefix)}\n{indent}</{prefix}Word>"
            )
        return [*parts, self._text(line.text or "", line.confidence, prefix)]

    def _text(self, text: str, confidence: float | None, prefix: str) -> str:
        conf = "" if confidence is None else f' conf="{confidence:.3f}"'
        return f"<{prefix}TextEquiv{conf}><{prefix}Unicode>{escape(text)}</{prefix}Unicode></{prefix}TextEquiv>"


class _Alto(_Form):
    def __init__(self) -> None:
        super().__init__(False, "ID", ALTO_TEXT, ("Shape",), ("TextBlock",))

    def tag(self, element: ByteElement, line: EditedLine) -> dict[str, str]:
        made = dict(element.attributes)
        if line.outline:
            made |= _box(line.outline)
        if line.baseline:
            made["BASELINE"] = _flat(line.baseline)
        return made

    def shape(self, line: EditedLine, prefix: str, indent: str) -> list[str]:
        if not line.outline:
            return []
        polygon = f'<{prefix}Polygon POINTS="{_flat(line.outline)}"/>'
        return [f"<{prefix}Shape>{polygon}</{prefix}Shape>"]

    def said(self, line: EditedLine, prefix: str, indent: str) -> list[str]:
        words = line.words or tuple(EditedWord(text, ()) for text in (line.text or "").split())
        parts: list[str] = []
        for number, word in enumerate(words, 1):
            sure = {} if word.confidence is None else {"WC": f"{word.confidence:.3f}"}
            place = _box(word.outline) if word.outline else {}
            said = {"ID": f"{line.id}_word_{number}", "CONTENT": word.text, **sure, **place}
            parts += [f"<{prefix}SP/>"] if number > 1 else []
            parts.append(f"<{prefix}String{_attributes(said)}/>")
        return parts


def _lines_by_id(root: ByteElement, form: _Form) -> dict[str, ByteElement]:
    """Return the lines of a page by the names that `read_page` gives them, where ids are absent or stand twice too."""
    pages = [element for element in root.iter() if element.tag == "Page"]
    found = [element for page in pages for element in page.iter() if element.tag == LINE]
    return dict(zip(own_names([element.attributes.get(form.id) for element in found]), found, strict=True))


def _homes(
    root: ByteElement, named: dict[str, ByteElement], lines: Sequence[EditedLine], path: Path
) -> list[tuple[ByteElement, list[EditedLine]]]:
    """Return the elements that hold lines, each with the lines that it is to have; new ones beside their neighbours."""
    parents = [element for element in root.iter() if any(child.tag == LINE for child in element.children)]
    home_of = {id(child): parent for parent in parents for child in parent.children if child.tag == LINE}
    wanted: dict[int, list[EditedLine]] = {id(parent): [] for parent in parents}
    known = [home_of[id(named[line.id])] if line.id in named else None for line in lines]
    spare = parents or [element for element in root.iter() if element.tag in ("TextRegion", "TextBlock")][:1]
    if not spare and lines:
        raise RecognizerError(f"{path}: the page has no region that a line could stand in, expected at least one")
    for number, line in enumerate(lines):
        home = known[number]
        if home is None:
            if len(line.outline) < 3:
                raise RecognizerError(f"{path}: the new line {line.id!r} has no outline, expected one")
            beside = [one for one in (*reversed(known[:number]), *known[number:]) if one is not None]
            home = known[number] = beside[0] if beside else spare[0]
        wanted.setdefault(id(home), []).append(line)
    return [(parent, wanted[id(parent)]) for parent in spare]


def _arrange(
    edits: _Edits, home: ByteElement, wanted: list[tuple[EditedLine, ByteElement | None]], form: _Form
) -> None:
    """Let a region hold these lines in this order."""
    slots = home.named(LINE)
    if [element for _, element in wanted] == slots:
        for line, element in wanted:
            assert element is not None
            _change(edits, element, line, form)
        return
    indent = _indent(edits.data, slots[0] if slots else home) + ("" if slots else INDENT)
    texts = [_written(edits.data, element, line, home, form, indent) for line, element in wanted]
    for slot, text in zip(slots, texts, strict=False):
        edits.replace(slot.start, slot.end, text)
    for slot in slots[len(texts) :]:
        start = len(edits.data[: slot.start].rstrip())
        edits.replace(start, slot.end, b"")
    if more := texts[len(slots) :]:
        _append(edits, home, slots, more, indent)


def _append(edits: _Edits, home: ByteElement, slots: list[ByteElement], more: list[bytes], indent: str) -> None:
    """Put lines behind the last of a region, or, where it has none, behind what places it."""
    added = b"".join(b"\n" + indent.encode() + text for text in more)
    if slots:
        last = slots[-1].end
        edits.made.append((last, last, added))
        return
    if home.closes_itself:
        open_tag = edits.data[home.start : home.opened - 2].rstrip() + b">"
        closing = f"\n{indent[: -len(INDENT)]}</{home.name}>".encode()
        edits.replace(home.start, home.end, open_tag + added + closing)
        return
    before = home.named("AlternativeImage", "Coords", "Shape", "UserDefined", "Labels", "Roles")
    at = before[-1].end if before else home.opened
    edits.made.append((at, at, added))


def _written(
    data: bytes, element: ByteElement | None, line: EditedLine, home: ByteElement, form: _Form, indent: str
) -> bytes:
    """Return the bytes of a line, changed or made."""
    if element is not None:
        inner = _Edits(data)
        _change(inner, element, line, form)
        # Places count in the whole file: cut the others off behind, then before.
        before, after = data[: element.start], data[element.end :]
        whole = inner.apply()
        return whole[len(before) : len(whole) - len(after)]
    empty = ByteElement(f"{home.prefix}{LINE}", {form.id: line.id}, 0, 0)
    inside = f"\n{indent}{INDENT}"
    parts = form.shape(line, home.prefix, indent + INDENT)
    if line.text is not None:
        parts += form.said(line, home.prefix, indent + INDENT)
    tag = f"<{empty.name}{_attributes(form.tag(empty, line))}>"
    return (tag + "".join(inside + part for part in parts) + f"\n{indent}</{empty.name}>").encode()


def _change(edits: _Edits, element: ByteElement, line: EditedLine, form: _Form) -> None:
    """Change what is to be changed of a line that is there."""
    if line.text is None and not line.outline and not line.baseline:
        return
    attributes = form.tag(element, line)
    if attributes != element.attributes or element.closes_itself:
        edits.replace(element.start, element.opened, f"<{element.name}{_attributes(attributes)}>")
    indent = _indent(edits.data, element) + INDENT
    if element.children:
        indent = _indent(edits.data, element.children[0])
    made: list[str] = []
    places = form.shape(line, element.prefix, indent)
    tags = [re.match(r"<(?:[\w.-]+:)?(\w+)", part)[1] for part in places]  # type: ignore[index]
    for tag, part in zip(tags, places, strict=True):
        old = element.named(tag)
        if old:
            edits.replace(old[0].start, old[0].end, part)
        else:
            made.append(part)
    stays = element.named(*form.before)
    at = stays[-1].end if stays else element.opened
    if line.text is not None:
        for old_text in element.named(*form.text):
            edits.replace(len(edits.data[: old_text.start].rstrip()), old_text.end, b"")
        made += form.said(line, element.prefix, indent)
    new = "".join(f"\n{indent}{part}" for part in made)
    if element.closes_itself:
        new += f"\n{indent.removesuffix(INDENT)}</{element.name}>"
    if new:
        edits.made.append((at, at, new.encode()))


def _renew(data: bytes) -> bytes:
    """Let the texts of regions be those of their lines, where regions state any, and the date of change be now."""
    root = parse_elements(data)
    edits = _Edits(data)
    for region in (element for element in root.iter() if element.tag == "TextRegion"):
        stated = [one for equivalent in region.named("TextEquiv")[:1] for one in equivalent.named("Unicode")]
        if stated and not stated[0].closes_itself:
            texts = [one for line in region.named(LINE) for one in _first_text(line)]
            edits.replace(stated[0].opened, stated[0].closed, b"\n".join(data[e.opened : e.closed] for e in texts))
    for changed in (element for element in root.iter() if element.tag == "LastChange"):
        if not changed.closes_itself:
            now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            edits.replace(changed.opened, changed.closed, now)
    return edits.apply()


def _first_text(line: ByteElement) -> list[ByteElement]:
    return [one for equivalent in line.named("TextEquiv")[:1] for one in equivalent.named("Unicode")[:1]]


def _indent(data: bytes, element: ByteElement) -> str:
    """Return the white space before an element on its line, nothing where other things stand there."""
    before = data[data.rfind(b"\n", 0, element.start) + 1 : element.start]
    return before.decode() if not before.strip() else ""


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())


def _pairs(points: Points) -> str:
    return " ".join(f"{round(x)},{round(y)}" for x, y in points)


def _flat(points: Points) -> str:
    return " ".join(f"{round(x)} {round(y)}" for x, y in points)


def _box(points: Points) -> dict[str, str]:
    across, down = [round(x) for x, _ in points], [round(y) for _, y in points]
    sides = (min(across), min(down), max(across) - min(across), max(down) - min(down))
    return {name: str(side) for name, side in zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), sides, strict=True)}
