"""``stembot demo``: the real bot among stand-ins for Telegram and the upstream, all in this process.

Nothing is read from the environment or ``.env``, nothing is kept: all of it lives in a folder that goes at
the end.
"""

import asyncio
import errno
import signal
import threading
import webbrowser
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bot import logs
from bot.app import CannotStart, build
from bot.cli.ending import fail
from bot.intake.poller import IntakeDead
from bot.settings import Settings
from sandbox import page
from sandbox.server import Sandbox
from storage.database import DatabaseError

PORT = 8765
FINISH_AFTER_S = 12.0  # long enough to see the status change, short enough to wait for
SIGNUP_CREDITS = 500
TEXT_BROWSERS = {"www-browser", "links", "elinks", "lynx", "w3m"}  # they would take over the terminal


def demo(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Where the page is, on this machine.")] = PORT,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """The whole bot in your browser, no accounts needed."""
    try:
        with TemporaryDirectory(prefix="stembot-demo-") as folder:
            asyncio.run(_show(port, Path(folder), opens=not no_open))
    except (CannotStart, DatabaseError, IntakeDead) as error:
        fail(error)
    typer.echo("Stopped. Nothing was kept.")


async def _show(port: int, folder: Path, *, opens: bool) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        sandbox = await _sandbox(stack, port, folder)
        settings = settings_for(sandbox, folder)
        logs.configure(settings.log_level, settings.log_format, settings.secrets())
        await _gather_people(sandbox)
        app = build(settings, files=folder / "downloads")
        await app.run(stop, partial(_welcome, sandbox.url, opens=opens))


async def _sandbox(stack: AsyncExitStack, port: int, folder: Path) -> Sandbox:
    running = Sandbox.running(
        port=port, folder=folder / "telegram", finish_after_s=FINISH_AFTER_S, routes=page.routes()
    )
    try:
        return await stack.enter_async_context(running)
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        another = port + 1 if port < 65_535 else PORT
        fail(f"Port {port} {why}. Try another one: stembot demo --port {another}")


def settings_for(sandbox: Sandbox, folder: Path) -> Settings:
    """A bot of this sandbox that keeps all it knows in ``folder``."""
    given = {name.lower(): value for name, value in sandbox.settings().items()}
    return Settings.model_validate(
        given
        | {
            "database_url": f"sqlite:///{folder / 'demo.db'}",
            "providers": "sunoapi_org",  # one, so that an odd song behaves as its description says
            "http_port": 0,
            "look_first_seconds": 2,
            "look_every_seconds": 1,
            "signup_credits": SIGNUP_CREDITS,
            "log_level": "WARNING",
        }
    )


async def _gather_people(sandbox: Sandbox) -> None:
    """Somebody who has just started the bot, and a group of two; the bot answers as soon as it is there."""
    you, ann = sandbox.telegram.person("You"), sandbox.telegram.person("Ann")
    await you.say("/start")
    band = sandbox.telegram.group("Band", members=[you, ann])
    await ann.say(f"Listen to this: {page.LINK}\nCan somebody reply with /stems?", band)


def _welcome(url: str, *, opens: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"\n[bold]Stembot is running, with stand-ins for Telegram and Suno.[/] Open [bold]{url}[/]\n\n"
        "Things to try in the chat there:"
    )
    for told, text in TO_TRY:
        console.print(f"  {told}\n    [cyan]{escape(text)}[/]")
    console.print("\nCtrl-C stops it.\n")
    if opens:
        _open(url)


TO_TRY = (
    ("Two stems of a song, about 15 seconds; then press “Full set” below them", page.TWO_STEMS.text),
    ("A link alone, and the bot asks how to split it", page.A_LINK.text),
    ("An upstream that fails: the credits come back", page.A_FAILURE.text),
)


def _open(url: str) -> None:
    """Without a display there is no browser to open, or one in the terminal."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if Path(getattr(browser, "name", "")).name not in TEXT_BROWSERS:
        # Some browsers only return when they are closed.
        threading.Thread(target=browser.open, args=(url,), daemon=True).start()
