"""The bot to compare with: python-telegram-bot as it comes, saying "ok". Nothing of ours is in its process.

python benchmarks/_bare_bot.py <address of the Bot API> <token> <updates at once>
"""

import sys

from telegram import Update
from telegram.ext import Application, CommandHandler, ContextTypes


async def stems(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message is not None
    await update.message.reply_text("ok")


def main(url: str, token: str, at_once: str) -> None:
    builder = Application.builder().token(token).base_url(f"{url}/bot").concurrent_updates(int(at_once))
    application = builder.build()
    application.add_handler(CommandHandler("stems", stems))
    application.run_polling()


if __name__ == "__main__":
    main(*sys.argv[1:])
