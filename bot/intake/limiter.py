"""What may be sent to Telegram when: budgets per chat and in all, and the pauses that Telegram asks for.

A send waits in the queue of its chat; nobody waits for another chat that is full or paused. Not built from
aiolimiter: its queue knows neither urgency nor reserves, and a full bucket of it lets twice the limit through
within one period. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import asyncio
import heapq
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from telegram import InputFile
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.intake.budgets import GROUP, NO_CHAT, OVERALL, PRIVATE, UPLOADS, Budget, Kind

Result = bool | dict[str, Any] | list[dict[str, Any]]
Sleep = Callable[[float], Awaitable[None]]
Now = Callable[[], float]
Send = Callable[[], Awaitable[Result]]


class Dropped(Exception):
    """A status was not sent, because its budget is short. The next one tells more anyway."""


# A call goes before those that came up to this much earlier, but not for ever: everybody gets a turn.
PATIENCE_S = {Kind.ANSWER: 0.0, Kind.ACK: 5.0, Kind.RESULT: 45.0, Kind.STATUS: math.inf}
# After that RetryAfter is raised: surely not sent, to be tried again by whoever keeps the work.
WAIT_MAX_S = {Kind.ANSWER: 15.0, Kind.ACK: 90.0, Kind.RESULT: 180.0, Kind.STATUS: 0.0}
TRIES = 3
IDLE_CHECK_S = 60.0

KINDS = {  # for calls that name none
    "answerCallbackQuery": Kind.ANSWER,
    "answerPreCheckoutQuery": Kind.ANSWER,
    "answerInlineQuery": Kind.ANSWER,
    "sendAudio": Kind.RESULT,
    "sendDocument": Kind.RESULT,
    "sendMediaGroup": Kind.RESULT,
    "sendChatAction": Kind.STATUS,
}
FREE = {"getUpdates", "getMe"}
FREE_IN_CHATS = ("get", "answer")  # begins of names


@dataclass(order=True, slots=True)
class _Ticket:
    """A call's place in one queue."""

    due_at: float
    number: int
    kind: Kind = field(compare=False)
    cost: int = field(compare=False)
    turn: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class _Lane:
    """One budget, the queue for it, and its pause."""

    def __init__(self, budget: Budget, now: Now, sleep: Sleep) -> None:
        self._meter, self._now, self._sleep = budget.meter(), now, sleep
        self._queue: list[_Ticket] = []
        self._paused_until = -math.inf
        self.users = 0

    def is_idle(self) -> bool:
        now = self._now()
        return not self.users and self._meter.is_whole(now) and self._paused_until <= now

    def is_free(self, kind: Kind, cost: int) -> bool:
        return not self._queue and self._wait_s(kind, cost) <= 0

    def pause(self, pause_s: float) -> None:
        self._paused_until = max(self._paused_until, self._now() + pause_s)

    async def enter(self, ticket: _Ticket, give_up_at: float) -> None:
        """Wait for the turn and pay. Raises RetryAfter if that would take too long."""
        heapq.heappush(self._queue, ticket)
        try:
            while not await self._may_go(ticket, give_up_at):
                pass
            self._meter.pay(ticket.kind, ticket.cost, self._now())
        finally:
            self._queue.remove(ticket)
            heapq.heapify(self._queue)
            if self._queue:
                self._queue[0].turn.set()

    async def _may_go(self, ticket: _Ticket, give_up_at: float) -> bool:
        """Whether it is this ticket's turn now; if not, wait until that may have changed."""
        if self._queue[0] is not ticket:
            await ticket.turn.wait()
            ticket.turn.clear()
            return False
        wait_s = self._wait_s(ticket.kind, ticket.cost)
        if wait_s <= 0:
            return True
        if self._now() + wait_s > give_up_at:
            raise RetryAfter(math.ceil(wait_s))
        await self._sleep(wait_s)
        return False

    def _wait_s(self, kind: Kind, cost: int) -> float:
        now = self._now()
        return max(self._meter.wait_s(kind, cost, now), self._paused_until - now)


