"""suno-api, self-hosted: two stems of a song in its own Suno account. https://github.com/gcui-art/suno-api

A submit answers at once with clips that have no links yet; their ids together are the upstream_task_id.
Its route at Suno may be gone, which looks like an unknown song.
"""

import re
from collections.abc import Mapping, Sequence

import httpx
from pydantic import AliasChoices, AliasPath, Field

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
    TooFast,
    Unavailable,
)
from providers.http import Line, Reply, safe
from providers.stems import Stem
from providers.wire import COVER, Link, Number, Text, Wire, link_in, number_in, record_in, records_in, text_in

SUBMIT_PATH = "/api/generate_stems"
CLIPS_PATH = "/api/get"
RAW_CLIP_PATH = "/api/clip"
CREDITS_PATH = "/api/get_limit"
READ_S, TOTAL_S = 110.0, 120.0  # it waits for Suno with no time limit of its own
RAW_CLIPS_MAX = 8  # how many clips of the library are read closely for an uncertain submit
STEMS_OF_A_SPLIT = 2
CLIP_ID = re.compile(r"[\w-]{1,80}", re.ASCII)

CODES: Codes = {
    #    on a submit     on a look
    400: (Rejected, Failed),
    401: (Misconfigured, Misconfigured),
    402: (NoCredits, NoCredits),
    403: (Misconfigured, Misconfigured),
    404: (SongUnknown, Unavailable),  # or the route at Suno is gone
    422: (SongUnknown, Unavailable),
    429: (TooFast, TooFast),
    500: (OutcomeUnknown, Unavailable),
    503: (OutcomeUnknown, Unavailable),  # no answer from Suno: not sent, or sent and lost
}
# A 500 that speaks of the login came before anything was asked of Suno. After a submit only in its newest
# words; older builds quote with "Internal server error: ..." what Suno itself answered.
OF_LOGIN = re.compile(r"cookie|session", re.IGNORECASE)
OF_LOGIN_BEFORE_SUBMIT = re.compile(
    r"^internal error:(?!.*cannot read properties).*(cookie|session)", re.IGNORECASE | re.DOTALL
)
LOGIN: Row = (Misconfigured, Misconfigured)


class Clipping(Wire):
    """A clip of ``/api/generate_stems``, ``/api/get`` or ``/api/clip``."""

    id: Text = None
    status: Text = None
    title: Text = None
    audio_url: Text = None
    duration_s: Number = Field(None, validation_alias="duration")
    error: Text = Field(None, validation_alias="error_message")
    cover_url: Link = Field(None, validation_alias=COVER)
    stem_from_id: Text = Field(
        None, validation_alias=AliasChoices("stem_from_id", AliasPath("metadata", "stem_from_id"))
    )


