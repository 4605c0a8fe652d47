"""The HTTP service over its ASGI door: health, metrics, callbacks of upstreams, Telegram's webhook."""

import json

import httpx
import pytest

from bot.web import create_app
from bot.web.telegram import HEADER, secret
from providers.base import Running
from providers.errors import OutcomeUnknown
from storage.states import JobState as J
from storage.states import SeparationState as S
from tests.bot.world import ANN, SONG

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_1"
DEEP = b"[" * 100_000


class Received:
    def __init__(self):
        self.updates = []

    async def __call__(self, updates):
        self.updates += updates


@pytest.fixture
def received():
    return Received()


@pytest.fixture
async def web(world, received):
    transport = httpx.ASGITransport(create_app(world.services, received))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        yield client


@pytest.fixture
async def hooked(worlds, received):
    async with worlds(telegram_webhook=True, public_url="https://bot.example") as world:
        transport = httpx.ASGITransport(create_app(world.services, received))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            yield client


# Health


async def test_a_healthy_bot_says_so(web, world, clock):
    world.services.pulse.expect("intake", within_s=90, now=clock())
    answer = await web.get("/healthz")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)


async def test_what_is_not_alive_is_named(web, world, clock):
    pulse = world.services.pulse
    for name in ("intake", "deliver", "status"):
        pulse.expect(name, within_s=90, now=clock())
    clock.forward(91)
    pulse.beat("status", now=clock())
    answer = await web.get("/healthz")
    assert answer.status_code == 503
    assert "intake" in answer.text
    assert "deliver" in answer.text
    assert "status" not in answer.json()["wrong"]


async def test_a_database_that_does_not_answer_is_named(worlds, received, clock):
    async with worlds(database_url="sqlite:////nowhere/x.db") as world:
        world.services.database = nowhere = type(world.database)("sqlite:////nowhere/x.db")
        transport = httpx.ASGITransport(create_app(world.services, received))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            answer = await client.get("/healthz")
        await nowhere.close()
        assert answer.status_code == 503
        assert "database" in answer.text


async def test_health_tells_no_secret(web, world, clock):
    world.services.pulse.expect("intake", within_s=0, now=clock() - 99)
    assert TOKEN not in (await web.get("/healthz")).text


# Metrics


async def test_metrics_count_what_is_open(web, world, clock):
    await world.say(f"/stems {SONG}")
    await world.steps("status", "submit")
    world.services.pulse.expect("intake", within_s=90, now=clock() - 5)
    text = (await web.get("/metrics")).text
    assert 'stembot_jobs_open{state="waiting"} 1.0' in text
    assert 'stembot_separations_open{provider="sunoapi_org",state="running"} 1.0' in text
    assert 'stembot_seen_seconds_ago{part="intake"} 5.0' in text
    assert TOKEN not in text


# An upstream's callback


@pytest.fixture
async def running(world, clock):
    """A song is being separated, its next look is a while off; its callback address."""
    await world.say(f"/stems {SONG}")
    await world.steps("status", "submit")
    separation = await world.separation()
    return f"/upstream/sunoapi_org/{separation.callback_token}"


async def test_a_callback_wakes_a_look(web, world, running):
    assert not await world.step("look")
    assert (await web.post(running, json={"code": 200})).status_code == 200
    await world.steps("look")


async def test_a_callback_is_never_believed(web, world, running):
    world.provider.to_look.append(Running())
    links = {"vocalUrl": "https://evil.example/1.mp3", "instrumentalUrl": "https://evil.example/2.mp3"}
    body = {"code": 200, "data": {"task_id": "task-1", "status": "SUCCESS", "response": links}}
    await web.post(running, json=body)
    assert (await world.separation()).state is S.RUNNING
    await world.steps("look")
    assert (await world.separation()).state is S.RUNNING
    assert await world.stems() == []


async def test_a_callback_that_says_failed_fails_nothing(web, world, running):
    await web.post(running, json={"code": 501, "msg": "failed"})
    await world.run_until_idle()
    assert (await world.job()).state is J.DELIVERED