class Limiter(BaseRateLimiter[Kind]):
    """Give it to ``ApplicationBuilder.rate_limiter``. Only what Telegram refused with 429 is tried again."""

    def __init__(
        self,
        now: Now = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        wait_max_s: Mapping[Kind, float] = WAIT_MAX_S,
    ) -> None:
        self._now, self._sleep, self._wait_max_s = now, sleep, wait_max_s
        self._chats: dict[int | str, _Lane] = {}
        self._overall, self._uploads = self._lane(OVERALL), self._lane(UPLOADS)
        self._numbers = count()
        self._idle_check_at = now() + IDLE_CHECK_S

    async def initialize(self) -> None:
        """Nothing to do."""

    async def shutdown(self) -> None:
        """Nothing to do."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Kind | None,
    ) -> Result:
        """Make the call when it is its turn. Raises Dropped, and RetryAfter if waiting took too long."""
        if endpoint in FREE:
            return await callback(*args, **kwargs)
        kind = rate_limit_args or KINDS.get(endpoint, Kind.ACK)
        with self._in_use(self._lanes_for(endpoint, data)) as lanes:
            return await self._call(lambda: callback(*args, **kwargs), lanes, kind, cost_of(endpoint, data))

    async def _call(self, send: Send, lanes: Sequence[_Lane], kind: Kind, cost: int) -> Result:
        asked_at, tries = self._now(), 0
        while True:
            await self._admit(lanes, kind, cost, asked_at)
            try:
                return await send()
            except RetryAfter as error:
                tries += 1
                lanes[0].pause(seconds_of(error.retry_after))
                if tries == TRIES:
                    raise

    async def _admit(self, lanes: Sequence[_Lane], kind: Kind, cost: int, asked_at: float) -> None:
        if kind is Kind.STATUS and not all(lane.is_free(kind, cost) for lane in lanes):
            raise Dropped("the chat has no room for a status now")
        for lane in lanes:
            ticket = _Ticket(asked_at + PATIENCE_S[kind], next(self._numbers), kind, cost)
            await lane.enter(ticket, asked_at + self._wait_max_s[kind])

    def _lanes_for(self, endpoint: str, data: Mapping[str, Any]) -> list[_Lane]:
        """The lanes to pass, in this order; the first is the one that a 429 pauses."""
        uploads = [self._uploads] if has_upload(data) else []
        return [self._chat_lane(endpoint, data), *uploads, self._overall]

    def _chat_lane(self, endpoint: str, data: Mapping[str, Any]) -> _Lane:
        chat_id = data.get("chat_id")
        if chat_id is None or endpoint.startswith(FREE_IN_CHATS):
            return self._lane(NO_CHAT)
        if chat_id not in self._chats:
            self._chats[chat_id] = self._lane(GROUP if is_group(chat_id) else PRIVATE)
        return self._chats[chat_id]

    def _lane(self, budget: Budget) -> _Lane:
        return _Lane(budget, self._now, self._sleep)

    @contextmanager
    def _in_use(self, lanes: list[_Lane]) -> Iterator[list[_Lane]]:
        """Keep lanes from being forgotten during a call: an upload may last longer than its lane is busy."""
        for lane in lanes:
            lane.users += 1
        self._forget_idle()
        try:
            yield lanes
        finally:
            for lane in lanes:
                lane.users -= 1

    def _forget_idle(self) -> None:
        if self._now() >= self._idle_check_at:
            self._idle_check_at = self._now() + IDLE_CHECK_S
            self._chats = {chat_id: lane for chat_id, lane in self._chats.items() if not lane.is_idle()}


def cost_of(endpoint: str, data: Mapping[str, Any]) -> int:
    """Messages that a call makes: the items of an album count singly."""
    if endpoint == "sendChatAction":
        return 0
    items = data.get("media") or data.get("message_ids")
    return len(items) if isinstance(items, list | tuple) else 1


def is_group(chat_id: int | str) -> bool:
    """Groups and channels have negative ids, or a name."""
    return str(chat_id).startswith(("-", "@"))


def has_upload(data: Mapping[str, Any]) -> bool:
    """Whether file contents go out, instead of a ``file_id`` or a link."""
    media = data.get("media")
    items = media if isinstance(media, list | tuple) else [media]
    return any(
        isinstance(value, InputFile)
        for value in [*data.values(), *(getattr(item, "media", None) for item in items)]
    )


def seconds_of(retry_after: int | timedelta) -> float:
    """One form for what python-telegram-bot gives in two: https://docs.python-telegram-bot.org/telegram.error.html"""
    return retry_after.total_seconds() if isinstance(retry_after, timedelta) else float(retry_after)
