"""The way of updates to handlers when the database fails for a moment, and at the end."""

import asyncio
from contextlib import suppress

import pytest

from bot.intake.dispatcher import HANDLED
from tests.bot.intake.handlers_stand_in import KEPT, update
from tests.bot.world import BOB


async def test_a_chat_goes_on_after_the_database_failed_while_it_noted_a_failure(world, dispatcher, handlers):
    handlers.fails[1] = 1
    await dispatcher.receive([update(1)])
    await handlers.until(lambda: handlers.begun)
    world.database.broken = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await dispatcher.flush()
    world.database.broken = None
    await dispatcher.receive([update(2)])
    await handlers.until(lambda: 2 in handlers.handled)


async def test_what_was_handled_is_noted_after_the_database_failed_once(world, dispatcher, handlers, noted):
    await dispatcher.receive([update(1)])
    await handlers.until(lambda: handlers.handled)
    world.database.broken = OSError("disk full")
    with suppress(OSError):
        await dispatcher.flush()
    world.database.broken = None
    await dispatcher.flush()
    assert await noted() == [1]


async def test_what_is_kept_though_nobody_was_told_is_handled_when_telegram_repeats_it(
    world, dispatcher, handlers, noted
):
    def connection_lost(boundary):
        if boundary == "after COMMIT":
            world.database.boundary = lambda _: None
            raise OSError("connection lost")

    world.database.boundary = connection_lost
    with pytest.raises(OSError, match="connection lost"):
        await dispatcher.receive([update(1)])
    assert (handlers.begun, await noted(KEPT)) == ([], [1])
    await dispatcher.receive([update(1)])
    await handlers.until(lambda: handlers.handled == [1])


async def test_nothing_is_handled_that_could_not_be_kept(world, dispatcher, handlers, noted):
    world.database.broken = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await dispatcher.receive([update(1)])
    world.database.broken = None
    assert (handlers.begun, await noted(KEPT)) == ([], [])


# The end


async def test_at_the_end_what_has_begun_may_end_and_is_noted(dispatcher, handlers, noted):
    handlers.hold(1)
    await dispatcher.receive([update(1)])
    await handlers.until(lambda: handlers.begun)
    draining = asyncio.create_task(dispatcher.drain(5))
    await asyncio.sleep(0)
    handlers.let(1)
    await draining
    assert handlers.begun == [1]
    assert await noted() == [1]


async def test_at_the_end_what_has_not_begun_is_left_for_the_next_start(dispatcher, handlers, noted, clock):
    handlers.hold(1)
    await dispatcher.receive([update(1), update(2)])
    await handlers.until(lambda: handlers.begun)
    draining = asyncio.create_task(dispatcher.drain(5))
    await asyncio.sleep(0)
    handlers.let(1)
    await draining
    assert handlers.handled == [1]
    assert await noted() == [1]


async def test_at_the_end_what_hangs_is_left_for_the_next_start(dispatcher, handlers, noted):
    handlers.hold(1)
    await dispatcher.receive([update(1), update(2, BOB)])
    await handlers.until(lambda: handlers.handled)
    await dispatcher.drain(0.01)
    assert await noted() == [2]


async def test_it_wakes_whoever_notes_what_is_handled(world, dispatcher, handlers):
    woken = world.services.wakes.sleeper(HANDLED)
    await dispatcher.receive([update(1)])
    await handlers.until(lambda: handlers.handled)
    await asyncio.wait_for(woken.wait(), 2)
