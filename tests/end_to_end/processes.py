"""``stembot`` as processes of their own: their settings, what they write line by line, how they end."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

START_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0  # what the bot promises


class Process:
    """One run of a command. ``lines`` holds what it wrote to stdout and stderr so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    async def line(self, text: str, within_s: float = START_WITHIN_S) -> str:
        """The first line with this in it, now or later; AssertionError shows what it wrote instead."""
        try:
            async with asyncio.timeout(within_s):
                while (found := next((line for line in self.lines if text in line), None)) is None:
                    assert not self._reading.done(), f"it ended without {text!r}:\n{self.output}"
                    await self._changed.wait()
        except TimeoutError as error:
            raise AssertionError(f"no {text!r} within {within_s} s:\n{self.output}") from error
        return found

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    async def kill(self) -> None:
        """SIGKILL: it cannot do anything about it."""
        if self._process.returncode is None:
            self._process.kill()
        await self.ended()

    async def stop(self) -> int:
        """SIGTERM; the exit status. TimeoutError for one that does not end in the time it has."""
        self.terminate()
        return await self.ended(STOP_WITHIN_S)

    async def ended(self, within_s: float = START_WITHIN_S) -> int:
        """The exit status, once it has ended and all that it wrote is read."""
        async with asyncio.timeout(within_s):
            await asyncio.shield(self._reading)
            return await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
            self._tell()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@dataclass
class Home:
    """A folder and settings that runs of the command share, one database among them."""

    folder: Path
    settings: dict[str, str]
    runs: list[Process] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.folder / "stembot.db"

    async def start(self, **settings: str) -> Process:
        """``stembot run``, once it is at work."""
        bot = await self.command("run", **settings)
        await bot.line("is at work")
        return bot

    async def command(self, name: str, **settings: str) -> Process:
        """Any command; an empty setting counts as not set."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            name,
            cwd=self.folder,
            env=self._environment() | settings,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.runs.append(Process(process))
        return self.runs[-1]

    async def close(self) -> None:
        for run in self.runs:
            await run.kill()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "HTTP_PORT": "0",
            "PROVIDERS": "sunoapi_org",
            "LOOK_FIRST_SECONDS": "0.2",
            "LOOK_EVERY_SECONDS": "0.2",
        } | self.settings


def url_of(bot: Process) -> str:
    """Where the HTTP service of a bot that is at work listens."""
    found = re.search(r"is at work; (http://\S+)/healthz", bot.output)
    assert found, bot.output
    return found[1]
