"""The server's connections: no more than the system lets it open, those that nothing is asked on given up first."""

import socket
from typing import TYPE_CHECKING, Any

import uvicorn

try:
    import resource
except ImportError:  # a system without it
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from recognizer.web.guard import Guard

WAITING = 2048  # connections that may wait to be accepted
AT_ONCE = 8  # that are accepted before one of them is looked at
SPARE = 32  # descriptors, at least, for what is no connection: the program's own, files that are read and written
MOST = 4096  # connections where the system has no bound, or a higher one


class Server(uvicorn.Server):
    """uvicorn's server with a bound on its connections.

    Its own bound, limit_concurrency, counts those too on which nothing is asked, and refuses what is asked on others.
    """

    def __init__(self, app: "Guard", most: int | None = None) -> None:
        """Answer with `app` on at most so many connections, None for as many as the system has room for."""
        settings = {"log_level": "warning", "access_log": False, "timeout_graceful_shutdown": 5}
        config = uvicorn.Config(app, backlog=AT_ONCE, **settings)  # type: ignore[arg-type]
        config.load()
        config.http_protocol_class = bounded(config.http_protocol_class, most or room())
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin; as many connections wait to be accepted as before."""
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(WAITING)


def room() -> int:
    """Return how many connections the system has room for beside what else is open."""
    if resource is None:
        return MOST
    bound = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if bound == resource.RLIM_INFINITY:
        return MOST
    return max(AT_ONCE, min(MOST, bound - max(SPARE, bound // 4)))


def bounded(protocol: Any, most: int) -> Any:
    """Return a protocol of uvicorn that closes a connection where there would be more than `most`.

    It is the oldest on which no answer is waited for: a browser keeps some of those, and opens another when it asks.
    """
    open_ones: dict[Any, None] = {}  # in the order in which they were made

    class Bounded(protocol):  # type: ignore[misc]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            open_ones[self] = None
            if len(open_ones) > most:
                idle = (one for one in open_ones if one.cycle is None or one.cycle.response_complete)
                one = next(idle, self)
                open_ones.pop(one)
                one.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            open_ones.pop(self, None)
            super().connection_lost(exc)

    return Bounded
