"""What every subject needs of SQL: rows as dataclasses, and inserts of what may arrive twice.

What runs for every command is built once, at import: to build a statement takes longer than to run it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Executable, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from storage.database import Connection

T = TypeVar("T")
NOTHING: Mapping[str, object] = {}


async def one(
    db: Connection, kind: type[T], statement: Executable, values: Mapping[str, object] = NOTHING
) -> T:
    """The one row; ``kind`` takes the columns in their order."""
    return kind(*(await db.execute(statement, values)).one())


async def one_or_none(
    db: Connection, kind: type[T], statement: Executable, values: Mapping[str, object] = NOTHING
) -> T | None:
    row = (await db.execute(statement, values)).one_or_none()
    return None if row is None else kind(*row)


async def many(db: Connection, kind: type[T], statement: Executable) -> list[T]:
    return [kind(*row) for row in await db.execute(statement)]


async def insert_once(db: Connection, table: Table, **values: object) -> bool:
    """True if the row is new, False if one with the same unique key was there."""
    # Not by rowcount: of an INSERT, psycopg's is not kept.
    return (await db.execute(_insert_once(db.dialect.name, table), values)).one_or_none() is not None


@cache
def _insert_once(dialect: str, table: Table) -> Any:
    return insert_if_new(dialect, table).on_conflict_do_nothing().returning(*table.primary_key)


def insert_if_new(dialect: str, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, which SQLAlchemy has per dialect only."""
    return (sqlite_insert if dialect == "sqlite" else postgresql_insert)(table)
