import asyncio
import logging
from types import SimpleNamespace

import pytest

from bot.engine.loops import Loop, repeat
from bot.services import Pulse, Wakes
from storage.moves import Stale
from tests.bot.world import until


class Steps:
    """A step that follows a script (True: found work; an exception), then finds nothing."""

    def __init__(self, *script):
        self.script, self.taken = list(script), 0
        self.rested, self.due_at = asyncio.Event(), None

    async def __call__(self):
        self.taken += 1
        if not self.script:
            self.rested.set()
            return False
        outcome = self.script.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def next_due(self):
        return self.due_at


@pytest.fixture
def services(clock):
    return SimpleNamespace(wakes=Wakes(), pulse=Pulse(), now=clock)


@pytest.fixture
def running(services):
    """``await running(steps)`` starts a loop and waits until it finds no more work."""
    stop, tasks = asyncio.Event(), []

    async def start(steps, **loop):
        found = {"limit_s": 5, "idle_s": 60, **loop}
        tasks.append(asyncio.create_task(repeat(Loop("try", steps, steps.next_due, **found), services, stop)))
        # Nobody waits out a pause here.
        await until(lambda: services.wakes.wake_all() or steps.rested.is_set())
        return tasks[-1]

    start.stop, start.tasks = stop, tasks
    return start


@pytest.fixture(autouse=True)
async def stopped(running, services):
    yield
    running.stop.set()
    services.wakes.wake_all()
    async with asyncio.timeout(5):
        await asyncio.gather(*running.tasks, return_exceptions=True)


async def test_a_loop_goes_on_at_once_while_there_is_work(running):
    steps = Steps(True, True, True)
    await running(steps)
    assert steps.taken >= 4


async def test_a_wake_lets_it_look_before_its_pause_is_over(running, services):
    steps = Steps()
    await running(steps)
    steps.rested.clear()
    services.wakes.wake("try")
    await asyncio.wait_for(steps.rested.wait(), 5)


async def test_a_wake_that_comes_during_the_step_is_not_lost(running, services):
    class Woken(Steps):
        async def __call__(self):
            found = await super().__call__()
            if self.taken == 1:
                services.wakes.wake("try")
            return found

    steps = Woken()
    task = await running(steps)
    await until(lambda: steps.taken > 1)
    assert not task.done()


async def test_it_is_woken_by_the_name_it_gives(running, services):
    steps = Steps()
    await running(steps, woken_by="look")
    steps.rested.clear()
    services.wakes.wake("look")
    await asyncio.wait_for(steps.rested.wait(), 5)


async def test_a_failing_step_is_logged_and_the_loop_goes_on(running, caplog):
    steps = Steps(ValueError("boom"), True)
    task = await running(steps)
    assert "try: step failed" in caplog.text
    assert "boom" in caplog.text
    assert not task.done()


async def test_that_somebody_else_was_faster_is_no_error(running, caplog):
    with caplog.at_level(logging.INFO):
        await running(Steps(Stale("jobs 1 is no longer ours")))
    assert "jobs 1" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_step_that_hangs_is_cut_off(running, services, caplog):
    class Hanging(Steps):
        async def __call__(self):
            if self.taken == 0:
                self.taken += 1
                await asyncio.Event().wait()
            return await super().__call__()

    await running(Hanging(), limit_s=0.01)
    assert "try: step failed" in caplog.text


async def test_what_is_not_an_error_of_the_step_ends_the_loop(running, services):
    class Killed(BaseException):
        pass

    steps = Steps(Killed())
    with pytest.raises(Killed):
        await repeat(Loop("try", steps, steps.next_due, 5), services, running.stop)


async def test_it_beats_while_it_works(running, services, clock):
    await running(Steps(True))
    clock.forward(1)
    steps = Steps()
    await running(steps)
    services.wakes.wake_all()
    assert services.pulse.age_s("try", now=clock()) == 0


async def test_a_loop_that_does_not_come_back_is_late(services, clock, running):
    hanging = asyncio.Event()

    async def hang():
        hanging.set()
        await asyncio.Event().wait()

    steps = Steps()
    task = asyncio.create_task(repeat(Loop("try", hang, steps.next_due, 100), services, running.stop))
    await hanging.wait()
    clock.forward(129)
    assert services.pulse.late(now=clock()) == []
    clock.forward(2)
    assert services.pulse.late(now=clock()) == ["try"]
    task.cancel()
    await asyncio.wait([task])


async def test_it_ends_when_it_is_told_to(running, services):
    task = await running(Steps())
    running.stop.set()
    services.wakes.wake_all()
    await asyncio.wait_for(task, 5)


async def test_it_does_not_begin_when_it_is_stopped_already(running, services):
    steps = Steps(True)
    running.stop.set()
    await repeat(Loop("try", steps, steps.next_due, 5), services, running.stop)
    assert steps.taken == 0
