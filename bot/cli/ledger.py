"""``stembot ledger``"""

import asyncio

import typer

from bot.cli.ending import FAILED, fail, load_settings
from storage import audit
from storage.database import Database, DatabaseError, newest_revision

app = typer.Typer(help="The credits.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """The credits."""


@app.command()
def verify() -> None:
    """Compute every balance and every job's end anew, and name what breaks a rule. Changes nothing."""
    settings = load_settings(serving=False)
    try:
        broken = asyncio.run(_verify(Database(settings.database_url.get_secret_value())))
    except DatabaseError as error:
        fail(error)
    for sentence in broken:
        typer.echo(sentence)
    if broken:
        raise typer.Exit(FAILED)
    typer.echo("Every balance is the sum of its entries, and every job is settled as it ended.")


async def _verify(database: Database) -> list[str]:
    try:
        if await database.revision() != newest_revision():
            raise DatabaseError(f"{database.name} is not at the newest migration: run `stembot migrate`")
        async with database.reading() as db:
            return await audit.broken_rules(db)
    finally:
        await database.close()
