"""``/credits``: the balance, what is set aside, the last entries, what things cost."""

from dataclasses import replace

from telegram import InlineKeyboardMarkup, Update
from telegram.ext import CommandHandler, filters

from bot import actions, keyboards, texts
from bot.handlers.asking import asker as asker_of
from bot.services import BotContext, Services
from storage import ledger

PAGE = 10


async def show(update: Update, context: BotContext) -> None:
    message, asker, services = update.message, asker_of(update), context.services
    if message is None:
        return
    if asker is None:
        await message.reply_text(texts.CHANNEL_SENDER)
        return
    async with services.database.transaction() as db:
        account = await actions.arrive(db, services, asker)
    text, keyboard = await page(services, account.id, asker.user_id or keyboards.ANYBODY, 0)
    await message.reply_text(text, reply_markup=keyboard)


async def page(
    services: Services, account_id: int, owner_id: int, number: int
) -> tuple[str, InlineKeyboardMarkup | None]:
    async with services.database.reading() as db:
        found = await ledger.statement(db, account_id, limit=PAGE + 1, offset=number * PAGE)
    shown = replace(found, entries=found.entries[:PAGE])
    text = texts.statement(shown, services.prices(), services.settings.repeat_price, number)
    return text, keyboards.credits_pages(owner_id, number, len(found.entries) > PAGE)


def routes() -> list[CommandHandler[BotContext, None]]:
    return [CommandHandler("credits", show, filters=filters.UpdateType.MESSAGE)]
