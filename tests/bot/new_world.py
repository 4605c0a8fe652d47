"""Putting a bot together among stand-ins."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import httpx
from telegram.ext import Defaults

from bot.connection import WAIT_MAX_S, TelegramBot, connect, new_request
from bot.delivery.fetch import Fetcher
from bot.intake.limiter import Limiter
from bot.services import Services
from bot.settings import Settings
from bot.share_links import ShareLinks
from tests.bot.mortal import Boundaries, MortalDatabase
from tests.bot.telegram_stand_in import FakeTelegram
from tests.bot.upstream_stand_in import FakeProvider, FileHost
from tests.bot.world import World


@cache
def our_defaults() -> Defaults | None:
    """The bot's own, which come with a connection."""
    return connect(new_settings("sqlite:///unused.db"), new_request()).defaults


def new_settings(url: str, **changes: object) -> Settings:
    ours = {
        "telegram_token": "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_1",
        "database_url": url,
        "sunoapi_org_api_key": "key-of-nobody",
    }
    return Settings.model_validate({**ours, **changes})


def new_world(
    url: str,
    folder: Path,
    clock: Callable[[], float],
    *,
    boundary: Boundaries | None = None,
    providers: Mapping[str, object] | None = None,
    telegram: FakeTelegram | None = None,
    files: FileHost | None = None,
    provider: FakeProvider | None = None,
    **settings: object,
) -> World:
    """A bot that is put together and not started; what is not given is new."""
    boundary = boundary or Boundaries()
    telegram = replace(telegram, boundary=boundary) if telegram else FakeTelegram(clock, boundary)
    provider = replace(provider, boundary=boundary) if provider else FakeProvider(boundary)
    files = files or FileHost()
    chosen = new_settings(url, **settings)
    database = MortalDatabase(url)
    database.boundary = boundary

    async def sleep(seconds: float) -> None:
        clock.forward(seconds)

    services = Services(
        settings=chosen,
        database=database,
        providers=providers or {provider.name: provider},
        bot=TelegramBot(
            chosen.telegram_token.get_secret_value(),
            request=telegram,
            get_updates_request=telegram,
            defaults=our_defaults(),
            rate_limiter=Limiter(clock, sleep, WAIT_MAX_S),
        ),
        fetcher=Fetcher(folder, transport=httpx.MockTransport(files), keep_free_bytes=0),
        share_links=ShareLinks(httpx.MockTransport(lambda _: httpx.Response(404))),
        now=clock,
    )
    return World(services, telegram, provider, files, clock, boundary)
