"""What handlers and loops work with, passed in and never looked up."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from telegram.ext import CallbackContext, ExtBot

from bot import pricing
from bot.connection import TelegramBot
from bot.delivery.covers import Covers
from bot.delivery.fetch import Fetcher
from bot.delivery.plan import UPLOAD_MAX_BYTES
from bot.intake.budgets import Kind
from bot.metrics import Metrics
from bot.settings import Settings
from bot.share_links import ShareLinks
from bot.upstreams import Upstream, upstream
from providers.base import Mode, Provider, SongRef
from storage.database import Database


class Wakes:
    """How a commit wakes the loop that can go on, so that nobody waits for the next tick."""

    def __init__(self) -> None:
        self._sleepers: dict[str, list[asyncio.Event]] = {}

    def sleeper(self, name: str) -> asyncio.Event:
        """An event of one worker's own, set by every ``wake(name)``."""
        event = asyncio.Event()
        self._sleepers.setdefault(name, []).append(event)
        return event

    def wake(self, *names: str) -> None:
        for name in names:
            for event in self._sleepers.get(name, ()):
                event.set()

    def wake_all(self) -> None:
        self.wake(*self._sleepers)


@dataclass(slots=True)
class Pulse:
    """When each part of the bot was last seen at work; what /healthz reads."""

    beats: dict[str, float] = field(default_factory=dict)
    allowed_s: dict[str, float] = field(default_factory=dict)

    def expect(self, name: str, *, within_s: float, now: float) -> None:
        self.allowed_s[name] = within_s
        self.beats[name] = now

    def forget(self, name: str) -> None:
        del self.allowed_s[name], self.beats[name]

    def beat(self, name: str, *, now: float) -> None:
        self.beats[name] = now

    def age_s(self, name: str, *, now: float) -> float:
        return now - self.beats[name]

    def late(self, *, now: float) -> list[str]:
        return sorted(name for name, limit in self.allowed_s.items() if self.age_s(name, now=now) > limit)


@dataclass(slots=True)
class Services:
    settings: Settings
    database: Database
    providers: Mapping[str, Provider]  # in order of preference
    bot: TelegramBot
    fetcher: Fetcher
    share_links: ShareLinks
    metrics: Metrics = field(default_factory=Metrics)
    wakes: Wakes = field(default_factory=Wakes)
    pulse: Pulse = field(default_factory=Pulse)
    now: Callable[[], float] = time.time
    upload_max_bytes: int = UPLOAD_MAX_BYTES  # what the Bot API server in use takes in one request
    # By provider and mode, how many seconds the newest separations took from submit to links.
    took: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    covers: Covers = field(init=False)
    # Making a file smaller takes a processor for minutes: one at a time.
    encoding: asyncio.Lock = field(default_factory=asyncio.Lock)
    upstreams: dict[str, Upstream] = field(init=False)  # by name, how each provider's upstream is doing
    # By update_id, why a handler failed: what PTB's error handler tells the intake.
    failed_updates: dict[int, BaseException] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.covers = Covers(self.fetcher)
        self.upstreams = {
            name: upstream(provider, lambda: self.now()) for name, provider in self.providers.items()
        }

    def health(self) -> dict[str, int]:
        return {name: one.health for name, one in self.upstreams.items()}

    def price_of(self, song: SongRef, mode: Mode) -> int | None:
        """What a new separation would cost now, at the upstream that would get it; None where none would."""
        try:
            provider = pricing.choose(self.providers, song, mode, health=self.health())
        except pricing.NoProvider:
            return None
        return self.settings.price(provider.name, mode)

    def prices_of(self, song: SongRef) -> dict[Mode, int]:
        """What each mode would cost now for this song; as a rule, where nobody takes it as it is."""
        found = {mode: price for mode in Mode if (price := self.price_of(song, mode)) is not None}
        return found or self.prices()

    def prices(self) -> dict[Mode, int]:
        """What each mode costs, as a rule."""
        return pricing.usual(self.providers, self.settings.price)


class BotContext(CallbackContext[ExtBot[Kind], dict[str, Any], dict[str, Any], dict[str, Any]]):
    """PTB's context with our services, typed."""

    @property
    def services(self) -> Services:
        return cast(Services, self.application.bot_data["services"])
