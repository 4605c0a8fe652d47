"""The status message of a job: the acknowledgement first, later edited as the work goes on."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from telegram import Message, ReplyParameters
from telegram.error import TelegramError, TimedOut

from bot.engine import leaving
from bot.insisting import insist
from bot.intake.budgets import Kind
from bot.intake.limiter import Dropped
from bot.outcomes import Outcome, is_new_place, outcome_of, wait_s
from bot.services import Services
from bot.showing import Shown, compose, held_up_s
from storage import jobs, separations
from storage.jobs import JobView
from storage.rows import Job
from storage.states import OPEN_JOBS

logger = logging.getLogger(__name__)

CLAIM_S = 25.0  # after that another worker may try
SHOW_WITHIN_S = CLAIM_S - 5  # else a message for whose answer one waits is sent by another, too
APART_S = 5.0  # edits of one message
GIVE_UP_AFTER_S = 86400.0  # /jobs tells how a job ended, too
AGAIN_S = 5.0  # after a call that did not go through


async def status_one(services: Services) -> bool:
    """Bring the status message that has been due longest up to date; False when none is due."""
    now = services.now()
    async with services.database.transaction() as db:
        view = await jobs.claim_status(db, now=now, claimed_until=now + CLAIM_S)
    if view is None:
        return False
    changes, due_at = await _bring_up_to_date(services, view)
    await insist(f"job {view.job.id}: status", partial(_write, services, view, changes, due_at))
    return True


async def _write(
    services: Services, view: JobView, changes: Mapping[str, object], due_at: float | None
) -> None:
    async with services.database.transaction() as db:
        ready_at = await jobs.showed(db, view.job, due_at=due_at, **changes)
        if "acknowledged_at" in changes and view.job.origin == "started":
            await separations.let_begin(db, view.separation.id, now=services.now())
    if "acknowledged_at" in changes:
        # Whatever waited for the acknowledgement.
        services.wakes.wake("submit" if ready_at is None else "deliver")


async def _bring_up_to_date(services: Services, view: JobView) -> tuple[dict[str, object], float | None]:
    """What to remember of it, and when to look at the message again."""
    too_soon_until = earliest_edit(view.job)
    if services.now() < too_soon_until:
        return {}, too_soon_until
    try:
        async with asyncio.timeout(SHOW_WITHIN_S):
            changes = await _show(services, view, await compose(services, view))
    except (TelegramError, Dropped) as error:
        return await _after(services, view, error)
    except TimeoutError:
        return await _after(services, view, TimedOut("no answer for too long"))
    return changes, next_due(view.job, now=services.now())


def earliest_edit(job: Job) -> float:
    """Edits of one message keep apart; the last form need not wait for the acknowledgement's sake."""
    if job.acknowledged_at is None:
        return 0.0
    is_final = job.state not in OPEN_JOBS
    last = job.status_edited_at or (0.0 if is_final else job.acknowledged_at)
    return last + APART_S


def next_due(job: Job, *, now: float) -> float | None:
    """When the elapsed time is worth another edit: seldom in groups, where edits count as messages."""
    if job.state not in OPEN_JOBS:
        return None
    age_s = now - job.created_at
    pace_s = max(APART_S, age_s / 10) if job.chat_id > 0 else max(3 * APART_S, age_s / 4)
    return now + min(pace_s, 60.0)


async def _show(services: Services, view: JobView, shown: Shown) -> dict[str, object]:
    """Send or edit; what to remember of it. Raises TelegramError, Dropped."""
    job, is_final = view.job, view.job.state not in OPEN_JOBS
    if job.acknowledged_at is None or (job.status_message_id is None and is_final):
        message = await _send(services, job, shown)
        return {
            "status_message_id": message.message_id,
            "status_shown": shown.fingerprint,
            "acknowledged_at": job.acknowledged_at or services.now(),
        }
    if job.status_message_id is None or shown.fingerprint == job.status_shown:
        return {}
    await services.bot.edit_message_text(
        shown.text,
        job.chat_id,
        job.status_message_id,
        reply_markup=shown.keyboard,
        # The last form, and why the rest is not there yet, may use what is kept for acknowledgements: they
        # are worth as much to a person.
        rate_limit_args=Kind.ACK if is_final or held_up_s(job, services.now()) else Kind.STATUS,
    )
    return {"status_shown": shown.fingerprint, "status_edited_at": services.now()}


async def _send(services: Services, job: Job, shown: Shown) -> Message:
    reply = None
    if job.message_id is not None:
        reply = ReplyParameters(job.message_id, allow_sending_without_reply=True)
    return await services.bot.send_message(
        job.chat_id,
        shown.text,
        reply_markup=shown.keyboard,
        reply_parameters=reply,
        message_thread_id=job.thread_id,
        rate_limit_args=Kind.ACK,
    )


async def _after(
    services: Services, view: JobView, error: TelegramError | Dropped
) -> tuple[dict[str, object], float | None]:
    """What follows from a call that raised: what to remember, and when to try again."""
    job, now = view.job, services.now()
    is_final = job.state not in OPEN_JOBS
    match outcome_of(error):
        case Outcome.NO_CHAT:
            await leaving.chat_is_gone(services, job, str(error))
            return {}, None
        case Outcome.CHANGED if is_new_place(error, job.chat_id, job.thread_id):
            await leaving.chat_changed(services, job, error)
            return {}, now
        case Outcome.REFUSED if "not modified" in str(error):
            return {}, next_due(job, now=now)
        case Outcome.REFUSED | Outcome.NO_FILES | Outcome.CHANGED:
            logger.warning("job %s: status refused: %s", job.id, error)
            # The message cannot be edited any more, or not be sent: the last form goes into a new one.
            return {"acknowledged_at": job.acknowledged_at or now, "status_message_id": None}, (
                now if is_final and job.status_message_id else None
            )
        case Outcome.UNKNOWN if job.status_message_id is None:
            # It is probably there; an edit can be repeated, a message would be there twice.
            logger.warning("job %s: Telegram did not confirm the status message: %s", job.id, error)
            return {"acknowledged_at": job.acknowledged_at or now}, next_due(job, now=now)
        case _ if is_final and now >= (job.finished_at or now) + GIVE_UP_AFTER_S:
            logger.warning("job %s: nobody could be told how it ended: %s", job.id, error)
            return {}, None
        case _:
            return {}, now + max(wait_s(error) or AGAIN_S, 0.05)
