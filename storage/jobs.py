"""Jobs: one person's request in one chat, from the request to the last form of its status message."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    and_,
    bindparam,
    case,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from storage import moves
from storage.database import Connection
from storage.queries import many, one, one_or_none
from storage.rows import Job, Separation, Song
from storage.states import OPEN_JOBS, PAYING_JOBS, JobState
from storage.tables import jobs, separations, songs

CLAIMING_DELIVERY = 1  # the only advisory lock here, so any number

CREATE = insert(jobs).returning(jobs)
BY_REQUEST = select(jobs).where(jobs.c.request_key == bindparam("request"))
VIEWS = (
    select(jobs, separations, songs)
    .join(separations, separations.c.id == jobs.c.separation_id)
    .join(songs, songs.c.audio_id == separations.c.audio_id)
)
VIEW = VIEWS.where(jobs.c.id == bindparam("job"))


def _take_status(free: ColumnElement[bool], since: ColumnElement[float]) -> Executable:
    longest = select(jobs.c.id).where(free, since <= bindparam("at")).order_by(since).limit(1)
    due = longest.with_for_update(skip_locked=True, key_share=True).scalar_subquery()
    claimed = {"status_claimed_until": bindparam("until"), "status_due_at": null()}
    return update(jobs).where(jobs.c.id == due).values(claimed).returning(jobs.c.id)


_DUE, _CLAIMED = jobs.c.status_due_at, jobs.c.status_claimed_until
_OURS = bindparam("ours") == _CLAIMED
TAKE_STATUS = _take_status(and_(_CLAIMED.is_(None), _DUE.is_not(None)), _DUE)
RETAKE_STATUS = _take_status(_CLAIMED.is_not(None), _CLAIMED)  # of a worker that did not come back
SHOWED = (
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(
        status_claimed_until=case((_OURS, null()), else_=_CLAIMED),
        status_due_at=case((_OURS, func.coalesce(_DUE, bindparam("next_due_at"))), else_=_DUE),
    )
    .returning(jobs.c.due_at)
)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with the separation it waits on and the song it is about."""

    job: Job
    separation: Separation
    song: Song


async def create(db: Connection, **values: object) -> Job:
    """A new job, waiting. ``request_key`` is unique: the database refuses a second one for one request."""
    return await one(db, Job, CREATE, {"state": JobState.WAITING, **values})


async def by_request(db: Connection, request_key: str) -> Job | None:
    return await one_or_none(db, Job, BY_REQUEST, {"request": request_key})


async def find(db: Connection, job_id: int, *, lock: bool = False) -> Job | None:
    """``lock`` keeps it as it is until the transaction ends."""
    wanted = select(jobs).where(jobs.c.id == job_id)
    return await one_or_none(db, Job, wanted.with_for_update(key_share=True) if lock else wanted)


async def view(db: Connection, job_id: int) -> JobView | None:
    row = (await db.execute(VIEW, {"job": job_id})).one_or_none()
    return None if row is None else _view(*row)


async def page(
    db: Connection, user_id: int, chat_id: int | None, *, limit: int, offset: int
) -> list[JobView]:
    """A person's jobs, newest first; in a group (``chat_id``) only those asked for there."""
    wanted = VIEWS.where(jobs.c.user_id == user_id)
    if chat_id is not None:
        wanted = wanted.where(jobs.c.chat_id == chat_id)
    rows = await db.execute(wanted.order_by(jobs.c.id.desc()).limit(limit).offset(offset))
    return [_view(*row) for row in rows]


async def open_on(db: Connection, separation_id: int) -> list[Job]:
    """The jobs that wait on a separation, oldest first; locked."""
    theirs = select(jobs).where(jobs.c.separation_id == separation_id, jobs.c.state.in_(OPEN_JOBS))
    return await many(db, Job, theirs.order_by(jobs.c.id).with_for_update(key_share=True))


async def open_like(
    db: Connection, user_id: int | None, chat_id: int, separation_id: int, selection: str | None = None
) -> Job | None:
    """This person's job for the same thing in the same chat, still under way: a second tap means that one."""
    alike = (
        select(jobs)
        .where(
            jobs.c.separation_id == separation_id,
            jobs.c.chat_id == chat_id,
            jobs.c.user_id == user_id,
            jobs.c.selection.is_not_distinct_from(selection),
            jobs.c.state.in_((JobState.WAITING, JobState.DELIVERING)),
        )
        .order_by(jobs.c.id)
        .limit(1)
    )
    return await one_or_none(db, Job, alike)


async def is_paid(db: Connection, separation_id: int) -> bool:
    """Whether somebody paid for a separation, or will if it succeeds."""
    payer = select(jobs.c.id).where(
        jobs.c.separation_id == separation_id,
        jobs.c.origin == "started",
        jobs.c.state.in_(PAYING_JOBS),
    )
    forgotten = select(separations.c.id).where(
        separations.c.id == separation_id, separations.c.paid_at.is_not(None)
    )
    return bool(await db.scalar(select(or_(payer.exists(), forgotten.exists()))))


async def let_deliver(db: Connection, separation_id: int, *, now: float) -> None:
    """The stems are there: the jobs that wait for them are due."""
    waiting = and_(jobs.c.separation_id == separation_id, jobs.c.state == JobState.WAITING)
    await db.execute(update(jobs).where(waiting).values(due_at=now))