async def test_the_same_callback_twice_changes_nothing_the_second_time(web, world, running):
    for _ in range(2):
        assert (await web.post(running, json={})).status_code == 200
    await world.run_until_idle()
    assert (await web.post(running, json={})).status_code == 200
    assert len(world.telegram.titles_in(ANN)) == 2
    assert len(world.provider.calls("look")) == 1


async def test_a_callbacks_task_is_only_a_hint_for_an_uncertain_order(web, world):
    world.provider.to_submit.append(OutcomeUnknown("cut"))
    await world.say(f"/stems {SONG}")
    await world.steps("status", "submit")
    separation = await world.separation()
    await web.post(f"/upstream/sunoapi_org/{separation.callback_token}", json={"task_id": "task-9"})
    assert (await world.separation()).state is S.UNCERTAIN
    await world.steps("find")
    assert world.provider.calls("find")[-1][-1] == "task-9"
    assert (await world.separation()).state is S.UNCERTAIN


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xfe", b"null", b"[1]", b'"x"', b"1e999", DEEP])
async def test_whatever_a_callback_holds_it_only_wakes_a_look(web, world, running, body):
    assert (await web.post(running, content=body)).status_code == 200
    await world.steps("look")


@pytest.mark.parametrize(
    "path",
    [
        "/upstream/sunoapi_org/no-such-token",
        "/upstream/kie/{token}",
        "/upstream/nobody/{token}",
        "/upstream/sunoapi_org/",
        "/upstream/sunoapi_org/{token}x",
        "/upstream/sunoapi_org/{token}/x",
        "/upstream/sunoapi_org/%00",
        "/upstream/sunoapi_org/%F0%28%8C%28",
    ],
)
async def test_anything_wrong_is_not_there_and_nothing_happens(web, world, running, path):
    token = running.rsplit("/", 1)[1]
    for body in (b"{}", DEEP):
        assert (await web.post(path.format(token=token), content=body)).status_code == 404
    assert not await world.step("look")


async def test_a_callback_is_not_read_without_end(web, running):
    read = 0

    async def endless():
        nonlocal read
        for _ in range(400):
            read += 1
            yield b"x" * 100_000

    await web.post(running, content=endless())
    assert read < 100


async def test_a_callback_can_only_be_posted(web, running):
    assert (await web.get(running)).status_code == 405


# Telegram's webhook


def shown(token=TOKEN):
    return {HEADER: secret(token)}


async def test_an_update_with_the_secret_is_received(hooked, received):
    answer = await hooked.post("/telegram", json={"update_id": 7}, headers=shown())
    assert answer.status_code == 200
    assert received.updates == [{"update_id": 7}]


@pytest.mark.parametrize(
    "headers",
    [{}, {HEADER: ""}, {HEADER: "x"}, {HEADER: TOKEN}, {HEADER: secret("1:other")}, {HEADER: b"\xff\xfe"}],
    ids=["none", "empty", "wrong", "the token", "another bot's", "not ascii"],
)
async def test_without_it_nothing_is_there(hooked, received, headers):
    answer = await hooked.post("/telegram", json={"update_id": 7}, headers=headers)
    assert answer.status_code == 404
    assert received.updates == []


async def test_when_polling_there_is_no_webhook(web, received):
    assert (await web.post("/telegram", json={"update_id": 7}, headers=shown())).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"{}", b'{"update_id": "7"}', b'{"update_id": 1.5}', b"\xff", DEEP, b" " * 1_000_001],
)
async def test_what_is_no_update_is_refused(hooked, received, body):
    assert (await hooked.post("/telegram", content=body, headers=shown())).status_code == 400
    assert received.updates == []


async def test_an_update_that_cannot_be_stored_is_not_acknowledged(worlds):
    async def broken(_updates):
        raise OSError("disk full")

    async with worlds(telegram_webhook=True, public_url="https://bot.example") as world:
        transport = httpx.ASGITransport(create_app(world.services, broken), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            answer = await client.post("/telegram", content=json.dumps({"update_id": 7}), headers=shown())
        assert answer.status_code == 500


def test_the_secret_is_one_that_telegram_takes_and_tells_no_token():
    assert 1 <= len(secret(TOKEN)) <= 256
    assert set(secret(TOKEN)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert secret(TOKEN) != secret(TOKEN.replace("1", "2"))
