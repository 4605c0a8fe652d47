"""The real bot in the test's own loop, among stand-ins over real HTTP; its clock can be moved."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from aiolimiter import AsyncLimiter
from sqlalchemy import text
from starlette.responses import Response

from bot.app import App, build
from bot.connection import new_limiter
from bot.engine.alerts import PROBE_EVERY_S
from bot.settings import Settings
from sandbox.server import Sandbox
from sandbox.songs import Refusal, Song
from sandbox.telegram import Group, Message, Person
from sandbox.telegram.limits import Limits
from sandbox.telegram.people import shown
from sandbox.upstreams import Upstream
from sandbox.upstreams.faults import Fault, Proceed
from storage import jobs, ledger, separations
from storage.rows import Job, LedgerEntry, Separation
from storage.states import OPEN_JOBS, SeparationState

T = TypeVar("T")

CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens there
DEADLINE_S = 1800.0
PAUSE_S, QUIET = 0.05, 3  # real seconds, and after how many of these pauses time passes
PASSES_S = 5.0  # of the bot's time: so far apart are edits of a message
UNDER_WAY = text("""
SELECT count(*) FROM (
    SELECT lease_until AS until FROM separations UNION ALL SELECT lease_until FROM jobs
    UNION ALL SELECT status_claimed_until FROM jobs UNION ALL SELECT lease_until FROM lookups
) AS claims WHERE until IS NOT NULL
""")

logging.getLogger("alembic").setLevel(logging.WARNING)


@dataclass
class Clock:
    """The real time, and what a test has put on top of it."""

    ahead_s: float = 0.0
    source: Callable[[], float] = time.time
    sleepers: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self) -> float:
        return self.source() + self.ahead_s

    def forward(self, seconds: float) -> None:
        self.ahead_s += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until, self.sleepers = self() + seconds, self.sleepers + 1
        try:
            while (left_s := until - self()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._moved.wait(), left_s)
        finally:
            self.sleepers -= 1


@dataclass
class Bot:
    """A bot at work, the people around it and the upstreams it uses."""

    sandbox: Sandbox
    folder: Path
    settings: dict[str, str]
    clock: Clock = field(default_factory=Clock)
    upload_max_bytes: int | None = None  # where its Telegram takes less than usual
    app: App | None = None

    def person(self, name: str = "Ann") -> Person:
        return self.sandbox.telegram.person(name)

    def band(self, person: Person) -> Group:
        """A group, where more messages may come at once than in a private chat."""
        return self.sandbox.telegram.group("Band", members=[person])

    def upstream(self, name: str) -> Upstream:
        return self.sandbox.upstreams[name]

    def charges(self) -> dict[str, int]:
        """How many submits each upstream has charged, without those that have none."""
        return {name: one.charges for name, one in self.sandbox.upstreams.items() if one.charges}

    def refuses(self, name: str, refusal: Refusal, times: int = 1000) -> list[float]:
        """From now on an upstream refuses submits in its own code and words; when it did, as it happens."""
        upstream, refused_at = self.upstream(name), []

        async def play(_: Proceed) -> Response:
            refused_at.append(self.clock())
            return upstream.refuse(refusal, "")

        upstream.fail_next(Fault("refused", play), times=times)
        return refused_at

    def unhurried(self, name: str) -> None:
        """Lets an upstream's submits follow each other at once: their rate is by the loop's own time."""
        self.app.services.upstreams[name].submits = AsyncLimiter(1000)

    def later(self, seconds: float) -> None:
        """Let time pass: every loop looks at what has become due."""
        self.clock.forward(seconds)
        self.app.services.wakes.wake_all()

    @asynccontextmanager
    async def at_work(self, **settings: str) -> AsyncIterator["Bot"]:
        """From its start to its end; the database stays as it is for the next start."""
        chosen = Settings.model_validate(self.settings | settings)
        limiter = new_limiter(self.clock, self.clock.sleep)
        self.app = build(chosen, files=self.folder / "downloads", limiter=limiter)
        self.app.services.now = self.clock
        if self.upload_max_bytes is not None:
            self.app.services.upload_max_bytes = self.upload_max_bytes
        stop, started = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(self.app.run(stop, started.set))
        starting = asyncio.create_task(started.wait())
        await asyncio.wait([running, starting], return_when=asyncio.FIRST_COMPLETED)
        try:
            yield self
        finally:
            starting.cancel()
            stop.set()
            await running

    async def probed(self, name: str, since: float = 0.0) -> None:
        """Returns when an upstream's credits have been asked for."""
        health = self.app.services.upstreams[name]
        await self.until(
            lambda: as_answer(health.probed_at is not None and health.probed_at >= since), woken_by="submit"
        )

    async def probed_anew(self, name: str) -> None:
        """Let time pass until they are asked for again."""
        self.later(PROBE_EVERY_S + 1)
        await self.probed(name, since=self.clock())

    async def until(
        self,
        question: Callable[[], Awaitable[T | None]],
        within_s: float = 10,
        woken_by: str = "status",
    ) -> T:
        """The first truthy answer, asked again when the bot has written and now and then; TimeoutError."""
        wake = self.app.services.wakes.sleeper(woken_by)
        async with asyncio.timeout(within_s):
            while not (answer := await question()):
                with suppress(TimeoutError):  # a look again later wakes nobody
                    await asyncio.wait_for(wake.wait(), 2 * PAUSE_S)
                wake.clear()
        return answer

    async def comes_to(self, state: SeparationState, job_id: int = 1) -> Separation:
        """The separation of a job, once it is in this state."""

        async def found() -> Separation | None:
            now = await self.separation(job_id)
            return now if now and now.state is state else None

        return await self.until(found)

    async def ended(self, job_id: int = 1) -> Job:
        """A job, once it is over. The status message that tells of it may come later."""

        async def found() -> Job | None:
            now = await self.job(job_id)
            return now if now and now.state not in OPEN_JOBS else None

        return await self.until(found)

    async def all_end(self, newest_job: int = 1) -> None:
        """Let time pass until every separation has ended."""
        await self.until(lambda: self.job(newest_job))

        async def are_over() -> bool:
            async with self.app.services.database.reading() as db:
                return not await separations.counts(db)

        await self.passes_until(are_over)

    async def ending(self, person: Person, command: Message) -> str:
        """The status message in its last form; time passes, because edits of one message keep apart."""

        try:
            return await self.passes_until(lambda: as_answer(self.last_form(command)))
        except AssertionError as error:
            raise AssertionError(f"it has no end; the chat holds:\n{shown(person.chat)}") from error

    async def passes_until(self, question: Callable[[], Awaitable[T | None]], within_s: float = 30) -> T:
        """The first truthy answer. Time passes when nothing is under way: never under somebody's lease, and
        not before what is due now had its chance, because each edit of a message takes from a budget."""
        quiet = 0
        try:
            async with asyncio.timeout(within_s):
                while not (answer := await question()):
                    with suppress(TimeoutError):
                        await self.sandbox.telegram.world.changes.until(lambda: False, PAUSE_S)
                    quiet = quiet + 1 if self.clock.sleepers or await self._is_idle() else 0
                    if quiet > QUIET:
                        self.later(PASSES_S)
                        quiet = 0
        except TimeoutError as error:
            raise AssertionError("it never comes to that") from error
        return answer

    async def _is_idle(self) -> bool:
        async with self.app.services.database.reading() as db:
            return not await db.scalar(UNDER_WAY)

    # what is there to be seen

    def replies(self, command: Message) -> list[Message]:
        messages = self.sandbox.telegram.messages(command.chat_id)
        return [message for message in messages if message.reply_to_message_id == command.message_id]

    def last_form(self, command: Message) -> str | None:
        """What the status message says in the end."""
        texts = (reply.text or "" for reply in self.replies(command))
        return next((text for text in texts if "balance" in text), None)

    def titles(self, command: Message) -> list[str]:
        """Of the audio files that came in reply, in their order."""
        return [message.audio.title for message in self.replies(command) if message.audio]

    async def entries(self, person: Person) -> list[LedgerEntry]:
        async with self.app.services.database.reading() as db:
            account = await ledger.find_account(db, "user", person.user_id)
            if account is None:
                return []
            found = await ledger.statement(db, account.id, limit=100)
        return list(reversed(found.entries))

    async def balance(self, person: Person) -> int:
        return sum(entry.amount for entry in await self.entries(person))

    async def separation(self, job_id: int = 1) -> Separation | None:
        job = await self.job(job_id)
        if job is None:
            return None
        async with self.app.services.database.reading() as db:
            return await separations.get(db, job.separation_id)

    async def job(self, job_id: int = 1) -> Job | None:
        async with self.app.services.database.reading() as db:
            return await jobs.find(db, job_id)


