"""A handler whose answer did not get through: tried again only where it surely was not said."""

import pytest
from telegram.error import TelegramError

from bot.app import handle
from tests.bot.telegram_stand_in import (
    ANSWER_LOST,
    BLOCKED,
    GARBLED,
    GATEWAY,
    REFUSED,
    TOO_FAST,
    UNREACHABLE,
)
from tests.bot.world import ANN, SONG


@pytest.mark.parametrize("fault", [TOO_FAST, UNREACHABLE], ids=["429", "no connection"])
async def test_what_was_surely_not_said_is_said_by_another_try(world, clock, fault):
    world.telegram.fail("sendMessage", *[fault] * 3)
    raw = world.message("/help")
    with pytest.raises(TelegramError):
        await world.handle(raw)
    world.telegram.faults["sendMessage"].clear()
    clock.forward(30)
    await world.handle(raw)
    assert len(world.telegram.texts_in(ANN)) == 1


@pytest.mark.parametrize(
    "fault",
    [ANSWER_LOST, GARBLED, GATEWAY, REFUSED, BLOCKED],
    ids=["answer lost", "garbled", "502", "refused", "blocked"],
)
async def test_what_was_perhaps_said_or_never_will_be_is_left(world, fault):
    world.telegram.fail("sendMessage", fault)
    await world.say("/help")
    assert len(world.telegram.called("sendMessage")) == 1


async def test_an_error_of_ours_is_told_to_the_intake_once(world):
    raw = world.message(f"/stems {SONG}")
    raw["message"]["from"]["id"] = 1 << 70
    with pytest.raises(OverflowError):
        await world.handle(raw)
    assert world.services.failed_updates == {}


async def test_an_update_that_nobody_can_read_is_told_to_the_intake(world):
    with pytest.raises((KeyError, TypeError)):
        await world.handle({"update_id": 1, "message": {"message_id": 1}})


async def test_a_handler_that_comes_to_no_end_is_cut_off_and_told_to_the_intake(world):
    raw = world.message(f"/stems {SONG}")
    async with world.database.transaction():  # SQLite has one writer: the handler waits for it
        assert isinstance(await handle(world.application, raw, within_s=0.01), TimeoutError)
    await world.handle(raw)
    assert len(await world.jobs_of(ANN)) == 1
