"""Collections of pages as their projects publish them, such as those that the HTR-United catalogue lists."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from recognizer.corpus.manifest import split_of
from recognizer.corpus.page_choice import matches, second_page, unread
from recognizer.corpus.rules import TranscriptionRules
from recognizer.corpus.sample import Sample
from recognizer.corpus.yaml_file import read_mapping
from recognizer.errors import RecognizerError
from recognizer.inputs.folders import Listing, list_folder
from recognizer.pages.page_xml import REGION_TEXT
from recognizer.pages.parse import form_of, read_page

CATALOGUE = ("htr-united.yml", "htr-united.yaml")  # what a project tells the HTR-United catalogue of itself
WRONG = "a line that does not show its text"
OF_FORM = ("page", "alto", "pagexml", "xml", "page_xml", "alto_xml")  # folders that name a form, no document
GROUPS = ("folder", "page")
MOST_ROWS = 40  # documents in a table: of more, the splits alone


@dataclass(frozen=True)
class CollectionSettings:
    """Which pages of a collection are taken, and how its lines are put together.

    Args:
        pages: patterns of the XML files that count, such as "data/*/*.chocomufin.xml"; none takes every PAGE and ALTO.
        leave_out: patterns of XML files that are left out.
        group: what a document is, whose lines all go into one split: the "folder" of its pages, each "page", or a
            regular expression whose first group is the document in the name of a page, such as "(.+)_[0-9]+$".
        valid: patterns of the documents of the split valid.
        test: likewise of test; where neither names any, documents are dealt out by the hash of their names.
        rules: what brings the transcripts to one form, none to leave them as they are.
        wrong: names FILE#ID of lines that are left out, since somebody saw that they do not show their text.
    """

    pages: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    group: str = "folder"
    valid: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    rules: TranscriptionRules | None = None
    wrong: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no way to group."""
        if self.group in GROUPS:
            return
        try:
            groups = re.compile(self.group).groups
        except re.error:
            groups = 0
        if groups < 1:
            raise RecognizerError(
                f"group is {self.group!r}, expected {' or '.join(GROUPS)}, or a regular expression with a group in ()"
            )


@dataclass
class Document:
    """What was taken of one document.

    Args:
        name: of its folder or page, from the root of the collection.
        split: "train", "valid" or "test" as the source has it, "" where it is to be dealt out.
        pages: how many pages it has.
        lines: how many lines were taken, split by split.
        left_out: of its lines and pages, reason by reason.
    """

    name: str
    split: str
    pages: int = 0
    lines: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def take(self, split: str, reason: str) -> None:
        """Count a line that went into a split, or, for a reason, a line or page that went into none."""
        counts, name = (self.left_out, reason) if reason else (self.lines, split)
        counts[name] += 1


@dataclass(frozen=True)
class Collection:
    """What a collection holds.

    Args:
        samples: a line each; a page that cannot be read stands for itself.
        documents: in the order of their names.
        card: what htr-united.yml says of it: title, licence, languages, script, period, hands, guidelines.
        noted: what else is there, reason by reason.
    """

    samples: list[Sample]
    documents: list[Document]
    card: dict[str, str]
    noted: Counter[str]

    @property
    def left_out(self) -> Counter[str]:
        """What was left out of all documents, reason by reason."""
        return sum((document.left_out for document in self.documents), Counter[str]())


def is_collection(source: Path) -> bool:
    """Return whether a folder says of itself that it is a published collection."""
    return source.is_dir() and any((source / name).is_file() for name in CATALOGUE)


def read_collection(source: Path, settings: CollectionSettings) -> Collection:
    """Read the lines of a collection of pages; a folder or link that leads nowhere is a sample at fault.

    Raises:
        RecognizerError: no page is chosen, a pattern chooses none, or two pages describe one image.
    """
    listing = list_folder(source)
    chosen, noted = _chosen(source, listing, settings)
    documents: dict[str, Document] = {}
    reading = _Reading(source, settings, noted)
    samples: list[Sample] = []
    for path in chosen:
        name = document_of(source, path, settings.group)
        document = documents.setdefault(name, Document(name, _split(source, path, name, settings)))
        document.pages += 1
        samples += _lines_of(path, document, reading)
    samples += [Sample(path, "", fault=line) for path, line in listing.faults]
    _refuse_idle(settings, documents.values())
    _refuse_unknown(settings, documents.values())
    return Collection(samples, sorted(documents.values(), key=lambda d: d.name), read_card(source), noted)


