"""From a draft into the files themselves: the page's own XML, or x.gt.txt beside the file; never without a backup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.common.atomic_write import write_atomically
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.formats.page_documents import PAGE, now
from recognizer.formats.result import Result
from recognizer.formats.sound_documents import subrip
from recognizer.inputs.lines.image import HandwritingSettings
from recognizer.pages.dewarping import dewarp
from recognizer.pages.page import clipped, stem_of
from recognizer.pages.parse import read_page
from recognizer.pages.xml_edit import EditedLine, EditedWord, edit_lines
from recognizer.reading.reader import Reader
from recognizer.web.documents import subtitles_path, truth_path
from recognizer.web.drafts import Draft, DraftLine, Drafts, digest_of, seen
from recognizer.web.limits import Refused
from recognizer.web.line_images import region_on_image, signal_of
from recognizer.web.models import Models
from recognizer.web.project import ProjectFile

NEW_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="{namespace}">
  <Metadata>
    <Creator>recognizer</Creator>
    <Created>{now}</Created>
    <LastChange>{now}</LastChange>
  </Metadata>
  <Page imageFilename="{image}" imageWidth="{width}" imageHeight="{height}">
    <TextRegion id="region_1">
      <Coords points="0,0 {width},0 {width},{height} 0,{height}"/>
    </TextRegion>
  </Page>
</PcGts>
"""


WordsOfLines = Mapping[str, Sequence[EditedWord]]  # by the lines' ids


@dataclass(frozen=True)
class Saved:
    """What was written.

    Args:
        draft: as it stands after it.
        path: of the file that holds the text now.
        written: whether it had to be changed at all.
        backup: of what stood there before, None where nothing did.
    """

    draft: Draft
    path: Path
    written: bool
    backup: Path | None


async def aligned_words(file: ProjectFile, draft: Draft, models: Models, unchecked: bool) -> WordsOfLines:
    """Return where the words of the lines of a page stand that are to be written, as far as a model can say it."""
    lines = [line for line in draft.lines if line.outline and _new_text(line, unchecked)]
    if draft.kind != "page" or "handwriting" not in models.paths or not lines:
        return {}
    return await models.with_reader("handwriting", lambda reader: _words(file, draft, lines, reader))


def save(file: ProjectFile, draft: Draft, drafts: Drafts, words: WordsOfLines, unchecked: bool) -> Saved:
    """Write a draft into its file.

    Args:
        file: the file.
        draft: of it.
        drafts: where backups go.
        words: where those of the corrected lines of a page stand.
        unchecked: also write what was read and nobody has looked at.

    Raises:
        Refused: the file, or the text beside it, was changed by something else since the draft was made.
        RecognizerError: the file cannot be written.
    """
    if digest_of(file.path) != draft.digest:
        raise Refused(409, f"{file.name}: changed on disk since this draft was made, load it again before saving")
    if draft.kind == "page":
        return _save_page(file, draft, drafts, words, unchecked)
    text = " ".join(text for line in draft.lines if (text := _text_of(line, unchecked)) is not None)
    if not any(_text_of(line, unchecked) is not None for line in draft.lines):
        raise Refused(422, f"{file.name}: nothing is corrected or accepted yet, so there is nothing to save")
    path, data = truth_path(file.path), (text + "\n").encode()
    refuse_changed(file, draft, path, data)
    done = _written(file, draft, drafts, path, data)
    return replace(done, draft=replace(done.draft, beside={**draft.beside, **seen(path)}))


def refuse_changed(file: ProjectFile, draft: Draft, path: Path, data: bytes | None = None) -> None:
    """Refuse to write over what something else has written beside a file since its draft was made.

    Raises:
        Refused: it was changed, and does not say already what is to be written.
    """
    if path.name not in draft.beside or seen(path)[path.name] == draft.beside[path.name]:
        return
    if data is None or not path.is_file() or path.read_bytes() != data:
        raise Refused(
            409, f"{path.name}: changed on disk since the draft of {file.name} was made, load it again before saving"
        )


def save_subtitles(file: ProjectFile, draft: Draft, drafts: Drafts) -> Saved:
    """Write x.srt beside a recording with what its stretches say now."""
    path = subtitles_path(file.path)
    backup = drafts.back_up(path)
    write_atomically(path, subrip(sound_record(file.name, draft)).encode())
    return Saved(replace(draft, beside={**draft.beside, **seen(path)}), path, True, backup)


def saved_into(now: Draft | None, before: Draft, saved: Draft) -> Draft:
    """Return the draft to be kept when `before` is `saved`: what was changed meanwhile stays, and is not saved."""
    if now is None or now.revision == before.revision:
        return saved
    old, new = ({line.id: line for line in draft.lines} for draft in (before, saved))
    lines = tuple(
        line if line.id not in new
        else new[line.id] if line == old.get(line.id)
        else replace(line, given=new[line.id].given)
        for line in now.lines
    )  # fmt: skip
    return replace(saved, lines=lines, revision=now.revision + 1)


def sound_record(name: str, draft: Draft) -> Result:
    """Return a recording's draft as a reading: words of corrected stretches share their stretch by their lengths."""
    words = tuple(word for line in draft.lines for word in _spread(line))
    extent = max([line.end for line in draft.lines], default=0.0)
    return Result(name, Hypothesis(" ".join(word.text for word in words), 1.0, (), words), "s", extent)


