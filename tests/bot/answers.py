"""Every answer that Telegram gives to a send, by the name under which tables show it.

https://core.telegram.org/bots/api#making-requests; the descriptions are those of tdlib/telegram-bot-api.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx
from aiolimiter import AsyncLimiter
from telegram.error import NetworkError

from bot.sent_bodies import Body
from providers.base import StemLink, Succeeded
from storage.rows import Job
from tests.bot.telegram_stand_in import (
    ANSWER_LOST,
    BAD_ALBUM,
    BAD_FILE_ID,
    BLOCKED,
    CHAT_NOT_FOUND,
    GARBLED,
    GATEWAY,
    KICKED,
    NO_THREAD,
    REFUSED,
    TOO_BIG,
    TOO_FAST,
    TOPIC_CLOSED,
    UNREACHABLE,
    Fault,
    lost,
    moved_to,
    refusal,
)
from tests.bot.upstream_stand_in import FILES
from tests.bot.world import World

Answers = Mapping[str, Sequence[Fault]]
MANY = 50  # as good as always
TRIES = 3  # of the limiter, for what was refused with 429


def cut_short() -> httpx.ReadError:
    """How a connection ends that is reset while the body is still leaving."""
    request = httpx.Request("POST", "https://api.telegram.org", content=b"the begin of an upload")
    request.stream = Body(request.stream)
    return httpx.ReadError("", request=request)


OK: Answers = {"ok": []}
UNSENT: Answers = {
    "429 for 7 s": [TOO_FAST],
    "429 again and again": [TOO_FAST] * 2 * TRIES,
    "429 for 60 s": [refusal(429, "Too Many Requests: retry after 60", retry_after=60)],
    "no connection": [UNREACHABLE],
    "reset before all had left": [lost(NetworkError("reset"), cut_short())],
}
# The body had left and no answer came, or none that tells. Of the first two Telegram had done nothing.
UNKNOWN_NOT_DONE: Answers = {
    "500": [refusal(500, "Internal Server Error")],
    "502 as HTML": [GATEWAY],
}
UNKNOWN_DONE: Answers = {
    "200 as HTML": [Fault(200, b"<html>sign in</html>", done=True)],
    "200, JSON cut off": [GARBLED],
    "no answer in time": [ANSWER_LOST],
    "reset after it was done": [lost(NetworkError("reset"), httpx.ReadError(""), done=True)],
}
CHAT_GONE: Answers = {
    "403 blocked": [BLOCKED] * MANY,
    "403 kicked": [KICKED] * MANY,
    "403 deactivated": [refusal(403, "Forbidden: user is deactivated")] * MANY,
    "400 chat not found": [CHAT_NOT_FOUND] * MANY,
}
NO_FILES: Answers = {
    "400 no right to audios": [refusal(400, "Bad Request: not enough rights to send audios to the chat")],
    "400 CHAT_SEND_AUDIOS_FORBIDDEN": [refusal(400, "Bad Request: CHAT_SEND_AUDIOS_FORBIDDEN")],
}
NO_TEXTS: Answers = {
    "400 no right to texts": [refusal(400, "Bad Request: not enough rights to send texts to the chat")]
    * MANY,
}
MOVED: Answers = {"400 a supergroup now": []}  # in each chat another one
TOPIC_GONE: Answers = {"400 thread not found": [NO_THREAD], "400 TOPIC_CLOSED": [TOPIC_CLOSED]}
REFUSALS: Answers = {
    "400 entities": [REFUSED],
    "400 reply target not found": [refusal(400, "Bad Request: message to be replied not found")],
}
FILE_REFUSALS: Answers = {
    **REFUSALS,
    "413": [TOO_BIG],
    "400 file is too big": [refusal(400, "Bad Request: file is too big")],
    "400 wrong file_id or URL": [BAD_FILE_ID],
}
ALBUM_REFUSALS: Answers = {
    **FILE_REFUSALS,
    "400 an item failed": [BAD_ALBUM],
    "400 kinds do not mix": [
        refusal(400, "Bad Request: can't use the media of the specified type in the album")
    ],
}
URL_REFUSALS: Answers = {
    **FILE_REFUSALS,
    "400 URL not fetched": [refusal(400, "Bad Request: failed to get HTTP URL content")],
    "400 URL of another type": [refusal(400, "Bad Request: wrong type of the web page content")],
    "400 no upload by URL": [refusal(400, "Bad Request: can't upload file by URL")],
}

TOPIC = 7


@dataclass(frozen=True)
class Case:
    """One answer, where it will come: in a private chat, or where groups change in a group's topic."""

    name: str
    number: int
    faults: Sequence[Fault]

    @classmethod
    def of(cls, name: str, faults: Sequence[Fault], number: int) -> "Case":
        return cls(name, number, [moved_to(-2_000_000 - number)] if name in MOVED else faults)

    @property
    def is_in_topic(self) -> bool:
        return self.name in TOPIC_GONE

    @property
    def person(self) -> int:
        return 5000 + self.number

    @property
    def chat_id(self) -> int:
        return -1_000_000 - self.number if self.name in MOVED | TOPIC_GONE else self.person

    def is_elsewhere(self, job: Job) -> bool:
        """Whether the job has left where it was asked for."""
        return job.chat_id != self.chat_id or (self.is_in_topic and job.thread_id is None)

    @property
    def song(self) -> str:
        return f"{self.number:08d}-8d13-4b7e-9a41-2c6de7f1b034"

    async def ask(self, world: World) -> None:
        topic = {"message_thread_id": TOPIC, "is_topic_message": True} if self.is_in_topic else {}
        await world.say(f"/stems {self.song}", by=self.person, chat_id=self.chat_id, **topic)


SAYINGS = {
    "Cancelled": "Cancelled",
    "Ordering": "Ordering",
    "Nothing was charged": "no charge",
    "did not confirm": "Send again?",
    "does not let me send audio": "No audio here",
    "files could not be sent": "Files refused",
    "Delivered: ": "Delivered",
}


def said_in(status: str) -> str:
    """What a status message says, in short."""
    return next(short for said, short in SAYINGS.items() if said in status)


def unhurried(world: World) -> None:
    """Let submits follow each other at once: their rate is by the loop's own time, which nobody moves."""
    world.services.upstreams[world.provider.name].submits = AsyncLimiter(1000)


async def acknowledged(world: World, cases: Sequence[Case]) -> None:
    """Everybody has asked, and was told so."""
    unhurried(world)
    for case in cases:
        await case.ask(world)
    await as_often(world, cases, "status")


async def separated(world: World, cases: Sequence[Case], *links: str) -> None:
    """All stems are there; nothing is sent yet."""
    await acknowledged(world, cases)
    stems = tuple(StemLink(link.split(".")[0], f"{FILES}/1/{link}", 1.0) for link in links)
    world.provider.to_look.extend([Succeeded(stems, "Paper Boats")] * len(cases))
    await as_often(world, cases, "submit")
    world.clock.forward(15)
    await as_often(world, cases, "look")


async def as_often(world: World, cases: Sequence[Case], step: str) -> None:
    for _ in cases:
        await world.steps(step)
