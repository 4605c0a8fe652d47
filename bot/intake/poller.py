"""Long polling: getUpdates, stored, and only then the next getUpdates, which confirms them to Telegram.

https://core.telegram.org/bots/api#getupdates
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from telegram.error import Conflict, InvalidToken, TelegramError

from bot.services import Services
from storage.database import AWAY

logger = logging.getLogger(__name__)

PART = "intake"
# Only what is handled: the choice stays with Telegram until it is changed.
ALLOWED = ("message", "callback_query", "my_chat_member")
POLL_S = 30
GRACE_S = 10.0  # for an answer that comes a little after the poll's end
# The client is made anew when nothing was heard for as long, and the process ends, to be started afresh.
RENEW_AFTER_S = 3 * POLL_S
GIVE_UP_AFTER_S = 20 * POLL_S
LONGEST_BACKOFF_S = 15.0

Receive = Callable[[list[dict[str, Any]]], Awaitable[None]]


class IntakeDead(Exception):
    """No update came in for so long that only a fresh start may help."""


class NotStored(Exception):
    """Our database is away."""


async def poll(
    services: Services, receive: Receive, renew: Callable[[], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Fetch and store updates until ``stop``; ``renew`` makes a new connection.

    Raises IntakeDead, InvalidToken.
    """
    services.pulse.expect(PART, within_s=RENEW_AFTER_S, now=services.now())
    offset, failures, failing_since = None, 0, 0.0
    while not stop.is_set():
        try:
            updates = await _get_updates(services, offset)
            if updates:
                await _store(receive, updates)
        except InvalidToken:
            raise
        except (TelegramError, TimeoutError, NotStored) as error:
            failures, now = failures + 1, services.now()
            # Not since the last answer: a machine that was suspended for an hour has missed none.
            failing_since = now if failures == 1 else failing_since
            await _after_failure(error, failures, now - failing_since, renew)
            continue
        if failures:
            logger.warning("updates come in again")
        failures = 0
        services.pulse.beat(PART, now=services.now())
        if updates:
            offset = max(int(update["update_id"]) for update in updates) + 1


async def _store(receive: Receive, updates: list[dict[str, Any]]) -> None:
    try:
        await receive(updates)
    except AWAY as error:
        raise NotStored(f"they could not be stored and stay there: {error}") from error


async def _get_updates(services: Services, offset: int | None) -> list[dict[str, Any]]:
    async with asyncio.timeout(POLL_S + 2 * GRACE_S):
        return await services.bot.raw_updates(
            offset=offset, wait_s=POLL_S, allowed=ALLOWED, read_timeout=POLL_S + GRACE_S
        )


async def _after_failure(
    error: Exception, failures: int, silent_s: float, renew: Callable[[], Awaitable[None]]
) -> None:
    if failures == 1 or isinstance(error, Conflict):
        hint = "; does another process use this token?" if isinstance(error, Conflict) else ""
        logger.warning("no updates from Telegram: %s%s", error or type(error).__name__, hint)
    if silent_s > GIVE_UP_AFTER_S:
        raise IntakeDead(f"no update came in for {silent_s:.0f} s: {error or type(error).__name__}")
    if silent_s > RENEW_AFTER_S and failures % 8 == 0:
        # A broken connection pool looks like a silent Telegram.
        logger.warning("making a new connection to Telegram")
        await renew()
    await asyncio.sleep(min(2.0**failures / 4, LONGEST_BACKOFF_S))
