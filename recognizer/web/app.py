"""The server: it assembles what answers requests."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from recognizer import __version__
from recognizer.common.folder_lock import FolderHeld, locked_folder
from recognizer.errors import RecognizerError
from recognizer.web.drafts import Drafts
from recognizer.web.file_routes import file_routes
from recognizer.web.guard import Guard
from recognizer.web.learning import Learning
from recognizer.web.learning_routes import learning_routes
from recognizer.web.limits import Limits
from recognizer.web.models import Models
from recognizer.web.project import Project
from recognizer.web.stray_drafts import give_back
from recognizer.web.transcribe_routes import transcribe_routes
from recognizer.web.uploads import status_of
from recognizer.web.used_models import UsedModels

STATIC = Path(__file__).parent / "static"
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class ServerSettings:
    """What a server is started with.

    Args:
        files: files, or one folder.
        drafts: folder of the drafts, None for the one beside the project's.
        models: by kind ("handwriting", "speech", "strokes"), where the shipped ones are not to be taken.
        device: of the models.
        limits: of requests.
        hosts: names that requests may call the server by, "*" for any.
        names: HOST or HOST:PORT of proxies that stand before it.
    """

    files: tuple[Path, ...] = ()
    drafts: Path | None = None
    models: dict[str, Path | str] | None = None
    device: str = "auto"
    limits: Limits = Limits()
    hosts: frozenset[str] = LOCAL
    names: frozenset[str] = frozenset()


@contextmanager
def app_alone(settings: ServerSettings, complain: Callable[[str], None]) -> Iterator[Guard]:
    """Yield the server as an ASGI application that shares its folder of drafts with no other, as `make_app`.

    Raises:
        RecognizerError: another server has the folder; or as make_app.
    """
    folder = Project(settings.files, settings.drafts).drafts
    with ExitStack() as held:
        try:
            alone = held.enter_context(locked_folder(folder))
        except FolderHeld as other:
            by = f" (process {other.holder})" if other.holder else ""
            raise RecognizerError(
                f"{folder}: another server keeps its drafts there{by}, expected to use that one, or to end it"
            ) from None
        except OSError as error:
            complain(
                f"{folder}: cannot be locked ({error.strerror or error}), which is to keep a second server away: "
                f"expected that it may be written, or --drafts another folder"
            )
            alone = False
        yield make_app(settings, complain, alone)


def make_app(
    settings: ServerSettings, complain: Callable[[str], None] = lambda line: None, alone: bool = False
) -> Guard:
    """Return the server as an ASGI application.

    Args:
        settings: what it is started with.
        complain: takes a line on drafts that belong to no file, and one on a model that was read with before.
        alone: whether no other server has its folder of drafts: what learns there is ended with it, also what one
            before it has begun.

    Raises:
        RecognizerError: a file or a model that is not there.
    """
    project = Project(settings.files, settings.drafts)
    drafts = Drafts(project.drafts)
    for line in give_back(project, drafts):
        complain(line)
    learning = Learning(project.drafts / "learning")
    used = UsedModels(learning.folder / "used.json")
    models = Models(settings.models or {}, settings.device, settings.limits, used, complain)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if alone or learning.watched:
            learning.stop()
        models.close()

    app = FastAPI(
        title="recognizer",
        version=__version__,
        summary="Reads handwriting, pen strokes and speech.",
        lifespan=lifespan,
        docs_url=None,  # its page would load what it shows from another host
        redoc_url=None,
    )
    app.add_exception_handler(RecognizerError, _in_one_line)
    app.add_exception_handler(RequestValidationError, _in_one_line)
    app.add_exception_handler(OSError, _of_the_disk)
    app.add_exception_handler(HTTPException, _of_http)
    app.include_router(transcribe_routes(models, settings.limits))
    app.include_router(file_routes(project, drafts, models, settings.limits))
    app.include_router(learning_routes(project, drafts, models, learning))
    app.add_api_route("/", _page("index.html"), include_in_schema=False)
    app.add_api_route("/docs", _page("docs.html"), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return Guard(app, settings.limits, settings.hosts, settings.names)


def _page(name: str) -> Callable[[], FileResponse]:
    def page() -> FileResponse:
        return FileResponse(STATIC / name, media_type="text/html; charset=utf-8")

    return page


async def _of_the_disk(_request: Request, error: Any) -> JSONResponse:
    """Answer what the system refuses, such as a folder that may not be written, with one line."""
    where = f"{Path(error.filename).name}: " if error.filename else ""
    return JSONResponse({"error": f"{where}cannot be written or read ({error.strerror or error})"}, 500)


async def _of_http(request: Request, error: Any) -> JSONResponse:
    """Answer what is asked in vain, such as an address that there is none of, with one line as all else."""
    where = f"{request.method} {request.url.path}"
    lines = {
        404: f"{where}: nothing is there, expected an address that /docs names",
        405: f"{where}: expected {(error.headers or {}).get('Allow', 'another method')} there",
    }
    line = lines.get(error.status_code) if error.detail == HTTPStatus(error.status_code).phrase else None
    return JSONResponse({"error": line or error.detail}, error.status_code, error.headers)


async def _in_one_line(_request: Request, error: Any) -> JSONResponse:
    """Answer a fault of what was asked with one line."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return JSONResponse({"error": f"{where}: {first['msg']}"}, 422)
    return JSONResponse({"error": str(error)}, status_of(error))
