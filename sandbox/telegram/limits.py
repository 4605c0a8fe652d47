"""How much the bot may send, and what happens above it.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
The throttle of equal sizes is that of the public server, tdlib/telegram-bot-api, in its hosted mode.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.telegram.chats import Chat, Kind
from sandbox.telegram.errors import ApiError, too_many_requests

MEGABYTE = 1024 * 1024
QUEUE_MAX_S = 5.0  # an upload behind a longer queue is refused


@dataclass(frozen=True)
class Limits:
    """The real figures by default; None switches a rate off.

    A private chat takes a burst of 5, Telegram's "short bursts": its true length is not published. Items of
    an album count singly. A request passes while anything is left, an album then takes more than that.
    """

    overall_per_s: float | None = 30
    private_per_s: float | None = 1
    private_burst: float = 5
    group_per_minute: int | None = 20
    equal_sizes: bool = True
    refusal_delay_s: float = 3  # before the 429 of the equal-size throttle
    upload_max_bytes: int = 50 * MEGABYTE
    fetch_max_bytes: int = 20 * MEGABYTE
    fetch_timeout_s: float = 15
    download_max_bytes: int = 20 * MEGABYTE
    callback_expires_s: float = 150
    webhook_retry_s: float = 1

    @classmethod
    def unhurried(cls) -> "Limits":
        """No rates at all; sizes as they are."""
        return cls(overall_per_s=None, private_per_s=None, group_per_minute=None, equal_sizes=False)

    @classmethod
    def local(cls) -> "Limits":
        """A server of one's own, run with ``--local``: it takes and gives larger files.

        https://core.telegram.org/bots/api#using-a-local-bot-api-server
        """
        return cls(upload_max_bytes=2000 * MEGABYTE, download_max_bytes=2000 * MEGABYTE, equal_sizes=False)


class Meter(Protocol):
    """Counts messages."""

    def wait_s(self, now: float) -> float:
        """Seconds until one more passes."""

    def take(self, weight: int, now: float) -> None:
        """Count so many that pass."""


@dataclass
class Bucket:
    """Fills at ``per_s`` up to ``burst``; may go into debt, and passes nothing while it is."""

    per_s: float
    burst: float
    left: float = 0.0
    at: float = -math.inf

    def wait_s(self, now: float) -> float:
        self.left = min(self.burst, self.left + (now - self.at) * self.per_s)
        self.at = now
        return max(0.0, (1 - self.left) / self.per_s)

    def take(self, weight: int, now: float) -> None:  # noqa: ARG002 - as the other meter
        self.left -= weight


@dataclass
class Window:
    """At most ``count`` in any ``seconds``."""

    count: int
    seconds: float
    taken: deque[float] = field(default_factory=deque)

    def wait_s(self, now: float) -> float:
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        over = len(self.taken) - self.count
        return self.taken[over] + self.seconds - now if over >= 0 else 0.0

    def take(self, weight: int, now: float) -> None:
        self.taken.extend([now] * weight)


class Rates:
    """What was sent lately; decides about the next request."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._chats: dict[int, Meter] = {}
        self._overall = Bucket(limits.overall_per_s, limits.overall_per_s) if limits.overall_per_s else None
        self._queues: dict[int, Queue] = {}

    def refusal(self, chat: Chat | None, weight: int, now: float) -> ApiError | None:
        """The 429 for a request of so many messages, or None and it is counted."""
        chat_meter = self._meter_of(chat) if chat and weight else None
        meters = [meter for meter in (self._overall, chat_meter) if meter]
        if (wait_s := max((meter.wait_s(now) for meter in meters), default=0.0)) > 0:
            return too_many_requests(max(1, math.ceil(wait_s)))
        for meter in meters:
            meter.take(max(1, weight), now)
        return None

    def _meter_of(self, chat: Chat) -> Meter | None:
        limits = self._limits
        if chat.kind is Kind.PRIVATE and limits.private_per_s:
            fresh: Meter = Bucket(limits.private_per_s, limits.private_burst)
        elif chat.kind is not Kind.PRIVATE and limits.group_per_minute:
            fresh = Window(limits.group_per_minute, 60.0)
        else:
            return None
        return self._chats.setdefault(chat.chat_id, fresh)

    def upload_wait_s(self, size_bytes: int, now: float) -> float:
        """How long an upload waits for others of exactly its size; ApiError 429 (60 s) above 5 s."""
        if not self._limits.equal_sizes or size_bytes <= 100_000:
            return 0.0
        return self._queues.setdefault(size_bytes, Queue()).join(size_bytes, now)


@dataclass
class Queue:
    """Uploads of one size: each takes 0.2-0.9 s by its size, one second of them passes at once."""

    busy_until: float = -math.inf
    last_start: float = -math.inf

    def join(self, size_bytes: int, now: float) -> float:
        """Seconds until this upload starts."""
        if self.last_start - now > QUEUE_MAX_S + 1e-6:
            raise too_many_requests(60)
        self.busy_until = max(self.busy_until, now)
        self.last_start = max(now, self.busy_until - 1.0)
        self.busy_until += min(0.9, max(0.2, size_bytes * 1e-7))
        return round(self.last_start - now, 3)
