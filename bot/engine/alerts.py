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
from bot.upstreams import Upstream
from providers.base import Provider
from providers.errors import Misconfigured, NoCredits, ProviderError
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
    await _tell(services, provider, outcome if isinstance(outcome, ProviderError) else None)
    services.wakes.wake("submit")
    return True


def next_probe(services: Services, provider: Provider) -> float:
    upstream = services.upstreams[provider.name]
    if upstream.breaker.is_open:
        return upstream.breaker.probe_at
    return 0.0 if upstream.probed_at is None else upstream.probed_at + PROBE_EVERY_S


async def heard(services: Services, provider: Provider, outcome: object) -> None:
    """After a submit or a look: what an operator has to know is told at once, not at the next probe."""
    upstream = services.upstreams[provider.name]
    if isinstance(outcome, Misconfigured):
        upstream.is_refused_at_work = not isinstance(outcome, NoCredits)
        await _tell(services, provider, outcome)
    elif isinstance(outcome, str) and (upstream.is_refused_at_work or upstream.lacks_credits_for(JOBS_LEFT)):
        upstream.is_refused_at_work = False
        await _tell(services, provider, None)


@dataclass(frozen=True, slots=True)
class Alert:
    """What may be wrong with an upstream; where it is not, ``may_end`` says whether that is sure."""

    kind: str
    text: str
    is_on: bool
    may_end: bool
    is_implied: bool = False  # by another one, which says more


async def _tell(services: Services, provider: Provider, error: ProviderError | None) -> None:
    """``error`` is what the upstream said; None where it told its credits: only that ends an alert."""
    upstream = services.upstreams[provider.name]
    async with services.database.transaction() as db:
        new = [alert for alert in _alerts(upstream, error) if await _set(db, services, upstream.name, alert)]
    for alert in new:
        logger.warning("%s", " ".join(unescape(alert.text).split()))
    if new:
        services.wakes.wake("notice")


def _alerts(upstream: Upstream, error: ProviderError | None) -> list[Alert]:
    is_key_refused = isinstance(error, Misconfigured) and not isinstance(error, NoCredits)
    is_used_up = isinstance(upstream.trouble, NoCredits) or upstream.lacks_credits_for(1)
    is_low = is_used_up or upstream.lacks_credits_for(JOBS_LEFT)
    may_end = error is None
    return [
        Alert(
            "key",
            texts.key_refused(upstream.title, error),
            is_key_refused,
            may_end and not upstream.is_refused_at_work,
        ),
        # Topped up for a few jobs only, they will be used up again soon: that is not told each time.
        Alert("used up", texts.credits_used_up(upstream.title), is_used_up, may_end and not is_low),
        Alert("low", texts.credits_low(upstream.title, upstream.credits), is_low, may_end, is_used_up),
    ]


async def _set(db: Connection, services: Services, name: str, alert: Alert) -> bool:
    """True where operators are told of it now."""
    key = f"{name}:{alert.kind}"
    if alert.is_on:
        operators = () if alert.is_implied else services.settings.admins
        is_new = await notices.raise_alert(db, key, alert.text, operators, now=services.now())
        return is_new and not alert.is_implied
    if alert.may_end:
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
