"""The steps of a separation: submit, look, find, rescue, expire."""

import logging
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from bot.engine import workflow
from bot.engine.leases import LEASE_S, kept
from bot.engine.workflow import Decision, Move, Pace, Snooze
from bot.services import Services
from providers.base import Mode, Provider, Song, SongRef, Succeeded
from providers.errors import ProviderError
from storage import jobs, moves, separations, songs
from storage.database import Connection
from storage.rows import Separation
from storage.states import JobState, SeparationState

logger = logging.getLogger(__name__)

S = SeparationState
T = TypeVar("T")


OVERDUE_S = 60.0  # how long after its deadline a separation is ended without asking its upstream
DAY_S = 86400.0
# Upstreams that demand a callback address get this one where they cannot reach us.
NO_CALLBACK = "https://example.com/no-callback"


def pace(services: Services) -> Pace:
    return Pace(services.settings.look_first_seconds, services.settings.look_every_seconds)


async def submit_one(services: Services, provider: Provider) -> bool:
    """Submit the separation that has waited longest; False when none is due."""
    async with services.database.transaction() as db:
        queued = await separations.claim(db, S.QUEUED, provider.name, now=services.now(), lease_s=LEASE_S)
        if queued is None:
            return False
        first = workflow.before_submit(queued, now=services.now())
        # On disk before the request goes out: a kill from here on leaves SUBMITTING, never sent again.
        ours = {"lease": queued.lease, "lease_until": queued.lease_until, "submitted_at": services.now()}
        separation = await apply(db, services, queued, first, **ours if first.to is S.SUBMITTING else {})
    services.wakes.wake("status")
    if separation.state is not S.SUBMITTING:
        return True
    async with kept(services, separation):
        await _learn_title(services, provider, separation)
        outcome = await answer(
            provider.submit(song_of(separation), Mode(separation.mode), callback_url(services, separation))
        )
        logger.info("separation %s: submit to %s: %s", separation.id, provider.name, outcome)
        decision = workflow.after_submit(separation, outcome, now=services.now(), pace=pace(services))
        await _write(services, separation, decision)
    return True


async def look_one(services: Services, provider: Provider) -> bool:
    """Look at the task that has been due longest; False when none is due."""
    async with services.database.transaction() as db:
        separation = await separations.claim(
            db, S.RUNNING, provider.name, now=services.now(), lease_s=LEASE_S
        )
    if separation is None or separation.upstream_task_id is None:
        return False
    async with kept(services, separation):
        outcome = await answer(provider.look(separation.upstream_task_id))
        _log_look(separation, outcome)
        decision = workflow.after_look(separation, outcome, now=services.now(), pace=pace(services))
        await _write(services, separation, decision)
    return True


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
        decision = workflow.after_find(separation, outcome, now=services.now(), pace=pace(services))
        await _write(services, separation, decision)
    return True


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
        await apply(db, services, separation, Move(S.FAILED, workflow.TOO_LATE))
    logger.warning("separation %s: ended at its deadline", separation.id)
    services.wakes.wake("status")
    return True


async def apply(
    db: Connection, services: Services, separation: Separation, decision: Decision, **changes: object
) -> Separation:
    """Write a decision, and what it means for the jobs that wait, in one transaction."""
    now = services.now()
    if isinstance(decision, Snooze):
        failures = separation.failures + 1 if decision.failed else 0
        return await moves.postpone(db, separation, now + decision.seconds, failures=failures)
    if decision.due_in_s is not None:
        changes["due_at"] = now + decision.due_in_s
    if decision.upstream_task_id is not None:
        changes["upstream_task_id"] = decision.upstream_task_id
    went_back = decision.to is S.QUEUED
    changes |= {"why": decision.why, "failures": separation.failures + 1 if went_back else 0}
    moved = await moves.move(db, separation, decision.to, now=now, **changes)
    if decision.found:
        await _keep_stems(db, services, moved, decision.found)
    if moved.state is S.FAILED:
        await _end_jobs(db, moved, JobState.FAILED, now=now)
    return moved


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


async def _write(services: Services, separation: Separation, decision: Decision) -> None:
    async with services.database.transaction() as db:
        await apply(db, services, separation, decision)
    services.wakes.wake("submit", "look", "find", "deliver", "status")


async def _keep_stems(db: Connection, services: Services, separation: Separation, found: Succeeded) -> None:
    now = services.now()
    days = services.providers[separation.provider].limits.link_life_days
    rows: list[dict[str, object]] = [
        {"name": stem.name, "set_number": stem.set_number, "url": stem.url, "duration_s": stem.duration_s}
        for stem in found.stems
    ]
    await separations.save_stems(
        db, separation, rows, expires_at=None if days is None else now + days * DAY_S
    )
    # It was separated under this task id, so the pair is right: the audio id alone is enough next time.
    await songs.learn(
        db,
        separation.audio_id,
        learnt_from=separation.provider,
        now=now,
        task_id=separation.task_id,
        title=found.song_title,
    )
    await jobs.let_deliver(db, separation.id, now=now)
    await _end_jobs(db, separation, JobState.LEFT, now=now)


async def _end_jobs(db: Connection, separation: Separation, to: JobState, *, now: float) -> None:
    """FAILED ends every job that waits; LEFT only those whose payer withdrew."""
    ended = (JobState.LEAVING,) if to is JobState.LEFT else (JobState.WAITING, JobState.LEAVING)
    # By account: two that end at once lock their accounts in the same order.
    for job in sorted(await jobs.open_on(db, separation.id), key=lambda job: job.account_id):
        if job.state in ended:
            await moves.move(db, job, to, now=now, why=separation.why)


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


async def learn_songs(db: Connection, listed: Sequence[Song], learnt_from: str, *, now: float) -> None:
    """Remember what an upstream listed."""
    for song in listed:
        await songs.learn(
            db,
            song.audio_id,
            learnt_from=learnt_from,
            now=now,
            task_id=song.task_id,
            title=song.title,
            duration_s=song.duration_s,
        )


def _log_look(separation: Separation, outcome: object) -> None:
    if isinstance(outcome, ProviderError):
        logger.warning("separation %s: look: %s: %s", separation.id, type(outcome).__name__, outcome)
    else:
        logger.debug("separation %s: look: %s", separation.id, type(outcome).__name__)
