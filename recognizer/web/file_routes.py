"""Requests of the page: the project's files, their drafts, pictures and sounds, reading and saving."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from io import BytesIO
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import anyio
from fastapi import APIRouter, File, Response, UploadFile
from fastapi.responses import FileResponse, PlainTextResponse

from recognizer.errors import RecognizerError
from recognizer.inputs.strokes.strokes import read_strokes, write_inkml
from recognizer.pages.page import SUFFIX, file_of, stem_of
from recognizer.web.documents import changed_on_disk, open_draft, read_draft, subtitles_path, with_reading
from recognizer.web.drafts import Draft, DraftLine, Drafts
from recognizer.web.exports import EXPORTS, export_draft, export_table
from recognizer.web.limits import Limits, Refused
from recognizer.web.line_images import picture_of, shown_image
from recognizer.web.models import KINDS, Models
from recognizer.web.project import Project, ProjectFile
from recognizer.web.saving import WordsOfLines, aligned_words, refuse_changed, save, save_subtitles, saved_into
from recognizer.web.sounds import playable, waveform
from recognizer.web.suggestions import Suggestion, expected_errors, suggest
from recognizer.web.uploads import Upload, plain_name, refuse_beyond


@dataclass(frozen=True)
class Entry:
    """A file in the list: its id, name and kind; lines in all and checked; words likely wrong; whether all is saved."""

    id: str
    name: str
    kind: str
    lines: int = 0
    checked: int = 0
    expected: float = 0.0
    opened: bool = False
    saved: bool = True


@dataclass(frozen=True)
class Overview:
    """The project: its folder, files, models by kind, and what requests may be."""

    folder: str
    files: list[Entry]
    models: dict[str, Any]
    limits: Limits


@dataclass(frozen=True)
class Change:
    """What a browser has changed in a draft of `revision`."""

    revision: int
    lines: tuple[DraftLine, ...]


@dataclass(frozen=True)
class SaveWish:
    """Whether lines that nobody has checked are written too, and whether subtitles are."""

    unchecked: bool = False
    subtitles: bool = False


@dataclass(frozen=True)
class Drawing:
    """Pen strokes x0, y0, x1, y1, ... in pixels; `keep` makes a file of the project of them, of that name."""

    strokes: list[list[float]]
    keep: str = ""


Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class _Route:
    """Where a request is answered; `answer` is the class of what is no JSON."""

    method: str
    path: str
    summary: str
    answer: type[Response] | None


def _route(method: str, path: str, summary: str, answer: type[Response] | None = None) -> Callable[[Handler], Handler]:
    """Mark a method as what answers a request."""

    def mark(handler: Handler) -> Handler:
        handler.route = _Route(method, path, summary, answer)  # type: ignore[attr-defined]
        return handler

    return mark


def file_routes(project: Project, drafts: Drafts, models: Models, limits: Limits) -> APIRouter:
    """Return the routes below /api that concern files."""
    routes = APIRouter(prefix="/api", tags=["of the page in the browser"])
    answers = _FileRequests(project, drafts, models, limits)
    for name, member in vars(_FileRequests).items():
        if isinstance(route := getattr(member, "route", None), _Route):
            form: Any = {"response_class": route.answer} if route.answer else {}
            handler = getattr(answers, name)
            routes.add_api_route(route.path, handler, methods=[route.method], summary=route.summary, **form)
    return routes


@dataclass(frozen=True)
class _FileRequests:
    """Answers requests about the files of a project."""

    project: Project
    drafts: Drafts
    models: Models
    limits: Limits
    saving: anyio.Lock = field(default_factory=anyio.Lock)  # one after the other: what one writes, the next has seen

    def _opened(self, name: str) -> tuple[ProjectFile, Draft]:
        file = self.project.file(name)
        return file, open_draft(file, self.drafts)

    @_route("GET", "/project", "The files of the project")
    def overview(self) -> Overview:
        states = {name: asdict(self.models.state(kind)) for kind, name in KINDS.items()}
        return Overview(
            self.project.folder.name, [_entry(file, self.drafts) for file in self.project.files()], states, self.limits
        )

    @_route("POST", "/files", "Add files to the project's folder")
    async def add(self, files: Annotated[list[UploadFile], File()]) -> list[Entry]:
        uploads = [Upload(plain_name(file.filename or "file"), await file.read()) for file in files]
        return await anyio.to_thread.run_sync(self._added, uploads)

    def _added(self, uploads: list[Upload]) -> list[Entry]:
        for upload in uploads:
            for kind in ("handwriting", "speech"):
                refuse_beyond(upload, kind, self.limits)
        # Pages last: their images are sought among what is there.
        uploads.sort(key=lambda one: one.name.lower().endswith(SUFFIX))
        paths = [self.project.add(upload.name, upload.data) for upload in uploads]
        return [_entry(file, self.drafts) for file in self.project.files() if file_of(file.path) in paths]

    @_route("GET", "/files/{name}", "The draft of a file")
    def get(self, name: str) -> Draft:
        return self._opened(name)[1]

    @_route("PUT", "/files/{name}", "Change a draft")
    def change(self, name: str, change: Change) -> Draft:
        self.project.file(name)
        return self.drafts.change(name, change.revision, change.lines)

    @_route("DELETE", "/files/{name}/draft", "Load a file again as it is on disk; the draft goes to the backups")
    def reload(self, name: str) -> Draft:
        file = self.project.file(name)
        self.drafts.drop(name)
        return open_draft(file, self.drafts)

    @_route("GET", "/files/{name}/state", "Whether a file was changed on disk since its draft was made")
    def state(self, name: str) -> dict[str, bool]:
        file, draft = self._opened(name)
        return {"changed_on_disk": changed_on_disk(file, draft)}

    @_route("POST", "/files/{name}/read", "Read a file, or some of its lines")
    async def read(self, name: str, only: list[str] | None = None) -> Draft:
        file, draft = await anyio.to_thread.run_sync(self._opened, name)
        for line in only or ():
            _line(draft, line)
        made = await read_draft(file, draft, self.models, only or ())
        # Somebody may have typed meanwhile: what was read goes into the draft as it is now.
        return await anyio.to_thread.run_sync(
            self.drafts.update, name, lambda now: _merged(now, made) if now and now.revision != draft.revision else made
        )

    @_route("POST", "/files/{name}/save", "Write the draft into the file, or beside it")
    async def save_file(self, name: str, wish: SaveWish) -> dict[str, Any]:
        async with self.saving:
            file, draft = await anyio.to_thread.run_sync(self._to_be_saved, name, wish)
            words = await aligned_words(file, draft, self.models, wish.unchecked)
            return await anyio.to_thread.run_sync(self._saved, file, draft, wish, words)

    def _to_be_saved(self, name: str, wish: SaveWish) -> tuple[ProjectFile, Draft]:
        file, draft = self._opened(name)
        if wish.subtitles:
            if draft.kind != "sound":
                raise Refused(422, f"{file.name}: subtitles are of recordings")
            refuse_changed(file, draft, subtitles_path(file.path))
        return file, draft

    def _saved(self, file: ProjectFile, draft: Draft, wish: SaveWish, words: WordsOfLines) -> dict[str, Any]:
        steps = [save(file, draft, self.drafts, words, wish.unchecked)]
        if wish.subtitles:
            steps.append(save_subtitles(file, steps[0].draft, self.drafts))
        target = next((one for one in self.project.files() if one.path == steps[0].path), file)
        # Words were aligned, which takes its time: what was typed meanwhile is in the draft as it is now.
        kept = self.drafts.update(target.id, lambda _: saved_into(self.drafts.get(file.id), draft, steps[-1].draft))
        written = [step.path.name for step in steps if step.written]
        backup = str(steps[0].backup) if steps[0].backup else ""
        return {"file": target.id, "written": written, "backup": backup, "draft": kept}

    @_route("GET", "/files/{name}/image", "The image of a page or line, upright", Response)
    def image(self, name: str) -> Response:
        data, media_type = shown_image(self.project.file(name))
        return Response(data, media_type=media_type)

    @_route("GET", "/files/{name}/lines/{line}/picture", "A line, level, as PNG", Response)
    def picture(self, name: str, line: str) -> Response:
        file, draft = self._opened(name)
        return Response(picture_of(file, draft, _line(draft, line)), media_type="image/png")

    @_route("GET", "/files/{name}/sound", "A recording as WAV", FileResponse)
    def sound(self, name: str) -> FileResponse:
        return FileResponse(playable(self.project.file(name), self.project.drafts / "sounds"), media_type="audio/wav")

    @_route("GET", "/files/{name}/waveform", "Lowest and highest values of a recording's parts, in -1 to 1")
    def wave(self, name: str, parts: int = 1200) -> dict[str, Any]:
        return asdict(waveform(self.project.file(name), min(max(parts, 10), 20_000)))

    @_route("GET", "/files/{name}/strokes", "Pen strokes x0, y0, x1, y1, ... of a file")
    def strokes(self, name: str) -> list[list[float]]:
        file = self.project.file(name)
        return [stroke.ravel().tolist() for stroke in read_strokes(file.path.read_bytes(), file.name)]

    @_route("GET", "/files/{name}/export/{form}", f"A draft as {', '.join(EXPORTS)}", Response)
    def export(self, name: str, form: str) -> Response:
        file, draft = self._opened(name)
        text, suffix = export_draft(file, draft, form)
        return _download(text, f"{stem_of(file.path.name)}{suffix}")

    @_route("GET", "/export.tsv", "All that is corrected or accepted, as a manifest", Response)
    def table(self, unchecked: bool = False) -> Response:
        pairs = [(file, draft) for file in self.project.files() if (draft := self.drafts.get(file.id))]
        return _download(export_table(pairs, unchecked), "transcripts.tsv")

    @_route("GET", "/suggestions", "What to correct next, the likeliest errors first")
    def suggestions(self) -> list[Suggestion]:
        return suggest([(file, draft) for file in self.project.files() if (draft := self.drafts.get(file.id))])

    @_route("POST", "/strokes", "Read a drawing")
    async def drawing(self, drawing: Drawing) -> dict[str, Any]:
        for number, stroke in enumerate(drawing.strokes):
            if len(stroke) % 2 or not stroke:
                raise Refused(422, f"strokes[{number}] has {len(stroke)} numbers, expected pairs x, y")
        data = await anyio.to_thread.run_sync(write_inkml, drawing.strokes)
        if drawing.keep:
            return {"file": await anyio.to_thread.run_sync(self._kept, f"{drawing.keep}.inkml", data)}
        self.models.refuse_missing("strokes", "a drawing")
        reader = await self.models.with_reader("strokes", lambda reader: reader)
        signal = await anyio.to_thread.run_sync(lambda: reader.signal(BytesIO(data), name="the drawing"))
        (found,) = await self.models.read("strokes", [signal])
        return asdict(found)

    def _kept(self, name: str, data: bytes) -> str:
        path = self.project.add(name, data)
        return next(one.id for one in self.project.files() if one.path == path)


def _merged(now: Draft, read: Draft) -> Draft:
    """Return the draft as it is now with what was read of lines that are still where they were."""
    found = {line.id: line for line in read.lines}
    lines = tuple(
        with_reading(line, found[line.id].reading)
        if line.id in found and found[line.id].outline == line.outline and found[line.id].baseline == line.baseline
        else line
        for line in now.lines
    )
    return replace(now, lines=lines, model=read.model, revision=now.revision + 1)


def _entry(file: ProjectFile, drafts: Drafts) -> Entry:
    try:
        draft = drafts.get(file.id)
    except RecognizerError:
        draft = None
    if draft is None:
        return Entry(file.id, file.name, file.kind)
    expected = sum(expected_errors(line) for line in draft.lines if line.state == "read")
    checked = sum(line.checked for line in draft.lines)
    unsaved = any(line.checked and line.text != line.given or line.moved for line in draft.lines)
    return Entry(file.id, file.name, draft.kind, len(draft.lines), checked, round(expected, 2), True, not unsaved)


def _line(draft: Draft, name: str) -> DraftLine:
    for line in draft.lines:
        if line.id == name:
            return line
    raise Refused(404, f"{draft.name}: no line {name!r}")


def _download(text: str, name: str) -> Response:
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return PlainTextResponse(text, headers=headers)
