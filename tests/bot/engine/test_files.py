"""What a delivery has on the disk: some stems ahead of their turn, and in the end nothing."""

from contextlib import aclosing

import httpx
import pytest

from bot.delivery import records
from bot.delivery.fetch import FetchError
from bot.delivery.items import READY_AHEAD, Fetched, Files
from tests.bot.world import until

ALBUM = 6


@pytest.fixture
def on_disk(tmp_path):
    return lambda: [path for path in tmp_path.iterdir() if path.name.startswith("stembot-")]


async def planned(world):
    """A full set, of which nothing is sent yet."""
    job, services = await world.job(), world.services
    where = {"bot_id": services.bot.id, "max_bytes": services.upload_max_bytes}
    async with world.database.transaction() as db:
        await records.begin(db, job, await records.load(db, job, **where), now=world.clock())
        return await records.load(db, job, **where)


async def test_the_next_stems_come_while_an_album_is_sent(ready, on_disk):
    world = await ready("full")
    load = await planned(world)
    async with aclosing(Files(world.services)) as files:
        found = await files.sources(load, load.stems_of(load.next_part()))
        await until(lambda: len(on_disk()) == READY_AHEAD)
        assert [type(source) for source in found.values()] == [Fetched] * ALBUM
        assert len(world.files.fetched) == READY_AHEAD, "and not all that is left"
    assert on_disk() == []


async def test_what_failed_ahead_of_its_turn_is_tried_again_in_it(ready, on_disk):
    world = await ready("full")
    load = await planned(world)
    first, second = (load.stems_of(part) for part in load.parts)
    world.files.answers[second[0].name] = httpx.ConnectError("reset")
    async with aclosing(Files(world.services)) as files:
        await files.sources(load, first)
        await until(lambda: len(on_disk()) == READY_AHEAD - 1)
        del world.files.answers[second[0].name]
        found = await files.sources(load, second)
    assert not [source for source in found.values() if isinstance(source, FetchError)]


async def test_nothing_stays_where_a_delivery_ends_early(ready, on_disk):
    world = await ready("full")
    load = await planned(world)
    async with aclosing(Files(world.services)) as files:
        await files.sources(load, load.stems_of(load.next_part())[:1])
    assert on_disk() == []
