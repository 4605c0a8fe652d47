"""The server under the sandbox, and what only a real connection shows."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from sandbox.serving import listening_socket, serving
from sandbox.songs import ODD, SONGS
from sandbox.upstreams import Kie, faults

KEY = {"Authorization": "Bearer sandbox-key"}


@asynccontextmanager
async def served(routes):
    listener = listening_socket(0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        serving(Starlette(routes=routes), listener),
        httpx.AsyncClient(base_url=url, headers=KEY, timeout=10) as client,
    ):
        yield client


@pytest.fixture
async def kie():
    upstream = Kie("http://unused/files")
    yield upstream
    await upstream.close()


@pytest.fixture
async def client(kie):
    async with served([Mount("/", kie.app)]) as client:
        kie.base_files_url = str(client.base_url.join("/files"))
        yield client


def body(song=SONGS[0]):
    return {
        "taskId": song.task_id,
        "audioId": song.audio_id,
        "type": "separate_vocal",
        "callBackUrl": "https://example.com/noop",
    }


async def submit(client, song=SONGS[0]):
    return await client.post("/api/v1/vocal-removal/generate", json=body(song))


async def vocals(client, kie, song):
    task_id = (await submit(client, song)).json()["data"]["taskId"]
    kie.finish()
    look = await client.get("/api/v1/vocal-removal/record-info", params={"taskId": task_id})
    return look.json()["data"]["response"]["vocalUrl"]


@pytest.mark.parametrize(("fault", "charges"), [(faults.reset_before(), 0), (faults.reset_after(), 1)])
async def test_a_reset_cuts_the_connection_and_nothing_else(kie, client, fault, charges):
    kie.fail_next(fault)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await submit(client)
    assert kie.charges == charges
    assert (await submit(client)).json()["code"] == 200


async def test_a_song_can_lose_the_answer_of_its_submit(kie, client):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await submit(client, ODD["answer_lost"])
    assert kie.charges == 1


async def test_a_download_is_cut_in_the_middle(kie, client):
    link = await vocals(client, kie, ODD["host_cuts"])
    received = bytearray()
    async with client.stream("GET", link) as answer:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await _read_into(received, answer)
        assert 0 < len(received) < int(answer.headers["content-length"])


async def test_a_slow_host_sends_its_first_bytes_under_the_full_length(kie, client):
    link = await vocals(client, kie, ODD["host_slow"])
    async with client.stream("GET", link) as answer:
        first = await anext(answer.aiter_bytes())
        assert len(first) < 1000 < int(answer.headers["content-length"])


async def test_an_endless_host_names_no_length(kie, client):
    link = await vocals(client, kie, ODD["host_endless"])
    received = 0
    async with client.stream("GET", link) as answer:
        assert "content-length" not in answer.headers
        async for chunk in answer.aiter_bytes():
            received += len(chunk)
            if received > 5_000_000:
                break
    assert received > 5_000_000


async def test_a_link_with_a_raw_space_is_served_once_a_client_has_encoded_it(kie, client):
    link = await vocals(client, kie, ODD["spaces"])
    assert (await client.get(link)).headers["content-type"] == "audio/mpeg"


async def test_it_stops_within_a_second_while_polls_and_streams_are_open(caplog):
    waiting, streaming = asyncio.Event(), asyncio.Event()

    async def poll(_: Request) -> Response:
        waiting.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def stream(_: Request) -> Response:
        async def events():
            yield b"data: 1\n\n"
            streaming.set()
            await asyncio.Event().wait()

        return StreamingResponse(events(), media_type="text/event-stream")

    async with asyncio.TaskGroup() as group:
        async with served([Route("/poll", poll), Route("/stream", stream)]) as client:
            asks = [group.create_task(_ends_in_error(client, path)) for path in ("/poll", "/stream")]
            await asyncio.gather(waiting.wait(), streaming.wait())
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 1
    assert all(ask.result() for ask in asks)
    assert caplog.records == []


async def _read_into(received, answer):
    async for chunk in answer.aiter_bytes():
        received.extend(chunk)


async def _ends_in_error(client, path):
    try:
        await client.get(path)
    except httpx.HTTPError:
        return True
    return False


async def test_a_taken_port_is_said_at_once():
    with listening_socket(0) as taken:
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            listening_socket(taken.getsockname()[1])
