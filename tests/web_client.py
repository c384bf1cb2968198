"""A server of a folder, as tests speak to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra [web] is not installed")
from fastapi.testclient import TestClient

from recognizer.web.app import ServerSettings, make_app


@contextmanager
def serving(
    *files: Path, complain: Callable[[str], None] = print, alone: bool = False, **settings: Any
) -> Iterator[TestClient]:
    """Yield a client of a server of these files."""
    app = make_app(ServerSettings(files, **settings), complain, alone)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def id_of(client: TestClient, name: str) -> str:
    """Return what requests call a file of the project."""
    (found,) = (file["id"] for file in client.get("/api/project").json()["files"] if file["name"] == name)
    return str(found)


def read(client: TestClient, name: str) -> dict[str, Any]:
    """Open and read a file; return its draft."""
    file = id_of(client, name)
    client.get(f"/api/files/{file}").raise_for_status()
    answer = client.post(f"/api/files/{file}/read")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
