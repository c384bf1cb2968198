"""Readings put into the page's own XML, which keeps all else.

Every line gets a new text, its words and their outlines, so the file is written anew from the tree of its elements,
with its comments and processing instructions. `recognizer.pages.xml_edit` changes single lines, no other byte.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from recognizer.formats.layout import LayoutLine, PageLayout
from recognizer.formats.page_documents import MADE_BY, alto_strings, now, page_text, page_words
from recognizer.pages.page_xml import GROUP
from recognizer.pages.xml import child, children, own_names, plain_tag
from recognizer.pages.xml_tree import parse_xml

OLD_PAGE, OLD_ALTO = ("Word", "TextEquiv"), ("String", "SP", "HYP")  # what readings take the place of
OFFSET, LENGTH = re.compile(r"\boffset\s*:"), re.compile(r"\blength\s*:")


@dataclass(frozen=True)
class Document:
    """The text of a file that was made.

    Args:
        text: of the file.
        notes: what a user should know of it.
    """

    text: str
    notes: tuple[str, ...] = ()


def update_page(path: Path, sheet: PageLayout) -> Document:
    """Return PAGE XML or ALTO with the texts, words and confidences of `sheet`.

    Tags that count characters of a text which changed are taken out, and so are those of words; the notes say so.

    Args:
        path: the page as it is; regions, outlines, names, tags, comments and processing instructions stay, and so do
            lines that `sheet` does not have.
        sheet: what was read, in the pixels of that page.
    """
    from lxml import etree

    tree = parse_xml(path)
    root = tree.getroot()
    namespace = root.tag.rpartition("}")[0] + "}" if "}" in root.tag else ""
    rows = {line.id: (row, line) for row, line in enumerate(sheet.lines, 1)}
    is_page = plain_tag(root) == "PcGts"
    elements = _text_lines(root)
    names = own_names([element.get("id" if is_page else "ID") for element in elements])
    found = [(element, *rows[name]) for element, name in zip(elements, names, strict=True) if name in rows]
    notes = _notes_on_tags(path, [(element, line) for element, _, line in found], is_page)
    for element, _, _ in found:
        for gone in list(children(element, *(OLD_PAGE if is_page else OLD_ALTO))):
            element.remove(gone)
    taken = {one.get("id") or one.get("ID") for one in root.iter() if isinstance(one.tag, str)}
    for element, row, line in found:
        if is_page:
            said = [*page_words(line, row, namespace), page_text(namespace, *_said(line))]
            _insert(element, said, ("AlternativeImage", "Coords", "Baseline"), taken)
        else:
            _insert(element, alto_strings(line, row, namespace), ("Shape", "Label"), taken)
    if is_page:
        _renew(root, namespace)
    if not any(MADE_BY in (one.text or "") for one in root.itersiblings(preceding=True)):
        root.addprevious(etree.Comment(f" {MADE_BY} "))
    etree.indent(root)
    data: bytes = etree.tostring(tree, encoding="UTF-8", xml_declaration=True)
    return Document(data.decode() + "\n", notes)


def _said(line: LayoutLine) -> tuple[str, float]:
    return line.hypothesis.text, line.hypothesis.confidence


def _text_lines(root: Any) -> list[Any]:
    """Return the lines of the page in the order of the file, as its reader counts them."""
    page = next((element for element in root.iter() if plain_tag(element) == "Page"), root)
    return [element for element in page.iter() if plain_tag(element) == "TextLine"]


def _notes_on_tags(path: Path, found: Sequence[tuple[Any, LayoutLine]], is_page: bool) -> tuple[str, ...]:
    """Take out of lines what no longer fits their new text; return a word on each kind of it."""
    if is_page:
        gone = sum(_without_offsets(element) for element, line in found if _old_text(element) != line.hypothesis.text)
        what = "tags with offsets into a text that changed"
    else:
        words = [word for element, _ in found for word in children(element, "String")]
        gone = sum(word.get("TAGREFS") is not None or word.get("STYLEREFS") is not None for word in words)
        what = "words with tags or styles of their own"
    return (f"{path}: {gone} {what} were taken out",) if gone else ()


def _old_text(line: Any) -> str:
    equivalent = child(line, "TextEquiv")
    return "".join(text for part in _unicode(line) for text in part.itertext()) if equivalent is not None else ""


def _without_offsets(line: Any) -> int:
    """Take the groups that count characters out of the attribute custom; return how many there were."""
    custom = line.get("custom")
    if not custom:
        return 0
    groups = GROUP.findall(custom)
    kept = [(name, inner) for name, inner in groups if not (OFFSET.search(inner) and LENGTH.search(inner))]
    if len(kept) < len(groups):
        line.set("custom", " ".join(f"{name} {{{inner}}}" for name, inner in kept))
        if not kept:
            del line.attrib["custom"]
    return len(groups) - len(kept)


def _insert(element: Any, new: Iterable[Element], after: tuple[str, ...], taken: set[str | None]) -> None:
    """Put `new` behind the children called `after`, as the schemas want it, with ids that nothing else has."""
    at = max((i + 1 for i, part in enumerate(element) if plain_tag(part) in after), default=0)
    for place, part in enumerate(new, at):
        made = _copied(part, element)
        element.insert(place, made)
        for name in ("id", "ID"):
            if made.get(name) is not None:
                made.set(name, _free(made.get(name), taken))


def _free(name: str, taken: set[str | None]) -> str:
    """Return an id that nothing has, and take it."""
    again, free = 1, name
    while free in taken:
        again += 1
        free = f"{name}_{again}"
    taken.add(free)
    return free


def _copied(element: Element, parent: Any) -> Any:
    """Return an element in lxml's form, the last child of `parent`, whose prefixes it takes."""
    from lxml import etree

    made = etree.SubElement(parent, element.tag, dict(element.attrib))
    made.text, made.tail = element.text, element.tail
    for part in element:
        _copied(part, made)
    return made


def _renew(root: Any, namespace: str) -> None:
    """Let the texts of regions be those of their lines, where regions state any, and the date of change be now."""
    for region in root.iter():
        if plain_tag(region) == "TextRegion" and child(region, "TextEquiv") is not None:
            texts = ["".join(part.itertext()) for line in children(region, "TextLine") for part in _unicode(line)]
            at = next(i for i, part in enumerate(region) if plain_tag(part) == "TextEquiv")
            for gone in list(children(region, "TextEquiv")):
                region.remove(gone)
            made = _copied(page_text(namespace, "\n".join(texts), None), region)
            region.insert(at, made)
    for metadata in children(root, "Metadata"):
        changed = child(metadata, "LastChange")
        if changed is not None:
            changed.text = now()


def _unicode(line: Any) -> Iterable[Any]:
    equivalent = child(line, "TextEquiv")
    return children(equivalent, "Unicode") if equivalent is not None else ()
