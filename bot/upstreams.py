"""How each upstream is doing, as this process sees it: its breaker, its pace, its credits, its last error."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from aiolimiter import AsyncLimiter

from providers.base import Limits
from providers.errors import Misconfigured, OutcomeUnknown, ProviderError, TaskUnknown, TooFast, Unavailable

logger = logging.getLogger(__name__)

OPENS_AFTER = 5  # failures in a row
FIRST_PROBE_S = 15.0
LONGEST_PROBE_S = 300.0


def is_failure(outcome: object) -> bool:
    """Whether an answer speaks against the upstream itself, not against one song or task."""
    return isinstance(outcome, Unavailable | OutcomeUnknown | Misconfigured) and not isinstance(
        outcome, TaskUnknown | TooFast
    )


@dataclass(slots=True)
class Breaker:
    """Open: nothing new is sent there. A cheap call tries it now and then, and closes it again."""

    failures: int = 0
    is_open: bool = False
    probe_at: float = 0.0
    _probes: int = 0

    def failed(self, now: float, *, at_once: bool = False) -> bool:
        """Count a failure; True where it has just opened. ``at_once`` for what no repeat can mend."""
        self.failures += 1
        opened = not self.is_open and (at_once or self.failures >= OPENS_AFTER)
        if opened:
            self.is_open, self._probes = True, 0
            self.probe_at = now + FIRST_PROBE_S
        return opened

    def probe_failed(self, now: float) -> None:
        self._probes += 1
        wait_s = min(FIRST_PROBE_S * 2.0**self._probes, LONGEST_PROBE_S)
        self.probe_at = now + wait_s * random.uniform(0.9, 1.1)  # noqa: S311  replicas shall not probe in step

    def succeeded(self) -> bool:
        """True where it has just closed."""
        was_open = self.is_open
        self.failures, self.is_open = 0, False
        return was_open


def submit_limiter(limits: Limits) -> AsyncLimiter:
    """At most ``limits.submits`` in *any* ``limits.per_s`` seconds.

    A full AsyncLimiter lets its burst through at once and goes on filling: so half of what is allowed is
    the burst, and the other half what fills up meanwhile.
    """
    burst = max(1, limits.submits // 2)
    fills_per_s = max(limits.submits - burst, 1) / limits.per_s
    return AsyncLimiter(burst, burst / fills_per_s)


@dataclass(slots=True)
class Upstream:
    """One upstream's health. ``credits`` are its own, as last told."""

    name: str
    title: str
    submits: AsyncLimiter
    now: Callable[[], float]
    breaker: Breaker = field(default_factory=Breaker)
    credits: float | None = None
    last_error: str | None = None
    paused_until: float = 0.0

    @property
    def takes_work(self) -> bool:
        return not self.breaker.is_open

    def may_submit(self) -> bool:
        return self.takes_work and self.now() >= self.paused_until and self.submits.has_capacity()

    def note(self, outcome: object) -> None:
        """Take in how an exchange went: what came, or its ProviderError."""
        if isinstance(outcome, TooFast) and outcome.wait_s:
            self.paused_until = max(self.paused_until, self.now() + outcome.wait_s)
        if not is_failure(outcome):
            self._closed(self.breaker.succeeded())
            return
        self.last_error = str(outcome)
        if self.breaker.failed(self.now(), at_once=isinstance(outcome, Misconfigured)):
            logger.warning("%s is set aside for a while: %s", self.title, outcome)

    def probed(self, outcome: float | ProviderError) -> None:
        """Take in what the credits call said."""
        if isinstance(outcome, ProviderError):
            self.last_error = str(outcome)
            self.breaker.probe_failed(self.now())
            return
        self.credits = outcome
        self._closed(self.breaker.succeeded())

    def _closed(self, has_closed: bool) -> None:
        if has_closed:
            logger.warning("%s is back", self.title)
