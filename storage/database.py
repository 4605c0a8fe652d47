"""One database: SQLite embedded by default, PostgreSQL when one machine is not enough."""

import asyncio
import sqlite3
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine import Connection as SyncConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.embedded import BEGIN_WRITING, EmbeddedConnection, Undone, Writer

Connection = AsyncConnection

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
# One moment for all that is read: SQLite gives it to every transaction, PostgreSQL to those that ask.
READING: dict[str, dict[str, Any]] = {
    "sqlite": {"reading": True},
    "postgresql": {"isolation_level": "REPEATABLE READ"},
}
BUSY_TIMEOUT_S = 15.0
# What a transaction raises where the database cannot take it now: the next may go well.
AWAY = (SQLAlchemyError, OSError, Undone)
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "recursive_triggers = ON",  # else INSERT OR REPLACE deletes entries behind their trigger's back
    "trusted_schema = OFF",
)


class DatabaseError(Exception):
    """The database cannot be used as it is; str() of it says why and what to do, without its password."""


class InUse(DatabaseError):
    """Another process runs on the same SQLite file."""


class Database:
    """Connections to one database.

    ``transaction()`` gives one coroutine a connection of its own: never kept on an object, never handed to a
    task, never held while the world is asked.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self._workers: weakref.WeakSet[Thread] = weakref.WeakSet()
        self._engine = _engine(self.url, self._workers)
        self._writer = Writer(self._engine) if self.embedded else None
        self._lock: FileLock | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that may write; committed at the end of the block, rolled back on an exception."""
        async with self._writer.transaction() if self._writer else self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A consistent view for reading; on SQLite it waits for no writer."""
        async with self._engine.connect() as connection:
            await connection.execution_options(**READING[self.url.get_backend_name()])
            async with connection.begin():
                yield connection

    async def ping(self) -> None:
        """Raises DatabaseError if no query is answered."""
        try:
            async with self.reading() as db:
                await db.execute(text("SELECT 1"))
        except (DBAPIError, OSError) as error:
            raise DatabaseError(f"{self.name} does not answer: {_reason(error)}") from error

    async def revision(self) -> str | None:
        """The newest migration this database has had; None for an empty one, or where there is none yet."""
        if self.embedded and _is_still_to_be_made(Path(self.url.database or "")):
            return None  # to open it would make it
        try:
            async with self.reading() as db:
                return await db.run_sync(_revision)
        except (DBAPIError, OSError) as error:
            raise DatabaseError(f"{self.name} cannot be opened: {_reason(error)}") from error

    async def migrate(self) -> None:
        """Bring the database to the newest migration, in one transaction."""
        try:
            async with self.transaction() as db:
                await db.run_sync(_upgrade)
        except (DBAPIError, OSError) as error:
            raise DatabaseError(f"{self.name} cannot be migrated: {_reason(error)}") from error

    def lock(self) -> None:
        """Make sure that no other process runs on this SQLite file, until close(). Raises InUse."""
        if not self.embedded:
            return
        # Of whatever name the file is opened by, there is one lock.
        lock = FileLock(f"{Path(self.url.database or '').resolve()}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InUse(f"another stembot runs on {self.url.database}; stop it first") from error
        self._lock = lock

    async def close(self) -> None:
        if self._writer:
            await self._writer.close()
        await self._engine.dispose()
        await asyncio.to_thread(_join, list(self._workers))
        if self._lock:
            self._lock.release()
            self._lock = None

    @property
    def name(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Database({self.name})"


def _is_still_to_be_made(file: Path) -> bool:
    return file.parent.is_dir() and not file.exists()


def newest_revision() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise DatabaseError("no migrations are installed")
    return head


def _engine(url: URL, workers: weakref.WeakSet[Thread]) -> AsyncEngine:
    driver = url.set(drivername=DRIVERS[url.get_backend_name()])
    if url.get_backend_name() == "postgresql":
        return create_async_engine(driver, pool_size=16, max_overflow=16, pool_pre_ping=True)

    def connect(*args: Any, **kwargs: Any) -> EmbeddedConnection:
        connection = EmbeddedConnection(partial(sqlite3.connect, *args, **kwargs), iter_chunk_size=64)
        worker = connection._thread
        worker.daemon = True  # a query that hangs keeps no process alive
        workers.add(worker)
        return connection

    options = {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False, "async_creator_fn": connect}
    engine = create_async_engine(driver, connect_args=options, pool_size=16)
    event.listen(engine.sync_engine, "connect", _open_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _join(workers: list[Thread]) -> None:
    """Wait for the threads of SQLite connections: one that was cut short still answers to its event loop."""
    for worker in workers:
        worker.join(BUSY_TIMEOUT_S)


def _open_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: SyncConnection) -> None:
    # A plain BEGIN takes the write lock at the first write: two that have read before would both fail.
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else BEGIN_WRITING)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _upgrade(connection: SyncConnection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: SyncConnection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _reason(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
