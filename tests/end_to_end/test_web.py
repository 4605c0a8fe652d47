"""The HTTP service: health, metrics, Telegram's webhook, the upstreams' callbacks."""

import httpx
import pytest

from sandbox.songs import ODD, SONGS
from tests.end_to_end.processes import url_of
from tests.end_to_end.towns import balance_of

SONG = SONGS[0]
COMMAND = f"/stems {SONG.task_id}:{SONG.audio_id}"


@pytest.fixture
def public(free_port):
    """The settings of a bot that the outside reaches."""
    return {"HTTP_PORT": str(free_port), "PUBLIC_URL": f"http://127.0.0.1:{free_port}"}


@pytest.fixture
def ann(town):
    return town.telegram.person("Ann")


async def test_health_and_metrics_answer_and_what_nobody_knows_is_not_there(town, ann):
    bot = await town.home.start()
    await balance_of(ann)
    async with httpx.AsyncClient(base_url=url_of(bot)) as client:
        health = await client.get("/healthz")
        assert (health.status_code, health.json()["ok"]) == (200, True)
        metrics = await client.get("/metrics")
        assert metrics.status_code == 200
        assert "stembot_updates_total 1.0" in metrics.text
        for path in ("/upstream/sunoapi_org/guess", "/upstream/nobody/guess", "/telegram", "/upstream/kie/"):
            assert (await client.post(path, json={"update_id": 1})).status_code == 404
        assert (await client.get("/")).status_code == 404


async def test_updates_come_by_webhook_and_only_with_its_secret(town, ann, public):
    bot = await town.home.start(**public, TELEGRAM_WEBHOOK="true")
    command = await ann.say(COMMAND)
    await ann.wait_for_text("balance 90", after=command)
    assert len(town.audios(command)) == 2
    assert town.telegram.calls_of("getUpdates") == []
    stranger = {"update_id": 700_009_999, "message": {**command.wire(), "message_id": 999}}
    async with httpx.AsyncClient(base_url=url_of(bot)) as client:
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guess"}):
            answer = await client.post("/telegram", json=stranger, headers=headers)
            assert answer.status_code == 404
        assert "stembot_updates_total 1.0" in (await client.get("/metrics")).text
    assert await balance_of(ann) == 90
    assert await bot.stop() == 0


async def test_a_bot_that_had_a_webhook_can_go_back_to_polling_and_misses_nothing(town, ann, public):
    bot = await town.home.start(**public, TELEGRAM_WEBHOOK="true")
    assert await bot.stop() == 0
    command = await ann.say(COMMAND)
    await town.home.start()
    await ann.wait_for_text("balance 90", after=command)
    assert len(town.audios(command)) == 2


async def test_a_callback_makes_the_bot_look_at_once(town, ann, public):
    town.upstream.hold()
    bot = await town.home.start(**public, LOOK_FIRST_SECONDS="60", LOOK_EVERY_SECONDS="60")
    command = await ann.say(COMMAND)
    await bot.line("submit to sunoapi_org")
    await ann.wait_for_text("set aside", after=command)
    town.upstream.finish()
    await ann.wait_for_text("balance 90", within_s=5, after=command)
    assert len(town.audios(command)) == 2
    (posted,) = town.upstream.callbacks.posted
    assert posted.status == 200


async def test_a_forged_callback_brings_nothing_of_its_own_into_the_chat(town, ann, public):
    """It is posted while the song is still being separated, with the right token and somebody else's link."""
    town.upstream.hold()
    song = ODD["callback_forged"]
    bot = await town.home.start(**public, LOOK_FIRST_SECONDS="60", LOG_LEVEL="DEBUG")
    command = await ann.say(f"/stems {song.task_id}:{song.audio_id}")
    await bot.line("look: Running")
    assert town.audios(command) == []
    town.upstream.finish()
    await ann.wait_for_text("balance 90", after=command)
    assert len(town.audios(command)) == 2
    assert not any("example.net" in str(call.parameters) for call in town.telegram.calls)
