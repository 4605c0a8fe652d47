"""A started bot on a database of its own, with stand-ins for the world."""

from contextlib import asynccontextmanager

import pytest

from tests.bot.world import World, new_world


@pytest.fixture
def worlds(sqlite_databases, tmp_path, clock):
    """``async with worlds(**settings) as world``: a bot on a new database."""

    @asynccontextmanager
    async def make(**settings):
        with sqlite_databases.new() as url:
            world = new_world(url, tmp_path, clock, **settings)
            await world.start()
            try:
                yield world
            finally:
                await world.stop()

    return make


@pytest.fixture
async def world(worlds) -> World:
    async with worlds() as world:
        yield world
