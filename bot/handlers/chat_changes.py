"""Chats that come, go and change: blocked and unblocked, group to supergroup."""

from telegram import Update
from telegram.constants import ChatMemberStatus
from telegram.ext import ChatMemberHandler, MessageHandler, filters

from bot.services import BotContext
from storage import chats

GONE = {ChatMemberStatus.BANNED, ChatMemberStatus.LEFT}


async def membership(update: Update, context: BotContext) -> None:
    change, services = update.my_chat_member, context.services
    if change is None:
        return
    async with services.database.transaction() as db:
        await chats.enter(
            db, change.chat.id, kind=change.chat.type, title=change.chat.title, now=services.now()
        )
        if change.new_chat_member.status in GONE:
            await chats.mark_gone(db, change.chat.id, now=services.now())


async def migrated(update: Update, context: BotContext) -> None:
    message, services = update.message, context.services
    if message is None or message.migrate_to_chat_id is None:
        return
    async with services.database.transaction() as db:
        await chats.migrate(db, message.chat_id, message.migrate_to_chat_id, now=services.now())


def routes() -> list[ChatMemberHandler[BotContext, None] | MessageHandler[BotContext, None]]:
    return [
        ChatMemberHandler(membership, ChatMemberHandler.MY_CHAT_MEMBER),
        MessageHandler(filters.StatusUpdate.MIGRATE, migrated),
    ]
