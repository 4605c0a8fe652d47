"""A stand-in per test, a bot's HTTP client over ASGI, and a real server for what needs connections."""

import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.serving import listening_socket, serving
from sandbox.telegram import Limits, Person, Telegram

TOKEN = "123456789:" + "A" * 35


@dataclass
class Clock:
    """Time that passes only when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bot:
    """The bot's side: calls methods, gets (status, body)."""

    client: httpx.AsyncClient
    token: str = TOKEN

    async def raw(self, method: str, files: Any = None, **parameters: Any) -> httpx.Response:
        data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
        return await self.client.post(f"/bot{self.token}/{method}", data=data, files=files)

    async def call(self, method: str, files: Any = None, **parameters: Any) -> Any:
        """The result of a call that works."""
        body = (await self.raw(method, files, **parameters)).json()
        assert body["ok"], body
        return body["result"]

    async def error(self, method: str, files: Any = None, **parameters: Any) -> tuple[int, str]:
        """Code and description of a call that is refused."""
        response = await self.raw(method, files, **parameters)
        body = response.json()
        assert not body["ok"], body
        assert body["error_code"] == response.status_code
        return response.status_code, body["description"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_telegram(tmp_path: Path, clock: Clock) -> Callable[..., Telegram]:
    def make(**options: Any) -> Telegram:
        defaults = {"clock": clock, "limits": Limits.unhurried()}
        return Telegram(
            token=TOKEN,
            username="stembot_demo_bot",
            title="Stembot",
            files_folder=tmp_path / "files",
            **defaults | options,
        )

    return make


@pytest.fixture
async def telegram(make_telegram: Callable[..., Telegram]) -> AsyncIterator[Telegram]:
    telegram = make_telegram()
    yield telegram
    await telegram.close()


@asynccontextmanager
async def bot_of(telegram: Telegram) -> AsyncIterator[Bot]:
    transport = httpx.ASGITransport(telegram.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://telegram") as client:
        yield Bot(client)


@pytest.fixture
def bot_for() -> Callable[[Telegram], Any]:
    return bot_of


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[Bot]:
    async with bot_of(telegram) as bot:
        yield bot


@pytest.fixture
async def ann(telegram: Telegram) -> Person:
    """Somebody who has started the bot, whose update was confirmed."""
    ann = telegram.person("Ann", username="ann")
    await ann.say("/start")
    telegram.world.updates.drop_pending()
    return ann


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """An app on a real socket; its address."""
    listener = listening_socket(0)
    host, port = listener.getsockname()
    async with serving(app, listener):
        yield f"http://{host}:{port}"


@pytest.fixture
def serve() -> Callable[..., Any]:
    return served


@pytest.fixture
async def address(telegram: Telegram) -> AsyncIterator[str]:
    """The stand-in on a real socket."""
    async with served(telegram.app) as url:
        yield url


@pytest.fixture
async def wired(address: str) -> AsyncIterator[Bot]:
    """The bot's client over real connections."""
    async with httpx.AsyncClient(base_url=address, timeout=20, trust_env=False) as client:
        yield Bot(client)


def mp3(seconds: float = 2, title: str = "", artist: str = "") -> bytes:
    """A quiet MP3 with ID3 tags."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp3") as container:
        container.metadata.update({"title": title, "artist": artist})
        stream = container.add_stream("libmp3lame", rate=44100, layout="mono")
        silence = np.zeros((1, int(44100 * seconds)), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


@pytest.fixture(scope="session")
def song() -> bytes:
    return mp3(2.5, "Paper Boats", "Ann")


@pytest.fixture
async def host(song: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    """A web server with good and bad files; its address and how often it was asked."""
    asked: list[str] = []

    def page(body: bytes | str, mime: str, status: int = 200) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            asked.append(request.url.path)
            return Response(body, status, media_type=mime)

        return endpoint

    pages = {
        "/song.mp3": page(song, "audio/mpeg"),
        "/page.mp3": page("<html>", "text/html"),
        "/song.wav": page(song, "audio/x-wav"),
        "/large.mp3": page(b"x" * 30_000, "audio/mpeg"),
        "/gone.mp3": page("", "audio/mpeg", 404),
        "/x.pdf": page(b"%PDF", "application/pdf"),
    }
    async with served(Starlette(routes=[Route(path, endpoint) for path, endpoint in pages.items()])) as url:
        yield url, asked
