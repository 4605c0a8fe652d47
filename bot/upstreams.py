"""How each upstream is doing, as this process sees it: its breaker, its pace, its credits, its last error."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from aiolimiter import AsyncLimiter

from providers.base import Limits, Provider
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    ProviderError,
    TaskUnknown,
    TooFast,
    Unavailable,
)

logger = logging.getLogger(__name__)

OPENS_AFTER = 5  # failures in a row
FIRST_PROBE_S = 15.0
LONGEST_PROBE_S = 300.0
UNTIL_PROBED_S = 5.0  # for the answer of a try that is due: nothing goes out before it


class Call(StrEnum):
    """What is counted apart: where orders fail, looks at older work may well be answered."""

    SUBMIT = "submit"
    LOOK = "look"


def is_failure(outcome: object) -> bool:
    """Whether an answer speaks against the upstream itself, not against one song or task."""
    return isinstance(outcome, Unavailable | OutcomeUnknown) and not isinstance(
        outcome, TaskUnknown | TooFast
    )


@dataclass(slots=True)
class Breaker:
    """Open: nothing new is sent there. A cheap call tries it now and then, and closes it again."""

    failures: dict[Call, int] = field(default_factory=lambda: dict.fromkeys(Call, 0))  # in a row
    is_open: bool = False
    probe_at: float = 0.0
    _probes: int = 0

    def failed(self, call: Call, now: float) -> bool:
        """Count a failure; True where it has just opened."""
        self.failures[call] += 1
        opened = not self.is_open and self.failures[call] >= OPENS_AFTER
        if opened:
            self.is_open, self.probe_at = True, now + self._wait_s
        return opened

    def probe_failed(self, now: float) -> None:
        self._probes += 1
        self.probe_at = now + self._wait_s * random.uniform(0.9, 1.1)  # noqa: S311  replicas shall not probe in step

    def probe_succeeded(self) -> bool:
        """True where it has just closed. It shows nothing of orders: the next to fail opens it again."""
        self._probes += self.is_open
        orders = min(self.failures[Call.SUBMIT], OPENS_AFTER - 1)
        self.failures = {Call.SUBMIT: orders, Call.LOOK: 0}
        return self._closed()

    def succeeded(self, call: Call) -> bool:
        """True where it has just closed."""
        self.failures[call] = 0
        self._probes = self._probes if any(self.failures.values()) else 0
        return max(self.failures.values()) < OPENS_AFTER and self._closed()

    def _closed(self) -> bool:
        was_open, self.is_open = self.is_open, False
        return was_open

    @property
    def _wait_s(self) -> float:
        return float(min(FIRST_PROBE_S * 2.0**self._probes, LONGEST_PROBE_S))


def submit_limiter(limits: Limits) -> AsyncLimiter:
    """At most ``limits.submits`` in *any* ``limits.per_s`` seconds.

    A full AsyncLimiter lets its burst through at once and goes on filling: so half of what is allowed is
    the burst, and the other half what fills up meanwhile.
    """
    burst = max(1, limits.submits // 2)
    fills_per_s = max(limits.submits - burst, 1) / limits.per_s
    return AsyncLimiter(burst, burst / fills_per_s)


# Kinds of trouble, as they are written down.
DOWN, KEY, USED_UP, LOW = "down", "key", "used up", "low"


class Health(IntEnum):
    """How gladly work is given to it: the lower the better."""

    WELL = 0
    SHORT = 1  # out of credits or the key refused: it says so at once and for nothing
    DOWN = 2  # the breaker is open


@dataclass(slots=True)
class Upstream:
    """One upstream's health. ``credits`` are its own, as last told."""

    name: str
    title: str
    submits: AsyncLimiter
    now: Callable[[], float]
    cheapest: float = 0.0  # what its cheapest mode costs there
    breaker: Breaker = field(default_factory=Breaker)
    credits: float | None = None
    probed_at: float | None = None
    trouble: Misconfigured | None = None  # what only the operator can mend
    last_error: str | None = None
    answers: bool = True  # it did at the last call
    paused_until: float = 0.0
    refusal: Misconfigured | None = None  # of the key: ends when it is taken for what it was refused for
    alerts: frozenset[str] | None = None  # what is written down of its troubles; None: nobody knows
    _is_refused_at_work: bool = False
    _credits_in_trouble: float | None = None

    @property
    def health(self) -> Health:
        if self.breaker.is_open:
            return Health.DOWN
        return Health.SHORT if self.trouble else Health.WELL

    @property
    def is_known(self) -> bool:
        """Whether it has answered once."""
        return self.credits is not None

    def lacks_credits_for(self, jobs: int) -> bool:
        """Whether it is known that they do not do for so many of the cheapest kind."""
        return self.credits is not None and self.credits < jobs * self.cheapest

    def pause_s(self) -> float:
        """For how long it asked to be left alone; 0: not at all."""
        return max(self.paused_until - self.now(), 0.0)

    def wait_s(self) -> float:
        """How long nothing may be submitted there; 0: now."""
        pause_s = max(self.pause_s(), self._probe_s())
        return pause_s if pause_s > 0 else self.pace_s()

    def _probe_s(self) -> float:
        return max(self.breaker.probe_at - self.now(), UNTIL_PROBED_S) if self.breaker.is_open else 0.0

    def pace_s(self) -> float:
        """How long nothing may be submitted there because enough was just now; 0: now."""
        return 0.0 if self.submits.has_capacity() else self.submits.time_period / self.submits.max_rate

    def note(self, outcome: object, call: Call) -> None:
        """Take in how a submit or a look went: what came, or its ProviderError."""
        self.answers = not is_failure(outcome)
        if isinstance(outcome, TooFast):
            self.paused_until = max(self.paused_until, self.now() + (outcome.wait_s or 1.0))
        if isinstance(outcome, ProviderError):
            self.last_error = str(outcome)
        elif isinstance(outcome, str):  # a submit was taken: the key works, and there were credits
            self.trouble = self.refusal = None
            self._is_refused_at_work = False
        if isinstance(outcome, Misconfigured):
            self._in_trouble(outcome, at_work=True)
        elif is_failure(outcome):
            if self.breaker.failed(call, self.now()):
                logger.warning("%s is set aside for a while: %s", self.title, outcome)
        elif self.breaker.succeeded(call):
            self._say_it_is_back()

    def probed(self, outcome: float | ProviderError) -> None:
        """Take in what the credits call said."""
        self.answers = not is_failure(outcome)
        if isinstance(outcome, ProviderError):
            self.last_error = str(outcome)
            if isinstance(outcome, Misconfigured):
                self._in_trouble(outcome, at_work=False)
            if self.breaker.is_open:
                self.breaker.probe_failed(self.now())
            return
        self.credits = outcome
        if not self._is_refused_at_work:  # a key may do for this call alone
            self.refusal = None
        self._mended(outcome)
        if self.breaker.probe_succeeded():
            self._say_it_is_back()

    def _in_trouble(self, trouble: Misconfigured, *, at_work: bool) -> None:
        self.trouble, self._credits_in_trouble = trouble, self.credits
        if not isinstance(trouble, NoCredits):
            self.refusal, self._is_refused_at_work = trouble, at_work or self._is_refused_at_work

    def _mended(self, credits: float) -> None:
        """A key that is taken again is mended; so are credits, once there are more than there were."""
        before = self._credits_in_trouble
        if not isinstance(self.trouble, NoCredits) or (before is not None and credits > before):
            self.trouble = None
        else:
            self._credits_in_trouble = credits

    def _say_it_is_back(self) -> None:
        logger.warning("%s is back", self.title)


def upstream(provider: Provider, now: Callable[[], float]) -> Upstream:
    cheapest = min(provider.costs.values())
    return Upstream(provider.name, provider.title, submit_limiter(provider.limits), now, cheapest)
