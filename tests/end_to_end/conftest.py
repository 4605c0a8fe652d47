"""A sandbox, and the real bot as a process in it; shared by a module where its tests do not interfere."""

import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.end_to_end.towns import LivelyTown, Town, a_town


@pytest.fixture
async def town(tmp_path) -> AsyncIterator[Town]:
    """One's own, and nobody is at work yet."""
    async with a_town(tmp_path) as town:
        yield town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lively_town(request, tmp_path_factory) -> AsyncIterator[LivelyTown]:
    """A module's own; the bot has the settings that the module names in ``SETTINGS``."""
    async with a_town(tmp_path_factory.mktemp("town")) as town:
        bot = await town.home.start(**getattr(request.module, "SETTINGS", {}))
        yield LivelyTown(town.sandbox, town.home, bot)


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on; for addresses that have to be known before the bot starts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
