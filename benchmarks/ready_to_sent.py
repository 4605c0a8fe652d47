"""From the moment the upstream is ready to the first request to Telegram: by a callback, and by polling.

``stembot run`` is a process of its own; the sandbox (Telegram, the upstream, the host of the stems) is in
this one, so that all instants are read from one clock. A separation runs and is finished by hand; where it
was given an address, the upstream posts its callback there at once. The bot then looks at the task, writes
the stems down, fetches two files of 0.4 MB and uploads them. "First request" is the first of any kind but
getUpdates, by the arrival of its head; "stems" the head of the album. By polling the wait for the next look
comes first: here every second (LOOK_FIRST_SECONDS, LOOK_EVERY_SECONDS; 15 and 10 by default).
"""

import argparse
import asyncio
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _report import heading, table
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.server import Sandbox
from sandbox.songs import SONGS, Song

PROVIDER = "sunoapi_org"
WITHIN_S = 30.0
POLLING = {"LOOK_FIRST_SECONDS": "1", "LOOK_EVERY_SECONDS": "1"}
LOOK, SUBMIT = "/vocal-removal/record-info", "/vocal-removal/generate"
AIM_MS = 50


@dataclass
class Arrivals:
    """When the head of each request came in, by its address."""

    seen: list[tuple[float, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, path: str) -> None:
        self.seen.append((time.perf_counter(), path))
        self.changed.set()

    async def first(self, since: float, *ends: str) -> float:
        """The first request to Telegram or an upstream since then whose address ends in one of these."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                self.changed.clear()
                for at, path in self.seen:
                    if at >= since and path.endswith(ends):
                        return at
                await self.changed.wait()


class Clocked(Sandbox):
    """A sandbox that notes arrivals."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.arrivals = Arrivals()

    def app(self, routes: Sequence[BaseRoute] = ()) -> Starlette:
        app = super().app(routes)
        app.add_middleware(lambda inner: noting(inner, self.arrivals))  # type: ignore[arg-type]
        return app


def noting(inner: ASGIApp, arrivals: Arrivals) -> ASGIApp:
    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        arrivals.note(scope["path"])
        await inner(scope, receive, send)

    return entrance


@asynccontextmanager
async def a_bot(sandbox: Sandbox, folder: Path, **settings: str) -> AsyncIterator[None]:
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HTTP_PORT": "0", "PROVIDERS": PROVIDER}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=folder,
        env=environment | sandbox.settings() | settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@dataclass(frozen=True)
class Way:
    """Milliseconds from the upstream being ready."""

    look: float
    first_request: float
    stems: float


async def one_song(sandbox: Clocked, song: Song) -> Way:
    upstream, person = sandbox.upstreams[PROVIDER], sandbox.telegram.person("Ann")
    arrivals = sandbox.arrivals
    upstream.hold()
    asked_at = time.perf_counter()
    await person.say(f"/stems {song.task_id}:{song.audio_id}")
    await arrivals.first(asked_at, SUBMIT)
    await asyncio.sleep(random.uniform(1, 2))  # at any phase of the looks; no edit of the status is due yet
    ready_at = time.perf_counter()
    upstream.finish(upstream.submits[-1].task_id)
    stems_at = await arrivals.first(ready_at, "/sendMediaGroup")
    first_at = await arrivals.first(ready_at, "/sendMediaGroup", "/editMessageText", "/sendChatAction")
    look_at = await arrivals.first(ready_at, LOOK)
    await person.wait_for_text("Delivered", WITHIN_S)
    return Way(*(1000 * (at - ready_at) for at in (look_at, first_at, stems_at)))


async def measure(songs: Sequence[Song], *, by_callback: bool) -> list[Way]:
    port = free_port()
    called = {"HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}", "LOOK_FIRST_SECONDS": "60"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        running = Clocked.running(folder=folder / "telegram", finish_after_s=WITHIN_S)
        async with running as sandbox, a_bot(sandbox, folder, **(called if by_callback else POLLING)):
            await sandbox.arrivals.first(0.0, "/getUpdates")
            return [await one_song(sandbox, song) for song in songs]


def row(name: str, ways: list[Way]) -> list[str]:
    def median(times: list[float]) -> str:
        return f"{statistics.median(times):.0f}"

    return [
        name,
        median([way.look for way in ways]),
        median([way.first_request for way in ways]),
        median([way.stems for way in ways]),
        f"{max(way.first_request for way in ways):.0f}",
        median([way.first_request - way.look for way in ways]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=len(SONGS), help="at most so many")
    songs = SONGS[: parser.parse_args().songs]
    heading(f"{__doc__.partition('.')[0]}. {len(songs)} songs each, one after the other; medians in ms.")
    head = ["", "the look", "first request", "stems", "slowest first request", "look to first request"]
    ways = {
        "callback": asyncio.run(measure(songs, by_callback=True)),
        "polling": asyncio.run(measure(songs, by_callback=False)),
    }
    table(head, [row(name, found) for name, found in ways.items()])
    print(f"aim: the first request within {AIM_MS} ms of a callback")


if __name__ == "__main__":
    main()
