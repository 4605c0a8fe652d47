"""What only operators may: ``/upstreams``, ``/stats``, ``/grant <user or group> <n> [reason]``."""

from telegram import Message, Update
from telegram.ext import CommandHandler, filters

from bot import operator_texts as texts
from bot.keyboards import ID_MAX
from bot.reports import upstream_reports
from bot.services import BotContext
from storage import chats, jobs, ledger

DAY_S = 86400.0
GRANT_MAX = 1_000_000
REASON_MAX = 100  # ten of them have to fit into one message of /credits


def operator_message(update: Update, context: BotContext) -> Message | None:
    """The message, if an operator wrote it; everybody else's is left unanswered."""
    person = update.effective_user
    is_operator = person is not None and person.id in context.services.settings.admins
    return update.message if is_operator else None


async def upstreams(update: Update, context: BotContext) -> None:
    if message := operator_message(update, context):
        await message.reply_text(texts.upstreams(await upstream_reports(context.services)))


async def stats(update: Update, context: BotContext) -> None:
    message, services = operator_message(update, context), context.services
    if message is None:
        return
    async with services.database.reading() as db:
        today = await jobs.totals(db, since=services.now() - DAY_S)
        ever = await jobs.totals(db, since=0.0)
    counts = {f"jobs {state}, last 24 h": count for state, count in today.items()}
    counts |= {f"jobs {state}, ever": count for state, count in ever.items()}
    await message.reply_text(texts.stats(counts) or "No jobs yet.")


async def grant(update: Update, context: BotContext) -> None:
    message, services = operator_message(update, context), context.services
    if message is None:
        return
    wanted = _parse_grant(context.args or [])
    if wanted is None:
        await message.reply_text(texts.GRANT_USAGE)
        return
    owner_id, amount, reason = wanted
    async with services.database.transaction() as db:
        if not await chats.is_known(db, owner_id):
            said = texts.NOBODY_KNOWN.format(owner_id=owner_id)
        else:
            account = await ledger.account_of(db, "group" if owner_id < 0 else "user", owner_id)
            # The command's own message is the operation: told twice, it is granted once.
            operation = f"grant:{message.chat_id}:{message.message_id}"
            is_new = await ledger.grant(
                db, account, amount, operation=operation, note=reason, now=services.now()
            )
            balance = await ledger.balance(db, account.id)
            text = texts.GRANTED if is_new else texts.GRANTED_BEFORE
            said = text.format(amount=amount, owner_id=owner_id, balance=balance)
    await message.reply_text(said)


def _parse_grant(arguments: list[str]) -> tuple[int, int, str] | None:
    match arguments:
        case [owner, amount, *reason] if owner.removeprefix("-").isdecimal() and amount.isdecimal():
            if 0 < int(amount) <= GRANT_MAX and abs(int(owner)) <= ID_MAX:
                return int(owner), int(amount), " ".join(reason)[:REASON_MAX] or "from the operator"
    return None


def routes() -> list[CommandHandler[BotContext, None]]:
    commands = {"upstreams": upstreams, "stats": stats, "grant": grant}
    return [CommandHandler(name, act, filters=filters.UpdateType.MESSAGE) for name, act in commands.items()]
