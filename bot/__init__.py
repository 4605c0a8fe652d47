"""The bot: it talks to people in Telegram, and decides. Only ``bot.app`` puts the parts together."""

import os
import sys

# python-telegram-bot warns on every 429 until it is told that durations may come as timedeltas.
# https://docs.python-telegram-bot.org/en/stable/stability_policy.html
os.environ.setdefault("PTB_TIMEDELTA", "1")

# httpcore asks for this several times a request. It is not installed, so it would be looked for on the whole
# path each time: a quarter of what a request costs. None is the documented word for "there is no such one":
# https://docs.python.org/3/reference/import.html#the-module-cache
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # typeshed knows modules only