def document_of(source: Path, path: Path, group: str) -> str:
    """Return the document that a page below `source` belongs to.

    Its folder, without a last part that only names a form ("page", "alto"); its own name where `group` is "page".

    Raises:
        RecognizerError: the regular expression `group` does not fit its name.
    """
    inner = path.relative_to(source)
    if group == "page":
        return inner.with_suffix("").as_posix()
    if group not in GROUPS:
        found = re.match(group, path.stem)
        if not found or not found[1]:
            raise RecognizerError(f"{path}: its name does not fit the group {group!r}, expected one that does")
        return found[1]
    parts = list(inner.parts[:-1])
    while parts and parts[-1].lower() in OF_FORM:
        parts.pop()
    return "/".join(parts) or source.name


def read_card(source: Path) -> dict[str, str]:
    """Return what htr-united.yml says of a collection, in fields of one line each; {} where there is none.

    Raises:
        RecognizerError: the file is no YAML.
    """
    path = next((source / name for name in CATALOGUE if (source / name).is_file()), None)
    return {} if path is None else _card(read_mapping(path))


def _card(tree: dict[str, Any]) -> dict[str, str]:
    """Return the fields of a card; https://htr-united.github.io has the schema of the catalogue."""
    time, hands = _mapping(tree, "time"), _mapping(tree, "hands")
    fields = {
        "title": tree.get("title"),
        "home": tree.get("url"),
        "licence": _names(tree.get("license") or tree.get("licence"), "name"),
        "languages": _names(tree.get("language"), "iso"),
        "script": _names(tree.get("script"), "iso"),
        "period": " to ".join(str(time[key]) for key in ("notBefore", "notAfter") if time.get(key)),
        "hands": " ".join(str(hands[key]) for key in ("count", "precision") if hands.get(key)),
        "guidelines": tree.get("transcription-guidelines"),
    }
    return {name: " ".join(str(value).split()) for name, value in fields.items() if value}


def _mapping(tree: dict[str, Any], key: str) -> dict[str, Any]:
    value = tree.get(key)
    return value if isinstance(value, dict) else {}


def _names(value: Any, key: str) -> str:
    """Return a value that may be a string, a mapping with `key`, or a list of such, as one string."""
    many = value if isinstance(value, list) else [value]
    names = [one.get(key) if isinstance(one, dict) else one for one in many]
    return ", ".join(str(name) for name in names if name)


def _chosen(source: Path, listing: Listing, settings: CollectionSettings) -> tuple[list[Path], Counter[str]]:
    """Return the pages that count, with XML that nobody can read, and how many files were passed over and why."""
    chosen: list[Path] = []
    noted: Counter[str] = Counter()
    for path in listing.files:
        inner = path.relative_to(source).as_posix()
        if path.suffix.lower() != ".xml":
            continue
        if settings.pages and not matches(inner, settings.pages):
            noted["XML that --pages does not name"] += 1
        elif matches(inner, settings.leave_out):
            noted["XML that the recipe leaves out"] += 1
        elif not form_of(path) and not unread(path):
            noted["XML that is no page"] += 1
        else:
            chosen.append(path)
    if not chosen:
        if listing.faults:
            raise RecognizerError(listing.faults[0][1])
        patterns = f" named {' or '.join(settings.pages)}" if settings.pages else ""
        raise RecognizerError(f"{source}: no page as PAGE XML or ALTO{patterns}, expected some")
    return chosen, noted


def _split(source: Path, path: Path, document: str, settings: CollectionSettings) -> str:
    """Return the split that a document is said to be in; "" where nothing says so."""
    for split in ("test", "valid"):
        if any(_names_document(document, pattern) for pattern in getattr(settings, split)):
            return split
    return "train" if settings.test or settings.valid else split_of(source, path)


def _names_document(document: str, pattern: str) -> bool:
    return fnmatchcase(document, pattern) or document == pattern or document.endswith(f"/{pattern}")


@dataclass(frozen=True)
class _Reading:
    """What is known while the pages of a collection are read.

    Args:
        source: the folder.
        settings: how lines are put together.
        noted: what is there beside lines, reason by reason.
        images: of the pages so far, with these.
    """

    source: Path
    settings: CollectionSettings
    noted: Counter[str]
    images: dict[Path, Path] = field(default_factory=dict)


