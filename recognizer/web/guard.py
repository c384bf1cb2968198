"""What every request passes: its host, its origin, its size, and how many and how much of them there may be at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from recognizer.web.limits import Limits

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READ = "/transcribe"  # requests to be read: they wait in the queue
IN_FLIGHT = 4  # bodies of the largest size that may be in memory at once
HEADERS = {
    # Nothing is loaded from elsewhere, whatever a text or a file name says.
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: App, limits: Limits, hosts: frozenset[str]) -> None:
        """Let requests through to `app` that are for one of `hosts` (names without port; "*" for any)."""
        self.app, self.limits, self.hosts = app, limits, hosts
        self.waiting = 0  # requests to be read
        self.held = 0  # bytes of bodies that are promised or here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it in one line."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if fault := self._fault(scope, headers):
            await _refuse(send, *fault)
            return
        reads, size = scope["path"] == READ, self._size(scope, headers)
        self.waiting += reads
        self.held += size
        body, answer = _Body(receive, self._most), _Answer(send)
        try:
            await self.app(scope, body, _with_headers(answer, body))
        except _TooLarge:
            pass  # what comes is said below, also where something on the way has made another error of it
        except asyncio.CancelledError:
            if answer.begun:
                raise
            await _refuse(send, 503, "the server ends, ask again when it is there")
        finally:
            self.waiting -= reads
            self.held -= size
        if body.too_large:
            await _refuse(send, 413, self._too_large())

    @property
    def _most(self) -> int:
        return int(self.limits.megabytes * 1e6)

    def _too_large(self) -> str:
        return f"a request of more than {self.limits.megabytes:g} MB, expected at most that"

    def _size(self, scope: Scope, headers: dict[str, str]) -> int:
        """Return how many bytes a request's body will have, the most that is allowed where it does not say."""
        if scope["method"] in ("GET", "HEAD", "DELETE"):
            return 0
        stated = headers.get("content-length", "")
        return int(stated) if stated.isdigit() else self._most

    def _fault(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if "*" not in self.hosts and name.strip("[]") not in self.hosts:
            return 421, f"a request for the host {name!r}, which this server is not"
        origin = headers.get("origin")
        if scope["method"] not in ("GET", "HEAD") and origin not in (None, f"{scope['scheme']}://{host}"):
            return 403, "a request that another site has made, expected one of this page"
        size = self._size(scope, headers)
        if size > self._most:
            return 413, self._too_large()
        if scope["path"] == READ and self.waiting >= self.limits.queue:
            return 429, f"{self.waiting} requests wait already, expected at most {self.limits.queue}: try again later"
        if size and self.held and self.held + size > IN_FLIGHT * self._most:
            return 429, "as much data as may be in memory at once is here already: try again later"
        return None


class _TooLarge(Exception):
    """A body beyond the bound."""


class _Body:
    """Receives a body and ends it where it grows beyond the bound, whatever its header promised."""

    def __init__(self, receive: Receive, most: int) -> None:
        self.receive, self.most = receive, most
        self.seen = 0

    @property
    def too_large(self) -> bool:
        return self.seen > self.most

    async def __call__(self) -> Message:
        message = await self.receive()
        self.seen += len(message.get("body", b""))
        if self.too_large:
            raise _TooLarge
        return message


class _Answer:
    """Sends an answer; knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self.send, self.begun = send, False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        await self.send(message)


def _with_headers(send: Send, body: _Body) -> Send:
    async def sent(message: Message) -> None:
        if body.too_large:
            return
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in given]
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return sent


async def _refuse(send: Send, status: int, line: str) -> None:
    body = json.dumps({"error": line}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"retry-after", b"2")] if status == 429 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
