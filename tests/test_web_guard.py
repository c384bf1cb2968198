"""What the server lets through: how much at once, from which pages, by which names, and what it says else."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from terminal import said
from web_client import serving

from recognizer.web import guard
from recognizer.web.app import STATIC
from recognizer.web.connections import bounded, room
from recognizer.web.guard import IN_FLIGHT, Guard
from recognizer.web.limits import Limits

HOST = (b"host", b"localhost")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Take a whole body and say how long it was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def asked(guarded: Guard, parts: Iterator[bytes], *headers: tuple[bytes, bytes], stalls: bool = False) -> Any:
    """Return the messages that answer a request whose body comes in `parts`, and that is whole then, or stalls."""
    sent: list[Any] = []
    rest = list(parts)

    async def receive() -> Any:
        await asyncio.sleep(0)
        if not rest and stalls:
            await asyncio.sleep(60)
        part = rest.pop(0) if rest else b""
        return {"type": "http.request", "body": part, "more_body": bool(rest) or stalls}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/transcribe", "scheme": "http", "headers": [HOST, *headers]}
    await guarded(scope, receive, send)
    return sent


@pytest.mark.parametrize("said_size", [True, False])
def test_what_is_promised_and_does_not_come_keeps_nobody_out(said_size: bool) -> None:
    guarded = Guard(echo, Limits(megabytes=1.0), frozenset({"localhost"}))
    promise = (b"content-length", b"1000000") if said_size else (b"transfer-encoding", b"chunked")

    async def all_together() -> Any:
        stalled = [asyncio.ensure_future(asked(guarded, iter([]), promise, stalls=True)) for _ in range(2 * IN_FLIGHT)]
        await asyncio.sleep(0)
        answer = await asked(guarded, iter([b"x" * 2000]), (b"content-length", b"2000"))
        for one in stalled:
            one.cancel()
        await asyncio.wait(stalled)
        return answer

    assert asyncio.run(all_together())[0]["status"] == 200
    assert guarded.held == 0 and guarded.waiting == 0


def test_a_body_that_does_not_go_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PATIENCE", 0.01)
    guarded = Guard(echo, Limits(), frozenset({"localhost"}))
    start, body = asyncio.run(asked(guarded, iter([b"a part"]), stalls=True))
    assert start["status"] == 408 and (b"connection", b"close") in start["headers"]
    assert b"nothing more of a request has come for 0.01 s" in body["body"]
    assert guarded.held == 0


def test_more_than_memory_is_to_hold_is_refused_as_it_comes() -> None:
    guarded = Guard(echo, Limits(megabytes=0.001), frozenset({"localhost"}))
    guarded.held = IN_FLIGHT * 1000 - 500
    start, body = asyncio.run(asked(guarded, iter([b"x" * 400] * 2)))
    assert start["status"] == 429 and b"is here already" in body["body"]
    guarded.held = 0
    assert asyncio.run(asked(guarded, iter([b"x" * 400] * 2)))[0]["status"] == 200
    assert asyncio.run(asked(guarded, iter([b"x" * 400] * 3)))[0]["status"] == 413


def test_a_page_behind_a_proxy_is_answered_under_its_own_name(tmp_path: Path) -> None:
    def status(host: str, origin: str) -> int:
        return int(client.post("/transcribe", headers={"host": host, "origin": origin}).status_code)

    with serving(tmp_path, names=frozenset({"letters.example.org", "other.example:8443"})) as client:
        for host in ("127.0.0.1:8642", "letters.example.org"):
            assert status(host, "https://letters.example.org") == 422, "no file, but one may ask"
        assert status("other.example:8443", "https://other.example:8443") == 422
        assert status("127.0.0.1:8642", "https://other.example") == 403
        assert status("letters.example.org", "https://evil.example") == 403
        assert status("evil.example", "https://letters.example.org") == 421


def test_a_name_that_is_an_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "serve", "--name", "https://letters.example.org/")
    assert code == 2 and "is no name of a host, expected one such as letters.example.org" in err


def test_the_page_asks_for_nothing_by_an_address_from_the_root() -> None:
    for path in (*STATIC.glob("*.html"), *STATIC.glob("js/*.js")):
        found = re.findall(r"""["'`(]/(?:static|api|docs|openapi)""", path.read_text(encoding="utf-8"))
        assert not found, f"{path.name}: behind a proxy the page may stand below another path"


def test_what_is_asked_in_vain_is_answered_as_all_else(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        nothing, method = client.get("/nope"), client.put("/transcribe")
        static = client.get("/static/nope.js")
        form = client.post("/transcribe", content=b"x", headers={"content-type": "multipart/form-data"})
    assert (nothing.status_code, nothing.json()) == (
        404,
        {"error": "GET /nope: nothing is there, expected an address that /docs names"},
    )
    assert (method.status_code, method.json()) == (405, {"error": "PUT /transcribe: expected POST there"})
    assert (static.status_code, form.status_code) == (404, 400)
    assert "nothing is there" in static.json()["error"] and form.json() == {"error": "Missing boundary in multipart."}


class Connection:
    """A connection as a server of uvicorn sees it: `cycle` is what is asked on it."""

    def __init__(self, busy: bool = False) -> None:
        """Begin without a transport."""
        self.cycle = SimpleNamespace(response_complete=False) if busy else None
        self.closed = False

    def connection_made(self, transport: Any) -> None:
        self.transport = SimpleNamespace(abort=self.abort)

    def abort(self) -> None:
        self.closed = True
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        pass


def test_connections_on_which_nothing_is_asked_make_room_for_others() -> None:
    kind = bounded(Connection, 3)
    made = [kind(busy) for busy in (True, False, False, True, True)]
    for one in made:
        one.connection_made(None)
    assert [one.closed for one in made] == [False, True, True, False, False]
    one_more = kind()
    one_more.connection_made(None)
    assert one_more.closed and not made[0].closed, "what is asked is answered"
    made[0].cycle.response_complete = True
    kind(True).connection_made(None)
    assert made[0].closed


@pytest.mark.parametrize(("bound", "most"), [(64, 32), (256, 192), (1024, 768), (1 << 20, 4096), (-1, 4096), (20, 8)])
def test_connections_leave_room_for_open_files(bound: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SimpleNamespace(RLIMIT_NOFILE=7, RLIM_INFINITY=-1, getrlimit=lambda _: (bound, bound))
    monkeypatch.setattr("recognizer.web.connections.resource", system)
    assert room() == most
