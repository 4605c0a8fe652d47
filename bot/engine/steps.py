"""The steps of a separation: submit, look, find, rescue, expire."""

import asyncio
import logging
from collections.abc import Awaitable, Collection
from functools import partial
from typing import TypeVar

from bot import pricing
from bot.engine import alerts, workflow
from bot.engine.leases import LEASE_S, kept
from bot.engine.workflow import Decision, Move, Pace
from bot.engine.writing import apply, learn_songs, write
from bot.insisting import insist
from bot.services import Services
from bot.upstreams import Call, Health
from providers.base import Mode, Provider, SongRef
from providers.errors import ProviderError
from storage import separations, songs
from storage.moves import Stale
from storage.rows import Separation
from storage.states import SeparationState

logger = logging.getLogger(__name__)

S = SeparationState
T = TypeVar("T")


CREDITS_WITHIN_S = 5.0
OVERDUE_S = 60.0  # how long after its deadline a separation is ended without asking its upstream
# Upstreams that demand a callback address get this one where they cannot reach us.
NO_CALLBACK = "https://example.com/no-callback"


def pace(services: Services, provider: Provider) -> Pace:
    settings = services.settings
    return Pace(settings.look_first_seconds, settings.look_every_s(provider.limits.look_every_s))


async def submit_one(services: Services, provider: Provider) -> bool:
    """Submit the separation that has waited longest; False when none is due, or none may go out yet."""
    if services.upstreams[provider.name].pace_s():
        return False  # to claim one would only mean to put it back
    async with services.database.transaction() as db:
        queued = await separations.claim(db, S.QUEUED, provider.name, now=services.now(), lease_s=LEASE_S)
    if queued is None:
        return False
    async with kept(services, queued):
        first = _before_submit(services, queued)
        if isinstance(first, Move) and first.to is S.SUBMITTING:
            await _submit(services, provider, queued)
        else:
            await write(services, queued, first)
    return True


async def _submit(services: Services, provider: Provider, queued: Separation) -> None:
    upstream = services.upstreams[provider.name]
    # What may take a while comes first: a process that dies here has ordered nothing, and it shows.
    await _learn_title(services, provider, queued)
    credits_before = await _credits(provider)
    upstream.credits = upstream.credits if credits_before is None else credits_before
    await upstream.submits.acquire()  # and what makes it wait last, or orders would come too close together
    separation = await _set_out(services, queued, credits_before)
    outcome = await answer(
        provider.submit(song_of(separation), Mode(separation.mode), callback_url(services, separation))
    )
    logger.info("separation %s: submit to %s: %s", separation.id, provider.name, outcome)
    upstream.note(outcome, Call.SUBMIT)
    decision = workflow.after_submit(
        separation,
        outcome,
        now=services.now(),
        pace=pace(services, provider),
        next_provider=_next_provider(services, separation),
        by_audio_id=await _by_audio_id(services, separation),
        title=provider.title,
    )
    try:
        await insist(f"separation {separation.id}", partial(write, services, separation, decision))
    except Stale:
        await _hint(services, separation, outcome)
        raise
    await alerts.tell(services, provider)


async def _hint(services: Services, separation: Separation, outcome: str | ProviderError) -> None:
    """We were taken for dead while we waited: whoever looks for the task now is told what we heard."""
    if isinstance(outcome, str):
        async with services.database.transaction() as db:
            await separations.wake(db, separation, hinted_task_id=outcome, now=services.now())


async def _set_out(services: Services, queued: Separation, credits_before: float | None) -> Separation:
    """On disk before the request goes out: a kill from here on leaves SUBMITTING, never sent again."""
    async with services.database.transaction() as db:
        separation = await apply(
            db,
            services,
            queued,
            Move(S.SUBMITTING),
            lease=queued.lease,
            lease_until=services.now() + LEASE_S,
            submitted_at=services.now(),
            credits_before=credits_before,
        )
    services.wakes.wake("status")
    return separation


def _before_submit(services: Services, separation: Separation) -> Decision:
    upstream = services.upstreams[separation.provider]
    return workflow.before_submit(
        separation,
        now=services.now(),
        wait_s=upstream.wait_s(),
        is_down=upstream.health is Health.DOWN,
        next_provider=_next_provider(services, separation),
        title=upstream.title,
    )


def _next_provider(services: Services, separation: Separation) -> str | None:
    """Who else could do it, and is not down."""
    had_their_turn = {separation.provider, *separation.tried}
    return _who_takes(services, separation, song_of(separation), had_their_turn)


async def _by_audio_id(services: Services, separation: Separation) -> str | None:
    """Who could do it without its task id, and is not down, where the pair was right once: upstreams forget
    their tasks after some days. One that a person typed, and nobody ever knew, is just wrong."""
    async with services.database.reading() as db:
        song = await songs.get(db, separation.audio_id)
    if separation.task_id is None or separation.task_id != song.task_id:
        return None
    return _who_takes(services, separation, SongRef(separation.audio_id), ())


def _who_takes(
    services: Services, separation: Separation, song: SongRef, tried: Collection[str]
) -> str | None:
    mode, health = Mode(separation.mode), services.health()
    try:
        found = pricing.choose(services.providers, song, mode, tried=tried, health=health)
    except pricing.NoProvider:
        return None
    return None if health[found.name] == Health.DOWN else found.name


