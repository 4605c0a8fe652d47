"""The bot's real parts around one SQLite file, with stand-ins at its edges and a clock that tests move."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from math import inf

from sqlalchemy import text
from telegram.ext import ApplicationBuilder, ContextTypes

from bot import handlers
from bot.actions import Asker
from bot.app import apologise, handle
from bot.engine.schedule import loops
from bot.intake.dispatcher import Dispatcher
from bot.services import BotContext, Services
from providers.base import SongRef
from storage import deliveries, jobs, ledger, separations
from storage.database import Database
from storage.jobs import JobView
from storage.rows import Job, LedgerEntry, Part, Separation
from tests.bot.mortal import Boundaries
from tests.bot.telegram_stand_in import FakeTelegram, anonymous_admin, chat
from tests.bot.upstream_stand_in import FakeProvider, FileHost

ANN, BOB, EVE = 1001, 1002, 1003
BAND = -1002003004005
SONG = "5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034"
OTHER_SONG = "00000000-8d13-4b7e-9a41-2c6de7f1b034"
TASK = "7c1f0e9ab2d34c56a8f0917be2d4c361"
REF = SongRef(SONG)
NAMES = {ANN: "Ann", BOB: "Bob", EVE: "Eve"}
TICK_S = 30.0
# Which loop has something to do, and when. The loops' own questions are asked in tests of the whole bot.
DUE = text("""
SELECT 'status', min(status_due_at) FROM jobs
UNION ALL SELECT 'deliver ' || provider, min(max(jobs.due_at, coalesce(jobs.lease_until, 0)))
    FROM jobs JOIN separations ON separations.id = separation_id
    WHERE jobs.state IN ('waiting', 'delivering') AND acknowledged_at IS NOT NULL GROUP BY provider
UNION ALL SELECT
    CASE state WHEN 'queued' THEN 'submit ' WHEN 'running' THEN 'look ' ELSE 'find ' END || provider,
    min(max(due_at, coalesce(lease_until, 0))) FROM separations
    WHERE state IN ('queued', 'running', 'uncertain') GROUP BY state, provider
UNION ALL SELECT 'lookup ' || kind, min(max(due_at, coalesce(lease_until, 0))) FROM lookups
    WHERE state = 'asked' GROUP BY kind
