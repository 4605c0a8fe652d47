"""Which step runs how often: loops that sleep until a row is due or a commit wakes them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

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


async def repeat(loop: Loop, services: Services, stop: asyncio.Event) -> None:
    """Run the step while it finds work, else until the next row is due; its failures are logged."""
    wake = services.wakes.sleeper(loop.woken_by or loop.name)
    services.pulse.expect(loop.name, within_s=loop.limit_s + 30, now=services.now())
    while not stop.is_set():
        wake.clear()
        try:
            async with asyncio.timeout(loop.limit_s):
                pause_s = 0.0 if await loop.step() else await _pause_s(loop, services)
        except Stale as stale:
            logger.info("%s: %s", loop.name, stale)  # somebody else was faster: nothing is wrong
            continue
        except Exception:
            logger.exception("%s: step failed", loop.name)
            pause_s = AFTER_FAILURE_S
        services.pulse.beat(loop.name, now=services.now())
        if pause_s and not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), pause_s)


async def _pause_s(loop: Loop, services: Services) -> float:
    due_at = await loop.next_due()
    if due_at is None:
        return loop.idle_s
    return min(max(due_at - services.now(), SHORTEST_PAUSE_S), loop.idle_s)
