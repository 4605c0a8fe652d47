"""Lookups: the songs of a task or of a share link, asked of the outside and answered in the chat."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from telegram import InlineKeyboardMarkup, ReplyParameters
from telegram.error import TelegramError

from bot import actions, keyboards, offers, pricing, songs, texts
from bot.engine.leases import LEASE_S, kept
from bot.engine.steps import answer
from bot.engine.writing import learn_songs
from bot.intake.budgets import Kind
from bot.intake.limiter import Dropped
from bot.outcomes import Outcome, outcome_of, wait_s
from bot.services import Services
from providers.base import Mode, Provider, Song, SongRef
from providers.errors import OutcomeUnknown, ProviderError, SongUnknown, Unavailable
from storage import lookups, moves
from storage.ledger import InsufficientCredits
from storage.rows import Lookup

logger = logging.getLogger(__name__)

TRIES = 3
GIVE_UP_AFTER_S = 3600.0  # an answer that Telegram has not taken by then is of no use to anybody
Answer = tuple[str, InlineKeyboardMarkup | None]


async def lookup_one(services: Services, kind: str | None = None) -> bool:
    """Answer the lookup, of this kind, that has waited longest; False when none is due."""
    async with services.database.transaction() as db:
        lookup = await lookups.claim(db, kind, now=services.now(), lease_s=LEASE_S)
    if lookup is None:
        return False
    async with kept(services, lookup):
        try:
            if said := await _answer(services, lookup):
                await _say(services, lookup, said)
        except (Unavailable, OutcomeUnknown) as error:
            return await _again(services, lookup, error, 2.0**lookup.failures)
        except (TelegramError, Dropped) as error:
            is_old = services.now() >= lookup.created_at + GIVE_UP_AFTER_S
            if outcome_of(error) is Outcome.UNSENT and not is_old:
                return await _again(services, lookup, error, wait_s(error) or 5.0)
            logger.warning("lookup %s: not answered: %s", lookup.id, error)
        async with services.database.transaction() as db:
            await lookups.answered(db, lookup)
    return True


async def _again(services: Services, lookup: Lookup, error: Exception, seconds: float) -> bool:
    logger.info("lookup %s: again in %.0f s: %s", lookup.id, seconds, error)
    async with services.database.transaction() as db:
        await moves.postpone(db, lookup, services.now() + seconds, failures=lookup.failures + 1)
    return True


async def _answer(services: Services, lookup: Lookup) -> Answer | None:
    """What to say; None where a job says it. Raises Unavailable while it is worth another try."""
    if lookup.kind == "share":
        return await _shared_song(services, lookup)
    return await _songs_of_task(services, lookup)


async def _songs_of_task(services: Services, lookup: Lookup) -> Answer:
    task_id = escape(lookup.reference)
    found = await _listed(services, lookup.reference)
    if isinstance(found, SongUnknown):
        return texts.TASK_UNKNOWN.format(task_id=task_id), None
    if isinstance(found, ProviderError):
        if isinstance(found, Unavailable | OutcomeUnknown) and lookup.failures < TRIES:
            raise found
        return texts.TASK_UNREADABLE.format(task_id=task_id, why=escape(str(found))), None
    # The buttons carry the task's id: it is what makes these songs usable everywhere.
    usable = [replace(song, task_id=lookup.reference) for song in found if songs.is_audio_id(song.audio_id)]
    return _pick(services, lookup, usable) if usable else (texts.TASK_EMPTY.format(task_id=task_id), None)


async def _listed(services: Services, task_id: str) -> Sequence[Song] | ProviderError:
    """What the first upstream to know the task lists; else why none did, the one reason that may pass.
    Nothing is listed by who has no such task, too: that counts only if nobody lists more.

    All are asked at once, for nothing: a slow one would keep everybody waiting.
    """

    async def ask(provider: Provider) -> tuple[str, Sequence[Song] | ProviderError]:
        return provider.name, await answer(provider.songs(task_id))

    nothing: Sequence[Song] | ProviderError = SongUnknown("nobody knows the task")
    asking = [asyncio.create_task(ask(provider)) for provider in services.providers.values()]
    try:
        for coming in asyncio.as_completed(asking):
            name, found = await coming
            if found and not isinstance(found, ProviderError):
                async with services.database.transaction() as db:
                    await learn_songs(db, found, name, now=services.now())
                return found
            nothing = found if isinstance(nothing, SongUnknown) else nothing
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return nothing


def _pick(services: Services, lookup: Lookup, found: Sequence[Song]) -> Answer:
    mode = Mode(lookup.mode or Mode.BASIC)
    try:
        song = SongRef(found[0].audio_id, lookup.reference)
        provider = pricing.choose(services.providers, song, mode, health=services.health())
    except pricing.NoProvider as error:
        return texts.no_provider(str(error), found[0].audio_id, takes_basic=error.takes_basic), None
    price = services.settings.price(provider.name, mode)
    text = texts.PICK_SONG.format(price=price, mode=texts.MODES[mode])
    return text, keyboards.pick(found, mode, lookup.user_id)


async def _shared_song(services: Services, lookup: Lookup) -> Answer | None:
    audio_id = await services.share_links.resolve(lookup.reference)
    if audio_id is None:
        return texts.SHARE_UNREADABLE, None
    song = SongRef(audio_id)
    if lookup.mode is None:
        return await offers.offer(services, song, lookup.user_id)
    try:
        await actions.start(services, song, Mode(lookup.mode), actions.asker_of(lookup))
    except InsufficientCredits as error:
        return texts.insufficient(error.price, error.balance, services.prices(), audio_id), None
    except pricing.NoProvider as error:
        return texts.no_provider(str(error), audio_id, takes_basic=error.takes_basic), None
    return None


async def _say(services: Services, lookup: Lookup, said: Answer) -> None:
    text, keyboard = said
    await services.bot.send_message(
        lookup.chat_id,
        text,
        reply_markup=keyboard,
        reply_parameters=ReplyParameters(lookup.message_id, allow_sending_without_reply=True),
        message_thread_id=lookup.thread_id,
        rate_limit_args=Kind.ACK,
    )
