"""What operators are told of upstreams: once per trouble, each of them, and not once per job."""

import logging
from dataclasses import dataclass
from html import unescape

from telegram.error import TelegramError

from bot import operator_texts as texts
from bot.engine.leases import LEASE_S, kept
from bot.intake.budgets import Kind
from bot.intake.limiter import Dropped
from bot.outcomes import Outcome, outcome_of, wait_s
from bot.services import Services
from bot.upstreams import DOWN, KEY, LOW, USED_UP, Upstream
from providers.base import Provider
from providers.errors import NoCredits, ProviderError
from storage import moves, notices
from storage.database import Connection

logger = logging.getLogger(__name__)

JOBS_LEFT = 10  # fewer than this many of the cheapest kind is worth a word
PROBE_EVERY_S = 600.0


async def probe_one(services: Services, provider: Provider) -> bool:
    """Ask an upstream for its credits: cheap, free, and it shows whether it works. True where it was time."""
    upstream, now = services.upstreams[provider.name], services.now()
    if now < next_probe(services, provider):
        return False
    try:
        outcome: float | ProviderError = await provider.credits()
    except ProviderError as error:
        outcome = error
    upstream.probed(outcome)
    upstream.probed_at = services.now()
    await tell(services, provider)
    services.wakes.wake("submit")
    return True


def next_probe(services: Services, provider: Provider) -> float:
    upstream = services.upstreams[provider.name]
    if upstream.breaker.is_open:
        return upstream.breaker.probe_at
    return 0.0 if upstream.probed_at is None else upstream.probed_at + PROBE_EVERY_S


@dataclass(frozen=True, slots=True)
class Alert:
    """What may be wrong with an upstream. Not every one is said: ``stembot check`` shows them all."""

    kind: str
    is_on: bool
    text: str = ""
    is_said: bool = True


async def tell(services: Services, provider: Provider) -> None:
    """After every call to an upstream: what has become of its troubles is written down, and told."""
    upstream = services.upstreams[provider.name]
    alerts = _alerts(upstream)
    standing = frozenset(alert.kind for alert in alerts if alert.is_on)
    if standing == upstream.alerts:
        return
    async with services.database.transaction() as db:
        new = [alert for alert in alerts if await _set(db, services, upstream, alert)]
    # Before its first answer nobody knows whether what an earlier process was told is still so.
    upstream.alerts = standing if upstream.is_known else None
    for alert in new:
        logger.warning("%s", " ".join(unescape(alert.text).split()))
    if new:
        services.wakes.wake("notice")


def _alerts(upstream: Upstream) -> list[Alert]:
    """All that there are, for what is known of an upstream."""
    title, refusal = upstream.title, upstream.refusal
    is_used_up = isinstance(upstream.trouble, NoCredits) or upstream.lacks_credits_for(1)
    is_low = is_used_up or upstream.lacks_credits_for(JOBS_LEFT)
    # Topped up for a few jobs only, they will be used up again soon: that is not told each time.
    is_still_used_up = is_used_up or (is_low and USED_UP in (upstream.alerts or ()))
    return [
        Alert(DOWN, upstream.breaker.is_open, is_said=False),
        Alert(KEY, refusal is not None, texts.key_refused(title, refusal)),
        Alert(USED_UP, is_still_used_up, texts.credits_used_up(title)),
        Alert(LOW, is_low, texts.credits_low(title, upstream.credits), is_said=not is_still_used_up),
    ]


async def _set(db: Connection, services: Services, upstream: Upstream, alert: Alert) -> bool:
    """True where operators are told of it now."""
    key = f"{upstream.name}:{alert.kind}"
    if alert.is_on:
        operators = services.settings.admins if alert.is_said else ()
        is_new = await notices.raise_alert(db, key, alert.text, operators, now=services.now())
        return is_new and alert.is_said
    if upstream.is_known:
        await notices.end_alert(db, key)
    return False


async def notice_one(services: Services) -> bool:
    """Say one word to one operator; False when there is none to say."""
    async with services.database.transaction() as db:
        notice = await notices.claim(db, now=services.now(), lease_s=LEASE_S)
    if notice is None:
        return False
    async with kept(services, notice):
        try:
            await services.bot.send_message(notice.chat_id, notice.text, rate_limit_args=Kind.RESULT)
        except (TelegramError, Dropped) as error:
            if outcome_of(error) is Outcome.UNSENT:
                async with services.database.transaction() as db:
                    await moves.postpone(db, notice, services.now() + (wait_s(error) or 5.0))
                return True
            # An operator who never wrote to the bot cannot be written to.
            logger.warning("operator %s was not told: %s", notice.chat_id, error)
        async with services.database.transaction() as db:
            await notices.said(db, notice)
    return True