class SunoApi:
    name = "suno_api"
    title = "suno-api"
    modes = frozenset({Mode.BASIC})
    costs: Mapping[Mode, float] = {Mode.BASIC: 10}  # Suno publishes no price of a split
    limits = Limits(submits=3, per_s=10, look_every_s=5)  # it has none of its own; behind it is one account

    def __init__(
        self, url: str, cookie: str | None = None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        headers = {"Cookie": cookie} if cookie else {}
        self._line = Line(url, headers, secret=cookie, transport=transport, read_s=READ_S, total_s=TOTAL_S)

    def obstacle(self, song: SongRef, mode: Mode) -> str | None:  # noqa: ARG002  only a try can tell
        if mode in self.modes:
            return None
        return f"{self.title} splits a song into vocals and instrumental only."

    async def submit(self, song: SongRef, mode: Mode, callback_url: str) -> str:  # noqa: ARG002  no callbacks
        if obstacle := self.obstacle(song, mode):
            raise Rejected(obstacle)
        return parse_submitted(await self._line.submit(SUBMIT_PATH, {"audio_id": song.audio_id}))

    async def look(self, upstream_task_id: str) -> Progress:
        reply = await self._line.get(CLIPS_PATH, ids=upstream_task_id)
        if reply.status == 500:
            await self.credits()  # a look hides every cause behind a 500, this call names the login's
        return parse_clips(reply, upstream_task_id)

    async def songs(self, task_id: str) -> Sequence[Song]:
        raise SongUnknown(f"{self.title} has no music-generation tasks: {safe(task_id)}")

    async def credits(self) -> float:
        return parse_credits(await self._line.get(CREDITS_PATH))

    def callback_task_id(self, body: Json) -> str | None:  # noqa: ARG002  no callbacks
        return None

    async def find(self, song: SongRef, mode: Mode, callback_url: str, hint: str | None) -> str | None:  # noqa: ARG002  no callbacks
        """The newest stems of the song in the account's library, should they show up there."""
        library = await self._line.get(CLIPS_PATH)
        stems: list[str] = []
        for clip_id in stem_ids_in(library)[:RAW_CLIPS_MAX]:
            raw = await self._line.get(RAW_CLIP_PATH, id=clip_id)
            stems += [clip_id] if is_stem_of(raw, song.audio_id) else []
            if len(stems) == STEMS_OF_A_SPLIT:
                return ",".join(stems)
        return None

    async def aclose(self) -> None:
        await self._line.aclose()


def told(reply: Reply) -> str:
    return words_of(reply, text_in(record_in(reply.json).get("error")))


def row_of(reply: Reply, of_login: re.Pattern[str] = OF_LOGIN) -> Row | None:
    """What the answer means; None if all is well."""
    if reply.json is None:  # a CDN, a proxy, or an older build that broke down
        return by_status(reply.status)
    if reply.status // 100 == 2:
        return None
    if reply.status == 500 and of_login.search(text_in(record_in(reply.json).get("error")) or ""):
        return LOGIN
    return CODES.get(reply.status) or by_status(reply.status)


def parse_submitted(reply: Reply) -> str:
    """The clips' ids, with commas between; raises what the table's first column says."""
    if row := row_of(reply, OF_LOGIN_BEFORE_SUBMIT):
        raise error_of(row[0], told(reply), reply)
    ids = [clip.id for clip in clippings_in(reply) if clip.id]
    if not ids:
        raise OutcomeUnknown(f"the answer names no clip: {told(reply)}")
    return ",".join(ids)


def parse_clips(reply: Reply, upstream_task_id: str) -> Progress:
    """How far a separation is; raises what the table's second column says."""
    if row := row_of(reply):
        return judge_look(row, told(reply), reply)
    found = {clip.id: clip for clip in clippings_in(reply)}
    wanted = upstream_task_id.split(",")
    # An id that is not there (yet) is just missing from the array.
    return progress_of(
        [_clip(found[id]) for id in wanted if id in found], are_all=found.keys() >= set(wanted)
    )


def parse_credits(reply: Reply) -> float:
    """The balance of the Suno account."""
    if row := row_of(reply):
        raise question_error(row, told(reply), reply, unknown=Unavailable)
    balance = number_in(record_in(reply.json).get("credits_left"))
    if balance is None:
        raise Unavailable(f"no number of credits: {told(reply)}")
    return balance


def stem_ids_in(library: Reply) -> list[str]:
    """Clips that are titled like stems, the newest first as the library has them."""
    if row := row_of(library):
        raise question_error(row, told(library), library, unknown=Unavailable)
    return [
        clip.id
        for clip in clippings_in(library)
        if clip.id and _clip(clip).stem_name in (Stem.VOCALS, Stem.INSTRUMENTAL)
    ]


def is_stem_of(raw_clip: Reply, audio_id: str) -> bool:
    """Whether a raw clip says that it was split off this song."""
    ours = raw_clip.status == 200 and record_in(raw_clip.json)
    return bool(ours) and Clipping.read(ours).stem_from_id == audio_id


def clippings_in(reply: Reply) -> list[Clipping]:
    """A comma in an id would make two of it."""
    clips = map(Clipping.read, records_in(reply.json))
    return [clip for clip in clips if clip.id and CLIP_ID.fullmatch(clip.id)]


def _clip(clip: Clipping) -> Clip:
    return Clip(
        clip.id,
        clip.status or "",
        clip.title or "",
        link=link_in(clip.audio_url),
        duration_s=clip.duration_s,
        error=clip.error,
        cover_url=clip.cover_url,
    )
