"""getUpdates, stored, and only then the next getUpdates, which tells Telegram that they arrived."""

import asyncio
import itertools
import logging

import pytest
from telegram.error import InvalidToken

from bot.intake.poller import ALLOWED, GIVE_UP_AFTER_S, POLL_S, IntakeDead, poll
from tests.bot.telegram_stand_in import CONFLICT, FINE, GATEWAY, UNAUTHORIZED, UNREACHABLE


class Intake:
    """What is received, until ``enough`` updates are there; ``broken`` makes it fail instead."""

    def __init__(self, enough):
        self.enough, self.stop = enough, asyncio.Event()
        self.received, self.renewed = [], 0
        self.broken = None

    async def receive(self, updates):
        if self.broken:
            broken, self.broken = self.broken, None
            raise broken
        self.received += [update["update_id"] for update in updates]
        if len(self.received) >= self.enough:
            self.stop.set()

    async def renew(self):
        self.renewed += 1


@pytest.fixture
def polling(world):
    """``await polling(intake)``: poll until the intake has enough."""

    async def run(intake):
        async with asyncio.timeout(10):
            await poll(world.services, intake.receive, intake.renew, intake.stop)

    return run


def offsets(world):
    return [call.data.get("offset") for call in world.telegram.called("getUpdates")]


def waiting(*numbers):
    return [{"update_id": number, "message": {}} for number in numbers]


async def test_updates_come_and_the_next_poll_confirms_them(world, polling):
    world.telegram.pending = waiting(7, 8)
    intake = Intake(enough=3)

    async def more(updates, receive=intake.receive):
        await receive(updates)
        world.telegram.pending += waiting(9)

    intake.receive = more
    await polling(intake)
    assert intake.received == [7, 8, 9]
    assert offsets(world) == [None, 9]


async def test_it_asks_for_what_is_handled_and_waits_a_while(world, polling):
    world.telegram.pending = waiting(1)
    await polling(Intake(enough=1))
    (call,) = world.telegram.called("getUpdates")
    assert (call.data["timeout"], call.data["allowed_updates"]) == (POLL_S, list(ALLOWED))


async def test_what_could_not_be_stored_is_not_confirmed_and_comes_again(world, polling):
    world.telegram.pending = waiting(7, 8)
    intake = Intake(enough=2)
    intake.broken = OSError("disk full")
    await polling(intake)
    assert intake.received == [7, 8]
    assert offsets(world) == [None, None]


async def test_a_failed_commit_leaves_the_updates_with_telegram(world, polling):
    raw = world.message("/help")
    world.telegram.pending = [raw]
    intake = Intake(enough=1)
    world.database.broken = OSError("disk full")

    async def receive_and_stop(updates):
        try:
            await world.dispatcher.receive(updates)
        finally:
            world.database.broken = None
        intake.stop.set()

    intake.receive = receive_and_stop
    await polling(intake)
    await world.dispatcher.drain(5)
    assert offsets(world) == [None, None]
    assert len(world.telegram.called("sendMessage")) == 1


@pytest.mark.parametrize("fault", [GATEWAY, UNREACHABLE], ids=["502", "no connection"])
async def test_telegram_may_be_away_for_a_moment(world, polling, fault, caplog):
    world.telegram.pending = waiting(7)
    world.telegram.fail("getUpdates", fault)
    intake = Intake(enough=1)
    await polling(intake)
    assert intake.received == [7]
    assert "updates come in again" in caplog.text


async def test_another_poller_is_named_and_waited_out(world, polling, caplog):
    world.telegram.pending = waiting(7)
    world.telegram.fail("getUpdates", CONFLICT)
    intake = Intake(enough=1)
    await polling(intake)
    assert "another process" in caplog.text
    assert intake.received == [7]


async def test_a_token_that_is_refused_ends_it(world, polling):
    world.telegram.fail("getUpdates", UNAUTHORIZED)
    with pytest.raises(InvalidToken):
        await polling(Intake(enough=1))


async def test_a_long_silence_ends_the_process(world, polling, clock, caplog):
    world.telegram.fail_always("getUpdates", GATEWAY)
    intake = Intake(enough=1)
    periods = itertools.count()
    world.services.now = lambda: clock() + next(periods) * (GIVE_UP_AFTER_S + 1)
    with pytest.raises(IntakeDead):
        await polling(intake)


async def test_a_clock_that_jumped_ends_nothing(world, polling, clock):
    world.telegram.pending = waiting(7)
    intake = Intake(enough=2)

    async def suspended(updates, receive=intake.receive):
        await receive(updates)
        clock.forward(GIVE_UP_AFTER_S + 1)
        world.telegram.fail("getUpdates", UNREACHABLE)
        world.telegram.pending = waiting(8)

    intake.receive = suspended
    await polling(intake)
    assert intake.received == [7, 8]


async def test_the_pulse_beats_with_every_answer(world, polling, clock):
    world.telegram.pending = waiting(7)
    world.telegram.fail("getUpdates", FINE)
    await polling(Intake(enough=1))
    assert world.services.pulse.age_s("intake", now=clock()) == 0
    clock.forward(3 * POLL_S + 1)
    assert "intake" in world.services.pulse.late(now=clock())


async def test_a_silence_is_logged_once(world, polling, caplog):
    world.telegram.pending = waiting(7)
    world.telegram.fail("getUpdates", UNREACHABLE, UNREACHABLE)
    with caplog.at_level(logging.WARNING):
        await polling(Intake(enough=1))
    assert caplog.text.count("no updates from Telegram") == 1
