"""Two ``stembot run`` on one PostgreSQL, one of them killed (-9) and started again and again under 200 jobs.

Telegram posts its updates to one address, the upstream its callbacks: a balancer there hands each to one of
the two, in turn, and to the other where that one is dead. A kill comes at the moment of a call to Telegram.
Every job is delivered once; only what was on its way from a process that was killed may be there twice, as
nobody can ask Telegram whether it arrived.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serving import listening_socket, serving
from sandbox.telegram import Message, Person
from storage import audit
from storage.database import Database
from tests.crash.rules import stem_in, stems_of
from tests.crash.songs import ORDINARY, command_for
from tests.end_to_end.processes import Process, url_of
from tests.end_to_end.towns import Town, a_town

JOBS = int(os.environ.get("TWO_PROCESSES_JOBS", "200"))
LIVES = 5  # so many kills
SONGS_IN_A_LIFE = 2
CALLS_IN_A_LIFE = 12  # to Telegram, from both, before the next kill
NOTHING_FOR_S = 90.0  # longer than any lease of a killed process
# An order that never left cannot be told from one whose answer was lost: it is given up at the deadline.
DEADLINE_S = "20"
SENDING = """
    SELECT chat_id, message_id FROM jobs JOIN parts ON parts.job_id = jobs.id WHERE parts.state = 'sending'
