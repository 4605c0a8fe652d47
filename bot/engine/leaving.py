"""Chats that change under a job: gone, moved to a new id, a topic closed."""

import logging
from contextlib import suppress

from telegram.error import ChatMigrated, TelegramError

from bot import actions
from bot.intake.limiter import Dropped
from bot.services import Services
from storage import chats, jobs, separations
from storage.rows import Job
from storage.states import JobState

logger = logging.getLogger(__name__)


async def chat_is_gone(services: Services, job: Job, why: str) -> None:
    """Blocked or kicked: a job that only waits is withdrawn, as its person did themself."""
    logger.info("job %s: chat %s is gone: %s", job.id, job.chat_id, why)
    async with services.database.transaction() as db:
        await chats.mark_gone(db, job.chat_id, now=services.now())
        await jobs.unreachable(db, job.id, now=services.now())
        await separations.let_begin(db, job.separation_id, now=services.now())  # others may wait for it
    if job.state is JobState.WAITING:
        with suppress(actions.NotPossible):  # it moved on meanwhile; its delivery will meet the same refusal
            await actions.cancel(services, job.id)


async def chat_changed(services: Services, job: Job, error: TelegramError | Dropped) -> None:
    """A group has a new id: everything that names it takes that. A topic is closed: General serves."""
    logger.info("job %s: chat %s changed: %s", job.id, job.chat_id, error)
    async with services.database.transaction() as db:
        if isinstance(error, ChatMigrated):
            await chats.migrate(db, job.chat_id, error.new_chat_id, now=services.now())
        else:
            await jobs.forget_thread(db, job.id)
