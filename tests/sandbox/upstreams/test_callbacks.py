"""Callbacks of sunoapi_org, kie and apikley, received by a real server on loopback."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serving import listening_socket, serving
from sandbox.songs import ODD, SONGS
from sandbox.upstreams.callbacks import is_loopback

KEYS = {
    "sunoapi_org": "vocal_removal_info",
    "kie": "vocal_separation_info",
    "apikley": "vocal_separation_info",
}


class Receiver:
    def __init__(self, url: str) -> None:
        self.url, self.bodies = url, []

    async def take(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        return Response(status_code=200)


@pytest.fixture
async def receiver():
    listener = listening_socket(0)
    receiver = Receiver(f"http://127.0.0.1:{listener.getsockname()[1]}/callback")
    app = Starlette(routes=[Route("/callback", receiver.take, methods=["POST"])])
    async with serving(app, listener):
        yield receiver


async def run(upstream, client, receiver, song=SONGS[0], **changes):
    """Start a task, finish it, and wait for what is posted."""
    task_id = await client.start(song, callBackUrl=receiver.url, **changes)
    upstream.finish()
    await upstream.callbacks.sent()
    return task_id


async def test_a_finished_task_is_told_in_the_brand_s_spelling(brand, receiver):
    upstream, client = brand
    task_id = await run(upstream, client, receiver)
    [body] = receiver.bodies
    stems = body["data"][KEYS[upstream.name]]
    assert (body["code"], body["data"]["task_id"]) == (200, task_id)
    assert set(stems) == {"origin_url", "vocal_url", "instrumental_url"}
    looked = (await client.look(task_id))["data"]["response"]
    assert stems["vocal_url"] == looked["vocalUrl"]
    assert [posted.status for posted in upstream.callbacks.posted] == [200]


async def test_absent_stems_have_no_key(brand, receiver):
    upstream, client = brand
    await run(upstream, client, receiver, ODD["null_stems"], type="split_stem")
    stems = receiver.bodies[0]["data"][KEYS[upstream.name]]
    assert "backing_vocals_url" in stems
    assert "brass_url" not in stems


async def test_a_failure_is_told_without_stems(brand, receiver):
    upstream, client = brand
    await run(upstream, client, receiver, ODD["generation_failed"])
    [body] = receiver.bodies
    assert (body["code"], body["data"][KEYS[upstream.name]]) == (500, None)


async def test_a_callback_may_come_twice(brand, receiver):
    upstream, client = brand
    await run(upstream, client, receiver, ODD["callback_twice"])
    assert receiver.bodies[0] == receiver.bodies[1]


async def test_a_callback_may_come_before_the_answer_to_the_submit(make_family, receiver):
    _, client = await make_family("kie")
    task_id = await client.start(ODD["callback_early"], callBackUrl=receiver.url)
    assert [body["data"]["task_id"] for body in receiver.bodies] == [task_id]


async def test_a_callback_may_come_after_the_end_was_seen(brand, receiver):
    upstream, client = brand
    task_id = await run(upstream, client, receiver, ODD["callback_late"])
    assert receiver.bodies == []
    await client.look(task_id)
    await upstream.callbacks.sent()
    assert len(receiver.bodies) == 1


async def test_a_callback_may_go_astray(brand, receiver):
    upstream, client = brand
    await run(upstream, client, receiver, ODD["callback_astray"])
    assert [(posted.url, posted.status) for posted in upstream.callbacks.posted] == [
        (f"{receiver.url}x", 404)
    ]


async def test_a_forged_callback_comes_while_the_task_runs(brand, receiver):
    upstream, client = brand
    task_id = await client.start(ODD["callback_forged"], callBackUrl=receiver.url)
    await upstream.callbacks.sent()
    assert "example.net" in receiver.bodies[0]["data"][KEYS[upstream.name]]["vocal_url"]
    assert (await client.look(task_id))["data"]["successFlag"] == "PENDING"


async def test_a_task_that_ends_by_itself_is_told_too(make_family, receiver):
    upstream, client = await make_family("kie", finish_after_s=0)
    upstream.hold()
    await client.start(callBackUrl=receiver.url)
    upstream.release()
    await upstream.callbacks.sent()
    assert len(receiver.bodies) == 1


async def test_nothing_is_posted_elsewhere(brand):
    upstream, client = brand
    await client.start()
    upstream.finish()
    await upstream.callbacks.sent()
    assert upstream.callbacks.posted == []


async def test_a_receiver_that_is_gone_harms_nothing(brand):
    upstream, client = brand
    with listening_socket(0) as taken:  # bound, never listening
        await client.start(callBackUrl=f"http://127.0.0.1:{taken.getsockname()[1]}/gone")
        upstream.finish()
        await upstream.callbacks.sent()
    assert [posted.status for posted in upstream.callbacks.posted] == [None]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:8080/x", True),
        ("https://example.com/noop", False),
        ("http://127.0.0.1.example.com/x", False),
        ("http://192.168.0.1/x", False),
    ],
)
def test_what_counts_as_loopback(url, expected):
    assert is_loopback(url) is expected