"""
UNACKNOWLEDGED = "SELECT chat_id, message_id FROM jobs WHERE acknowledged_at IS NULL"

Place = tuple[int, int]  # chat and message id of a command


@dataclass
class Balancer:
    """One address for both processes."""

    urls: dict[int, str] = field(default_factory=dict)  # of those that are at work, by their number
    _turns: int = 0

    async def hand_over(self, request: Request) -> Response:
        body, self._turns = await request.body(), self._turns + 1
        headers = {name: value for name, value in request.headers.items() if name.startswith("x-telegram")}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            for number in (self._turns % 2, (self._turns + 1) % 2):
                try:
                    url = f"{self.urls.get(number, '')}{request.url.path}"
                    answer = await client.post(url, content=body, headers=headers)
                except (httpx.TransportError, httpx.UnsupportedProtocol):
                    continue  # it was killed, or is not there yet
                return Response(status_code=answer.status_code)
        return Response(status_code=502)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        listener = listening_socket(0)
        app = Starlette(routes=[Route("/{path:path}", self.hand_over, methods=["POST"])])
        async with serving(app, listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Pair:
    """Two processes, and what was on its way whenever one of them was killed."""

    town: Town
    balancer: Balancer
    database: Database
    settings: dict[str, str]
    bots: dict[int, Process] = field(default_factory=dict)
    albums_in_doubt: Counter[Place] = field(default_factory=Counter)
    acknowledgements_in_doubt: Counter[Place] = field(default_factory=Counter)
    tried_again: set[Place] = field(default_factory=set)  # status messages

    async def start(self, number: int) -> None:
        self.bots[number] = await self.town.home.start(**self.settings)
        self.balancer.urls[number] = url_of(self.bots[number])

    async def kill(self, number: int) -> None:
        await self.bots[number].kill()
        del self.balancer.urls[number]
        self.albums_in_doubt.update(await self.places(SENDING))
        self.acknowledgements_in_doubt.update(await self.places(UNACKNOWLEDGED))

    async def places(self, query: str) -> list[Place]:
        async with self.database.reading() as db:
            return [(row[0], row[1]) for row in await db.execute(text(query))]

    async def calls(self, more: int) -> None:
        """Wait until the bots have called Telegram so many times more."""
        telegram = self.town.telegram
        wanted = len(telegram.calls) + more
        await telegram.world.changes.until(lambda: len(telegram.calls) >= wanted, NOTHING_FOR_S)

    def wrong_in(self, command: Message) -> Iterator[str]:
        """What was said in reply to a command too often, or is missing."""
        place, replies = (command.chat_id, command.message_id), self.town.replies(command)
        there = Counter(stem_in(reply.audio.title) for reply in replies if reply.audio)
        wanted = Counter(stems_of(command.text.partition(":")[2], "basic"))
        in_doubt = dict.fromkeys(wanted, self.albums_in_doubt[place])
        texts = sum(reply.audio is None for reply in replies)
        if missing := wanted - there:
            yield f"{place}: missing {dict(missing)}"
        if surplus := there - wanted - Counter(in_doubt):
            yield f"{place}: too many {dict(surplus)}, in doubt were {self.albums_in_doubt[place]}"
        jobs = 1 + sum(chat_id == command.chat_id for chat_id, _ in self.tried_again)
        if texts > jobs + self.acknowledgements_in_doubt[place]:
            yield f"{place}: {texts} status messages, in doubt {self.acknowledgements_in_doubt[place]}"

    def has(self, word: str, command: Message) -> bool:
        return any(word in (reply.text or "") for reply in self.town.replies(command))

    def to_try_again(self, commands: Sequence[Message]) -> list[Message]:
        """Status messages of commands that ended without stems and were not tried again."""
        return [
            reply
            for command in commands
            for reply in self.town.replies(command)
            if (reply.chat_id, reply.message_id) not in self.tried_again
            if any(button["text"] == "Try again" for button in reply.buttons)
            if "Nothing was charged" in (reply.text or "")
        ]

    def person(self, message: Message) -> Person:
        world = self.town.telegram.world
        return Person(world, world.people[message.chat_id])


@asynccontextmanager
async def a_pair(folder: Path, database_url: str) -> AsyncIterator[Pair]:
    balancer, database = Balancer(), Database(database_url)
    async with a_town(folder) as town, balancer.serving() as public_url:
        webhook = {"DATABASE_URL": database_url, "TELEGRAM_WEBHOOK": "true", "PUBLIC_URL": public_url}
        pair = Pair(town, balancer, database, webhook | {"JOB_DEADLINE_SECONDS": DEADLINE_S})
        for number in (0, 1):
            await pair.start(number)
        yield pair
        await town.home.close()
    await database.close()


@pytest.fixture
def postgresql_url(postgresql_databases) -> Iterator[str]:
    with postgresql_databases.new() as url:
        yield url


@pytest.fixture
async def pair(postgresql_url, tmp_path) -> AsyncIterator[Pair]:
    async with a_pair(tmp_path, postgresql_url) as pair:
        yield pair


async def test_jobs_of_two_processes_are_delivered_once_though_one_is_killed_again_and_again(pair):
    commands = []
    for life in range(LIVES):
        commands += await everybody_asks(pair, range(life, JOBS, LIVES))
        await pair.calls(CALLS_IN_A_LIFE)
        await pair.kill(life % 2)
        await pair.start(life % 2)
    await everything_is_delivered(pair, commands)
    assert [wrong for command in commands for wrong in pair.wrong_in(command)] == []
    assert set(Counter(submit.song.audio_id for submit in pair.town.upstream.submits).values()) == {1}
    async with pair.database.reading() as db:
        assert await audit.broken_rules(db) == []


async def everybody_asks(pair: Pair, numbers: Iterable[int]) -> list[Message]:
    """Each number is a person; in each life some songs are new, and several people want the same."""
    newest = SONGS_IN_A_LIFE * (min(numbers) + 1)
    songs = ORDINARY[:newest]
    people = {number: pair.town.telegram.person(f"Person {number}") for number in numbers}
    return [
        await person.say(command_for(songs[-1 - number // LIVES % len(songs)]))
        for number, person in people.items()
    ]


async def everything_is_delivered(pair: Pair, commands: Sequence[Message]) -> None:
    """Whoever is told that nothing came of it, and that nothing was charged, tries again."""
    while left := [command for command in commands if not pair.has("Delivered", command)]:
        try:
            await pair.town.telegram.world.changes.until(
                lambda: pair.to_try_again(left) or all(pair.has("Delivered", each) for each in left),
                NOTHING_FOR_S,
            )
        except TimeoutError as error:
            said = [reply.text for reply in pair.town.replies(left[0])]
            raise AssertionError(f"{len(left)} are not delivered, such as {said}") from error
        for status in pair.to_try_again(left):
            pair.tried_again.add((status.chat_id, status.message_id))
            await pair.person(status).press(status, "Try again")
