"""A town whose bot is killed again and again, for the tests of one module one after the other."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from sandbox.songs import Song
from sandbox.telegram import Person
from tests.crash.driver import Driver, a_driver
from tests.crash.songs import ORDINARY


def pytest_terminal_summary(terminalreporter) -> None:
    """The figures of random kills, at the end of the run."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(value)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lives(request, tmp_path_factory) -> AsyncIterator[Driver]:
    """A module's town; the bot has the settings that the module names in ``SETTINGS``."""
    settings = getattr(request.module, "SETTINGS", {})
    async with a_driver(tmp_path_factory.mktemp("lives"), **settings) as driver:
        yield driver


@pytest_asyncio.fixture(loop_scope="module")
async def driver(lives) -> AsyncIterator[Driver]:
    """With a bot at work: the one that the test before has left, if it did."""
    if lives.bot is None:
        await lives.start()
    yield lives
    lives.release()


@pytest.fixture(scope="module")
def songs() -> Iterator[Song]:
    return iter(ORDINARY)


@pytest.fixture
def song(songs) -> Song:
    """One that nobody has asked for yet."""
    return next(songs)


@pytest.fixture
def ann(lives) -> Person:
    """Somebody new."""
    return lives.town.telegram.person("Ann")
