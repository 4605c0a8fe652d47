"""How much may be sent: what Telegram allows, as budgets that calls pay from.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """How urgent a call is; goes into ``rate_limit_args``."""

    ANSWER = "answer"  # to a button that somebody has pressed and now looks at
    ACK = "ack"  # to a command
    RESULT = "result"  # stems, and the last form of a status message
    STATUS = "status"  # progress: dropped instead of queued, the next one tells more


class Meter(Protocol):
    """What was paid from a budget so far."""

    def wait_s(self, kind: Kind, cost: int, now: float) -> float:
        """Seconds until a call of this kind may go; 0 or less: now."""

    def pay(self, kind: Kind, cost: int, now: float) -> None:
        """The call goes."""

    def is_whole(self, now: float) -> bool:
        """Whether nothing that was paid counts any more."""


@dataclass(frozen=True, slots=True)
class Budget:
    """At most ``limit`` in any ``period_s``; ``kept`` is what a kind must leave for the more urgent ones.

    Where it ``lends``, a call passes while anything is left, and may cost more than that: the debt is worked
    off at ``limit`` per ``period_s``. So is an album sent at once, and what comes after it waits.
    """

    limit: int
    period_s: float
    kept: Mapping[Kind, int] = field(default_factory=dict)
    lends: bool = False

    def limit_for(self, kind: Kind) -> int:
        return self.limit - self.kept.get(kind, 0)

    def meter(self) -> Meter:
        return _Bucket(self) if self.lends else _Window(self)


OVERALL = Budget(30, 1.0, {Kind.RESULT: 5, Kind.STATUS: 10})
GROUP = Budget(20, 60.0, {Kind.RESULT: 3, Kind.STATUS: 10})
PRIVATE = Budget(4, 4.0, {Kind.STATUS: 1}, lends=True)
NO_CHAT = Budget(1, 0.0)
# Uploads of equal size, as stems often are, get 429 for 60 s when many come at once: 0.5 s apart all pass.
# https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
UPLOADS = Budget(1, 0.5)


class _Window:
    """Counts what was paid in the last ``period_s``."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._spent: deque[tuple[float, int]] = deque()  # when it counts no more, how much

    def wait_s(self, kind: Kind, cost: int, now: float) -> float:
        self._forget(now)
        limit, free_at = self._budget.limit_for(kind), now
        excess = sum(spent for _, spent in self._spent) + min(cost, limit) - limit
        for ends_at, spent in self._spent:
            if excess <= 0:
                break
            excess, free_at = excess - spent, max(free_at, ends_at)
        return free_at - now

    def pay(self, kind: Kind, cost: int, now: float) -> None:
        paid = min(cost, self._budget.limit_for(kind))  # a large album must go some time
        if paid:
            self._spent.append((now + self._budget.period_s, paid))

    def is_whole(self, now: float) -> bool:
        self._forget(now)
        return not self._spent

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now:
            self._spent.popleft()


ROUNDING = 1e-6


class _Bucket:
    """Fills evenly up to ``limit``, and goes below nothing for a call that costs more than is left."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._debt, self._at = 0.0, 0.0  # how much is missing of a full bucket, and when that was so

    def wait_s(self, kind: Kind, cost: int, now: float) -> float:
        short = min(cost, 1) - (self._budget.limit_for(kind) - self._missing(now))
        if short < ROUNDING:  # else a wait too short for the clock to notice would be waited for ever
            return 0.0
        return short * self._budget.period_s / self._budget.limit

    def pay(self, kind: Kind, cost: int, now: float) -> None:  # noqa: ARG002  as the other meter
        self._debt, self._at = self._missing(now) + cost, now

    def is_whole(self, now: float) -> bool:
        return self._missing(now) <= 0

    def _missing(self, now: float) -> float:
        filled = (now - self._at) * self._budget.limit / self._budget.period_s
        return max(self._debt - filled, 0.0)
