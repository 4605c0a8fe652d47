"""Writing down what is known here and nowhere else, though the database is away for a moment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from storage.database import AWAY

logger = logging.getLogger(__name__)

AGAIN_AFTER_S = (0.1, 1.0, 5.0, 15.0)


async def insist(what: str, write: Callable[[], Awaitable[None]]) -> None:
    """Try ``write`` again where the database was away: for what is guarded, so that once more is harmless."""
    for pause_s in AGAIN_AFTER_S:
        try:
            return await write()
        except AWAY:
            logger.exception("%s: not written yet", what)
            await asyncio.sleep(pause_s)
    return await write()
