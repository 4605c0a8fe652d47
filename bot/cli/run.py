"""``stembot run``"""

import asyncio
import logging
import signal
import tempfile
from pathlib import Path

from bot.app import CannotStart, build
from bot.cli.ending import fail, load_settings
from bot.intake.poller import IntakeDead
from bot.settings import Settings
from storage.database import DatabaseError

logger = logging.getLogger(__name__)


def run() -> None:
    """Serve, until Ctrl-C or SIGTERM."""
    settings = load_settings(serving=True)
    try:
        asyncio.run(_serve(settings))
    except (CannotStart, DatabaseError, IntakeDead) as error:
        fail(error)


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    # A folder of one's own: what a killed process left in it is swept at the next start.
    files = Path(tempfile.gettempdir()) / f"stembot-{files_key(settings)}"
    await build(settings, files=files).run(stop)
    logger.info("stopped")


def files_key(settings: Settings) -> str:
    """Tells the folders of several bots on one machine apart: a bot's id is no secret."""
    return settings.telegram_token.get_secret_value().partition(":")[0]
