"""Which step runs how often: loops that sleep until a row is due or a commit wakes them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bot.services import Services
from storage.moves import Stale

logger = logging.getLogger(__name__)

Step = Callable[[], Awaitable[bool]]  # True where it found work
NextDue = Callable[[], Awaitable[float | None]]  # the instant at which the next row is due

# Other processes on the same database wake nobody here, so a loop looks by itself now and then.
IDLE_S = 1.0
SHORTEST_PAUSE_S = 0.05  # a due row that somebody else holds must not make a loop spin
AFTER_FAILURE_S = 1.0


@dataclass(frozen=True, slots=True)
class Loop:
    """A step and its rhythm. ``limit_s`` bounds one run of the step."""

    name: str
    step: Step
    next_due: NextDue
    limit_s: float
    workers: int = 1
    idle_s: float = IDLE_S
    woken_by: str = ""  # what its rows becoming due is called; its own name if not set


@dataclass(slots=True)
class _Watch:
    """One idle worker waits for the next due row, then hands the watch on and does the work: so waiting
    costs the same however many workers there are."""

    wake: asyncio.Event
    held: asyncio.Lock = field(default_factory=asyncio.Lock)
    found_nothing: bool = True


async def repeat(loop: Loop, services: Services, stop: asyncio.Event) -> None:
    """Run a loop with all its workers until ``stop``; failures of its step are logged, it goes on."""
    services.pulse.expect(loop.name, within_s=loop.limit_s + 30, now=services.now())
    watch = _Watch(services.wakes.sleeper(loop.woken_by or loop.name))
    watch.wake.set()  # what a process that died has left is looked for at once
    workers = [asyncio.create_task(_work(loop, watch, services, stop)) for _ in range(loop.workers)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _work(loop: Loop, watch: _Watch, services: Services, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with watch.held:
                await _wait(loop, watch, services, stop)
            while not stop.is_set() and await _step(loop, watch):
                services.pulse.beat(loop.name, now=services.now())
        except Stale as stale:
            logger.info("%s: %s", loop.name, stale)  # somebody else was faster: nothing is wrong
        except Exception:
            logger.exception("%s: step failed", loop.name)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AFTER_FAILURE_S)


async def _wait(loop: Loop, watch: _Watch, services: Services, stop: asyncio.Event) -> None:
    """Until a row is due, or something wakes the loop."""
    services.pulse.beat(loop.name, now=services.now())
    if not watch.wake.is_set():
        pause_s = await _pause_s(loop, watch, services)
        if pause_s > 0 and not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(watch.wake.wait(), pause_s)
    watch.wake.clear()


async def _step(loop: Loop, watch: _Watch) -> bool:
    async with asyncio.timeout(loop.limit_s):
        found = await loop.step()
    watch.found_nothing = not found
    return found


async def _pause_s(loop: Loop, watch: _Watch, services: Services) -> float:
    due_at = await loop.next_due()
    if due_at is None:
        return loop.idle_s
    shortest = SHORTEST_PAUSE_S if watch.found_nothing else 0.0
    return min(max(due_at - services.now(), shortest), loop.idle_s)
