"""The bot's updates: kept until they are confirmed, one poller at a time, or a webhook.

https://core.telegram.org/bots/api#getting-updates
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.errors import ApiError, conflict

Json = dict[str, Any]
FIRST_ID = 700_000_001
NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
KEPT_S = {"callback_query": 150.0, "inline_query": 30.0, "pre_checkout_query": 150.0, "shipping_query": 150.0}
KEPT_DEFAULT_S = 24 * 3600.0
HISTORY_MAX = 20_000
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_SET = "terminated by setWebhook request"
WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)


@dataclass(frozen=True, slots=True)
class Update:
    """One update; ``again`` marks a second delivery, which no offset confirms."""

    update_id: int
    kind: str
    payload: Json
    expires_at: float
    again: bool = False

    def wire(self) -> Json:
        return {"update_id": self.update_id, self.kind: self.payload}


@dataclass(eq=False)
class Turn:
    """One getUpdates that waits."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    error: ApiError | None = None

    def end(self, error: ApiError) -> None:
        self.error = error
        self.woken.set()


class Updates:
    """The queue between the chats and the bot."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next_id = FIRST_ID
        self._pending: list[Update] = []
        self._turn: Turn | None = None
        self._stopped = False
        self.history: dict[int, Update] = {}
        self.allowed: tuple[str, ...] = ()
        self.webhook_active = False
        self.arrived = asyncio.Event()

    def put(self, kind: str, payload: Json) -> int | None:
        """Queue an update; its id, or None where the bot does not want this kind."""
        if kind not in self.allowed if self.allowed else kind in NOT_BY_DEFAULT:
            return None
        expires_at = self._clock() + KEPT_S.get(kind, KEPT_DEFAULT_S)
        update = Update(self._next_id, kind, payload, expires_at)
        self._next_id += 1
        self._queue(update)
        return update.update_id

    def redeliver(self, update_id: int) -> None:
        """Queue the same update once more; KeyError for an id that never was."""
        old = self.history[update_id]
        self._queue(Update(old.update_id, old.kind, old.payload, self._clock() + KEPT_DEFAULT_S, again=True))

    def _queue(self, update: Update) -> None:
        self.history[update.update_id] = update
        if len(self.history) > HISTORY_MAX:
            del self.history[next(iter(self.history))]
        self._pending.append(update)
        self.arrived.set()
        if self._turn is not None:
            self._turn.woken.set()

    def pending(self) -> list[Update]:
        """What the bot has not confirmed, without what is too old."""
        now = self._clock()
        self._pending = [update for update in self._pending if update.expires_at > now]
        return sorted(self._pending, key=lambda update: update.update_id)

    def confirm(self, offset: int) -> None:
        """Forget what lies below the offset; a negative one keeps that many of the newest."""
        if offset < 0:
            self._pending = self.pending()[offset:]
        elif offset > 0:
            self._pending = [u for u in self._pending if u.again or u.update_id >= offset]

    def forget(self, update: Update) -> None:
        """A webhook took it."""
        self._pending = [other for other in self._pending if other is not update]

    def drop_pending(self) -> None:
        self._pending.clear()

    async def poll(
        self, *, offset: int, limit: int, timeout_s: float, allowed: Sequence[str] | None
    ) -> list[Json]:
        """getUpdates; ApiError 409 when a webhook is set, or when another poller comes meanwhile."""
        if self.webhook_active:
            raise conflict(WEBHOOK_ACTIVE)
        self.end_turn(OTHER_POLLER)
        if allowed is not None:
            self.allowed = tuple(allowed)
        self.confirm(offset)
        turn = self._turn = Turn()
        try:
            return await self._wait(turn, limit, timeout_s)
        finally:
            if self._turn is turn:
                self._turn = None

    async def _wait(self, turn: Turn, limit: int, timeout_s: float) -> list[Json]:
        try:
            async with asyncio.timeout(timeout_s):
                while not (batch := self.pending()[:limit]) and turn.error is None and not self._stopped:
                    turn.woken.clear()
                    await turn.woken.wait()
        except TimeoutError:
            return []
        if turn.error is not None:
            raise turn.error
        self._pending = [update for update in self._pending if not (update.again and update in batch)]
        return [update.wire() for update in batch]

    def end_turn(self, reason: str) -> None:
        """Answer the poller that waits with 409."""
        if self._turn is not None:
            self._turn.end(conflict(reason))

    def stop(self) -> None:
        """Let the poller that waits go with an empty answer; later ones do not wait."""
        self._stopped = True
        self.arrived.set()
        if self._turn is not None:
            self._turn.woken.set()
