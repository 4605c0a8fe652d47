"""The whole outside world on one loopback address: Telegram, the upstreams, the stem host.

/telegram              the Bot API         /chat-api            the people's side of it
/upstreams/<name>      an upstream's API   /files/<name>        its stem host
/control/<name>        hands on it for other processes
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from sandbox.serving import HOST, listening_socket, serving
from sandbox.telegram import Telegram
from sandbox.telegram.control import control_routes as chat_routes
from sandbox.telegram.limits import Limits
from sandbox.telegram.server import Sleep
from sandbox.upstreams import BRANDS
from sandbox.upstreams.control import control_routes

TELEGRAM_TOKEN = "123456789:sandbox-token-that-opens-nothing000"  # noqa: S105  opens nothing but the sandbox
SUNO_COOKIE = "__client=sandbox"


class Sandbox:
    def __init__(
        self,
        url: str,
        folder: Path,
        telegram_token: str,
        finish_after_s: float,
        limits: Limits | None,
        clock: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self.url, self.telegram_token = url, telegram_token
        self.telegram = Telegram(
            token=telegram_token,
            username="stembot_sandbox_bot",
            title="Stembot",
            files_folder=folder,
            limits=limits,
            clock=clock,
            sleep=sleep,
        )
        self.upstreams = {
            name: brand(f"{url}/files/{name}", key=key_of(name), finish_after_s=finish_after_s)
            for name, brand in BRANDS.items()
        }

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        *,
        folder: Path,
        port: int = 0,
        finish_after_s: float = 3.0,
        telegram_token: str = TELEGRAM_TOKEN,
        limits: Limits | None = None,
        routes: Sequence[BaseRoute] = (),
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> AsyncIterator[Self]:
        """Serve until the block ends. ``folder`` keeps the files that the bot sends, as far as Telegram's
        ``limits`` let it, whose rates are by the ``clock``; ``routes`` come after the sandbox's own. Raises
        OSError where the port is taken."""
        listener = listening_socket(port)
        sandbox = cls(_url_of(listener), folder, telegram_token, finish_after_s, limits, clock, sleep)
        async with AsyncExitStack() as stack:
            for upstream in sandbox.upstreams.values():
                stack.push_async_callback(upstream.close)
            await stack.enter_async_context(serving(sandbox.app(routes), listener))
            stack.push_async_callback(sandbox.telegram.close)
            yield sandbox

    @property
    def telegram_url(self) -> str:
        return f"{self.url}/telegram"

    def upstream_url(self, name: str) -> str:
        return f"{self.url}/upstreams/{name}"

    def app(self, routes: Sequence[BaseRoute] = ()) -> Starlette:
        upstreams = self.upstreams.items()
        return Starlette(
            routes=[
                Mount("/telegram", self.telegram.app),
                Mount("/chat-api", routes=chat_routes(self.telegram)),
                Mount("/upstreams", routes=[Mount(f"/{name}", each.app) for name, each in upstreams]),
                Mount(
                    "/files",
                    routes=[Mount(f"/{name}", routes=each.file_routes()) for name, each in upstreams],
                ),
                Mount("/control", routes=control_routes(self.upstreams)),
                *routes,
            ]
        )

    def settings(self) -> dict[str, str]:
        """The environment of a bot that shall live in this sandbox."""
        settings = {
            "TELEGRAM_TOKEN": self.telegram_token,
            "TELEGRAM_API_URL": self.telegram_url,
            "ALLOW_PRIVATE_FILE_HOSTS": "true",  # stem links are http on loopback
        }
        for name, upstream in self.upstreams.items():
            settings[f"{name.upper()}_URL"] = self.upstream_url(name)
            secret = "COOKIE" if name == "suno_api" else "API_KEY"
            settings[f"{name.upper()}_{secret}"] = upstream.key
        return settings


def key_of(name: str) -> str:
    return SUNO_COOKIE if name == "suno_api" else f"sandbox-key-of-{name}"


def _url_of(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
