"""The migrations give exactly the tables that the code speaks of."""

from dataclasses import fields

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from storage import rows, tables
from storage.database import Database, newest_revision

ROWS = {
    tables.users: rows.User,
    tables.accounts: rows.Account,
    tables.songs: rows.Song,
    tables.separations: rows.Separation,
    tables.stems: rows.Stem,
    tables.telegram_files: rows.TelegramFile,
    tables.jobs: rows.Job,
    tables.entries: rows.LedgerEntry,
    tables.parts: rows.Part,
    tables.updates: rows.StoredUpdate,
    tables.lookups: rows.Lookup,
    tables.notices: rows.Notice,
}
WITHOUT_ROW = {tables.chats, tables.alerts}


@pytest.fixture
async def empty_database(databases):
    with databases.new(migrated=False) as url:
        database = Database(url)
        yield database
        await database.close()


async def ask(database, question):
    """What a function of a plain SQLAlchemy connection answers."""
    async with database.transaction() as db:
        return await db.run_sync(question)


def differences(connection):
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return compare_metadata(context, tables.metadata)


def schema(connection):
    """All that an engine says of our tables, also what Alembic does not compare: checks and conditions."""
    inspector = inspect(connection)
    aspects = {
        "columns": inspector.get_columns,
        "primary key": lambda table: [inspector.get_pk_constraint(table)],
        "checks": inspector.get_check_constraints,
        "indexes": inspector.get_indexes,
        "uniques": inspector.get_unique_constraints,
        "foreign keys": inspector.get_foreign_keys,
    }
    return {
        (table, aspect): {part["name"]: plain(part) for part in look(table)}
        for table in tables.metadata.tables
        for aspect, look in aspects.items()
    }


def plain(part):
    """Types, checks and conditions as one line of text: SQLAlchemy's own values do not compare."""
    if isinstance(part, dict):
        return {name: plain(value) for name, value in part.items()}
    return part if isinstance(part, list | None) else " ".join(str(part).split())


async def test_alembic_sees_no_difference_between_the_migrations_and_the_tables(database):
    assert await ask(database, differences) == []


async def test_the_migrations_make_every_column_check_and_index_of_the_tables(database, empty_database):
    await ask(empty_database, tables.metadata.create_all)
    assert await ask(database, schema) == await ask(empty_database, schema)


async def test_an_empty_database_has_no_revision(empty_database):
    assert await empty_database.revision() is None


async def test_migrating_brings_it_to_the_newest_revision(empty_database):
    await empty_database.migrate()
    assert await empty_database.revision() == newest_revision()


async def test_migrating_again_changes_nothing(database):
    before = await ask(database, schema)
    await database.migrate()
    assert await database.revision() == newest_revision()
    assert await ask(database, schema) == before


@pytest.mark.parametrize("table", ROWS, ids=str)
def test_a_row_has_the_columns_of_its_table_in_their_order(table):
    assert [field.name for field in fields(ROWS[table])] == [column.name for column in table.columns]


def test_every_table_is_read_into_a_row_or_named_as_one_that_is_not():
    assert set(ROWS) | WITHOUT_ROW == set(tables.metadata.tables.values())


async def test_sqlite_keeps_every_column_to_its_type(sqlite_database):
    async with sqlite_database.reading() as db:
        listed = await db.execute(text("PRAGMA table_list"))
        strict = {row.name for row in listed if row.strict}
    assert strict >= set(tables.metadata.tables)
