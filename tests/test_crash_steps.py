"""A job killed at every boundary of its life: each call to an upstream, to Telegram and each COMMIT, before
and after its effect. Then a restart, with nothing left but the database file; Telegram repeats its update.
"""

import asyncio
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import text

from bot.app import prepare
from bot.delivery import fetch
from bot.showing import compose
from storage.states import Entry, JobState
from tests.bot.mortal import Boundaries, Killed
from tests.bot.new_world import new_world
from tests.bot.telegram_stand_in import FakeTelegram
from tests.bot.upstream_stand_in import FakeProvider
from tests.bot.world import ANN, SONG, World
from tests.conftest import Clock, SqliteDatabases

J = JobState
ENDS = {(J.DELIVERED, Entry.CAPTURE), (J.FAILED, Entry.RELEASE), (J.CANCELLED, Entry.RELEASE)}
FULL_SET = 12
# Killed there, Telegram has an album or a text that we do not know of: it is sent a second time.
UNWRITTEN = ("is answered", "before COMMIT")


@dataclass
class Outside:
    """What survives the process: the database file, Telegram, the upstream, time."""

    url: str
    folder: Path
    clock: Clock
    telegram: FakeTelegram
    provider: FakeProvider

    async def run(self, boundary: Boundaries) -> World:
        """One life of the process: it starts, takes Telegram's update up, and works until all is done."""
        parts = {"telegram": self.telegram, "provider": self.provider, "look_first_seconds": 6}
        parts["job_deadline_seconds"] = 120
        world = new_world(self.url, self.folder, self.clock, boundary=boundary, **parts)
        self.telegram, self.provider = world.telegram, world.provider
        try:
            await live(world, self.folder)
        except BaseException:
            await world.stop()
            raise
        return world


async def live(world: World, folder: Path) -> None:
    await prepare(world.database)
    fetch.sweep(folder)
    await world.start()
    await world.dispatcher.rescue()
    await world.dispatcher.receive([world.message(f"/stems {SONG} full")])
    await world.dispatcher.drain(5)
    if world.boundary.dead:
        raise Killed
    await world.run_until_idle()


@contextmanager
def outside(databases: SqliteDatabases, folder: Path):
    clock = Clock()
    with databases.new() as url:
        yield Outside(url, folder, clock, FakeTelegram(clock), FakeProvider())


@cache
def boundaries() -> tuple[str, ...]:
    """All that a run passes which nobody kills."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        async def count() -> tuple[str, ...]:
            boundary = Boundaries()
            world = await around.run(boundary)
            await world.stop()
            return tuple(boundary.passed)

        with outside(SqliteDatabases(folder), folder) as around:
            return asyncio.run(count())


def pytest_generate_tests(metafunc):
    if "fatal" in metafunc.fixturenames:
        last_boundary = len(boundaries())
        metafunc.parametrize("fatal", range(1, last_boundary + 1))


async def test_a_kill_at_any_boundary_charges_once_settles_the_hold_and_tells(
    fatal, sqlite_databases, tmp_path
):
    with outside(sqlite_databases, tmp_path) as around:
        with suppress(Killed):
            await (await around.run(Boundaries(fatal))).stop()
        world = await around.run(Boundaries())
        try:
            await everything_is_settled(world)
            sent_once(world, boundaries()[:fatal])
        finally:
            await world.stop()


async def everything_is_settled(world: World) -> None:
    (job,) = await world.jobs_of(ANN)
    view = await world.view(job.id)
    assert world.provider.charges <= 1
    assert (job.state, await settlement_of(world, job.id)) in ENDS
    assert (await compose(world.services, view)).text in world.telegram.texts_in(ANN)
    if job.state is J.DELIVERED:
        assert len(set(world.telegram.titles_in(ANN))) == FULL_SET
    assert await world.balance() == (50 if job.state is J.DELIVERED else 100)


async def settlement_of(world: World, job_id: int) -> str:
    settling = text("SELECT kind FROM entries WHERE job_id = :job AND kind IN ('capture', 'release')")
    async with world.database.reading() as db:
        (kind,) = await db.scalars(settling, {"job": job_id})
    return kind


def sent_once(world: World, passed: tuple[str, ...]) -> None:
    """What the chat holds twice was on its way when the process died."""
    titles, texts = world.telegram.titles_in(ANN), world.telegram.texts_in(ANN)
    dying = [name for name in passed if name.startswith(("send", "edit"))][-1:] if passed else []
    in_doubt = passed[-1].endswith(UNWRITTEN)
    album_in_doubt = in_doubt and dying == ["sendMediaGroup is answered"]
    text_in_doubt = in_doubt and dying == ["sendMessage is answered"]
    assert len(titles) - len(set(titles)) in ({0, 6} if album_in_doubt else {0})
    assert len(texts) == 1 or (text_in_doubt and len(texts) == 2)
