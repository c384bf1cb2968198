"""The verb serve: the page in the browser, and the same for other programs."""

import argparse
import re
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE
from recognizer.commands.options import number, whole
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.web.app import ServerSettings

PORT = 8642
OWN = ("127.0.0.1", "localhost", "::1")  # addresses that only this machine reaches
NAME = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")  # of a host
MODELS = {"lines": "handwriting", "speech": "speech", "strokes": "strokes"}  # option to kind


def add_serve(verbs: Any, console: Console) -> None:
    """Add serve to the command line `verbs`, what argparse's add_subparsers returned."""
    serve = verbs.add_parser("serve", help="read, correct and learn on a page in the browser")
    serve.add_argument("files", nargs="*", type=Path, help="files, or one folder, to work on")
    for option, kind in MODELS.items():
        serve.add_argument(f"--model-{option}", metavar="MODEL", help=f"reads {option} (default: the shipped {kind})")
    serve.add_argument("--drafts", type=Path, help="folder of drafts and backups (default: FOLDER.drafts beside it)")
    serve.add_argument("--host", default=OWN[0], help=f"address to listen at (default {OWN[0]}: this machine alone)")
    serve.add_argument("--port", type=whole("port"), default=PORT, help=f"default {PORT}; 0 for any that is free")
    serve.add_argument("--name", metavar="HOST", action="append", default=[], type=_name, help="of a proxy; repeatable")
    serve.add_argument("--open", action="store_true", help="open the page in the browser")
    serve.add_argument("--device", default="auto", help="auto, cpu or cuda")
    bounds = serve.add_argument_group("bounds of requests (beyond them: one line, and 413 or 429)")
    bounds.add_argument("--max-megabytes", type=number("max-megabytes"), default=64.0, help="of one request (64)")
    bounds.add_argument("--max-megapixels", type=number("max-megapixels"), default=50.0, help="of an image (50)")
    bounds.add_argument("--max-seconds", type=number("max-seconds"), default=3600.0, help="of a recording (3600)")
    bounds.add_argument("--max-queue", type=whole("max-queue"), default=256, help="requests that may wait (256)")
    serve.set_defaults(act=partial(_serve, console))


def _serve(console: Console, chosen: argparse.Namespace) -> int:
    try:
        import fastapi  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise RecognizerError(f"serve needs {error.name}, expected it: pip install 'recognizer[web]'") from None
    return _run(console, chosen, _settings(chosen))


def _run(console: Console, chosen: argparse.Namespace, settings: "ServerSettings") -> int:
    from recognizer.web.app import app_alone
    from recognizer.web.connections import Server

    if not chosen.host:
        raise RecognizerError(
            f"--host is empty, expected an address such as {OWN[0]}; 0.0.0.0 is all of this machine's"
        )
    with (
        app_alone(settings, console.complain) as app,
        _socket(chosen.host, chosen.port) as listening,
    ):
        port = listening.getsockname()[1]
        shown = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
        address = f"http://{shown}:{port}/"
        console.say(f"{address}  (Ctrl-C ends it)")
        for reached in (name for name in (chosen.host, *chosen.name) if name not in OWN):
            console.complain(f"whoever reaches {reached} can read and change these files: there is no password")
        if chosen.open:
            import webbrowser

            webbrowser.open(address)
        Server(app).run([listening])
    return DONE


def _settings(chosen: argparse.Namespace) -> "ServerSettings":
    import os

    from recognizer.inputs.lines.image_file import LIMIT, max_pixels
    from recognizer.web.app import LOCAL, ServerSettings
    from recognizer.web.limits import Limits

    given = {kind: getattr(chosen, f"model_{option}") for option, kind in MODELS.items()}
    if chosen.max_megapixels * 1e6 > max_pixels():
        os.environ[LIMIT] = f"{chosen.max_megapixels:g}"  # of all that decodes images, what is learnt aside too
    limits = Limits(chosen.max_megabytes, chosen.max_megapixels, chosen.max_seconds, chosen.max_queue)
    return ServerSettings(
        tuple(chosen.files),
        chosen.drafts,
        {kind: model for kind, model in given.items() if model},
        chosen.device,
        limits,
        LOCAL if chosen.host in OWN else frozenset({"*"}),
        frozenset(chosen.name),
    )


def _name(text: str) -> str:
    """Return a host's name, with its port where it has one, as requests have it."""
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a host, expected one such as letters.example.org")
    return text.lower()


def _socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        RecognizerError: the address cannot be had.
    """
    from recognizer.web.connections import WAITING

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(WAITING)  # now, so that whoever reads the address may ask at once
    except (OSError, OverflowError) as error:
        made.close()
        reason = getattr(error, "strerror", None) or error
        raise RecognizerError(
            f"{host}:{port} cannot be had ({reason}), expected a free port, such as --port 0"
        ) from None
    return made
