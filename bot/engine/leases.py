"""Keeping a claim while its work goes on: leases are short, so that what a dead process held is soon free."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.services import Services
from storage import moves
from storage.database import AWAY
from storage.moves import AnyRow, Stale

logger = logging.getLogger(__name__)

LEASE_S = 20.0
RENEW_EVERY_S = LEASE_S / 3


@asynccontextmanager
async def kept(services: Services, row: AnyRow, *, every_s: float = RENEW_EVERY_S) -> AsyncIterator[None]:
    """Renew the row's lease until the block ends."""
    renewing = asyncio.create_task(_renew(services, row, every_s))
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing


async def _renew(services: Services, row: AnyRow, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            async with services.database.transaction() as db:
                await moves.renew(db, row, until=services.now() + LEASE_S)
        except Stale:
            return  # lost: whoever writes next will be told
        except AWAY:  # the next try is still in time
            logger.exception("%s %s: lease not renewed", type(row).__name__, row.id)
