"""What is forgotten by age. Entries never are, nor is what the archive can still send."""

from sqlalchemy import and_, delete, or_, select, update

from storage.database import Connection
from storage.states import OPEN_JOBS, PAYING_JOBS, LookupState, NoticeState
from storage.tables import jobs, lookups, notices, parts, separations, stems, updates

AT_ONCE = 1000  # rows in one transaction: others want to write, too


async def forget_updates(db: Connection, *, handled_before: float) -> int:
    """Up to ``AT_ONCE``; Telegram repeats an update for a day at most."""
    old = select(updates.c.update_id).where(updates.c.handled_at < handled_before).limit(AT_ONCE)
    gone = await db.execute(delete(updates).where(updates.c.update_id.in_(old)))
    return gone.rowcount


async def forget_links(db: Connection, *, expired_before: float) -> int:
    """Up to ``AT_ONCE`` links that work no longer; what Telegram keeps of the stems stays."""
    expired = and_(stems.c.expires_at < expired_before, stems.c.url.is_not(None))
    old = select(stems.c.id).where(expired).limit(AT_ONCE)
    gone = await db.execute(update(stems).where(stems.c.id.in_(old)).values(url=None))
    return gone.rowcount


async def forget_jobs(db: Connection, *, finished_before: float) -> int:
    """Jobs that ended long ago, with their parts, up to ``AT_ONCE``; what they cost stays in the ledger."""
    old = (
        select(jobs.c.id)
        .where(jobs.c.finished_at < finished_before, jobs.c.state.not_in(OPEN_JOBS))
        .order_by(jobs.c.id)
        .limit(AT_ONCE)
    )
    ids = list(await db.scalars(old))
    # That somebody paid is remembered: else the next to ask for the same would pay once more.
    paid = select(jobs.c.separation_id).where(
        jobs.c.id.in_(ids), jobs.c.origin == "started", jobs.c.state.in_(PAYING_JOBS)
    )
    await db.execute(
        update(separations).where(separations.c.id.in_(paid)).values(paid_at=separations.c.finished_at)
    )
    await db.execute(delete(parts).where(parts.c.job_id.in_(ids)))
    await db.execute(delete(jobs).where(jobs.c.id.in_(ids)))
    return len(ids)


async def forget_answers(db: Connection, *, asked_before: float) -> None:
    """Lookups that were answered, and words to operators that were said."""
    await db.execute(
        delete(lookups).where(lookups.c.state == LookupState.ANSWERED, lookups.c.created_at < asked_before)
    )
    said = or_(notices.c.due_at.is_(None), notices.c.due_at < asked_before)
    await db.execute(delete(notices).where(notices.c.state == NoticeState.SAID, said))
