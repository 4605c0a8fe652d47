"""Recorded answers, and every provider with the stand-in of its upstream at the other end."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from providers import registry
from providers.base import Mode, Progress, Provider, SongRef
from providers.http import Reply
from sandbox.serving import HOST, listening_socket, serving
from sandbox.songs import ODD, SONGS
from sandbox.upstreams import BRANDS, Upstream

SAMPLES = Path(__file__).parent / "samples"
CALLBACK = "https://bot.example/upstream/x/q3xN"  # elsewhere: the sandbox posts to loopback only
SONG = SongRef(SONGS[0].audio_id, SONGS[0].task_id)


@pytest.fixture(scope="session")
def sample() -> Callable[..., Reply]:
    """``sample("kie/no_credits", status=200)``: the recorded body as a Reply."""

    def read(name: str, status: int = 200) -> Reply:
        return Reply(status, json.loads((SAMPLES / f"{name}.json").read_text()))

    return read


class Front:
    """What the one server of these tests serves: the upstream of the test that runs."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.upstream: Upstream | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.upstream.app(scope, receive, send)


@dataclass
class World:
    """A provider and its upstream."""

    url: str
    upstream: Upstream
    provider: Provider

    @staticmethod
    def odd(name: str) -> SongRef:
        """A song that makes its upstream behave oddly."""
        return SongRef(ODD[name].audio_id, ODD[name].task_id)

    async def submit(self, song: SongRef = SONG, mode: Mode = Mode.BASIC) -> str:
        return await self.provider.submit(song, mode, CALLBACK)

    async def finished(self, song: SongRef = SONG, mode: Mode = Mode.BASIC) -> Progress:
        upstream_task_id = await self.submit(song, mode)
        self.upstream.finish(upstream_task_id)
        return await self.provider.look(upstream_task_id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front() -> AsyncIterator[Front]:
    listener = listening_socket(0)
    front = Front(f"http://{HOST}:{listener.getsockname()[1]}")
    async with serving(front, listener):
        yield front


@pytest_asyncio.fixture(loop_scope="module", params=registry.names)
async def world(front: Front, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    key = "__client=sandbox"
    front.upstream = BRANDS[request.param](f"{front.url}/files", key=key, finish_after_s=3600)
    provider = registry.build(request.param, front.url, key, cookie=key)
    yield World(front.url, front.upstream, provider)
    await provider.aclose()
    await front.upstream.close()
