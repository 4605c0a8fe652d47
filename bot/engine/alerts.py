"""What operators are told of upstreams: once per trouble, each of them, and not once per job."""

import logging
from html import unescape

from telegram.error import TelegramError

from bot import operator_texts as texts
from bot.engine.leases import LEASE_S, kept
from bot.intake.budgets import Kind
from bot.intake.limiter import Dropped
from bot.outcomes import Outcome, outcome_of, wait_s
from bot.services import Services
from providers.base import Provider
from providers.errors import Misconfigured, NoCredits, ProviderError
from storage import moves, notices

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


async def after_submit(services: Services, provider: Provider, outcome: str | ProviderError) -> None:
    """A submit that was refused for our key or credits is what an operator has to know at once."""
    if isinstance(outcome, Misconfigured):
        await _tell(services, provider, outcome)


async def _tell(services: Services, provider: Provider, error: ProviderError | None) -> None:
    """``error`` is what the upstream said; None where it told its credits: only that ends an alert."""
    upstream = services.upstreams[provider.name]
    key_refused = isinstance(error, Misconfigured) and not isinstance(error, NoCredits)
    cheapest = min(provider.costs.values())
    is_short = isinstance(error, NoCredits) or isinstance(upstream.trouble, NoCredits)
    is_low = upstream.credits is not None and upstream.credits < JOBS_LEFT * cheapest
    key_text = texts.key_refused(provider.title, error)
    credits_text = texts.credits_low(provider.title, upstream.credits, used_up=is_short)
    may_end = error is None
    await _set(services, f"{provider.name}:key", key_text, is_on=key_refused, may_end=may_end)
    await _set(services, f"{provider.name}:credits", credits_text, is_on=is_short or is_low, may_end=may_end)


async def _set(services: Services, key: str, text: str, *, is_on: bool, may_end: bool) -> None:
    if not (is_on or may_end):
        return
    async with services.database.transaction() as db:
        if not is_on:
            await notices.end_alert(db, key)
            return
        is_new = await notices.raise_alert(db, key, text, services.settings.admins, now=services.now())
    if is_new:
        logger.warning("%s", " ".join(unescape(text).split()))
        services.wakes.wake("notice")


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
