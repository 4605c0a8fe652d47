"""How a command ends: with its exit status, and one line on what went wrong."""

from pathlib import Path
from typing import NoReturn

import typer

from bot import logs, settings
from bot.settings import Settings, WrongSettings
from bot.web.telegram import secret

FAILED = 1
WRONG_SETTING = 2


def fail(why: object, status: int = FAILED) -> NoReturn:
    typer.echo(str(why), err=True)
    raise typer.Exit(status)


def load_settings(*, serving: bool) -> Settings:
    """The settings, with logging set up so that it knows the secrets; ends the command on a wrong one."""
    env_file = Path(".env")
    try:
        loaded = settings.load(env_file, serving=serving)
    except WrongSettings as error:
        fail(error, WRONG_SETTING)
    # python-telegram-bot tells at DEBUG what it calls Telegram with, the webhook's secret too.
    webhook_secret = secret(loaded.telegram_token.get_secret_value())
    logs.configure(loaded.log_level, loaded.log_format, [*loaded.secrets(), webhook_secret])
    for line in settings.typos(env_file):
        typer.echo(line, err=True)
    return loaded
