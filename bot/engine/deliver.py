"""The step of a delivery: one job's stems into its chat."""

import logging

from bot.delivery import sender
from bot.delivery.sender import Done, Ending, Later, Undeliverable
from bot.engine import leaving
from bot.engine.leases import LEASE_S, kept
from bot.services import Services
from storage import jobs, moves
from storage.rows import Job
from storage.states import JobState

logger = logging.getLogger(__name__)

J = JobState
DEADLINE_S = 3600.0


async def deliver_one(services: Services) -> bool:
    """Deliver the job whose stems have been there longest; False when none is due."""
    now = services.now()
    async with services.database.transaction() as db:
        job = await jobs.claim_delivery(db, now=now, lease_s=LEASE_S)
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
                await moves.move(db, job, J.DELIVERED, now=now)
            case Later(seconds) if not is_late:
                await moves.postpone(db, job, now + seconds, failures=job.failures + 1)
            case Later():
                await moves.move(
                    db, job, J.FAILED, now=now, why="Telegram did not take the files for an hour"
                )
            case Undeliverable(why):
                await moves.move(db, job, J.FAILED, now=now, why=why)
    logger.info("job %s: delivery: %s", job.id, ending)
