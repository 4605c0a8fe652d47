"""Everything else that is said in a private chat: a link or an id alone offers both modes."""

from telegram import Message, MessageEntity, Update
from telegram.constants import MessageEntityType
from telegram.ext import MessageHandler, filters

from bot import actions, offers, songs, texts
from bot.handlers.asking import asker as asker_of
from bot.services import BotContext
from bot.songs import ShareRequest, SongRequest, TaskRequest
from providers.base import Mode


async def link(update: Update, context: BotContext) -> None:
    message, asker = update.message, asker_of(update)
    if message is None or asker is None or _is_for_another_bot(message, context.bot.username):
        return
    match songs.link_in(message.text or message.caption or ""):
        case SongRequest(song):
            text, keyboard = await offers.offer(context.services, song, asker.user_id)
            await message.reply_text(text, reply_markup=keyboard, do_quote=True)
        case TaskRequest(task_id):
            await actions.look_up(context.services, "task", task_id, Mode.BASIC, asker)
        case ShareRequest(short):
            await actions.look_up(context.services, "share", short, None, asker)
        case _:
            await message.reply_text(texts.STEMS_USAGE)


def _is_for_another_bot(message: Message, username: str) -> bool:
    first: MessageEntity | None = next(iter(message.entities), None)
    if first is None or first.type != MessageEntityType.BOT_COMMAND or first.offset:
        return False
    _, _, name = message.parse_entity(first).partition("@")
    return bool(name) and name.lower() != username.lower()


def routes() -> list[MessageHandler[BotContext, None]]:
    told = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE & ~filters.StatusUpdate.ALL
    return [MessageHandler(told, link)]
