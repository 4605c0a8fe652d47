"""Writing a decision down: the move, and what it means for the stems, the song and the jobs that wait."""

import json
from collections import deque
from collections.abc import Sequence

from bot.engine.workflow import Decision, Move, Snooze
from bot.services import Services
from providers.base import Song, Succeeded
from storage import jobs, moves, separations, songs
from storage.database import Connection
from storage.rows import Separation
from storage.states import JobState, SeparationState

S = SeparationState

DAY_S = 86400.0
TIMES_KEPT = 50
# The loop that has the next to do, where it is in another state or at another upstream.
GOES_ON_IN = {S.QUEUED: "submit", S.RUNNING: "look", S.UNCERTAIN: "find", S.SUCCEEDED: "deliver"}


async def write(services: Services, separation: Separation, decision: Decision, **changes: object) -> None:
    async with services.database.transaction() as db:
        written = await apply(db, services, separation, decision, **changes)
    if written.state in GOES_ON_IN:
        services.wakes.wake(GOES_ON_IN[written.state])
    if isinstance(decision, Move):
        services.wakes.wake("status")


async def apply(
    db: Connection, services: Services, separation: Separation, decision: Decision, **changes: object
) -> Separation:
    """Write a decision, and what it means for the jobs that wait, in one transaction."""
    now = services.now()
    changes |= _rerouted(separation, decision)
    if isinstance(decision, Snooze):
        failures = separation.failures + 1 if decision.failed else _kept_failures(separation, decision)
        return await moves.postpone(
            db, separation, now + decision.seconds, **{"failures": failures, **changes}
        )
    if decision.due_in_s is not None:
        changes["due_at"] = now + decision.due_in_s
    if decision.upstream_task_id is not None:
        changes["upstream_task_id"] = decision.upstream_task_id
    went_back = decision.to is S.QUEUED and decision.provider is None
    failures = separation.failures + 1 if went_back else _kept_failures(separation, decision)
    changes |= {"why": decision.why, "failures": failures}
    moved = await moves.move(db, separation, decision.to, now=now, **changes)
    if decision.found:
        took = services.took.setdefault((moved.provider, moved.mode), deque(maxlen=TIMES_KEPT))
        took.append(now - (moved.submitted_at or moved.created_at))
        await _keep_stems(db, services, moved, decision.found)
    if moved.state is S.FAILED:
        await _end_jobs(db, moved, JobState.FAILED, now=now)
    return moved


def _kept_failures(separation: Separation, decision: Decision) -> int:
    """Those of an order that did not get through count until it does, at one upstream."""
    still_ordering = separation.state is S.QUEUED and decision.provider is None
    return separation.failures if still_ordering else 0


def _rerouted(separation: Separation, decision: Decision) -> dict[str, object]:
    """What changes where another upstream gets it: the price does not."""
    if decision.provider is None:
        return {}
    if isinstance(decision, Move) and decision.by_audio_id:
        return {"provider": decision.provider, "task_id": None, "tried_json": "[]"}
    had_their_turn = [*separation.tried.items(), (separation.provider, decision.why)]
    return {"provider": decision.provider, "tried_json": json.dumps(had_their_turn)}


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
        cover_url=found.cover_url,
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
            artist=song.artist,
            cover_url=song.cover_url,
            duration_s=song.duration_s,
        )
