"""Requests of the page that make a model of the corrected lines, and read the rest anew with it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from fastapi import APIRouter

from recognizer.errors import RecognizerError
from recognizer.web.documents import READER, read_draft
from recognizer.web.drafts import Draft, Drafts
from recognizer.web.learning import Learning, LearningState, LearningWish, corrected_of
from recognizer.web.limits import Refused
from recognizer.web.models import KINDS, Models
from recognizer.web.project import Project, ProjectFile


@dataclass(frozen=True)
class Difference:
    """A line that two models read differently."""

    file: str
    name: str
    line: str
    before: str
    after: str


@dataclass(frozen=True)
class Ready:
    """Lines that can be learnt, by kind and by file (id, name, lines), and how the last learning stands."""

    lines: dict[str, int]
    files: list[dict[str, Any]]
    last: LearningState | None


def learning_routes(project: Project, drafts: Drafts, models: Models, learning: Learning) -> APIRouter:
    """Return the routes below /api/learning."""
    routes = APIRouter(prefix="/api/learning", tags=["of the page in the browser"])

    def pairs() -> list[tuple[ProjectFile, Draft]]:
        return [(file, draft) for file in project.files() if (draft := drafts.get(file.id))]

    @routes.get("", summary="What can be learnt, and how the last learning stands")
    def ready() -> Ready:
        found = {kind: corrected_of(kind, pairs()) for kind in KINDS}
        counts = {kind: sum(len(one.lines) for one in of_kind) for kind, of_kind in found.items()}
        files = [
            {"id": one.file.id, "name": one.file.name, "kind": kind, "lines": len(one.lines)}
            for kind, of_kind in found.items()
            for one in of_kind
        ]
        return Ready(counts, files, learning.last())

    @routes.post("", summary="Make a model of the corrected lines")
    def start(wish: LearningWish) -> LearningState:
        if wish.kind not in KINDS:
            raise Refused(422, f"kind {wish.kind!r}, expected one of {', '.join(KINDS)}")
        models.refuse_missing(wish.kind, "to start from")
        return learning.start(wish, corrected_of(wish.kind, pairs()), models.paths[wish.kind])

    @routes.delete("", summary="Stop; the best model so far stays")
    def stop() -> LearningState | None:
        return learning.stop()

    @routes.post("/use", summary="Read with the model that came out, and read anew what nobody has checked")
    async def use() -> list[Difference]:
        state = await anyio.to_thread.run_sync(learning.last)
        if state is None or not state.model:
            raise Refused(409, "no model has come out of a learning yet")
        await models.use(state.model_kind, Path(state.model))
        found: list[Difference] = []
        for file, draft in await anyio.to_thread.run_sync(pairs):
            if READER[draft.kind] == state.model_kind:
                found += await _read_anew(file, draft)
        return found

    async def _read_anew(file: ProjectFile, draft: Draft) -> list[Difference]:
        rest = [line.id for line in draft.lines if line.state in ("read", "empty")]
        if not rest:
            return []
        before = {line.id: line.text for line in draft.lines}
        try:
            made = await read_draft(file, draft, models, () if draft.kind == "sound" else rest)
        except RecognizerError:
            return []  # what cannot be read was said when it was opened, and says so again when it is
        fresh = replace(made, revision=draft.revision + 1)

        def unless_changed(now: Draft | None) -> Draft:
            return fresh if now is None or now.revision == draft.revision else now

        kept = await anyio.to_thread.run_sync(drafts.update, file.id, unless_changed)
        if kept is not fresh:
            return []
        return [
            Difference(file.id, file.name, line.id, before.get(line.id, ""), line.text)
            for line in made.lines
            if line.id in rest and line.text != before.get(line.id, "")
        ]

    return routes
