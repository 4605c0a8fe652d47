"""Delivering: what becomes of it when Telegram says wait or nothing, when a chat changes, in a crash."""

from contextlib import suppress

import pytest

from bot.engine.deliver import DEADLINE_S, OVERDUE_S
from storage.deliveries import stem_ids
from storage.states import JobState as J
from tests.bot.mortal import Killed
from tests.bot.telegram_stand_in import (
    ANSWER_LOST,
    BLOCKED,
    CHAT_NOT_FOUND,
    FINE,
    GARBLED,
    GATEWAY,
    KICKED,
    NO_THREAD,
    TOO_FAST,
    TOPIC_CLOSED,
    UNREACHABLE,
    moved_to,
)
from tests.bot.world import ANN, BAND, SONG

BASIC_TITLES = ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
NEW_BAND = -1009
FILES = ("sendAudio", "sendDocument", "sendMediaGroup")


# Answers that say wait, or nothing at all


@pytest.mark.parametrize("fault", [TOO_FAST, UNREACHABLE], ids=["429", "no connection"])
async def test_what_was_surely_not_sent_is_sent_later(ready, world, fault):
    await ready()
    world.telegram.fail("sendMediaGroup", *[fault] * 4)
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES
    assert (await world.job()).state is J.DELIVERED


@pytest.mark.parametrize("fault", [ANSWER_LOST, GARBLED, GATEWAY], ids=["answer lost", "garbled", "502"])
async def test_what_may_have_been_sent_is_told_and_not_repeated(ready, world, fault):
    await ready()
    world.telegram.fail("sendMediaGroup", fault)
    await world.run_until_idle()
    assert len(world.telegram.called(*FILES)) == 1
    assert "did not confirm Vocals, Instrumental" in world.status_text()
    assert "Send again" in str(world.telegram.messages)
    assert (await world.job()).state is J.DELIVERED


async def test_sending_again_after_a_lost_answer_uploads_again(ready, world):
    await ready()
    world.telegram.fail("sendMediaGroup", ANSWER_LOST)
    await world.run_until_idle()
    await world.press("Send again")
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES * 2
    assert await world.balance() == 90


async def test_telegram_that_takes_no_files_for_an_hour_ends_it_at_no_cost(ready, world):
    await ready()
    world.telegram.fail_always("sendMediaGroup", UNREACHABLE)
    await world.steps("deliver")
    world.clock.forward(3600)
    await world.run_until_idle()
    assert (await world.job()).state is J.FAILED
    assert await world.balance() == 100
    assert "not be sent within an hour (Telegram could not be reached)" in world.status_text()


async def test_downloads_that_break_off_for_an_hour_are_not_laid_at_telegrams_door(ready, world):
    await ready()
    world.files.answers["vocals"] = 503
    await world.steps("deliver")
    world.clock.forward(3600)
    await world.run_until_idle()
    assert "not be sent within an hour (a download broke off)" in world.status_text()


# Chats that change


@pytest.mark.parametrize("fault", [BLOCKED, KICKED, CHAT_NOT_FOUND], ids=["blocked", "kicked", "not found"])
async def test_a_chat_that_is_gone_gets_its_credits_back(ready, world, fault):
    await ready("full")
    world.telegram.fail("sendMediaGroup", fault)
    await world.run_until_idle()
    assert (await world.job()).state is J.FAILED
    assert await world.balance() == 100
    assert len(world.telegram.called(*FILES)) == 1


async def test_a_chat_that_goes_in_the_middle_gets_no_more(ready, world):
    await ready("full")
    world.telegram.fail("sendMediaGroup", FINE, BLOCKED)
    await world.run_until_idle()
    assert (await world.job()).state is J.FAILED
    assert len(world.telegram.called(*FILES)) == 2


async def test_a_group_that_moves_in_the_middle_gets_the_rest_at_its_new_place(ready, world):
    await ready("full", chat_id=BAND)
    world.telegram.fail("sendMediaGroup", moved_to(NEW_BAND))
    await world.run_until_idle()
    assert len(world.telegram.titles_in(NEW_BAND)) == 12
    assert world.telegram.titles_in(BAND) == []
    assert (await world.job()).chat_id == NEW_BAND
    assert "12 stems" in world.status_text(NEW_BAND)


@pytest.mark.parametrize("fault", [NO_THREAD, TOPIC_CLOSED], ids=["deleted", "closed"])
async def test_a_topic_that_is_gone_gets_it_in_general(ready, world, fault):
    await ready(chat_id=BAND, message_thread_id=7, is_topic_message=True)
    world.telegram.fail("sendMediaGroup", fault)
    await world.run_until_idle()
    first, second = world.telegram.called("sendMediaGroup")
    assert first.data["message_thread_id"] == 7
    assert "message_thread_id" not in second.data
    assert (await world.job()).state is J.DELIVERED


async def test_a_group_whose_every_topic_is_closed_is_not_asked_without_end(ready, world):
    await ready(chat_id=BAND)
    world.telegram.fail_always("sendMediaGroup", TOPIC_CLOSED)
    with suppress(AssertionError):
        for _ in range(60):
            await world.steps("deliver")
    assert len(world.telegram.called("sendMediaGroup")) < 4


# Crashes


async def test_what_was_on_its_way_when_the_process_died_is_sent_after_the_restart(ready, world, clock):
    await ready("full")
    world.boundary.fatal = len(world.boundary.passed) + 8
    with suppress(Killed):
        await world.step("deliver")
    assert world.boundary.dead
    world.boundary.dead, world.boundary.fatal = False, None
    clock.forward(30)
    await world.run_until_idle()
    assert len(set(world.telegram.titles_in(ANN))) == 12
    assert (await world.job()).state is J.DELIVERED


async def test_every_part_names_its_messages(ready, world):
    await ready("full")
    await world.steps("deliver")
    parts = await world.parts()
    assert [part.state for part in parts] == ["sent", "sent"]
    assert sum(len(stem_ids(part)) for part in parts) == 12
    assert all(part.message_ids_json not in (None, "[]") for part in parts)


async def test_a_delivery_that_never_comes_to_its_end_is_given_up_and_told(ready, clock):
    world = await ready()
    world.files.answers["vocals"] = RuntimeError("of a kind that nobody has thought of")
    with pytest.raises(RuntimeError):
        await world.step("deliver")
    clock.forward(DEADLINE_S + OVERDUE_S - 1)
    assert not await world.step("overdue")
    clock.forward(1)
    await world.steps("overdue", "status")
    assert (await world.job()).state is J.FAILED
    assert "No stems: they could not be sent within an hour.\n" in world.status_text()
    assert await world.balance() == 100


async def test_stems_for_a_chat_that_takes_no_message_do_not_wait_for_ever(world, clock):
    await world.say(f"/stems {SONG}")
    world.telegram.fail_always("sendMessage", UNREACHABLE)
    await world.steps("status", "submit")
    clock.forward(15)
    await world.steps("look")
    clock.forward(world.services.settings.job_deadline_seconds + DEADLINE_S - 16)
    assert not await world.step("overdue")
    clock.forward(1)
    await world.steps("overdue")
    assert (await world.job()).state is J.FAILED
    assert await world.balance() == 100
