"""What is old is forgotten by the settings; the ledger, the archive and what is open stay."""

import pytest
from sqlalchemy import text

from storage import audit, inbox, retention
from storage.inbox import Arrived
from tests.bot.world import ANN, OTHER_SONG, SONG

DAY_S = 86400.0
LINKS = "SELECT count(*) FROM stems WHERE url IS NOT NULL"
UPDATES = "SELECT count(*) FROM updates"


@pytest.fixture
async def old(worlds, clock):
    """A delivered job and its update, and one that still waits."""
    async with worlds(keep_jobs_days=30, keep_updates_days=2) as world:
        await world.dispatcher.receive([world.message(f"/stems {SONG}")])
        await world.dispatcher.drain(5)
        await world.run_until_idle()
        await world.say(f"/stems {OTHER_SONG}")
        yield world


async def count(world, query):
    async with world.database.reading() as db:
        return await db.scalar(text(query))


async def test_updates_are_kept_as_long_as_the_setting_says(old, clock):
    clock.forward(2 * DAY_S - 60)
    await old.step("sweep")
    assert await count(old, UPDATES) == 1
    clock.forward(120)
    await old.step("sweep")
    assert await count(old, UPDATES) == 0


async def test_of_many_updates_so_many_are_forgotten_at_once_that_others_can_write_in_between(world, clock):
    many = [Arrived(number, ANN, "{}") for number in range(retention.AT_ONCE + 1)]
    async with world.database.transaction() as db:
        await inbox.store(db, many, now=clock(), lease="poller", lease_s=60)
        await inbox.handled(db, [one.update_id for one in many], now=clock())
    clock.forward(world.services.settings.keep_updates_days * DAY_S + 60)
    assert await world.step("sweep"), "there is more"
    assert await count(world, UPDATES) == 1
    assert not await world.step("sweep")
    assert await count(world, UPDATES) == 0


async def test_links_are_kept_until_they_expire(old, clock):
    clock.forward(14 * DAY_S - 120)
    await old.step("sweep")
    assert await count(old, LINKS) == 2
    clock.forward(240)
    await old.step("sweep")
    assert await count(old, LINKS) == 0


async def test_jobs_that_ended_are_kept_as_long_as_the_setting_says_and_entries_for_ever(old, clock):
    before = await old.entries()
    clock.forward(30 * DAY_S - 120)
    await old.step("sweep")
    assert len(await old.jobs_of(ANN)) == 2
    clock.forward(240)
    await old.step("sweep")
    assert [job.id for job in await old.jobs_of(ANN)] == [2]
    assert await old.entries() == before
    async with old.database.reading() as db:
        assert await audit.broken_rules(db) == []
    (said,) = await old.say("/credits")
    assert "-10 paid for job 1" in said


async def test_a_repeat_comes_from_the_archive_long_after_the_job_is_forgotten(old, clock):
    clock.forward(400 * DAY_S)
    await old.step("sweep")
    balance = await old.balance()
    await old.say(f"/stems {SONG}")
    await old.steps("status", "status", "deliver")
    assert len(old.telegram.titles_in(ANN)) == 4
    assert await old.balance() == balance
