"""Readings put into the page's own XML, which keeps all else."""

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from recognizer.formats.layout import LayoutLine, PageLayout
from recognizer.formats.page_documents import alto_strings, now, page_text, page_words, written_xml
from recognizer.pages.xml import child, children, plain_tag

DECLARED = re.compile(rb"xmlns(?::([\w.-]+))?\s*=\s*[\"']([^\"']+)[\"']")  # prefix and name of a namespace
RESERVED = re.compile(rb"ns\d+")  # prefixes that ElementTree gives itself
OLD_PAGE, OLD_ALTO = ("Word", "TextEquiv"), ("String", "SP", "HYP")  # what readings take the place of


def update_page(path: Path, sheet: PageLayout) -> str:
    """Return PAGE XML or ALTO with the texts, words and confidences of `sheet`.

    Args:
        path: the page as it is; regions, outlines, names, tags stay, and so do lines that `sheet` does not have.
        sheet: what was read, in the pixels of that page.
    """
    data = path.read_bytes()
    for prefix, name in DECLARED.findall(data):
        if not RESERVED.fullmatch(prefix):
            ElementTree.register_namespace(prefix.decode(), name.decode())
    root = ElementTree.fromstring(data, ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    namespace = root.tag.rpartition("}")[0] + "}" if "}" in root.tag else ""
    rows = {line.id: (row, line) for row, line in enumerate(sheet.lines, 1)}
    texts = [element for element in root.iter() if plain_tag(element) == "TextLine"]
    is_page = plain_tag(root) == "PcGts"
    for number, element in enumerate(texts, 1):
        row, line = rows.get(element.get("id" if is_page else "ID") or f"line_{number}", (0, None))
        if line and is_page:
            said = [*page_words(line, row, namespace), _whole(line, namespace)]
            _replace(element, OLD_PAGE, said, after=("AlternativeImage", "Coords", "Baseline"))
        elif line:
            _replace(element, OLD_ALTO, alto_strings(line, row, namespace), after=("Shape",))
    if is_page:
        _renew(root, namespace)
    ElementTree.indent(root)
    return written_xml(root)


def _whole(line: LayoutLine, namespace: str) -> Element:
    return page_text(namespace, line.hypothesis.text, line.hypothesis.confidence)


def _replace(element: Element, old: tuple[str, ...], new: Iterable[Element], after: tuple[str, ...]) -> None:
    """Put `new` in the place of the children called `old`, behind those called `after`, as the schemas want it."""
    for gone in list(children(element, *old)):
        element.remove(gone)
    at = max((i + 1 for i, part in enumerate(element) if plain_tag(part) in after), default=0)
    element[at:at] = list(new)


def _renew(root: Element, namespace: str) -> None:
    """Let the texts of regions be those of their lines, where regions state any, and the date of change be now."""
    for region in root.iter():
        if plain_tag(region) == "TextRegion" and child(region, "TextEquiv") is not None:
            texts = ["".join(e.itertext()) for line in children(region, "TextLine") for e in _unicode(line)]
            for gone in list(children(region, "TextEquiv")):
                at = list(region).index(gone)
                region.remove(gone)
            region.insert(at, page_text(namespace, "\n".join(texts), None))
    for metadata in children(root, "Metadata"):
        changed = child(metadata, "LastChange")
        if changed is not None:
            changed.text = now()


def _unicode(line: Element) -> Iterable[Element]:
    equivalent = child(line, "TextEquiv")
    return children(equivalent, "Unicode") if equivalent is not None else ()
