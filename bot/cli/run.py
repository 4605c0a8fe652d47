"""``stembot run``"""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

from bot.app import CannotStart, build
from bot.cli.ending import FAILED, fail, load_settings
from bot.intake.poller import IntakeDead
from bot.settings import Settings
from storage.database import DatabaseError

logger = logging.getLogger(__name__)

STOP_AT_LATEST_S = 9.5  # Docker kills after ten


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
        loop.add_signal_handler(name, _stop, stop)
    files = own_folder(settings)
    try:
        await build(settings, files=files).run(stop)
    finally:
        shutil.rmtree(files, ignore_errors=True)
    logger.info("stopped")


def _stop(stop: asyncio.Event) -> None:
    stop.set()
    end_at_latest(STOP_AT_LATEST_S)


def end_at_latest(seconds: float) -> None:
    """End this process by then, whatever it is at: a thread that hangs in a file cannot be cut off otherwise.

    Nothing is lost by that: what was begun is in the database, and goes on after the next start.
    """
    last_resort = threading.Timer(seconds, os._exit, (FAILED,))
    last_resort.daemon = True
    last_resort.start()


def own_folder(settings: Settings) -> Path:
    """Where this process's downloads lie for a while; what killed processes left is removed."""
    # A bot's id is no secret, and tells apart the bots of one machine.
    bot_id = settings.telegram_token.get_secret_value().partition(":")[0]
    parent = Path(tempfile.gettempdir()) / f"stembot-{bot_id}"
    for left in parent.glob("*"):
        if not _is_running(left.name):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return int(pid) != os.getpid()
