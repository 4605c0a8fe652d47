"""Who is served: everyone, unless ALLOWED_USERS or ALLOWED_CHATS say otherwise; both apply."""

from telegram import Update
from telegram.constants import ChatType
from telegram.ext import ApplicationHandlerStop, TypeHandler

from bot import texts
from bot.services import BotContext
from bot.settings import Settings


async def gate(update: Update, context: BotContext) -> None:
    """Let the update through, or end it here; in a private chat with a word on why."""
    person, chat = update.effective_user, update.effective_chat
    if person is None or chat is None or update.my_chat_member:
        return
    if is_served(context.services.settings, person.id, chat.id):
        return
    if chat.type == ChatType.PRIVATE and update.message:
        await update.message.reply_text(texts.NOT_SERVED.format(user_id=person.id))
    raise ApplicationHandlerStop


def is_served(settings: Settings, user_id: int, chat_id: int) -> bool:
    users, chats = settings.allowed_users, settings.allowed_chats
    return (not users or user_id in users) and (not chats or chat_id in chats)


def routes() -> list[TypeHandler[Update, BotContext, None]]:
    return [TypeHandler(Update, gate)]
