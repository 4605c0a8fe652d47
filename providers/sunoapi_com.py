"""sunoapi.com: real HTTP statuses; each stem is a clip with a state of its own. Only songs made there.

https://docs.sunoapi.com; its sisters aimusicapi.ai and musicapi.ai say ``sonic`` where it says ``suno``.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import httpx
from pydantic import AliasChoices, Field

from providers.base import Failed, Json, Limits, Mode, Progress, Song, SongRef
from providers.clips import Clip, progress_of
from providers.codes import Codes, Row, by_status, error_of, judge_look, question_error
from providers.codes import told as words_of
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    Rejected,
    SongUnknown,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Line, Reply
from providers.wire import (
    ARTIST,
    COVER,
    Anything,
    Code,
    Link,
    Number,
    Text,
    Wire,
    link_in,
    record_in,
    records_in,
)

PATHS = {Mode.BASIC: "/api/v1/suno/stems/basic", Mode.FULL: "/api/v1/suno/stems/full"}
TASK_PATH = "/api/v1/suno/task/"
CREDITS_PATH = "/api/v1/get-credits"
NOT_READY = 202

CODES: Codes = {
    #    on a submit     on a look
    400: (SongUnknown, Failed),  # on a submit only the clip can be wrong: it takes its own songs only
    401: (Misconfigured, Misconfigured),
    402: (NoCredits, Failed),
    403: (Rejected, Failed),  # content rules, unless the text speaks of money
    410: (Misconfigured, Failed),  # a product that was taken off
    429: (TooFast, TooFast),
    500: (OutcomeUnknown, Unavailable),
    504: (OutcomeUnknown, Failed),  # "Credits were previously refunded."
}
# What its text turns a status into.
TEXTS: dict[int, tuple[tuple[re.Pattern[str], Row], ...]] = {
    400: ((re.compile("task not found", re.IGNORECASE), (SongUnknown, TaskUnknown)),),
    403: (
        (re.compile("credit", re.IGNORECASE), (NoCredits, NoCredits)),
        (re.compile("subscription", re.IGNORECASE), (Misconfigured, Misconfigured)),
    ),
}


class Answer(Wire):
    code: Code = None
    task_id: Text = Field(None, validation_alias=AliasChoices("task_id", "taskId"))
    # "message" is "success" where all is well, so an error's own word goes first.
    message: Text = Field(None, validation_alias=AliasChoices("error", "detail", "message"))
    data: Anything = None


class Item(Wire):
    clip_id: Text = Field(None, validation_alias=AliasChoices("clip_id", "id"))
    state: Text = Field(None, validation_alias=AliasChoices("state", "status"))
    title: Text = None
    stem_type: Text = None
    audio_url: Text = None
    artist: Text = Field(None, validation_alias=ARTIST)
    cover_url: Link = Field(None, validation_alias=COVER)
    duration_s: Number = Field(None, validation_alias="duration")
    error: Text = Field(None, validation_alias=AliasChoices("error_message", "error"))


class Balance(Wire):
    credits: Number = None
    extra: Number = Field(None, validation_alias="extra_credits")


class SunoApiCom:
    name = "sunoapi_com"
    title = "sunoapi.com"
    modes = frozenset(Mode)
    costs: Mapping[Mode, float] = {Mode.BASIC: 10, Mode.FULL: 50}
    limits = Limits(submits=1, per_s=3.5, look_every_s=15)  # one in 3 s is allowed

    def __init__(self, url: str, key: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._line = Line(url, {"Authorization": f"Bearer {key}"}, secret=key, transport=transport)

    def obstacle(self, song: SongRef, mode: Mode) -> str | None:  # noqa: ARG002  only a try can tell
        return None

    async def submit(self, song: SongRef, mode: Mode, callback_url: str) -> str:  # noqa: ARG002  no callbacks
        return parse_submitted(await self._line.submit(PATHS[mode], {"clip_id": song.audio_id}))

    async def look(self, upstream_task_id: str) -> Progress:
        return parse_task(await self._task(upstream_task_id))

    async def songs(self, task_id: str) -> Sequence[Song]:
        return parse_songs(await self._task(task_id), task_id)

    async def credits(self) -> float:
        return parse_credits(await self._line.get(CREDITS_PATH))

    def callback_task_id(self, body: Json) -> str | None:  # noqa: ARG002  no callbacks for stems
        return None

    async def find(self, song: SongRef, mode: Mode, callback_url: str, hint: str | None) -> str | None:  # noqa: ARG002  nothing to ask
        """No call lists tasks: what got lost stays lost."""
        return None

    async def aclose(self) -> None:
        await self._line.aclose()

    async def _task(self, task_id: str) -> Reply:
        return await self._line.get(TASK_PATH + quote(task_id, safe=""))


def answer_of(reply: Reply) -> Answer:
    return Answer.read(record_in(reply.json))


def told(reply: Reply) -> str:
    return words_of(reply, answer_of(reply).message)


def row_of(reply: Reply) -> Row | None:
    """What the answer means; None if all is well."""
    if reply.json is None:
        return by_status(reply.status)
    code = answer_of(reply).code
    status = code if reply.status == 200 and code and code not in (200, NOT_READY) else reply.status
    if status // 100 == 2:
        return None
    text = answer_of(reply).message or ""
    by_text = next((row for pattern, row in TEXTS.get(status, ()) if pattern.search(text)), None)
    return by_text or CODES.get(status) or by_status(status)


def parse_submitted(reply: Reply) -> str:
    """The upstream_task_id; raises what the table's first column says."""
    if row := row_of(reply):
        raise error_of(row[0], told(reply), reply)
    answer = answer_of(reply)
    task_id = answer.task_id or Answer.read(record_in(answer.data)).task_id
    if task_id is None:
        raise OutcomeUnknown(f"the answer names no task: {told(reply)}")
    return task_id


def parse_task(reply: Reply) -> Progress:
    """How far a separation is; raises what the table's second column says."""
    if row := row_of(reply):
        return judge_look(row, told(reply), reply)
    # The first looks bring no data: HTTP 202, {"type": "not_ready"} or an empty list.
    return progress_of([_clip(item) for item in items_in(reply)])


def parse_songs(reply: Reply, task_id: str) -> tuple[Song, ...]:
    """The songs of a generation task, whose answer has the same form."""
    if row := row_of(reply):
        raise question_error(row, told(reply), reply, unknown=SongUnknown)
    items = items_in(reply)
    return tuple(
        Song(item.clip_id, task_id, item.title, item.duration_s, item.artist, item.cover_url)
        for item in items
        if item.clip_id
    )


def parse_credits(reply: Reply) -> float:
    """The balance: what the plan brings and what was bought."""
    if row := row_of(reply):
        raise question_error(row, told(reply), reply, unknown=Unavailable)
    balance = Balance.read(record_in(reply.json))
    if balance.credits is None:
        raise Unavailable(f"no number of credits: {told(reply)}")
    return balance.credits + (balance.extra or 0)


def items_in(reply: Reply) -> list[Item]:
    return [Item.read(item) for item in records_in(answer_of(reply).data)]


def _clip(item: Item) -> Clip:
    return Clip(
        item.clip_id,
        item.state or "",
        item.title or "",
        item.stem_type,
        link_in(item.audio_url),
        item.duration_s,
        item.error,
        item.cover_url,
    )
