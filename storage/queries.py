"""What every subject needs of SQL: rows as dataclasses, and inserts of what may arrive twice."""

from typing import Any, TypeVar

from sqlalchemy import Executable, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from storage.database import Connection

T = TypeVar("T")


async def one(db: Connection, kind: type[T], statement: Executable) -> T:
    """The one row; ``kind`` takes the columns in their order."""
    return kind(*(await db.execute(statement)).one())


async def one_or_none(db: Connection, kind: type[T], statement: Executable) -> T | None:
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else kind(*row)


async def many(db: Connection, kind: type[T], statement: Executable) -> list[T]:
    return [kind(*row) for row in await db.execute(statement)]


async def insert_once(db: Connection, table: Table, **values: object) -> bool:
    """True if the row is new, False if one with the same unique key was there."""
    # Not by rowcount: of an INSERT, psycopg's is not kept.
    insert = insert_if_new(db, table).values(**values).on_conflict_do_nothing()
    return (await db.execute(insert.returning(*table.primary_key))).one_or_none() is not None


def insert_if_new(db: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, which SQLAlchemy has per dialect only."""
    return (sqlite_insert if db.dialect.name == "sqlite" else postgresql_insert)(table)