async def look_one(services: Services, provider: Provider) -> bool:
    """Look at the task that has been due longest; False when none is due."""
    async with services.database.transaction() as db:
        separation = await separations.claim(
            db, S.RUNNING, provider.name, now=services.now(), lease_s=LEASE_S
        )
    if separation is None or separation.upstream_task_id is None:
        return False
    async with kept(services, separation):
        await _look(services, provider, separation, separation.upstream_task_id)
    return True


async def _look(services: Services, provider: Provider, separation: Separation, task_id: str) -> None:
    upstream = services.upstreams[provider.name]
    if pause := workflow.before_look(separation, now=services.now(), pause_s=upstream.pause_s()):
        await write(services, separation, pause)
        return
    outcome = await answer(provider.look(task_id))
    upstream.note(outcome, Call.LOOK)
    _log_look(separation, outcome)
    decision = workflow.after_look(
        separation, outcome, now=services.now(), pace=pace(services, provider), title=provider.title
    )
    await write(services, separation, decision)
    await alerts.tell(services, provider)


async def find_one(services: Services, provider: Provider) -> bool:
    """Look for the task of an uncertain submit; False when none is due."""
    async with services.database.transaction() as db:
        separation = await separations.claim(
            db, S.UNCERTAIN, provider.name, now=services.now(), lease_s=LEASE_S
        )
    if separation is None:
        return False
    async with kept(services, separation):
        asked = (song_of(separation), Mode(separation.mode), callback_url(services, separation))
        outcome = await answer(provider.find(*asked, separation.hinted_task_id))
        if isinstance(outcome, str) and await _is_known(services, separation, outcome):
            outcome = None  # it came of another order
        decision = workflow.after_find(
            separation,
            outcome,
            now=services.now(),
            pace=pace(services, provider),
            credits_now=await _credits_as_proof(services, provider, separation),
        )
        await write(services, separation, decision)
    return True


async def _is_known(services: Services, separation: Separation, upstream_task_id: str) -> bool:
    async with services.database.reading() as db:
        return await separations.has_task(db, separation.provider, upstream_task_id)


async def _credits_as_proof(services: Services, provider: Provider, separation: Separation) -> float | None:
    """The balance there, where only this separation can have changed it since it was submitted."""
    submitted_at = separation.submitted_at or separation.created_at
    if separation.credits_before is None or services.now() < submitted_at + workflow.BOOKED_AFTER_S:
        return None
    async with services.database.reading() as db:
        if await separations.others_at_work(db, separation, since=submitted_at - workflow.BOOKED_AFTER_S):
            return None
    return await _credits(provider)


async def _credits(provider: Provider) -> float | None:
    """The balance there, if it is told soon: it is worth a call, not a wait."""
    try:
        async with asyncio.timeout(CREDITS_WITHIN_S):
            return await provider.credits()
    except (ProviderError, TimeoutError):
        return None


async def rescue_one(services: Services) -> bool:
    """A worker died while it was submitting: nobody knows whether the request left."""
    async with services.database.transaction() as db:
        separation = await separations.claim_abandoned(db, now=services.now(), lease_s=LEASE_S)
        if separation is None:
            return False
        why = "the bot was interrupted while it was ordering"
        await apply(db, services, separation, Move(S.UNCERTAIN, why, due_in_s=0.0))
    logger.warning("separation %s: was being submitted when the process ended", separation.id)
    services.wakes.wake("find", "status")
    return True


async def expire_one(services: Services) -> bool:
    """End what is past its deadline though nobody looks at it, as with a provider taken out of use."""
    now = services.now()
    async with services.database.transaction() as db:
        separation = await separations.claim_overdue(
            db, overdue_since=now - OVERDUE_S, now=now, lease_s=LEASE_S
        )
        if separation is None:
            return False
        await apply(db, services, separation, workflow.overdue(separation))
    logger.warning("separation %s: ended at its deadline", separation.id)
    services.wakes.wake("status")
    return True


async def answer(question: Awaitable[T]) -> T | ProviderError:
    """What an upstream said, or its ProviderError as a value."""
    try:
        return await question
    except ProviderError as error:
        return error


def song_of(separation: Separation) -> SongRef:
    return SongRef(separation.audio_id, separation.task_id)


def callback_url(services: Services, separation: Separation) -> str:
    base = services.settings.public_url
    if base is None:
        return NO_CALLBACK
    return f"{base}/upstream/{separation.provider}/{separation.callback_token}"


async def _learn_title(services: Services, provider: Provider, separation: Separation) -> None:
    """Ask for the song's title where it is unknown: free, and the stems are named after it."""
    async with services.database.reading() as db:
        song = await songs.get(db, separation.audio_id)
    if song.title or not separation.task_id:
        return
    listed = await answer(provider.songs(separation.task_id))
    if isinstance(listed, ProviderError):
        logger.info("separation %s: no title: %s", separation.id, listed)
        return
    async with services.database.transaction() as db:
        await learn_songs(db, listed, provider.name, now=services.now())


def _log_look(separation: Separation, outcome: object) -> None:
    if isinstance(outcome, ProviderError):
        logger.warning("separation %s: look: %s: %s", separation.id, type(outcome).__name__, outcome)
    else:
        logger.debug("separation %s: look: %s", separation.id, type(outcome).__name__)
