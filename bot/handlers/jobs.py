"""``/jobs`` and ``/cancel <job>``"""

from telegram import InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatType
from telegram.ext import CommandHandler, filters

from bot import actions, keyboards, texts
from bot.handlers.asking import asker as asker_of
from bot.services import BotContext, Services
from storage import jobs
from storage.rows import Job
from storage.states import JobState

PAGE = 10


async def show(update: Update, context: BotContext) -> None:
    message, asker = update.message, asker_of(update)
    if message is None:
        return
    if asker is None or asker.user_id is None:
        await message.reply_text(texts.CHANNEL_SENDER)
        return
    text, keyboard = await page(context.services, asker.user_id, group_of(message), 0)
    await message.reply_text(text, reply_markup=keyboard)


async def page(
    services: Services, user_id: int, group_id: int | None, number: int
) -> tuple[str, InlineKeyboardMarkup | None]:
    async with services.database.reading() as db:
        views = await jobs.page(db, user_id, group_id, limit=PAGE + 1, offset=number * PAGE)
    text = texts.job_list(views[:PAGE], number)
    return text, keyboards.job_list(views[:PAGE], user_id, number, len(views) > PAGE)


def group_of(message: Message) -> int | None:
    """In a group only what was asked for there is shown; in private, everything."""
    return None if message.chat.type == ChatType.PRIVATE else message.chat_id


async def cancel(update: Update, context: BotContext) -> None:
    message, asker = update.message, asker_of(update)
    if message is None or asker is None:
        return
    number = " ".join(context.args or ()).lstrip("#№ ")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        await message.reply_text(texts.CANCEL_USAGE)
        return
    await message.reply_text(await cancelled(context.services, int(number), asker.user_id, asker.chat_id))


async def cancelled(services: Services, number: int, user_id: int | None, chat_id: int) -> str:
    """Withdraw a person's job; what to say about it."""
    async with services.database.reading() as db:
        job = await jobs.find(db, number)
    if job is None or not _is_theirs(job, user_id, chat_id):
        return texts.NO_SUCH_JOB.format(number=number)
    try:
        job = await actions.cancel(services, number)
    except actions.NotPossible as error:
        return texts.NOTHING_TO_CANCEL.format(number=number, state=texts.STATES[error.job.state])
    return texts.LEAVING_TOAST if job.state is JobState.LEAVING else texts.CANCELLED_TOAST


def _is_theirs(job: Job, user_id: int | None, chat_id: int) -> bool:
    # Anonymous admins share the jobs that they asked for in their group.
    return job.user_id == user_id and (user_id is not None or job.chat_id == chat_id)


def routes() -> list[CommandHandler[BotContext, None]]:
    return [
        CommandHandler("jobs", show, filters=filters.UpdateType.MESSAGE),
        CommandHandler("cancel", cancel, filters=filters.UpdateType.MESSAGE),
    ]
