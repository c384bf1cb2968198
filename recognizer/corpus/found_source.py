"""What a source holds that a user brings: a known corpus, a collection of pages, a manifest, another tool's layout."""

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from recognizer.corpus.alphabet import WORD_BOUNDARY, TextSettings
from recognizer.corpus.collections import CollectionSettings, Document, is_collection
from recognizer.corpus.layouts import read_layout
from recognizer.corpus.manifest import manifests_in, named, read_corpus
from recognizer.corpus.page_samples import pages_below, read_pages
from recognizer.corpus.recipes import SPEECH_TEXT, corpus_of_pages, folder, load_recipe
from recognizer.corpus.rules import read_rules
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import Header
from recognizer.errors import RecognizerError
from recognizer.inputs.folders import list_folder
from recognizer.inputs.registry import kind_named, kind_of
from recognizer.pages.page import file_of, is_there


@dataclass(frozen=True)
class Found:
    """What a source holds, before a signal is made.

    Args:
        header: of the store, without its signal.
        samples: in order.
        left_out: what is no sample, reason by reason.
        noted: what else is there, reason by reason.
        documents: of a collection of pages, what was taken of each.
    """

    header: Header
    samples: list[Sample]
    left_out: Counter[str]
    noted: Counter[str]
    documents: Sequence[Document] = ()


class AskedOfPages(NamedTuple):
    """What is asked of a collection of pages: which XML of an image (`--pages`), by which rules; false if nothing."""

    pages: tuple[str, ...] = ()
    rules: str = ""

    def __bool__(self) -> bool:
        """Say whether anything is asked."""
        return bool(self.pages or self.rules)


def find_known(name: str, path: Path, asked: AskedOfPages) -> Found:
    """Return what a recipe finds."""
    if asked:
        raise RecognizerError(f"{name}: --pages and --rules go with a path, the recipe of {name} has its own")
    recipe = load_recipe(name)
    corpus = recipe.read(path)
    text = asdict(recipe.text)
    header = Header(recipe.name, recipe.kind, {}, text, {}, recipe.licence, corpus.card, corpus.rules)
    return Found(header, corpus.samples, Counter(corpus.left_out), Counter(corpus.noted), corpus.documents)


def find(given: str, path: Path, asked: AskedOfPages) -> Found:
    """Return what lies at a path that is no name of a known corpus."""
    if not path.exists():
        if os.sep in given or "/" in given or Path(given).suffix:
            raise RecognizerError(f"{given}: no such file or folder")
        load_recipe(given)  # says which names there are
    if asked and not path.is_dir():
        raise RecognizerError(f"{path}: --pages and --rules go with a folder or an archive of pages, expected one")
    if asked or is_collection(path):
        return _find_collection(given, path, asked)
    left_out: Counter[str] = Counter()
    noted: Counter[str] = Counter()
    in_rows = False
    if pages := pages_below(path):
        found = read_pages(path, pages)
        samples, left_out, noted = found.samples, found.left_out, found.noted
    else:
        samples = [] if manifests_in(path) else read_layout(path)
        in_rows = bool(samples or manifests_in(path))
        samples = samples or read_corpus(path)
    if not samples:
        raise RecognizerError(f"{path}: {left_out.total()} lines without text, expected transcribed ones")
    kind = _kind_of_all(path, samples)
    if in_rows:
        noted += _in_no_row(path, samples, kind)
    return Found(Header(_name_of(given, path), kind, {}, asdict(TextSettings()), {}), samples, left_out, noted)


def _in_no_row(source: Path, samples: Sequence[Sample], kind: str) -> Counter[str]:
    """Return how many files of a kind lie below a folder that no row of its tables names."""
    used = {os.path.abspath(file_of(sample.path)) for sample in samples}
    others = [path for path in list_folder(source).files if path.suffix.lower() in kind_named(kind).suffixes]
    others = [path for path in others if os.path.abspath(path) not in used]
    if others:  # also by links, which only then are worth following
        real = set(map(os.path.realpath, used))
        others = [path for path in others if os.path.realpath(path) not in real]
    first = f"such as {others[0].relative_to(source)}" if others else ""
    return Counter({f"file that no row names, left out, {first}": len(others)} if others else {})


def _name_of(given: str, path: Path) -> str:
    """Return what a corpus at a path is called: as its folder is, or as the archive is that it comes from."""
    if path != Path(given):
        return Path(given).name.partition(".")[0]
    return path.resolve().name if path.is_dir() else path.resolve().parent.name


def _kind_of_all(source: Path, samples: list[Sample]) -> str:
    """Return the kind of all files of a source.

    Raises:
        RecognizerError: no file is there, or there are several kinds; the first file of the rarest is named.
    """
    files: dict[str, list[Path]] = defaultdict(list)
    for sample in samples:
        if not sample.fault and is_there(sample.path):
            files[kind_of(sample.path)].append(sample.path)
    if not files:
        first = samples[0].fault or f"{samples[0].origin}: {samples[0].path} is not there"
        raise RecognizerError(f"{source}: not one of {len(samples)} files can be used, first {first}")
    if len(files) > 1:
        counts = " and ".join(f"{len(paths)} {kind_named(kind).plural}" for kind, paths in sorted(files.items()))
        rarest = min(files, key=lambda kind: (len(files[kind]), kind))
        raise RecognizerError(
            f"{source}: {counts}, expected one kind: the {kind_named(rarest).plural} are {named(files[rarest])}; give "
            "each kind a folder or table of its own"
        )
    return next(iter(files))


def _find_collection(given: str, path: Path, asked: AskedOfPages) -> Found:
    """Return what a published collection of pages holds; of a single document each page is dealt out by itself."""
    rules = read_rules(asked.rules, folder("datasets")) if asked.rules else None
    chosen = CollectionSettings(pages=asked.pages, rules=rules)
    corpus = corpus_of_pages(path, chosen)
    noted = Counter(corpus.noted)
    if len(corpus.documents) == 1:
        corpus = corpus_of_pages(path, replace(chosen, group="page"))
        noted["collection of one document, split by page: its hands stand in every split"] += 1
    if not corpus.samples:
        raise RecognizerError(f"{path}: {corpus.left_out.total()} lines left out and none kept, expected some")
    name, licence = _name_of(given, path), corpus.card.get("licence", "")
    samples, documents = corpus.samples, corpus.documents
    if path != Path(given):  # an archive is unpacked to a folder of a chance name, and groups are dealt out by name
        samples = [replace(one, group=name) if one.group == path.name else one for one in samples]
        documents = [replace(one, name=name) if one.name == path.name else one for one in documents]
    header = Header(name, "handwriting", {}, asdict(TextSettings()), {}, licence, corpus.card, corpus.rules)
    return Found(header, samples, Counter(corpus.left_out), noted, documents)


def said(found: Found) -> Found:
    """Return what was found with phones and the ends of words in the place of its texts."""
    from recognizer.corpus.pronunciation import with_phones

    if found.header.kind != "speech":
        what = kind_named(found.header.kind).plural
        raise RecognizerError(f"{found.header.name}: {what}, expected recordings where --phones is given")
    samples, sources = with_phones(found.samples, SPEECH_TEXT, WORD_BOUNDARY)
    text = asdict(TextSettings(unit="token"))
    return replace(found, header=replace(found.header, text=text), samples=samples, noted=found.noted + sources)
