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
from contextlib import suppress
from typing import Any

from telegram.error import TelegramError

from bot.outcomes import wait_s
from bot.services import Services
from storage import inbox
from storage.inbox import Arrived

logger = logging.getLogger(__name__)

Json = dict[str, Any]
Handle = Callable[[Json], Awaitable[BaseException | None]]  # why it failed, None where it did not
Apologise = Callable[[Json], Awaitable[None]]

AT_ONCE = 32
BACKLOG_MAX = 1000  # more than that stays with Telegram
LEASE_S = 60.0
RESCUE_EVERY_S = 10.0
RETRY_AFTER_S = 5.0


class Dispatcher:
    """``handle`` gets each update; ``apologise`` those that are given up."""

    def __init__(self, services: Services, handle: Handle, apologise: Apologise) -> None:
        self._services, self._handle, self._apologise = services, handle, apologise
        self._lease = uuid.uuid4().hex
        self._lanes: dict[int | None, deque[Json]] = {}
        self._here: set[int] = set()
        self._done: list[int] = []
        self._places = asyncio.Semaphore(AT_ONCE)
        self._room, self._to_flush = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, raw: list[Json]) -> None:
        """Store updates, then let them be handled; repeated ones are ignored."""
        await self._room.wait()
        arrived = [Arrived(one["update_id"], chat_of(one), json.dumps(one)) for one in raw]
        async with self._services.database.transaction() as db:
            new = await inbox.store(db, arrived, now=self._services.now(), lease=self._lease, lease_s=LEASE_S)
        self._services.metrics.updates.inc(len(new))
        known = {one["update_id"]: one for one in raw}
        for update_id in new:
            self._enqueue(known[update_id])

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``: note what is handled, and take up what a dead process left."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._to_flush.wait(), RESCUE_EVERY_S)
            await self.flush()

    async def rescue(self) -> bool:
        """Take up updates that nobody works on any more; False where there are none."""
        async with self._services.database.transaction() as db:
            left = await inbox.take_abandoned(
                db, now=self._services.now(), lease=self._lease, lease_s=LEASE_S, limit=100
            )
        for stored in left:
            if stored.update_id not in self._here:
                self._enqueue(json.loads(stored.payload_json))
        return bool(left)

    async def drain(self, within_s: float) -> None:
        """At a stop: let what has begun end; the rest is handled after the next start."""
        self._lanes = {lane: deque(list(waiting)[:1]) for lane, waiting in self._lanes.items()}
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for task in self._tasks:
            task.cancel()
        await self.flush()
        self._to_flush.set()  # run() has nothing left to wait for

    async def flush(self) -> None:
        """Note all that was handled, in one transaction."""
        self._to_flush.clear()
        done, self._done = self._done, []
        if not done:
            return
        async with self._services.database.transaction() as db:
            await inbox.handled(db, done, now=self._services.now())
        self._here -= set(done)
        if len(self._here) < BACKLOG_MAX:
            self._room.set()

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
        update_id = update["update_id"]
        error = await self._handle(update)
        if error is None:
            self._done.append(update_id)
            self._to_flush.set()
            return
        now = self._services.now()
        asked_s = wait_s(error) if isinstance(error, TelegramError) else None
        retry_at = now + max(asked_s or 0.0, RETRY_AFTER_S)
        async with self._services.database.transaction() as db:
            given_up = await inbox.failed(
                db, update_id, f"{type(error).__name__}: {error}", now=now, retry_at=retry_at
            )
        self._here.discard(update_id)
        logger.error("update %s: %s", update_id, "given up" if given_up else "is tried again")
        if given_up:
            await self._apologise(update)


def chat_of(update: Json) -> int | None:
    """The chat whose order an update belongs to."""
    for kind in ("message", "callback_query", "my_chat_member"):
        if isinstance(body := update.get(kind), dict):
            message = body.get("message") if kind == "callback_query" else body
            chat = (message or {}).get("chat") or {}
            return chat.get("id") if isinstance(chat.get("id"), int) else None
    return None