def _lines_of(path: Path, document: Document, reading: _Reading) -> list[Sample]:
    """Return the lines of a page, counting in its document what is left out."""
    if fault := unread(path):
        return [Sample(path, "", document.split, document.name, path.name, f"{path}: {fault}")]
    try:
        page = read_page(path)
        image = page.image_path()
    except RecognizerError as error:
        return [Sample(path, "", document.split, document.name, path.name, f"{path.name}: {error}", error.reason)]
    other = reading.images.setdefault(image, path)
    if other != path:
        raise second_page(reading.source, path, other, image)
    reading.noted.update(note for note in page.notes if note == REGION_TEXT)
    samples = []
    for line in page.lines:
        name = page.name_of(line)
        text, reason = ("", WRONG) if name.name in reading.settings.wrong else _text(line.text, reading.settings.rules)
        if reason:
            document.left_out[reason] += 1
            continue
        document.lines[document.split] += 1
        samples.append(Sample(name, text, document.split, document.name, f"{path.name}, line {line.id}"))
    return samples


def _text(text: str | None, rules: TranscriptionRules | None) -> tuple[str, str]:
    """Return the text of a line and "", or "" and why it is left out."""
    if not text or not text.strip():
        return "", "line without text"
    if rules is None:
        return text, ""
    ruled = rules.apply(text)
    return ruled.text, ruled.reason


def _refuse_idle(settings: CollectionSettings, documents: Iterable[Document]) -> None:
    """Refuse names of documents that are not there: a misspelled test document would be trained on."""
    names = [document.name for document in documents]
    for split in ("test", "valid"):
        for pattern in getattr(settings, split):
            if not any(_names_document(name, pattern) for name in names):
                raise RecognizerError(f"{split}: no document {pattern!r}, there are {', '.join(names[:8])} ...")


def _refuse_unknown(settings: CollectionSettings, documents: Iterable[Document]) -> None:
    """Refuse names of wrong lines that are not there, or there twice: another state may have other ids."""
    dropped = sum(document.left_out[WRONG] for document in documents)
    if dropped != len(settings.wrong):
        names = ", ".join(settings.wrong[:3])
        raise RecognizerError(
            f"wrong: {dropped} lines are called as the {len(settings.wrong)} named ones ({names} ...), expected one "
            "each: is it the commit that the recipe names?"
        )


def summed(documents: Iterable[Document]) -> list[Document]:
    """Return documents, each once, with what was taken of it in several shards."""
    found: dict[str, Document] = {}
    for one in documents:
        document = found.setdefault(one.name, Document(one.name, one.split, one.pages))
        document.lines.update(one.lines)
        document.left_out.update(one.left_out)
    return sorted(found.values(), key=lambda document: document.name)


def table(documents: Sequence[Document]) -> list[str]:
    """Return the lines of a table: documents, or, of many, splits, with pages, lines, what was left out and why."""
    if not documents:
        return []
    rows: list[tuple[str, ...]] = [("document", "split", "pages", "lines", "left out")]
    rows += [_row(d.name, d) for d in documents] if len(documents) <= MOST_ROWS else _rows_of_splits(documents)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    ]


def _row(name: str, document: Document) -> tuple[str, ...]:
    reasons = ", ".join(f"{count} {reason}" for reason, count in document.left_out.most_common())
    return name, _splits(document), f"{document.pages:,}", f"{document.lines.total():,}", reasons


def _splits(document: Document) -> str:
    """Return the split that the lines of a document went into, or, where there are several, how many into which."""
    if len(document.lines) > 1:
        return ", ".join(f"{split or '(no split)'} {count}" for split, count in sorted(document.lines.items()))
    return next(iter(document.lines), document.split)


def _rows_of_splits(documents: Sequence[Document]) -> list[tuple[str, ...]]:
    rows = []
    for splits in dict.fromkeys(tuple(sorted(document.lines)) for document in documents):
        members = [document for document in documents if tuple(sorted(document.lines)) == splits]
        together = Document("", "", sum(document.pages for document in members))
        for document in members:
            together.lines.update(document.lines)
            together.left_out.update(document.left_out)
        rows.append(_row(f"{len(members)} documents", together))
    return rows
