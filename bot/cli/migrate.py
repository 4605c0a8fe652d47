"""``stembot migrate``"""

import asyncio

import typer

from bot.cli.ending import fail, load_settings
from storage.database import Database, DatabaseError, newest_revision


def migrate() -> None:
    """Bring the database to the newest migration."""
    settings = load_settings(serving=False)
    try:
        asyncio.run(_migrate(Database(settings.database_url.get_secret_value())))
    except DatabaseError as error:
        fail(error)


async def _migrate(database: Database) -> None:
    try:
        before = await database.revision()
        await database.migrate()
    finally:
        await database.close()
    newest = newest_revision()
    done = "is at the newest migration already" if before == newest else f"is now at migration {newest}"
    typer.echo(f"{database.name} {done}")
