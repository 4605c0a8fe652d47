"""A started bot on a database of its own, with stand-ins for the world."""

from contextlib import asynccontextmanager

import pytest

from bot import actions
from providers.base import Mode
from tests.bot.new_world import new_world
from tests.bot.world import ANN, REF, World, asker


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


@pytest.fixture
def start(world):
    """``await start(who, key, mode)``: a job for the one song."""

    async def ask(user_id=ANN, key="1", mode=Mode.BASIC, **where):
        return await actions.start(world.services, REF, mode, asker(user_id, key, **where))

    return ask


@pytest.fixture
def cancel(world):
    """``await cancel(job)``: its person withdraws."""

    async def withdraw(job):
        return await actions.cancel(world.services, job.id)

    return withdraw