@asynccontextmanager
async def a_bot(
    folder: Path, providers: str, upload_max_bytes: int | None = None, **settings: str
) -> AsyncIterator[Bot]:
    """A sandbox of its own, with a bot at work in it."""
    async with a_sandbox(folder, providers, upload_max_bytes, **settings) as bot, bot.at_work():
        yield bot


@asynccontextmanager
async def a_sandbox(
    folder: Path, providers: str, upload_max_bytes: int | None = None, **settings: str
) -> AsyncIterator[Bot]:
    """A sandbox, and a bot that is not at work yet. Separations take next to no time; Telegram takes uploads
    of ``upload_max_bytes``, where its usual limit is more than a test wants to move."""
    limits = None if upload_max_bytes is None else Limits(upload_max_bytes=upload_max_bytes)
    clock, times = Clock(), {"finish_after_s": 0.05}
    place = folder / "telegram"
    running = Sandbox.running(folder=place, limits=limits, clock=clock, sleep=clock.sleep, **times)
    async with running as sandbox:
        ours = {
            "database_url": f"sqlite:///{folder / 'stembot.db'}",
            "http_port": "0",
            "look_first_seconds": "0.05",
            "look_every_seconds": "0.05",
            "providers": providers,
        }
        given = {name.lower(): value for name, value in sandbox.settings().items()}
        yield Bot(sandbox, folder, given | ours | settings, clock, upload_max_bytes=upload_max_bytes)


def command_for(song: Song, mode: str = "") -> str:
    return f"/stems {song.task_id}:{song.audio_id} {mode}".strip()


async def as_answer(value: T) -> T:
    return value
