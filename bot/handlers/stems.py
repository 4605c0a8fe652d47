"""``/stems <song> [full]``"""

from html import escape

from telegram import Message, Update
from telegram.constants import MessageEntityType
from telegram.ext import CommandHandler, filters

from bot import actions, songs, texts
from bot.handlers.asking import asker as asker_of
from bot.pricing import NoProvider
from bot.services import BotContext
from bot.songs import Problem, ProblemKind, Request, ShareRequest, SongRequest, TaskRequest
from providers.base import Mode
from storage.ledger import InsufficientCredits

PROBLEMS = {
    ProblemKind.EMPTY: texts.STEMS_USAGE,
    ProblemKind.NOT_AN_ID: texts.NOT_AN_ID,
    ProblemKind.UNKNOWN_WORD: texts.UNKNOWN_WORD,
    ProblemKind.TOO_MANY: texts.TOO_MANY,
}


async def stems(update: Update, context: BotContext) -> None:
    message, asker = update.message, asker_of(update)
    if message is None:
        return
    if asker is None:
        await message.reply_text(texts.CHANNEL_SENDER)
        return
    request = _request(message, " ".join(context.args or ()))
    match request:
        case Problem():
            await message.reply_text(PROBLEMS[request.kind].format(word=escape(request.word)))
        case SongRequest(song, mode):
            try:
                # The loops do the rest, the acknowledgement too.
                await actions.start(context.services, song, mode or Mode.BASIC, asker)
            except InsufficientCredits as error:
                await message.reply_text(
                    texts.insufficient(error.price, error.balance, context.services.prices(), song.audio_id)
                )
            except NoProvider as error:
                told = texts.no_provider(str(error), song.audio_id, takes_basic=error.takes_basic)
                await message.reply_text(told)
        case TaskRequest(task_id, mode):
            await actions.look_up(context.services, "task", task_id, mode or Mode.BASIC, asker)
        case ShareRequest(short, mode):
            await actions.look_up(context.services, "share", short, mode or Mode.BASIC, asker)


def _request(message: Message, arguments: str) -> Request | Problem:
    """What stands behind the command; nothing there: what the message holds to which it replies."""
    request = songs.parse(arguments)
    if not isinstance(request, Problem) or request.kind is not ProblemKind.EMPTY:
        return request
    if message.reply_to_message is None:
        return request
    found = songs.reference_in(_text_of(message.reply_to_message))
    return songs.with_mode(found, request.mode) if found else request


def _text_of(message: Message) -> str:
    """All that a message says, the addresses behind its links included."""
    entities = message.entities or message.caption_entities
    linked = [entity.url for entity in entities if entity.type == MessageEntityType.TEXT_LINK and entity.url]
    return " ".join([message.text or message.caption or "", *linked])


def routes() -> list[CommandHandler[BotContext, None]]:
    # New messages only: an edited command must not start a second job.
    return [CommandHandler("stems", stems, filters=filters.UpdateType.MESSAGE)]
