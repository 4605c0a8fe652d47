"""``stembot check``: is everything right that the bot needs? Changes nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.table import Table
from telegram.error import InvalidToken, TelegramError

from bot.app import CannotStart, build_providers
from bot.cli.ending import FAILED, load_settings
from bot.connection import connect, new_request
from bot.settings import Settings
from providers.base import Provider
from providers.errors import ProviderError
from storage.database import Database, DatabaseError, newest_revision


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    ok: bool
    told: str


def check() -> None:
    """Is every setting right, do Telegram and the upstreams answer, is the database ready?"""
    settings = load_settings(serving=True)
    findings = asyncio.run(_all(settings))
    table = Table("What", "", "Told")
    for finding in findings:
        table.add_row(finding.what, "[green]ok[/]" if finding.ok else "[red]no[/]", finding.told)
    Console(soft_wrap=True).print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)


async def _all(settings: Settings) -> list[Finding]:
    async with aclosing(_findings(settings)) as found:
        return [finding async for finding in found]


async def _findings(settings: Settings) -> AsyncGenerator[Finding]:
    yield Finding("settings", True, "every one is right")
    yield await _database(settings)
    yield await _telegram(settings)
    try:
        providers = build_providers(settings)
    except CannotStart as error:
        yield Finding("upstreams", False, str(error))
        return
    for provider in providers.values():
        yield await _upstream(provider)


async def _database(settings: Settings) -> Finding:
    database = Database(settings.database_url.get_secret_value())
    try:
        found, newest = await database.revision(), newest_revision()
    except DatabaseError as error:
        return Finding("database", False, str(error))
    finally:
        await database.close()
    if found == newest:
        return Finding("database", True, f"{database.name}, newest migration")
    if found is None and database.embedded:
        return Finding("database", True, f"{database.name} will be made by `stembot run`")
    behind = f"{database.name} is at migration {found or 'none'}, newest is {newest}"
    mended = "`stembot run` brings it there" if database.embedded else "run `stembot migrate`"
    return Finding("database", database.embedded, f"{behind}: {mended}")


async def _telegram(settings: Settings) -> Finding:
    bot = connect(settings, new_request())
    try:
        async with bot:
            return Finding("Telegram", True, f"@{bot.username}")
    except InvalidToken:
        return Finding("Telegram", False, "TELEGRAM_TOKEN is not known to Telegram")
    except TelegramError as error:
        return Finding("Telegram", False, f"{settings.telegram_api_url} does not answer: {error}")


async def _upstream(provider: Provider) -> Finding:
    try:
        left = await provider.credits()
    except ProviderError as error:
        return Finding(provider.title, False, str(error))
    finally:
        await provider.aclose()
    return Finding(provider.title, True, f"answers, {left:g} credits left")
