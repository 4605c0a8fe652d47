import asyncio
import re

import pytest

from bot.intake.dispatcher import Dispatcher
from tests.bot.intake.handlers_stand_in import HANDLED, Handlers


@pytest.fixture
def handlers():
    return Handlers()


@pytest.fixture
def dispatcher(world, handlers):
    return Dispatcher(world.services, handlers.handle, handlers.apologise)


@pytest.fixture
def noted(world):
    async def ids(statement=HANDLED):
        async with world.database.reading() as db:
            return list(await db.scalars(statement))

    return ids


@pytest.fixture
def failed(caplog, dispatcher):
    """``await failed(n)``: until it was written n times what became of update 1."""

    async def times(count, number=1, by=dispatcher):
        async with asyncio.timeout(5):
            while len(re.findall(f"update {number}: (?:is tried again|given up)", caplog.text)) < count:
                await by.flush()
                await asyncio.sleep(0)

    return times
