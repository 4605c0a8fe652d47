"""What is of no use any more is forgotten; entries of the ledger never are."""

from bot.services import Services
from storage import inbox

UPDATES_FOR_S = 3 * 86400.0  # Telegram repeats an update for a day at most


async def sweep_one(services: Services) -> bool:
    """Forget old handled updates; there is never more to do at once."""
    async with services.database.transaction() as db:
        await inbox.sweep(db, handled_before=services.now() - UPDATES_FOR_S)
    return False
