from contextlib import AsyncExitStack

import httpx
import pytest

from sandbox.songs import SONGS, Song
from sandbox.upstreams import BRANDS, Upstream

KEY = "right-key"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def make(clock):
    """``make(name)`` -> an upstream on a still clock, with ``client`` to talk to it."""
    async with AsyncExitStack() as stack:

        async def build(name: str, **options: object) -> tuple[Upstream, httpx.AsyncClient]:
            key = "__client=right" if name == "suno_api" else KEY
            upstream = BRANDS[name]("http://upstream/files", key=key, clock=clock, **options)
            stack.push_async_callback(upstream.close)
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(upstream.app),
                base_url="http://upstream",
                headers={} if name == "suno_api" else {"Authorization": f"Bearer {KEY}"},
            )
            return upstream, await stack.enter_async_context(client)

        yield build


class FamilyClient:
    """Speaks the wire format of sunoapi_org, kie and apikley."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    def body(self, song: Song = SONGS[0], **changes: object) -> dict[str, object]:
        """A good submit, with changes; None takes a field out."""
        wanted = {"taskId": song.task_id, "audioId": song.audio_id, "type": "separate_vocal"}
        wanted |= {"callBackUrl": "https://example.com/noop"} | changes
        return {name: value for name, value in wanted.items() if value is not None}

    async def submit(self, **options):
        answer = await self.http.post("/api/v1/vocal-removal/generate", **options)
        assert answer.status_code == 200
        return answer.json()

    async def start(self, song: Song = SONGS[0], **changes: object) -> str:
        return (await self.submit(json=self.body(song, **changes)))["data"]["taskId"]

    async def look(self, task_id: str):
        return (await self.http.get("/api/v1/vocal-removal/record-info", params={"taskId": task_id})).json()


@pytest.fixture
def make_family(make):
    async def build(name: str, **options: object) -> tuple[Upstream, FamilyClient]:
        upstream, http = await make(name, **options)
        return upstream, FamilyClient(http)

    return build


@pytest.fixture(params=["sunoapi_org", "kie", "apikley"])
async def brand(request, make_family):
    return await make_family(request.param)
