"""Rows that stand where a test needs them, put there by the functions that the bot uses."""

from contextlib import asynccontextmanager
from itertools import count

import pytest

from storage import chats, jobs, ledger, moves, separations, songs
from storage.database import Database
from storage.rows import Separation
from storage.states import MOVES, JobState, SeparationState

ANN = 11
PROVIDER = "sunoapi_org"


class Given:
    """Makes rows on one database, each step in a transaction of its own."""

    def __init__(self, database, clock):
        self.database, self.clock = database, clock
        self._numbers = count(1)

    async def do(self, action, *args, **kwargs):
        """One storage function, committed."""
        async with self.database.transaction() as db:
            return await action(db, *args, **kwargs)

    async def person(self, user_id=ANN, *, credits=100):
        """Somebody with an account, in a private chat with the bot."""
        who = {"name": f"Person {user_id}", "username": None, "language": "en"}
        await self.do(chats.meet, user_id, **who, signup_credits=credits, now=self.clock())
        await self.do(chats.enter, user_id, kind="private", title=None, now=self.clock())
        return await self.do(ledger.account_of, "user", user_id)

    async def enter_group(self, chat_id):
        await self.do(chats.enter, chat_id, kind="group", title="Band", now=self.clock())

    async def separation(self, audio_id=None, *, state=SeparationState.QUEUED, **values):
        """By default one of a song that nobody asked for before."""
        audio_id = audio_id or f"song-{next(self._numbers)}"
        await self.do(songs.ensure, audio_id, now=self.clock())
        wanted = {"task_id": None, "mode": "basic", "provider": PROVIDER, "price": 10, **values}
        times = {"now": self.clock(), "deadline_at": self.clock() + 1800}
        queued = await self.do(separations.create, audio_id=audio_id, **wanted, **times)
        return await self.at(queued, state)

    async def job(self, *, user_id=ANN, state=JobState.WAITING, separation=None, price=10, **values):
        """By default one that waits for a separation of its own; the person has the credits for it."""
        account = await self.person(user_id)
        separation = separation or await self.separation()
        wanted = {
            "request_key": f"request-{next(self._numbers)}",
            "separation_id": separation.id,
            "account_id": account.id,
            "user_id": user_id,
            "chat_id": user_id,
            "origin": "started",
            "price": price,
            "created_at": self.clock(),
            **values,
        }
        async with self.database.transaction() as db:
            job = await jobs.create(db, **wanted)
            await ledger.hold(db, job, now=self.clock())
        return await self.at(job, state)

    async def at(self, row, state):
        """The row after the shortest way through MOVES to ``state``."""
        for to in way(row.state, state):
            row = await self.do(moves.move, row, to, now=self.clock(), **self._needed(row, to))
        return row

    def _needed(self, row, to):
        names_task = isinstance(row, Separation) and to is SeparationState.RUNNING
        return {"upstream_task_id": f"task-{next(self._numbers)}"} if names_task else {}


def way(start, end):
    """The states between two states, without the first."""
    ways = [(start,)]
    for taken in ways:  # grows while it is walked: breadth first
        if taken[-1] is end:
            return taken[1:]
        ways += [(*taken, new) for old, new in MOVES if old is taken[-1] and new not in taken]
    raise AssertionError(f"no way from {start} to {end}")


@pytest.fixture
async def processes(database_url):
    """The database as each of several processes has it: nothing but the engine orders what they do."""
    databases = [Database(database_url) for _ in range(4)]
    yield databases
    for database in databases:
        await database.close()


@pytest.fixture
def given(database, clock):
    return Given(database, clock)


@pytest.fixture
def do(given):
    """``await do(function, ...)``: one storage function in a transaction of its own."""
    return given.do


@pytest.fixture(scope="session")
def new_world(sqlite_databases):
    """Makes a ``Given`` on a new SQLite database, for tests that need many in turn."""

    @asynccontextmanager
    async def make(clock):
        with sqlite_databases.new() as url:
            database = Database(url)
            try:
                yield Given(database, clock)
            finally:
                await database.close()

    return make
