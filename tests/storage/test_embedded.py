"""Transactions on SQLite that are committed together: each keeps what it was promised alone."""

import asyncio

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from storage import songs
from storage.embedded import Undone
from storage.tables import songs as songs_table

NOW = 1_800_000_000.0
LEARN_OR_UNDO_ALL = text("INSERT OR ROLLBACK INTO songs (audio_id, learnt_at) VALUES (:song, 1.0)")

GRANT_TO_NOBODY = text(
    "INSERT INTO entries (account_id, kind, amount, operation, created_at)"
    " VALUES (99, 'grant', 1, 'gift', 1.0)"
)


async def learn(database, song):
    async with database.transaction() as db:
        await songs.ensure(db, song, now=NOW)


async def learn_and_fail(database, song):
    async with database.transaction() as db:
        await songs.ensure(db, song, now=NOW)
        raise ZeroDivisionError


async def undo_all(database, song):
    async with database.transaction() as db:
        await db.execute(LEARN_OR_UNDO_ALL, {"song": song})


async def fail_at_the_commit(database):
    async with database.transaction() as db:
        await db.execute(text("PRAGMA defer_foreign_keys = ON"))
        await db.execute(GRANT_TO_NOBODY)


async def known(database):
    async with database.reading() as db:
        return sorted(await db.scalars(select(songs_table.c.audio_id)))


async def together(*doing):
    return await asyncio.gather(*doing, return_exceptions=True)


@pytest.fixture
async def statements(sqlite_database):
    """What SQLite was told since; the pool has one connection, so it is always the same."""
    told: list[str] = []
    async with sqlite_database.transaction() as db:
        driver = (await db.get_raw_connection()).driver_connection
        await driver.set_trace_callback(told.append)
    told.clear()
    return told


async def test_those_who_wait_for_each_other_share_a_commit(sqlite_database, statements):
    names = [f"song-{number}" for number in range(8)]
    await together(*(learn(sqlite_database, name) for name in names))
    assert statements.count("COMMIT") == 1
    assert await known(sqlite_database) == names


async def test_one_that_fails_leaves_nothing_and_takes_nobody_with_it(sqlite_database):
    ends = await together(
        learn(sqlite_database, "a"), learn_and_fail(sqlite_database, "b"), learn(sqlite_database, "c")
    )
    assert await known(sqlite_database) == ["a", "c"]
    assert [type(end) for end in ends] == [type(None), ZeroDivisionError, type(None)]


async def test_one_that_is_cancelled_while_it_waits_holds_up_nobody(sqlite_database):
    first, second, third = (asyncio.create_task(learn(sqlite_database, name)) for name in "abc")
    await asyncio.sleep(0)
    second.cancel()
    await together(first, second, third)
    assert await known(sqlite_database) == ["a", "c"]


async def test_one_that_is_cancelled_during_the_commit_takes_nobody_with_it(sqlite_database):
    written = asyncio.Event()

    async def learn_and_say_so(song):
        async with sqlite_database.transaction() as db:
            await songs.ensure(db, song, now=NOW)
            written.set()

    first = asyncio.create_task(learn_and_say_so("a"))
    second = asyncio.create_task(learn(sqlite_database, "b"))
    await written.wait()
    first.cancel()
    ends = await asyncio.wait_for(together(first, second), 5)
    assert [type(end) for end in ends] == [asyncio.CancelledError, type(None)]
    assert await known(sqlite_database) == ["a", "b"]


async def test_when_sqlite_undoes_the_transaction_everybody_in_it_is_told(sqlite_database):
    ends = await together(
        learn(sqlite_database, "a"),
        undo_all(sqlite_database, "a"),
        learn(sqlite_database, "b"),
    )
    assert [type(end) for end in ends] == [Undone, Undone, Undone]
    assert await known(sqlite_database) == []


async def test_work_goes_on_after_a_transaction_that_was_undone(sqlite_database):
    await together(learn(sqlite_database, "a"), undo_all(sqlite_database, "a"))
    await learn(sqlite_database, "b")
    assert await known(sqlite_database) == ["b"]


async def test_when_the_commit_fails_everybody_in_it_is_told(sqlite_database):
    ends = await together(
        learn(sqlite_database, "a"), fail_at_the_commit(sqlite_database), learn(sqlite_database, "b")
    )
    assert [type(end) for end in ends] == [IntegrityError] * 3
    assert await known(sqlite_database) == []


async def test_work_goes_on_after_a_commit_that_failed(sqlite_database):
    await together(learn(sqlite_database, "a"), fail_at_the_commit(sqlite_database))
    await learn(sqlite_database, "b")
    assert await known(sqlite_database) == ["b"]


async def test_nobody_is_told_of_success_before_the_commit(sqlite_database):
    async with sqlite_database.transaction() as db:
        first = asyncio.create_task(learn(sqlite_database, "a"))
        await asyncio.sleep(0)
        assert await db.scalar(select(func.count()).select_from(songs_table)) == 0
        assert not first.done()
    await first
    assert await known(sqlite_database) == ["a"]


async def test_a_database_that_closes_keeps_what_was_written(sqlite_database):
    learning = asyncio.create_task(learn(sqlite_database, "a"))
    await asyncio.sleep(0)
    await sqlite_database.close()
    await learning
    assert await known(sqlite_database) == ["a"]