def _spread(line: DraftLine) -> list[Span]:
    """Return the words of a stretch: where the model heard them, or, corrected, evenly over the letters."""
    if line.reading and line.text == line.reading.text:
        return [Span(word.text, word.start, word.end, word.confidence) for word in line.reading.words]
    words = line.text.split()
    start, end = line.start, line.end
    if line.reading and line.reading.words:
        start, end = line.reading.words[0].start, line.reading.words[-1].end
    letters = max(1, sum(len(word) + 1 for word in words))
    made: list[Span] = []
    at = 0
    for word in words:
        ends = [start + (end - start) * place / letters for place in (at, at + len(word) + 1)]
        made.append(Span(word, ends[0], ends[1], 1.0))
        at += len(word) + 1
    return made


def new_page(image: str, draft: Draft) -> bytes:
    """Return PAGE XML with one region and no line, for an image that no XML describes."""
    width, height = draft.size
    name = image.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return NEW_PAGE.format(namespace=PAGE, now=now(), image=name, width=width, height=height).encode()


def _save_page(file: ProjectFile, draft: Draft, drafts: Drafts, words: WordsOfLines, unchecked: bool) -> Saved:
    lines = [
        replace(_edited(file, draft, line, unchecked), words=tuple(words.get(line.id, ()))) for line in draft.lines
    ]
    if file.kind == "page":
        return _written(file, draft, drafts, file.path, edit_lines(file.path, lines))
    path = file.path.with_name(f"{stem_of(file.path.name)}.xml")
    if path.exists():
        raise Refused(409, f"{path.name}: is there already and speaks of something else; move it away before saving")
    write_atomically(path, new_page(file.path.name, draft))
    try:
        write_atomically(path, edit_lines(path, lines))
    except RecognizerError:
        path.unlink()
        raise
    return Saved(_after(draft, digest_of(path), unchecked), path, True, None)


def _written(file: ProjectFile, draft: Draft, drafts: Drafts, path: Path, data: bytes) -> Saved:
    if path.exists() and path.read_bytes() == data:
        return Saved(_after(draft, draft.digest, unchecked=False), path, False, None)
    backup = drafts.back_up(path)
    write_atomically(path, data)
    return Saved(_after(draft, digest_of(file.path), unchecked=False), path, True, backup)


def _after(draft: Draft, digest: str, unchecked: bool) -> Draft:
    """Return the draft whose lines say what the file says now."""
    lines = tuple(
        replace(line, given=line.text, moved=False) if line.checked or unchecked else replace(line, moved=False)
        for line in draft.lines
    )
    return replace(
        draft, lines=lines, digest=digest, found=False, revision=draft.revision + 1, saved=draft.revision + 1
    )


def _edited(file: ProjectFile, draft: Draft, line: DraftLine, unchecked: bool) -> EditedLine:
    """Return what is to become of a line of the XML."""
    text = _new_text(line, unchecked)
    is_new = file.kind != "page" or line.id not in {one.id for one in read_page(file.path).lines}
    if is_new or line.moved:
        sure = line.reading.confidence if text is not None and not line.checked and line.reading else None
        return EditedLine(line.id, text, line.outline, line.baseline, (), sure)
    sure = line.reading.confidence if text is not None and not line.checked and line.reading else None
    return EditedLine(line.id, text, confidence=sure)


def _text_of(line: DraftLine, unchecked: bool) -> str | None:
    """Return the text that is to be written, None for what nobody has said."""
    return line.text if line.checked or (unchecked and line.state == "read") else None


def _new_text(line: DraftLine, unchecked: bool) -> str | None:
    """Return the text that is to be written, None also where the file says it: there it stays as it stands."""
    text = _text_of(line, unchecked)
    return None if text == line.given else text


def _words(file: ProjectFile, draft: Draft, lines: Sequence[DraftLine], reader: Reader) -> WordsOfLines:
    """Return where the words of lines stand: as they were read, or, of corrected ones, by forced alignment."""
    made: dict[str, tuple[EditedWord, ...]] = {}
    settings = HandwritingSettings(**reader.model_file.settings.signal)
    for line in lines:
        if line.reading and line.text == line.reading.text:
            sure = not line.checked
            made[line.id] = tuple(
                EditedWord(word.text, word.outline, word.confidence if sure else None) for word in line.reading.words
            )
            continue
        try:
            signal = signal_of(file, draft, line, settings)
            words = reader.align(signal, reader.alphabet.text.normalize(line.text)).words
        except RecognizerError:
            continue  # characters that the model lacks: the line gets its text, and no places of words
        if [word.text for word in words] == line.text.split():
            made[line.id] = _outlined(file, draft, line, words, signal.extent)
    return made


def _outlined(
    file: ProjectFile, draft: Draft, line: DraftLine, words: Sequence[Span], extent: float
) -> tuple[EditedWord, ...]:
    """Return words with their outlines in the pixels that the page's XML counts in."""
    grey, area = region_on_image(file, draft, line)
    scale = draft.size[0] / grey.shape[1] if draft.size[0] else 1.0
    strip = dewarp(clipped(area, (grey.shape[1], grey.shape[0])))
    length = float(strip.along[-1])
    made = []
    for word in words:
        around = strip.around(word.start / extent * length, word.end / extent * length)
        made.append(EditedWord(word.text, tuple((x * scale, y * scale) for x, y in around)))
    return tuple(made)
