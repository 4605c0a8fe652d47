"""One uvicorn server inside the running event loop: no signal handlers, gone within a second."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.upstreams.faults import ABORT

HOST = "127.0.0.1"


def listening_socket(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes any, so the address is known before anything is served."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve ``app`` on the socket; at the end every connection is cut, open long polls and streams too."""
    server = _Server(app)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    def __init__(self, app: ASGIApp) -> None:
        self.ready = asyncio.Event()
        self._app = app
        self._closing = False
        # h11 by name: its connections know their transport. Nothing is logged but errors.
        super().__init__(
            uvicorn.Config(
                self._entrance, interface="asgi3", http="h11", ws="none", lifespan="off", log_config=None,
                access_log=False, proxy_headers=False, timeout_graceful_shutdown=1,
            )
        )  # fmt: skip

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to whoever runs the loop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing = True
        for connection in self._connections():
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()
        await super().shutdown(sockets)

    async def _entrance(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ABORT] = lambda: self._abort(scope["client"])
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._closing:
                raise

    def _abort(self, client: tuple[str, int]) -> None:
        for connection in self._connections():
            if connection.client == client:
                connection.transport.abort()

    def _connections(self) -> list[H11Protocol]:
        return [each for each in self.server_state.connections if isinstance(each, H11Protocol)]
