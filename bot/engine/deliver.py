"""The step of a delivery: one job's stems into its chat."""

import logging

from bot.delivery import sender
from bot.delivery.sender import Done, Ending, Later, Undeliverable
from bot.engine import leaving
from bot.engine.leases import LEASE_S, kept
from bot.services import Services
from bot.showing import WORTH_TELLING_S
from storage import jobs, moves
from storage.rows import Job
from storage.states import JobState

logger = logging.getLogger(__name__)

J = JobState
DEADLINE_S = 3600.0
OVERDUE_S = 60.0  # how long after its deadline a delivery is ended that never got to its own end
NOT_SENT = "they could not be sent within an hour"
NOT_HEARD = "Telegram took no message for this chat for an hour"


async def deliver_one(services: Services, provider: str | None = None) -> bool:
    """Deliver the job whose stems have been there longest; False when none is due.

    ``provider`` has made the stems; None: one that is not in use any more.
    """
    now, in_use = services.now(), services.providers.keys()
    async with services.database.transaction() as db:
        job = await jobs.claim_delivery(db, now=now, lease_s=LEASE_S, provider=provider, but=in_use)
        if job is None:
            return False
        if job.state is J.WAITING:
            job = await moves.move(
                db,
                job,
                J.DELIVERING,
                now=now,
                lease=job.lease,
                lease_until=job.lease_until,
                deadline_at=now + DEADLINE_S,
            )
    async with kept(services, job):
        ending = await sender.deliver(services, job)
        await _write(services, job, ending)
    services.wakes.wake("status", "deliver")
    return True


async def give_up_one(services: Services) -> bool:
    """End a delivery that goes wrong again and again, or that nobody could be told of; False when none is."""
    now = services.now()
    unheard_since = now - services.settings.job_deadline_seconds - DEADLINE_S
    async with services.database.transaction() as db:
        job = await jobs.claim_overdue(
            db, overdue_since=now - OVERDUE_S, unheard_since=unheard_since, now=now, lease_s=LEASE_S
        )
        if job is None:
            return False
        why = NOT_HEARD if job.state is J.WAITING else _not_sent(job.why)
        await moves.move(db, job, J.FAILED, now=now, why=why)
    logger.warning("job %s: given up: %s", job.id, why)
    services.wakes.wake("status", "deliver")
    return True


async def _write(services: Services, job: Job, ending: Ending) -> None:
    now = services.now()
    is_late = job.deadline_at is not None and now >= job.deadline_at
    match ending:
        case Later(changed=change) if change is not None:
            await leaving.chat_changed(services, job, change)
        case Undeliverable(why, chat_gone=True):
            await leaving.chat_is_gone(services, job, why)
    async with services.database.transaction() as db:
        match ending:
            case Done():
                await moves.move(db, job, J.DELIVERED, now=now, why=None)
            case Later(seconds, for_now, failed=failed) if not is_late:
                news: dict[str, object] = {"status_due_at": now} if seconds >= WORTH_TELLING_S else {}
                news |= {"failures": job.failures + failed, "why": for_now}
                await moves.postpone(db, job, now + seconds, **news)
            case Later(why=last):
                await moves.move(db, job, J.FAILED, now=now, why=_not_sent(last or job.why))
            case Undeliverable(why):
                await moves.move(db, job, J.FAILED, now=now, why=why)
    logger.info("job %s: delivery: %s", job.id, ending)


def _not_sent(last: str | None) -> str:
    """``last`` is what it waited for in the end."""
    return f"{NOT_SENT} ({last})" if last else NOT_SENT
