"""The bot: it talks to people in Telegram, and decides. Only ``bot.app`` puts the parts together."""

import os

# python-telegram-bot warns on every 429 until it is told that durations may come as timedeltas.
# https://docs.python-telegram-bot.org/en/stable/stability_policy.html
os.environ.setdefault("PTB_TIMEDELTA", "1")
