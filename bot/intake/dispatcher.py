"""Stored updates -> handlers: in order within a chat, chats side by side, each at least once.

An update is in the database before Telegram is told that it arrived. Handlers may see one twice, after a
crash, and are written for it.
"""

import asyncio
import json
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from telegram.error import TelegramError

from bot.outcomes import wait_s
from bot.services import Services
from storage import inbox
from storage.database import Connection
from storage.inbox import Arrived

logger = logging.getLogger(__name__)

Json = dict[str, Any]
Handle = Callable[[Json], Awaitable[BaseException | None]]  # why it failed, None where it did not
Apologise = Callable[[Json], Awaitable[None]]

AT_ONCE = 32
BACKLOG_MAX = 1000  # more than that stays with Telegram
LEASE_S = 20.0  # what a dead process had is taken up within half a minute
RESCUE_EVERY_S = 5.0
HANDLED = "handled"  # what wakes the loop that notes it
RETRY_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class _End:
    """A handler has come to an end with an update; ``error`` where it failed."""

    update: Json
    error: BaseException | None

    @property
    def update_id(self) -> int:
        return int(self.update["update_id"])


class Dispatcher:
    """``handle`` gets each update; ``apologise`` those that are given up."""

    def __init__(self, services: Services, handle: Handle, apologise: Apologise) -> None:
        self._services, self._handle, self._apologise = services, handle, apologise
        self._lease = uuid.uuid4().hex
        self._lanes: dict[int | None, deque[Json]] = {}
        self._here: set[int] = set()
        self._ended: list[_End] = []
        self._places = asyncio.Semaphore(AT_ONCE)
        self._flushing = asyncio.Lock()
        self._room = asyncio.Event()
        self._room.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, raw: list[Json]) -> None:
        """Store updates, then let them be handled; repeated ones are ignored."""
        await self._room.wait()
        arrived = [Arrived(one["update_id"], chat_of(one), json.dumps(one)) for one in raw]
        async with self._services.database.transaction() as db:
            new = await inbox.store(db, arrived, now=self._services.now(), lease=self._lease, lease_s=LEASE_S)
            if len(new) < len(arrived):
                # Kept before, perhaps, with nobody told: the answer to that COMMIT was lost.
                new = await inbox.held(db, [one.update_id for one in arrived], lease=self._lease)
        new = [update_id for update_id in new if update_id not in self._here]
        self._services.metrics.updates.inc(len(new))
        known = {one["update_id"]: one for one in raw}
        for update_id in new:
            self._enqueue(known[update_id])

    async def rescue(self) -> bool:
        """Take up updates that nobody works on any more; False where there are none."""
        async with self._services.database.transaction() as db:
            await inbox.renew(db, self._lease, until=self._services.now() + LEASE_S)
            hopeless = await inbox.give_up(db, now=self._services.now(), lease=self._lease)
            left = await inbox.take_abandoned(
                db, now=self._services.now(), lease=self._lease, lease_s=LEASE_S, limit=100
            )
        for stored in left:
            if stored.update_id not in self._here:
                self._enqueue(json.loads(stored.payload_json))
        for stored in hopeless:
            logger.error("update %s: %s", stored.update_id, stored.why)
            await self._apologise(json.loads(stored.payload_json))
        return bool(left)

    async def drain(self, within_s: float) -> None:
        """At a stop: let what has begun end; the rest is handled after the next start."""
        for waiting in self._lanes.values():
            while len(waiting) > 1:
                waiting.pop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for task in self._tasks:
            task.cancel()
        await self.flush()

    async def flush(self) -> bool:
        """Note all that was handled and all that failed, in one transaction; True where there was any."""
        async with self._flushing:
            return await self._flush()

    async def _flush(self) -> bool:
        ended = self._ended[:]
        if not ended:
            return False
        now = self._services.now()
        async with self._services.database.transaction() as db:
            await inbox.handled(db, [end.update_id for end in ended if end.error is None], now=now)
            failed = [(end, await self._failed(db, end, now=now)) for end in ended if end.error]
        del self._ended[: len(ended)]
        self._here -= {end.update_id for end in ended}
        if len(self._here) < BACKLOG_MAX:
            self._room.set()
        for end, is_given_up in failed:
            logger.error("update %s: %s", end.update_id, "given up" if is_given_up else "is tried again")
            if is_given_up:
                await self._apologise(end.update)
        return True

    def _enqueue(self, update: Json) -> None:
        self._here.add(update["update_id"])
        if len(self._here) >= BACKLOG_MAX:
            self._room.clear()
        key = chat_of(update)
        lane = self._lanes.setdefault(key, deque())
        lane.append(update)
        if len(lane) == 1:
            task = asyncio.create_task(self._work(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, key: int | None) -> None:
        """Handle what one chat sent, one after the other."""
        while lane := self._lanes[key]:
            async with self._places:
                await self._handle_one(lane[0])
            lane.popleft()
        del self._lanes[key]

    async def _handle_one(self, update: Json) -> None:
        error = await self._handle(update)
        self._ended.append(_End(update, error))
        self._services.wakes.wake(HANDLED)

    async def _failed(self, db: Connection, end: _End, *, now: float) -> bool:
        """Let it come again; True where it has had its tries."""
        asked_s = wait_s(end.error) if isinstance(end.error, TelegramError) else None
        why, retry_at = f"{type(end.error).__name__}: {end.error}", now + max(asked_s or 0.0, RETRY_AFTER_S)
        return await inbox.failed(db, end.update_id, why, now=now, retry_at=retry_at, lease=self._lease)


def chat_of(update: Json) -> int | None:
    """The chat whose order an update belongs to."""
    for kind in ("message", "callback_query", "my_chat_member"):
        if isinstance(body := update.get(kind), dict):
            message = body.get("message") if kind == "callback_query" else body
            chat = (message or {}).get("chat") or {}
            return chat.get("id") if isinstance(chat.get("id"), int) else None
    return None
