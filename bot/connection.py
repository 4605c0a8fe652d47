"""Our connection to Telegram: PTB's bot with our limits, addresses and timeouts."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import httpx
from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.ext import Defaults, ExtBot
from telegram.request import HTTPXRequest

from bot.intake.budgets import Kind
from bot.intake.limiter import Limiter, Now, Sleep
from bot.sent_bodies import watch
from bot.settings import Settings

CONNECTIONS = 32
# What waits longer goes back to the database and comes again: a full chat must not hold up a worker that
# other chats could use.
WAIT_MAX_S = {Kind.ANSWER: 15.0, Kind.ACK: 10.0, Kind.RESULT: 10.0, Kind.STATUS: 0.0}
# A proxy of the environment is for the internet, never for a server on this machine.
NO_PROXY = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
KEEP_ALIVE_S = 30.0  # Telegram closes idle connections a little later


def new_request() -> HTTPXRequest:
    # PTB's own read timeout of 5 s is often over after Telegram has done what it was asked to.
    limits = httpx.Limits(
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
        keepalive_expiry=KEEP_ALIVE_S,
    )
    return HTTPXRequest(
        connect_timeout=10,
        read_timeout=30,
        write_timeout=30,
        pool_timeout=30,
        media_write_timeout=60,
        httpx_kwargs={"limits": limits, "mounts": NO_PROXY, "event_hooks": {"request": [watch]}},
    )


class TelegramBot(ExtBot[Kind]):
    """PTB's bot, and updates as Telegram sent them."""

    async def raw_updates(
        self, *, offset: int | None, wait_s: int, allowed: Sequence[str], read_timeout: float
    ) -> list[dict[str, Any]]:
        """https://core.telegram.org/bots/api#getupdates. PTB's own method parses each update and forgets
        what it came from; ours are stored first."""
        wanted = {"timeout": wait_s, "allowed_updates": list(allowed)}
        data = wanted if offset is None else {**wanted, "offset": offset}
        answer: Any = await self._do_post("getUpdates", data, read_timeout=read_timeout)
        return list(answer)


def new_limiter(now: Now = time.monotonic, sleep: Sleep = asyncio.sleep) -> Limiter:
    return Limiter(now, sleep, WAIT_MAX_S)


def connect(settings: Settings, poll_request: HTTPXRequest, limiter: Limiter | None = None) -> TelegramBot:
    """``poll_request`` is for getUpdates alone, which holds its connection nearly all the time."""
    api = settings.telegram_api_url
    return TelegramBot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{api}/bot",
        base_file_url=f"{api}/file/bot",
        request=new_request(),
        get_updates_request=poll_request,
        defaults=Defaults(
            parse_mode=ParseMode.HTML,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            allow_sending_without_reply=True,
        ),
        rate_limiter=limiter or new_limiter(),
    )
