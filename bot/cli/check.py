"""``stembot check``: is everything right that the bot needs? Changes nothing."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from telegram.error import InvalidToken, TelegramError

from bot.app import CannotStart, build_providers
from bot.cli.ending import FAILED, load_settings
from bot.connection import connect, new_request
from bot.reports import History, histories
from bot.settings import Settings
from bot.texts import duration
from providers.base import Mode, Provider
from providers.errors import ProviderError
from storage.database import Database, DatabaseError, newest_revision

UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    ok: bool
    told: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """``answer``: its credits, or why it did not tell them; ``history`` None where there is no database."""

    title: str
    answer: float | ProviderError
    history: History | None

    @property
    def finding(self) -> Finding:
        if isinstance(self.answer, ProviderError):
            return Finding(self.title, False, str(self.answer))
        return Finding(self.title, True, f"answers, {self.answer:g} credits left")


def check() -> None:
    """Is every setting right, do Telegram and the upstreams answer, is the database ready?"""
    settings = load_settings(serving=True)
    findings, upstreams = asyncio.run(_all(settings))
    console = Console(soft_wrap=True)
    console.print(_table(findings))
    if any(one.history for one in upstreams):
        console.print(_table_of(upstreams))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("What", "", "Told")
    for finding in findings:
        table.add_row(finding.what, "[green]ok[/]" if finding.ok else "[red]no[/]", escape(finding.told))
    return table


def _table_of(upstreams: Sequence[Upstream]) -> Table:
    headings = ("Upstream", "State", "Credits", "Open", "Two stems", "Full set", "Last failure")
    table = Table(*headings, caption="Times: the median, and within how much nine in ten were done")
    for one in upstreams:
        if one.history:
            left = UNKNOWN if isinstance(one.answer, ProviderError) else f"{one.answer:g}"
            times = [_times(one.history.times.get(mode)) for mode in (Mode.BASIC, Mode.FULL)]
            failure = escape(one.history.last_failure or UNKNOWN)
            open_now = str(one.history.open_separations)
            table.add_row(one.title, one.history.state, left, open_now, *times, failure)
    return table


def _times(took: tuple[float, float] | None) -> str:
    return UNKNOWN if took is None else ", ".join(map(duration, took))


async def _all(settings: Settings) -> tuple[list[Finding], list[Upstream]]:
    findings = [
        Finding("settings", True, "every one is right"),
        await _database(settings),
        await _telegram(settings),
    ]
    try:
        providers = build_providers(settings)
    except CannotStart as error:
        return [*findings, Finding("upstreams", False, str(error))], []
    remembered = await _remembered(settings, providers.values())
    answers = await asyncio.gather(*map(_credits, providers.values()))
    upstreams = [
        Upstream(provider.title, answer, remembered.get(name))
        for (name, provider), answer in zip(providers.items(), answers, strict=True)
    ]
    return [*findings, *(one.finding for one in upstreams)], upstreams


async def _remembered(settings: Settings, providers: Collection[Provider]) -> Mapping[str, History]:
    """What the database remembers of each; nothing where it is not there yet, or not as it should be."""
    database = Database(settings.database_url.get_secret_value())
    try:
        if await database.revision() != newest_revision():
            return {}
        async with database.reading() as db:
            return await histories(db, providers)
    except DatabaseError:
        return {}  # it is told already
    finally:
        await database.close()


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


async def _credits(provider: Provider) -> float | ProviderError:
    try:
        return await provider.credits()
    except ProviderError as error:
        return error
    finally:
        await provider.aclose()
