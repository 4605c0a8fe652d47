"""``/start`` and ``/help``"""

from telegram import Update
from telegram.ext import CommandHandler, filters

from bot import actions, texts
from bot.handlers.asking import asker as asker_of
from bot.services import BotContext
from storage import ledger


async def start(update: Update, context: BotContext) -> None:
    message, asker, services = update.message, asker_of(update), context.services
    if message is None or asker is None:
        return
    async with services.database.transaction() as db:
        account = await actions.arrive(db, services, asker)
        balance = await ledger.balance(db, account.id)
    await message.reply_text(texts.start_text(services.prices(), services.settings.repeat_price, balance))


async def show_help(update: Update, context: BotContext) -> None:
    services = context.services
    if update.message:
        await update.message.reply_text(texts.help_text(services.prices(), services.settings.repeat_price))


def routes() -> list[CommandHandler[BotContext, None]]:
    return [
        CommandHandler("start", start, filters=filters.UpdateType.MESSAGE),
        CommandHandler("help", show_help, filters=filters.UpdateType.MESSAGE),
    ]
