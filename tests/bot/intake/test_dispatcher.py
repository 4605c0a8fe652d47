"""Updates to handlers: in order within a chat, side by side between chats, each at least once."""

import asyncio

import pytest

from bot.intake.dispatcher import AT_ONCE, BACKLOG_MAX, LEASE_S, Dispatcher, chat_of
from storage.inbox import STARTS
from tests.bot.intake.handlers_stand_in import KEPT, Handlers, settled, update
from tests.bot.world import ANN, BAND, BOB, SONG, until


async def test_an_update_is_kept_then_handled_then_noted(dispatcher, handlers, noted):
    handlers.hold(1)
    await dispatcher.receive([update(1)])
    assert (await noted(KEPT), await noted()) == ([1], [])
    handlers.let(1)
    await settled(dispatcher, handlers, 1)
    assert await noted() == [1]


async def test_what_one_chat_says_is_handled_in_order(dispatcher, handlers):
    handlers.hold(1)
    await dispatcher.receive([update(1), update(2)])
    await dispatcher.receive([update(3)])
    await handlers.until(lambda: handlers.begun)
    assert handlers.begun == [1]
    handlers.let(1)
    await handlers.until(lambda: len(handlers.handled) == 3)
    assert handlers.begun == [1, 2, 3]


async def test_chats_are_handled_side_by_side(dispatcher, handlers):
    handlers.hold(1)
    await dispatcher.receive([update(1, ANN), update(2, BOB), update(3, BAND)])
    await handlers.until(lambda: len(handlers.handled) == 2)
    assert sorted(handlers.handled) == [2, 3]


async def test_a_press_waits_for_the_message_before_it(dispatcher, handlers):
    handlers.hold(1)
    press = {"update_id": 2, "callback_query": {"message": update(0)["message"]}}
    await dispatcher.receive([update(1), press])
    await handlers.until(lambda: handlers.begun)
    assert handlers.begun == [1]


async def test_a_repeated_update_is_handled_once(dispatcher, handlers, noted):
    await dispatcher.receive([update(1)])
    await dispatcher.receive([update(1), update(2)])
    await settled(dispatcher, handlers, 2)
    await dispatcher.receive([update(1), update(2)])
    assert handlers.handled == [1, 2]
    assert await noted() == [1, 2]


async def test_an_update_that_fails_is_tried_again_later(dispatcher, handlers, noted, clock, failed):
    handlers.fails[1] = 1
    await dispatcher.receive([update(1)])
    await failed(1)
    assert await noted() == []
    assert not await dispatcher.rescue()
    clock.forward(6)
    assert await dispatcher.rescue()
    await settled(dispatcher, handlers, 1)
    assert (await noted(), handlers.sorry) == ([1], [])


async def test_a_failing_update_holds_its_chat_up_no_longer(dispatcher, handlers):
    handlers.fails[1] = 1
    await dispatcher.receive([update(1), update(2)])
    await handlers.until(lambda: handlers.handled)
    assert handlers.handled == [2]


async def test_an_update_that_fails_thrice_is_given_up_with_an_apology(
    dispatcher, handlers, noted, clock, failed
):
    handlers.fails[1] = 99
    await dispatcher.receive([update(1)])
    for tries in range(1, 4):
        await failed(tries)
        clock.forward(60)
        await dispatcher.rescue()
    await handlers.until(lambda: handlers.sorry)
    assert (handlers.begun, handlers.sorry) == ([1, 1, 1], [1])
    assert await noted() == [1]


async def test_whoever_asked_is_told_of_an_update_with_which_the_process_always_dies(
    world, dispatcher, handlers, clock
):
    handlers.hold(1)
    await dispatcher.receive([update(1)])
    for _ in range(STARTS - 1):
        next_one = Dispatcher(world.services, handlers.handle, handlers.apologise)
        clock.forward(LEASE_S + 1)
        assert await next_one.rescue()
    last = Dispatcher(world.services, handlers.handle, handlers.apologise)
    clock.forward(LEASE_S + 1)
    assert not await last.rescue()
    assert handlers.sorry == [1]
    handlers.let(1)


async def test_that_it_waited_for_long_does_not_count_as_a_failure(dispatcher, handlers, clock, failed):
    handlers.hold(1)
    handlers.fails[2] = 1
    await dispatcher.receive([update(1), update(2)])
    for _ in range(3):  # the chat's first update takes minutes
        clock.forward(LEASE_S + 1)
        await dispatcher.rescue()
    handlers.let(1)
    await failed(1, number=2)
    clock.forward(LEASE_S + 1)
    await dispatcher.rescue()
    await handlers.until(lambda: 2 in handlers.handled or handlers.sorry)
    assert handlers.sorry == []


async def test_what_a_dead_process_left_is_handled_by_the_next(world, dispatcher, handlers, noted, clock):
    handlers.hold(1)
    await dispatcher.receive([update(1), update(2)])
    await handlers.until(lambda: handlers.begun)
    second = Handlers()
    survivor = Dispatcher(world.services, second.handle, second.apologise)
    assert not await survivor.rescue()  # somebody may be at work on them
    clock.forward(LEASE_S + 1)
    assert await survivor.rescue()
    await settled(survivor, second, 2)
    assert second.handled == [1, 2]
    assert await noted() == [1, 2]


async def test_more_than_it_can_keep_stays_with_telegram(dispatcher, handlers):
    numbers = range(1, BACKLOG_MAX + 1)
    handlers.hold(*numbers)
    await dispatcher.receive([update(number, number) for number in numbers])
    waiting = asyncio.create_task(dispatcher.receive([update(BACKLOG_MAX + 1)]))
    await handlers.until(lambda: len(handlers.begun) >= AT_ONCE)
    assert not waiting.done()
    handlers.let(*numbers)
    await handlers.until(lambda: len(handlers.handled) == BACKLOG_MAX)
    await dispatcher.flush()
    await asyncio.wait_for(waiting, 5)


async def test_only_so_many_are_handled_at_once(dispatcher, handlers):
    numbers = range(1, 101)
    handlers.hold(*numbers)
    await dispatcher.receive([update(number, number) for number in numbers])
    await handlers.until(lambda: len(handlers.begun) >= AT_ONCE)
    assert len(handlers.begun) == AT_ONCE
    handlers.let(*numbers)
    await settled(dispatcher, handlers, 100)


# With the bot's own handlers


async def test_a_handler_that_fails_thrice_ends_in_an_apology_in_its_chat(world, clock, failed):
    broken = world.message(f"/stems {SONG}")
    broken["message"]["from"]["id"] = 1 << 70  # no database takes that
    await world.dispatcher.receive([broken])
    for tries in range(1, 4):
        await failed(tries, by=world.dispatcher)
        clock.forward(61)
        await world.dispatcher.rescue()
    await until(lambda: world.telegram.sent)
    assert "went wrong on my side" in world.status_text()
    assert len(world.telegram.texts_in(ANN)) == 1


@pytest.mark.parametrize(
    ("raw", "chat_id"),
    [
        (update(1), ANN),
        ({"update_id": 1, "callback_query": {"message": {"chat": {"id": BAND}}}}, BAND),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": BOB}}}, BOB),
        ({"update_id": 1, "callback_query": {"inline_message_id": "x"}}, None),
        ({"update_id": 1, "message": None}, None),
        ({"update_id": 1, "message": {"chat": {"id": "x"}}}, None),
        ({"update_id": 1, "poll": {}}, None),
        ({"update_id": 1}, None),
    ],
    ids=range(8),
)
def test_the_chat_of_an_update(raw, chat_id):
    assert chat_of(raw) == chat_id
