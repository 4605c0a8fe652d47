"""What a transaction, a reading and a lock promise, and how a database that cannot be used is named."""

import asyncio
import socket
import subprocess
import sys
import threading

import pytest
from sqlalchemy import func, insert, select, text

from storage import songs
from storage.database import Database, DatabaseError, InUse
from storage.tables import songs as songs_table

NOW = 1_800_000_000.0


async def add_song(db, audio_id):
    await db.execute(insert(songs_table).values(audio_id=audio_id, learnt_at=NOW))


async def count_songs(db):
    return await db.scalar(select(func.count()).select_from(songs_table))


async def song_count(database):
    async with database.reading() as db:
        return await count_songs(db)


async def pragma(db, name):
    return await db.scalar(text(f"PRAGMA {name}"))


async def test_what_a_transaction_wrote_is_there_afterwards(database):
    async with database.transaction() as db:
        await add_song(db, "song")
    assert await song_count(database) == 1


async def test_a_transaction_that_ends_in_an_exception_leaves_nothing(database):
    async def fail():
        async with database.transaction() as db:
            await add_song(db, "song")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await song_count(database) == 0


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(database):
    wrote = asyncio.Event()

    async def write_and_wait():
        async with database.transaction() as db:
            await add_song(db, "cancelled")
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    await wrote.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with database.transaction() as db:
        await add_song(db, "next")
    assert await song_count(database) == 1


async def test_reading_waits_for_no_writer_and_sees_only_what_was_committed(database):
    async with database.transaction() as db:
        await add_song(db, "song")
        assert await asyncio.wait_for(song_count(database), 5) == 0
    assert await song_count(database) == 1


async def test_a_reading_sees_one_moment_while_others_write(database):
    async with database.reading() as reader:
        assert await count_songs(reader) == 0
        async with database.transaction() as writer:
            await add_song(writer, "song")
        assert await count_songs(reader) == 0
    assert await song_count(database) == 1


async def test_transactions_that_read_and_then_write_do_not_lose_each_others_work(processes):
    async def learn(database, number):
        async with database.transaction() as db:
            await count_songs(db)
            await songs.ensure(db, f"song-{number}", now=NOW)

    await asyncio.gather(*(learn(processes[number % 4], number) for number in range(20)))
    assert await song_count(processes[0]) == 20


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0)],
)
async def test_every_sqlite_connection_is_set_up(sqlite_database, name, value):
    async with sqlite_database.transaction() as writer, sqlite_database.reading() as reader:
        assert [await pragma(writer, name), await pragma(reader, name)] == [value, value]


async def test_ping_passes_on_a_database_that_answers(database):
    await database.ping()


def take_lock_elsewhere(url):
    """What another process is told that wants the same database."""
    program = (
        "import sys; from storage.database import Database, InUse\n"
        "try: Database(sys.argv[1]).lock()\n"
        "except InUse as error: print(error)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
    ).stdout


async def test_only_one_process_may_run_on_a_sqlite_file(sqlite_database):
    url = str(sqlite_database.url)
    sqlite_database.lock()
    assert "another stembot runs on" in await asyncio.to_thread(take_lock_elsewhere, url)
    await sqlite_database.close()
    assert await asyncio.to_thread(take_lock_elsewhere, url) == ""


async def test_a_second_lock_in_the_same_process_is_refused_until_the_first_is_given_back(sqlite_database):
    second = Database(str(sqlite_database.url))
    sqlite_database.lock()
    with pytest.raises(InUse):
        second.lock()
    await sqlite_database.close()
    second.lock()
    await second.close()


async def test_a_file_is_locked_under_whatever_name_it_is_opened(sqlite_database, tmp_path):
    (tmp_path / "link.db").symlink_to(sqlite_database.url.database)
    linked = Database(f"sqlite:///{tmp_path}/link.db")
    sqlite_database.lock()
    with pytest.raises(InUse):
        linked.lock()
    await linked.close()


async def test_several_processes_may_run_on_one_postgresql(postgresql_databases):
    with postgresql_databases.new() as url:
        first, second = Database(url), Database(url)
        first.lock()
        second.lock()
        await first.close()
        await second.close()


async def test_no_password_is_shown():
    database = Database("postgresql://bot:hunter2@db.example/stembot")
    assert database.name == "postgresql://bot:***@db.example/stembot"
    assert repr(database) == f"Database({database.name})"
    await database.close()


@pytest.fixture
def deaf_port():
    """A port of this machine on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("action", ["ping", "revision", "migrate"])
async def test_an_unreachable_server_is_named_without_its_password(deaf_port, action):
    database = Database(f"postgresql://bot:hunter2@127.0.0.1:{deaf_port}/stembot")
    with pytest.raises(DatabaseError, match=r"bot:\*\*\*@127\.0\.0\.1") as caught:
        await getattr(database, action)()
    assert "hunter2" not in str(caught.value)
    assert "refused" in str(caught.value)
    await database.close()


@pytest.fixture
async def unusable():
    """Makes databases whose file cannot be opened."""
    made = []

    def make(file):
        made.append(Database(f"sqlite:///{file}"))
        return made[-1]

    yield make
    for database in made:
        await database.close()
    assert not [thread for thread in threading.enumerate() if "_connection_worker_thread" in thread.name]


@pytest.mark.parametrize("action", ["ping", "revision", "migrate"])
async def test_a_folder_that_is_not_there_is_a_database_error(unusable, tmp_path, action):
    database = unusable(tmp_path / "missing" / "stembot.db")
    with pytest.raises(DatabaseError, match="unable to open database file"):
        await getattr(database, action)()


@pytest.mark.parametrize("action", ["ping", "revision", "migrate"])
async def test_a_file_that_is_no_database_is_a_database_error(unusable, tmp_path, action):
    file = tmp_path / "stembot.db"
    file.write_text("This is a letter, not a database. " * 100)
    database = unusable(file)
    with pytest.raises(DatabaseError, match="file is not a database"):
        await getattr(database, action)()
