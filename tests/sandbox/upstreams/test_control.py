import httpx
import pytest
from starlette.applications import Starlette

from sandbox.songs import SONGS
from sandbox.upstreams.control import control_routes


@pytest.fixture
async def kie(make_family):
    return await make_family("kie")


@pytest.fixture
async def control(kie):
    app = Starlette(routes=control_routes({"kie": kie[0]}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://control") as client:
        yield client


async def test_the_state_tells_what_was_submitted(kie, control):
    _, client = kie
    task_id = await client.start()
    state = (await control.get("/kie")).json()
    assert (state["balance"], state["charges"], state["looks"]) == (990, 1, 0)
    assert state["submits"][0]["audio_id"] == SONGS[0].audio_id
    assert state["submits"][0]["task_id"] == task_id


async def test_a_task_is_held_released_and_finished(kie, control, clock):
    _, client = kie
    await control.post("/kie/hold")
    first, second = await client.start(), await client.start()
    clock.move(60)
    assert (await client.look(first))["data"]["successFlag"] == "PENDING"
    await control.post("/kie/finish", json={"task_id": first})
    assert (await client.look(first))["data"]["successFlag"] == "SUCCESS"
    assert (await client.look(second))["data"]["successFlag"] == "PENDING"
    await control.post("/kie/release")
    assert (await client.look(second))["data"]["successFlag"] == "SUCCESS"


async def test_the_balance_is_set(kie, control):
    _, client = kie
    assert (await control.post("/kie/balance", json={"balance": 3})).json()["balance"] == 3
    assert (await client.submit(json=client.body()))["code"] == 402


async def test_the_next_exchanges_fail(kie, control):
    _, client = kie
    await control.post("/kie/fail_next", json={"fault": "code", "args": [455, "closed"], "times": 2})
    answers = [await client.submit(json=client.body()) for _ in range(3)]
    assert [answer["code"] for answer in answers] == [455, 455, 200]
    assert answers[0]["msg"] == "closed"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/nobody/hold", {}, 404),
        ("/kie/explode", {}, 404),
        ("/kie/balance", {}, 400),
        ("/kie/balance", {"balance": "much"}, 400),
        ("/kie/finish", {"task_id": "unknown"}, 400),
        ("/kie/fail_next", {"fault": "unheard of"}, 400),
        ("/kie/fail_next", {"fault": "code", "args": []}, 400),
        ("/kie/fail_next", {"fault": "html_502", "on": "sumbit"}, 400),
        ("/kie/hold", [1], 400),
    ],
)
async def test_what_cannot_be_done_is_said(control, path, body, status):
    assert (await control.post(path, json=body)).status_code == status
