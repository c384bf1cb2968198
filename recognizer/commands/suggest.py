"""The verb suggest: which pages or lines to transcribe next."""

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE, FOUND
from recognizer.commands.options import add_division, division
from recognizer.commands.output_file import NAMES, refuse_foreign
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    import numpy as np

    from recognizer.evaluation.suggestion import Candidate
    from recognizer.reading.reader import Reader

SEEN = 400  # lines of a corpus that stand for all of it


def add_suggest(verbs: Any, console: Console) -> None:
    """Add suggest to the command line `verbs`, what argparse's add_subparsers returned."""
    suggest = verbs.add_parser("suggest", help="say which pages or lines would help a model most once transcribed")
    suggest.add_argument("model", help="model file, folder of a run, or name of a shipped model")
    suggest.add_argument("pages", type=Path, nargs="+", help="PAGE XML, ALTO, images of pages, or folders of these")
    suggest.add_argument("--lines", action="store_true", help="rank lines, not whole pages")
    suggest.add_argument("--number", type=int, default=20, help="how many to name (default 20)")
    suggest.add_argument("--seen", type=Path, metavar="CORPUS", help="prepared corpus that the model learned from")
    suggest.add_argument("--list", type=Path, metavar="FILE", help="write their names there, one a line, best first")
    suggest.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_division(suggest)
    suggest.set_defaults(act=partial(_suggest, console))


def _suggest(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.common.atomic_write import write_atomically
    from recognizer.evaluation.suggestion import suggest, suggestion_lines
    from recognizer.reading.reader import Reader

    if chosen.number < 1:
        raise RecognizerError(f"--number is {chosen.number}, expected at least 1")
    refuse_foreign("--list", chosen.list, NAMES)
    reader = Reader.load(chosen.model, chosen.device, division=division(chosen))
    if reader.kind != "handwriting":
        raise RecognizerError(f"{chosen.model}: reads {reader.kind}, expected a model of handwriting")
    seen = _seen(chosen.seen) if chosen.seen else []
    candidates: list[Candidate] = []
    pages, faults = _pages(chosen.pages)
    for fault in faults:
        console.complain(f"left out: {fault}")
    bad = len(faults)
    for path in pages:
        try:
            candidates += _candidates(reader, path, chosen.lines)
        except RecognizerError as error:
            console.complain(f"left out: {error}")
            bad += 1
    if not candidates:
        raise RecognizerError(f"{chosen.pages[0]}: no line of writing in {len(pages)} pages, expected some")
    found = suggest(candidates, seen, chosen.number)
    for line in suggestion_lines(found):
        console.say(line)
    if chosen.list:
        names = "".join(f"{one.candidate.name}\n" for one in found)
        write_atomically(chosen.list, names.encode(errors="surrogateescape"))  # a name may be no UTF-8
    return FOUND if bad else DONE


def _pages(given: list[Path]) -> tuple[list[Path], list[str]]:
    """Return the pages that are given or lie in given folders, and what cannot be looked into there, a line each.

    An image that an XML describes is read by the XML.
    What is given by its own name is there too where it is no page: reading it says what is wrong with it.

    Raises:
        RecognizerError: a path is not there, nothing is a page, or two pages describe one image.
    """
    from recognizer.inputs.folders import list_folder
    from recognizer.inputs.lines.image_file import pages_of
    from recognizer.inputs.readable_files import readable_files
    from recognizer.pages.page import IMAGES, SUFFIX, file_of, is_there

    named = [path for path in given if not path.is_dir()]
    if absent := [path for path in named if not is_there(path)]:
        raise RecognizerError(f"{absent[0]}: no such file, expected pages or folders of pages")
    listings = [list_folder(one) for one in given if one.is_dir()]
    paths = [*named, *(path for listing in listings for path in listing.files)]
    faults = [line for listing in listings for _, line in listing.faults]
    read = [path for path in readable_files(paths) if file_of(path).suffix.lower() in (*IMAGES, SUFFIX)]
    found = {page for path in read for page in (pages_of(path) if path.suffix.lower() in IMAGES else [path])}
    found.update(path for path in named if path.suffix.lower() not in IMAGES)
    if not found:
        if faults:
            raise RecognizerError(faults[0])
        raise RecognizerError(f"{given[0]}: no PAGE XML, ALTO or image, expected pages")
    _refuse_double(sorted(found))
    return sorted(found), faults


def _refuse_double(paths: list[Path]) -> None:
    """Refuse two pages of one image, which would be ranked as two.

    Raises:
        RecognizerError: there are some; what is broken or has no image is told when it is read.
    """
    from recognizer.pages.parse import form_of, image_of_page

    images: dict[str, Path] = {}
    for path in filter(form_of, paths):
        try:
            image = image_of_page(path)
        except RecognizerError:
            continue
        other = images.setdefault(os.path.realpath(image), path)
        if other != path:
            raise RecognizerError(
                f"{path}: describes {image.name}, as {other} does, expected one page of an image: give the pages that "
                "count, or their folder, by name"
            )


def _candidates(reader: "Reader", path: Path, by_line: bool) -> "list[Candidate]":
    """Return a page as a candidate, or each of its lines."""
    from recognizer.evaluation.suggestion import candidate_of
    from recognizer.inputs.signal import Signal
    from recognizer.pages.page import MARK
    from recognizer.pages.parse import form_of

    found = reader.named_page(path) if form_of(path) else reader.line_or_page(path)
    if isinstance(found, Signal):
        return [candidate_of(str(path), [found], reader.read([found]))]
    page, signals = found
    if not signals:
        raise RecognizerError(f"{path}: a page without lines, expected some")
    read = reader.read(signals)
    if not by_line:
        return [candidate_of(str(path), signals, read)]
    lines = zip(page.lines, signals, read, strict=True)
    return [candidate_of(f"{path}{MARK}{line.id}", [signal], [one]) for line, signal, one in lines]


def _seen(folder: Path) -> "list[np.ndarray]":
    """Return the styles of training lines of a prepared corpus, evenly taken."""
    from recognizer.corpus.shards import open_store
    from recognizer.inputs.lines.style import style_of

    store = open_store(folder)
    if store.header.kind != "handwriting":
        raise RecognizerError(f"{folder}: a corpus of {store.header.kind}, expected handwriting")
    indices = store.indices("train")
    return [style_of(store.signal(index)) for index in indices[:: -(-len(indices) // SEEN)]]