UNION ALL SELECT 'notice', min(max(due_at, coalesce(lease_until, 0))) FROM notices WHERE state = 'unsaid'
""")


@dataclass(repr=False)
class World:
    """A bot in the making, what people do to it, and what is there to be seen."""

    services: Services
    telegram: FakeTelegram
    provider: FakeProvider
    files: FileHost
    clock: Callable[[], float]
    boundary: Boundaries
    numbers: count = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        contexts = ContextTypes(context=BotContext)
        builder = ApplicationBuilder().bot(self.services.bot).updater(None).context_types(contexts)
        self.application = builder.build()
        self.application.bot_data["services"] = self.services
        handlers.register(self.application)
        self.loops = loops(self.services)
        self.dispatcher = Dispatcher(
            self.services, partial(handle, self.application), partial(apologise, self.services)
        )

    @property
    def database(self) -> Database:
        return self.services.database

    async def start(self) -> None:
        await self.application.initialize()

    async def stop(self) -> None:
        await self.application.shutdown()
        await self.services.fetcher.aclose()
        await self.services.share_links.aclose()
        await self.database.close()

    # What people do

    def message(self, text: str, *, by: int = ANN, chat_id: int | None = None, **fields: object) -> dict:
        """An update with a message, as Telegram would send it."""
        number, first = next(self.numbers), text.split(" ")[0]
        body = {
            "message_id": number,
            "date": int(self.clock()),
            "chat": chat(chat_id or by),
            "from": person(by),
            "text": text,
            **fields,
        }
        if text.startswith("/"):
            body.setdefault("entities", [{"type": "bot_command", "offset": 0, "length": len(first)}])
        return {"update_id": number, "message": body}

    async def say(self, text: str, **fields: object) -> list[str]:
        """Handle a message; the texts of what the bot said at once."""
        return await self.handle(self.message(text, **fields))

    async def say_anonymously(self, text: str) -> list[str]:
        return await self.say(text, chat_id=BAND, **anonymous_admin(BAND))

    async def handle(self, raw: dict) -> list[str]:
        before = len(self.telegram.sent)
        error = await handle(self.application, raw)
        if error is not None:
            raise error
        return [call.text for call in self.telegram.sent[before:]]

    def pressing(self, label: str, *, by: int = ANN, chat_id: int | None = None) -> dict:
        """An update with a press of the newest button with this label in a chat."""
        for (where, _), message in reversed(self.telegram.messages.items()):
            for row in (message.get("reply_markup") or {}).get("inline_keyboard", []):
                for button in row:
                    if where == (chat_id or by) and label in button["text"]:
                        return self.press_of(button["callback_data"], message, by=by)
        raise AssertionError(f"no button {label}")

    def press_of(self, data: str, message: dict, *, by: int = ANN) -> dict:
        number = next(self.numbers)
        query = {"id": str(number), "from": person(by), "chat_instance": "1", "data": data}
        return {"update_id": number, "callback_query": {**query, "message": message}}

    async def press(self, label: str, *, by: int = ANN, chat_id: int | None = None) -> str:
        """Press a button; the text of the answer, marked where it is an alert."""
        return await self.press_update(self.pressing(label, by=by, chat_id=chat_id))

    async def press_update(self, raw: dict) -> str:
        await self.handle(raw)
        answer = self.telegram.called("answerCallbackQuery")[-1].data
        assert answer["callback_query_id"] == raw["callback_query"]["id"]
        return ("ALERT " if answer.get("show_alert") else "") + str(answer.get("text", ""))

    # What the bot does by itself

    async def step(self, name: str) -> bool:
        """One step of the loop of this name; where each upstream has one, of the first."""
        return await next(loop for loop in self.loops if loop.name.split()[0] == name).step()

    async def steps(self, *names: str) -> None:
        for name in names:
            assert await self.step(name), f"{name} found nothing to do"

    async def work(self) -> None:
        """Every step, while it finds anything to do at this moment."""
        for loop in self.loops:
            for _ in range(100):
                if not await loop.step():
                    break
            else:
                raise AssertionError(f"{loop.name} has no end")

    async def run_until_idle(self) -> None:
        """Work, and move the clock to whatever is due next, until nothing is due any more."""
        ticked_at = 0.0
        for _ in range(1000):
            if self.clock() - ticked_at >= TICK_S:  # some loops only come round now and then
                ticked_at = self.clock()
                await self.work()
            due = await self.due()
            if not due:
                return
            self.clock.forward(max(min(due.values()) - self.clock(), 0.0))
            at_work = [loop for loop in self.loops if due.get(loop.name, inf) <= self.clock()]
            if not any([await loop.step() for loop in at_work]):
                self.clock.forward(0.05)
        raise AssertionError("there is no end to it")

    async def due(self) -> dict[str, float]:
        """By the name of its loop, when the next work is due."""
        async with self.database.reading() as db:
            return {name: at for name, at in await db.execute(DUE) if at is not None}

    # What is there to be seen

    async def view(self, job_id: int = 1) -> JobView:
        async with self.database.reading() as db:
            return await jobs.view(db, job_id)

    async def job(self, job_id: int = 1) -> Job:
        return (await self.view(job_id)).job

    async def separation(self, job_id: int = 1) -> Separation:
        return (await self.view(job_id)).separation

    async def jobs_of(self, user_id: int = ANN) -> list[Job]:
        async with self.database.reading() as db:
            views = await jobs.page(db, user_id, None, limit=50, offset=0)
        return [view.job for view in reversed(views)]

    async def parts(self, job_id: int = 1) -> list[Part]:
        async with self.database.reading() as db:
            return await deliveries.parts_of(db, job_id)

    async def balance(self, owner_id: int = ANN, kind: str = "user") -> int:
        async with self.database.reading() as db:
            account = await ledger.find_account(db, kind, owner_id)
        return account.balance

    async def entries(self, owner_id: int = ANN, kind: str = "user") -> list[LedgerEntry]:
        """Those that move credits, oldest first."""
        async with self.database.reading() as db:
            account = await ledger.find_account(db, kind, owner_id)
            found = await ledger.statement(db, account.id, limit=100)
        return list(reversed(found.entries))

    async def stems(self, separation_id: int = 1) -> list[str]:
        async with self.database.reading() as db:
            return [stem.name for stem in await separations.stems_of(db, separation_id)]

    async def grant(self, amount: int, owner_id: int, kind: str = "user") -> None:
        async with self.database.transaction() as db:
            account = await ledger.account_of(db, kind, owner_id)
            key = f"test:{kind}:{owner_id}:{amount}"
            await ledger.grant(db, account, amount, operation=key, note="a gift", now=self.clock())

    def status_text(self, chat_id: int = ANN) -> str:
        """The newest text that a chat shows."""
        return self.telegram.texts_in(chat_id)[-1]


def asker(user_id=ANN, key="1", chat_id=None):
    """Who asks, for a request that ``key`` makes unique."""
    return Asker(
        user_id=user_id,
        name=NAMES.get(user_id, ""),
        username=None,
        language="en",
        chat_id=chat_id or user_id or BAND,
        chat_kind="private",
        chat_title=None,
        message_id=1,
        thread_id=None,
        request_key=f"{user_id}:{key}",
    )


async def until(is_so: Callable[[], bool]) -> None:
    """Let everybody run on until it is so."""
    async with asyncio.timeout(5):
        while not is_so():
            for _ in range(10):
                await asyncio.sleep(0)


def person(user_id: int) -> dict:
    name = NAMES.get(user_id, "Somebody")
    return {"id": user_id, "is_bot": False, "first_name": name, "language_code": "en"}
