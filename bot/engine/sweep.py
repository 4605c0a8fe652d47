"""What is of no use any more is forgotten by age; entries of the ledger never are."""

import logging

from bot.services import Services
from storage import retention

logger = logging.getLogger(__name__)

DAY_S = 86400.0


async def sweep_one(services: Services) -> bool:
    """Forget what is old; True where there may be more."""
    now, settings = services.now(), services.settings
    updates_before = now - settings.keep_updates_days * DAY_S
    async with services.database.transaction() as db:
        updates = await retention.forget_updates(db, handled_before=updates_before)
        await retention.forget_answers(db, asked_before=updates_before)
        links = await retention.forget_links(db, expired_before=now)
        jobs = await retention.forget_jobs(db, finished_before=now - settings.keep_jobs_days * DAY_S)
    if jobs:
        logger.info("%d old jobs are forgotten", jobs)
    return retention.AT_ONCE in (updates, links, jobs)
