"""Pages as PAGE XML or ALTO as samples, one a line."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from recognizer.corpus.manifest import TRUTH, manifests_in, split_of
from recognizer.corpus.page_choice import second_page, unread
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError
from recognizer.inputs.folders import list_folder
from recognizer.pages.image_lookup import find_image
from recognizer.pages.page import IMAGES, SUFFIX, Page, file_of
from recognizer.pages.parse import form_of, read_page


@dataclass(frozen=True)
class PageSamples:
    """What a folder of pages holds.

    Args:
        samples: a line each; a page that cannot be read stands for itself.
        left_out: lines that are no samples, reason by reason.
        noted: what else is there, reason by reason.
    """

    samples: list[Sample] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)


def pages_below(source: Path) -> list[Path]:
    """Return the pages that a source is or holds, none where it holds a manifest."""
    if not source.is_dir():
        return [source] if form_of(source) else []
    return [] if manifests_in(source) else [path for path in list_folder(source).files if form_of(path)]


def read_pages(source: Path, pages: list[Path]) -> PageSamples:
    """Read the lines of pages, the `pages` that `source` is or holds.

    Raises:
        RecognizerError: two pages of one image, or transcripts of another form beside them.
    """
    found = PageSamples()
    images: dict[Path, Path] = {}
    folder = source if source.is_dir() else source.parent
    for path in pages:
        split, group = split_of(folder, path), path.relative_to(folder).with_suffix("").as_posix()
        try:
            page = read_page(path)
            image = page.image_path()
        except RecognizerError as error:
            found.samples.append(Sample(path, "", split, group, path.name, f"{path.name}: {error}", error.reason))
            continue
        found.noted.update(page.notes)
        if note := find_image(path, page.image).note:
            found.noted[f"{path.name}: {note}"] += 1
        other = images.setdefault(image, path)
        if other != path:
            raise second_page(folder, path, other, image)
        found.samples.extend(_lines(page, split, group, found))
    if source.is_dir():
        _look_around(source, set(pages), set(map(file_of, images)), found)
    return found


def _lines(page: Page, split: str, group: str, found: PageSamples) -> list[Sample]:
    if not page.lines:
        found.noted["page without lines"] += 1
    with_text = [line for line in page.lines if line.text and line.text.strip()]
    if len(with_text) < len(page.lines):
        found.left_out["line without text"] += len(page.lines) - len(with_text)
    return [
        Sample(page.name_of(line), line.text or "", split, group, f"{page.path.name}, line {line.id}")
        for line in with_text
    ]


def _look_around(source: Path, pages: set[Path], images: set[Path], found: PageSamples) -> None:
    """Count what else the folder holds; transcripts of another form are refused."""
    listing = list_folder(source)
    found.samples.extend(Sample(path, "", fault=line) for path, line in listing.faults)
    for path in listing.files:
        if path.name.endswith(TRUTH):
            raise RecognizerError(f"{path}: beside pages such as {min(pages)}, expected one form of transcripts")
        if path.suffix.lower() == SUFFIX and path not in pages:
            if fault := unread(path):
                found.samples.append(Sample(path, "", fault=f"{path}: {fault}"))
            else:
                found.noted["XML that is no page"] += 1
        if path.suffix.lower() in IMAGES and path not in images:
            found.noted["image that no page describes"] += 1
