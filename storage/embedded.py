"""SQLite where it is embedded: statements run where they are called, and what waits is committed together.

aiosqlite hands every cursor, statement and fetch to a thread and waits for each: some 200 microseconds for a
statement that takes SQLite 5. Ours read and write few rows by their keys, so they run in the event loop; what
waits for the disk or for another process, taking the write lock and committing, goes to the thread as before.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiosqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

BEGIN_WRITING = "BEGIN IMMEDIATE"


class Undone(Exception):
    """SQLite gave up a transaction by itself, as it may when the disk is full, with all that was in it."""


class EmbeddedConnection(aiosqlite.Connection):
    """aiosqlite's connection, its thread kept for what may take a while."""

    _is_writing = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._may_wait(fn, args):
            return fn(*args, **kwargs)
        self._is_writing = args[:1] == (BEGIN_WRITING,)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def _may_wait(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        if fn == self._conn.commit:
            return self._is_writing
        return fn == self._conn.close or args[:1] == (BEGIN_WRITING,)

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that can fail alone. Raises Undone."""
        self._say("SAVEPOINT part")
        is_whole = False
        try:
            yield
            is_whole = True
        finally:
            if not is_whole:
                self._say("ROLLBACK TO part")
            self._say("RELEASE part")

    def check(self) -> None:
        """Raises Undone if there is no transaction any more."""
        if not self.in_transaction:
            raise Undone("SQLite has undone the transaction")

    def _say(self, statement: str) -> None:
        self.check()
        self._conn.execute(statement)


@dataclass(slots=True)
class _Shared:
    """A transaction of several, and the task that commits it."""

    connection: AsyncConnection
    driver: EmbeddedConnection
    ending: asyncio.Task[None]


class Writer:
    """The one writer that SQLite has, in turns; those who wait for each other are committed together.

    What each wrote is on the disk when its block has ended, or nothing of it is. One COMMIT, hence one wait
    for the disk, serves all who came while the one before was under way.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Waiting here is fair and wakes at once; waiting in SQLite is polling.
        self._turn = asyncio.Lock()
        self._shared: _Shared | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Committed at the end of the block, rolled back on an exception."""
        shared = None
        try:
            async with self._turn:
                shared = self._shared = self._shared or await self._begin()
                with shared.driver.part():
                    yield shared.connection
        finally:
            if shared:  # after an exception, too: it may follow from what others wrote just before
                await asyncio.shield(shared.ending)

    async def close(self) -> None:
        """Let all who write now come to their end."""
        async with self._turn:
            shared = self._shared
        if shared:
            await asyncio.wait([shared.ending])

    async def _begin(self) -> _Shared:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._engine.connect())
            await connection.begin()
            driver = cast(EmbeddedConnection, (await connection.get_raw_connection()).driver_connection)
            stack.pop_all()
        return _Shared(connection, driver, asyncio.create_task(self._end(connection, driver)))

    async def _end(self, connection: AsyncConnection, driver: EmbeddedConnection) -> None:
        async with self._turn:  # behind all who wait for theirs now
            self._shared = None
            try:
                driver.check()
                await connection.commit()
            finally:
                await connection.rollback()  # a COMMIT that failed has ended nothing
                await connection.close()
