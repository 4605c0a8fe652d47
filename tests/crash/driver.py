"""The lives of one bot: started, killed with SIGKILL and started again, on one database, in one town."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sandbox.telegram import Person
from sandbox.telegram.faults import Fault, When
from sandbox.upstreams.faults import Fault as UpstreamFault
from sandbox.upstreams.faults import Place
from tests.crash.moments import Moment, Uploads
from tests.crash.snapshot import Snapshot, read
from tests.end_to_end.processes import Process
from tests.end_to_end.towns import Town, a_town

T = TypeVar("T")
LOOK_AGAIN_S = 0.1  # a file tells nobody that it has changed
WITHIN_S = 30.0  # the work goes on within this after a restart


@dataclass
class Doubts:
    """What was on its way to a chat when the bot was killed: these may be there twice, and nothing else."""

    albums: Counter[tuple[int, int, frozenset[str]]] = field(default_factory=Counter)
    acknowledgements: Counter[int] = field(default_factory=Counter)

    def note(self, left: Snapshot) -> None:
        """The file as the killed bot left it."""
        self.albums.update((part.chat_id, part.message_id, part.stems) for part in left.sending)
        self.acknowledgements.update(job.id for job in left.jobs if not job.acknowledged)


@dataclass
class Driver:
    """``bot`` is the process at work, if one is."""

    town: Town
    uploads: Uploads
    operator: Person
    settings: dict[str, str]
    bot: Process | None = None
    doubts: Doubts = field(default_factory=Doubts)
    kills: int = 0
    complaints: set[str] = field(default_factory=set)  # said by a test before, which need not be said again
    _held: list[Fault | Moment] = field(default_factory=list)

    # the bot

    async def start(self, **settings: str) -> Process:
        """A new process, once it is at work."""
        self.bot = await self.town.home.start(**self.settings | settings)
        return self.bot

    async def launch(self) -> Process:
        """A new process that has only just begun."""
        self.bot = await self.town.home.command("run", **self.settings)
        return self.bot

    async def kill(self) -> Snapshot:
        """SIGKILL; what the bot left behind."""
        bot, self.bot = self.bot, None
        await bot.kill()
        self.kills += 1
        left = self.snapshot()
        self.doubts.note(left)
        return left

    async def restart(self) -> Snapshot:
        """SIGKILL, and a new process; what the old one left behind."""
        left = await self.kill()
        await self.start()
        return left

    # what is there to be seen

    def snapshot(self) -> Snapshot:
        return read(self.town.home.database)

    async def until(self, condition: Callable[[Snapshot], T | None], within_s: float = WITHIN_S) -> T:
        """The first truthy value of a condition over the database; AssertionError shows what it holds."""
        changes = self.town.telegram.world.changes
        try:
            async with asyncio.timeout(within_s):
                while not (value := condition(self.snapshot())):
                    with suppress(TimeoutError):
                        await changes.until(lambda: False, LOOK_AGAIN_S)
        except TimeoutError as error:
            raise AssertionError(f"not within {within_s} s: {self.snapshot()}") from error
        return value

    async def confirmed(self) -> None:
        """Wait until the bot alone has what was said so far: Telegram has forgotten it."""
        await self.until(lambda _: not self.town.telegram.world.updates.pending())

    async def next_event(self, within_s: float) -> None:
        """Wait until the bot calls Telegram or is answered, or somebody says something; not for long."""
        woken = iter((False, True))
        with suppress(TimeoutError):
            await self.town.telegram.world.changes.until(lambda: next(woken), within_s)

    async def separation_is(self, state: str, audio_id: str) -> None:
        """Wait until the newest separation of a song is there."""
        await self.until(lambda now: [one for one in now.separations_of(audio_id) if one.state == state])

    async def quiet(self, within_s: float = WITHIN_S) -> Snapshot:
        """Wait until everything is done and said, and the bot knows it."""
        pending = self.town.telegram.world.updates.pending
        return await self.until(lambda now: now if now.is_quiet and not pending() else None, within_s)

    # moments at which it can be killed

    def hold_call(self, method: str, fault: Fault, when: When | None = None) -> None:
        """Let the next such call to Telegram meet a fault with a hold in it."""
        self.town.telegram.fail_next(method, fault, when=when)
        self._held.append(fault)

    def hold_upstream(self, on: Place, how: Callable[[Moment], UpstreamFault]) -> Moment:
        """Let the next exchange of a kind with the upstream stop; the moment in which it does."""
        self._held.append(moment := Moment())
        self.town.upstream.fail_next(how(moment), on=on)
        return moment

    def hold_upload(self, share: float) -> Moment:
        """Let Telegram stop when so much of the next upload has come: of 0 its head, of 1 all of it."""
        self._held.append(moment := self.uploads.hold_next(share))
        return moment

    def release(self) -> None:
        """Let go of everything that is held."""
        self.town.telegram.stop_failing()
        self.town.upstream.release()
        for held in self._held:
            held.release()
        self._held.clear()

    # the end

    async def ledger_verify(self) -> tuple[int, str]:
        """``stembot ledger verify``: exit status and what it says."""
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "ledger", "verify"),
            env={"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{self.town.home.database}"},
            cwd=self.town.home.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await command.communicate()
        return command.returncode, said.decode()

    def keep_the_logs(self) -> None:
        """Beside the database, for whoever looks into a failure."""
        runs = enumerate(self.town.home.runs, start=1)
        text = "\n".join(f"== process {number}\n{run.output}" for number, run in runs)
        (self.town.home.folder / "lives.log").write_text(text, encoding="utf-8")


@asynccontextmanager
async def a_driver(folder: Path, **settings: str) -> AsyncIterator[Driver]:
    """A town of one's own, in which nobody is at work yet."""
    async with a_town(folder) as town:
        uploads, operator = Uploads(), town.telegram.person("Olga")
        uploads.watch(town.telegram)
        driver = Driver(town, uploads, operator, {"ADMINS": str(operator.user_id), **settings})
        try:
            yield driver
        finally:
            driver.release()
            driver.keep_the_logs()