async def claim_delivery(
    db: Connection, *, now: float, lease_s: float, provider: str | None = None, but: Collection[str] = ()
) -> Job | None:
    """A job whose stems can go out now: acknowledged, and nothing else is being sent to its chat.

    ``provider`` has made its stems, or, where none is named, any ``but`` these.
    """
    if db.dialect.name == "postgresql":
        # Of two who claim at once neither would see that the other has just taken the chat.
        await db.execute(select(func.pg_advisory_xact_lock(CLAIMING_DELIVERY)))
    other = jobs.alias()
    chat_busy = select(other.c.id).where(
        other.c.chat_id == jobs.c.chat_id, other.c.id != jobs.c.id, other.c.lease_until > now
    )
    ready = (jobs.c.acknowledged_at.is_not(None), ~chat_busy.exists(), *_made_by(provider, but))
    for state in (JobState.DELIVERING, JobState.WAITING):
        if job := await moves.claim(db, Job, state, *ready, now=now, lease_s=lease_s):
            return job
    return None


async def claim_overdue(
    db: Connection, *, overdue_since: float, unheard_since: float, now: float, lease_s: float
) -> Job | None:
    """One whose delivery should have ended by then, or that was asked for by then and never acknowledged."""
    overdue = jobs.c.deadline_at <= overdue_since
    if job := await moves.claim(db, Job, JobState.DELIVERING, overdue, now=now, lease_s=lease_s):
        return job
    unheard = and_(jobs.c.acknowledged_at.is_(None), jobs.c.created_at <= unheard_since)
    return await moves.claim(db, Job, JobState.WAITING, unheard, now=now, lease_s=lease_s)


async def next_delivery(
    db: Connection, *, provider: str | None = None, but: Collection[str] = ()
) -> float | None:
    ready = (jobs.c.acknowledged_at.is_not(None), *_made_by(provider, but))
    return await moves.next_due(db, Job, (JobState.DELIVERING, JobState.WAITING), *ready)


def _made_by(provider: str | None, but: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    made_by = select(separations.c.provider).where(separations.c.id == jobs.c.separation_id).scalar_subquery()
    if provider is None:
        return (made_by.not_in(but),) if but else ()
    return (made_by == provider,)


async def unreachable(db: Connection, job_id: int, *, now: float) -> None:
    """Nothing can be said in its chat: no acknowledgement is waited for, no status is due."""
    await db.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(acknowledged_at=func.coalesce(jobs.c.acknowledged_at, now), status_due_at=None)
    )


async def forget_thread(db: Connection, job_id: int) -> None:
    """Its topic is closed; what is still to be said goes to the general one.

    Not in reply to the request: Telegram puts a reply into the topic of what it answers.
    """
    await db.execute(update(jobs).where(jobs.c.id == job_id).values(thread_id=None, message_id=None))


async def claim_status(db: Connection, *, now: float, claimed_until: float) -> JobView | None:
    """A job whose status message may be out of date, for whoever brings it up to date until then.

    A move in the meantime makes it due again, but gives it to nobody else before ``showed``.
    """
    for take in (TAKE_STATUS, RETAKE_STATUS):
        if job_id := await db.scalar(take, {"at": now, "until": claimed_until}):
            return await view(db, job_id)
    return None


async def next_status(db: Connection) -> float | None:
    due, claimed = jobs.c.status_due_at, jobs.c.status_claimed_until
    free = select(due).where(due.is_not(None), claimed.is_(None)).order_by(due).limit(1)
    held = select(claimed).where(claimed.is_not(None)).order_by(claimed).limit(1)
    found = [await db.scalar(free), await db.scalar(held)]
    return min((float(at) for at in found if at is not None), default=None)


async def showed(db: Connection, job: Job, *, due_at: float | None, **changes: object) -> float | None:
    """What the status message shows now, and when to look at it again: earlier where a move made it due.

    Returns since when the job can be delivered; None where its stems are not there.
    """
    ended = {"job": job.id, "ours": job.status_claimed_until, "next_due_at": due_at}
    ready_at: float | None = await db.scalar(SHOWED, {**ended, **changes})
    return ready_at


async def void_status_claims(db: Connection, *, now: float) -> None:
    """At the start of the only process: whoever was at a status message is dead."""
    held = jobs.c.status_claimed_until.is_not(None)
    await db.execute(update(jobs).where(held).values(status_claimed_until=None, status_due_at=now))


async def totals(db: Connection, *, since: float) -> dict[str, int]:
    """How many jobs were asked for since then, by the state they are in now."""
    rows = await db.execute(
        select(jobs.c.state, func.count()).where(jobs.c.created_at >= since).group_by(jobs.c.state)
    )
    return {row[0]: row[1] for row in rows}


async def counts(db: Connection) -> Sequence[tuple[str, int]]:
    """How many jobs are in each open state."""
    rows = await db.execute(
        select(jobs.c.state, func.count()).where(jobs.c.state.in_(OPEN_JOBS)).group_by(jobs.c.state)
    )
    return [(row[0], row[1]) for row in rows]


def _view(*columns: Any) -> JobView:
    first, second = len(jobs.c), len(jobs.c) + len(separations.c)
    return JobView(Job(*columns[:first]), Separation(*columns[first:second]), Song(*columns[second:]))
