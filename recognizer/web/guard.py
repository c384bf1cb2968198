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
PATIENCE = 30.0  # seconds that the next part of a body may take to come
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

    def __init__(self, app: App, limits: Limits, hosts: frozenset[str], names: frozenset[str] = frozenset()) -> None:
        """Let requests through to `app` that are for one of `hosts` (names without port; "*" for any).

        `names`, HOST or HOST:PORT, are what others than this server, such as a proxy, are reached by: requests are for
        them too, and of pages there, whatever host or scheme they come here with.
        """
        self.app, self.limits = app, limits
        self.hosts = hosts | {_without_port(name) for name in names}
        self.origins = {f"{scheme}://{name}" for scheme in ("http", "https") for name in names}
        self.waiting = 0  # requests to be read
        self.held = 0  # bytes of bodies that are here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it in one line."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if fault := self._fault(scope, headers):
            await _refuse(send, *fault)
            return
        reads = scope["path"] == READ
        self.waiting += reads
        body, answer = _Body(receive, self), _Answer(send)
        try:
            await self.app(scope, body, _with_headers(answer, body))
        except _Ended:
            pass  # what comes is said below, also where something on the way has made another error of it
        except asyncio.CancelledError:
            if answer.begun:
                raise
            await _refuse(send, 503, "the server ends, ask again when it is there")
        finally:
            self.waiting -= reads
            self.held -= body.seen
        if body.fault and not answer.begun:
            await _refuse(send, *body.fault)

    def fault_of(self, size: int, more: int) -> tuple[int, str] | None:
        """Return what is wrong with a body of `size` bytes, of which `more` are not here yet, None for nothing."""
        most = int(self.limits.megabytes * 1e6)
        if size > most:
            return 413, f"a request of more than {self.limits.megabytes:g} MB, expected at most that"
        if size and self.held + more > IN_FLIGHT * most:
            return 429, "as much data as may be in memory at once is here already: try again later"
        return None

    def _fault(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "").lower()
        if "*" not in self.hosts and _without_port(host) not in self.hosts:
            line = f"a request for the host {_without_port(host)!r}, which this server is not"
            return 421, f"{line}: if it is its name, start it with --name"
        origin = headers.get("origin")
        changes = scope["method"] not in ("GET", "HEAD")
        if changes and origin not in (None, *self.origins) and origin != f"{scope['scheme']}://{host}":
            line = f"a request that another site has made ({origin}), expected one of this page"
            return 403, f"{line}: if this server is reached there, start it with --name"
        stated = headers.get("content-length", "")
        size = int(stated) if stated.isdigit() else 0  # which a body in chunks does not say: it is counted as it comes
        if fault := self.fault_of(size, size):
            return fault
        if scope["path"] == READ and self.waiting >= self.limits.queue:
            return 429, f"{self.waiting} requests wait already, expected at most {self.limits.queue}: try again later"
        return None


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return (name if port.isdigit() else host).strip("[]")


class _Ended(Exception):
    """A body that is not received to its end."""


class _Body:
    """Receives a body, and ends it where it grows beyond the bounds, whatever its header promised, or does not go on.

    What is promised is not counted: whoever promises much and sends nothing would keep all others out.
    """

    def __init__(self, receive: Receive, guard: Guard) -> None:
        self.receive, self.guard = receive, guard
        self.seen, self.whole = 0, False
        self.fault: tuple[int, str] | None = None

    async def __call__(self) -> Message:
        if self.fault:
            raise _Ended
        if self.whole:  # what is waited for now is that nobody waits for the answer any more
            return await self.receive()
        try:
            message = await asyncio.wait_for(self.receive(), PATIENCE)
        except asyncio.TimeoutError:
            self.fault = (
                408,
                f"nothing more of a request has come for {PATIENCE:g} s, expected all of it: send it again",
            )
            raise _Ended from None
        came = len(message.get("body", b""))
        self.seen += came
        self.guard.held += came
        self.whole = not message.get("more_body", False)
        self.fault = self.guard.fault_of(self.seen, 0)
        if self.fault:
            raise _Ended
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
        if body.fault:
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
    headers += [(b"connection", b"close")] if status == 408 else []  # nobody knows when the rest comes
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
