"""Telling those who watch: tests that wait for a condition, pages that follow events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.telegram.messages import Message

T = TypeVar("T")
BACKLOG_MAX = 10_000  # events that a reader may be behind before it is dropped


@dataclass(frozen=True, slots=True)
class Event:
    """``type``: new, edited, deleted (with ``message``), answer or action (with ``detail``)."""

    type: str
    chat_id: int
    message: Message | None = None
    detail: Any = None

    def wire(self) -> dict[str, Any]:
        body: dict[str, Any] = {"type": self.type, "chat_id": self.chat_id}
        if self.message is not None:
            body["message"] = {**self.message.wire(), "html": self.message.html}
        return body | ({"detail": self.detail} if self.detail is not None else {})


class Subscription:
    """The events from now on; iterate over it, or ``get()`` one. Close it, or use it in ``with``."""

    def __init__(self, close: Callable[["Subscription"], None]) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG_MAX)
        self._close = close

    async def get(self) -> Event | None:
        """The next event; None after the end."""
        return await self._queue.get()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self.get()) is not None:
            yield event

    def close(self) -> None:
        self._close(self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def offer(self, event: Event | None) -> None:
        if self._queue.full():
            self.close()
            self._queue.get_nowait()  # room for the end
            event = None
        self._queue.put_nowait(event)


class Changes:
    """Where every change is announced."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._subscriptions: set[Subscription] = set()
        self._ended = False

    def announce(self, event: Event) -> None:
        for subscription in list(self._subscriptions):
            subscription.offer(event)
        self.touch()

    def touch(self) -> None:
        """Wake those who wait for a condition."""
        self._changed.set()
        self._changed = asyncio.Event()

    def subscribe(self) -> Subscription:
        subscription = Subscription(self._subscriptions.discard)
        self._subscriptions.add(subscription)
        if self._ended:
            subscription.offer(None)
        return subscription

    def end(self) -> None:
        """End every subscription, present and future."""
        self._ended = True
        for subscription in list(self._subscriptions):
            subscription.offer(None)
        self._subscriptions.clear()

    async def until(self, condition: Callable[[], T | None], within_s: float) -> T:
        """The first truthy value of a condition, looked at after each change; TimeoutError."""
        async with asyncio.timeout(within_s):
            while not (value := condition()):
                await self._changed.wait()
        return value
