"""The API that sunoapi.org, kie.ai and apikley.ru share.

HTTP is nearly always 200, the outcome is in the body's ``code``. They disagree about codes (429: out of
credits at one, too fast at the others): each passes its own table.
https://docs.sunoapi.org/suno-api/separate-vocals-from-music
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from providers.base import Failed, Json, Limits, Mode, Progress, Song, SongRef
from providers.codes import Codes, error_of
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    SongUnknown,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Line, Reply
from providers.vocal_removal_answers import (
    claimed_task_id,
    code_of,
    is_ours,
    parse_credits,
    parse_record,
    parse_songs,
    parse_submitted,
    said_with_429,
    told,
)

SUBMIT_PATH = "/api/v1/vocal-removal/generate"
LOOK_PATH = "/api/v1/vocal-removal/record-info"
SONGS_PATH = "/api/v1/generate/record-info"
TYPES = {Mode.BASIC: "separate_vocal", Mode.FULL: "split_stem"}

# The rows on which they agree. https://docs.kie.ai/suno-api/separate-vocals-from-music
SHARED_CODES: Codes = {
    #    on a submit     on a look
    401: (Misconfigured, Misconfigured),  # kie.ai: also a cap or an allow-list of the key
    402: (NoCredits, NoCredits),
    404: (Misconfigured, TaskUnknown),  # an address on a submit; a task right after one
    408: (OutcomeUnknown, Failed),  # nothing came of it for ten minutes
    409: (Rejected, Unavailable),
    413: (Rejected, Failed),
    422: (SongUnknown, Failed),  # of what we send, only the pair of ids can be wrong or too old
    433: (Misconfigured, Unavailable),  # a key's own quota
    451: (SongUnknown, Failed),  # the song's file cannot be fetched
    455: (Unavailable, Unavailable),  # maintenance
    500: (OutcomeUnknown, Unavailable),
    501: (Rejected, Failed),  # tried and failed: again only if the person wants it
    505: (Misconfigured, Unavailable),  # the feature is switched off
    531: (Rejected, Failed),  # as 501, the credits are returned
}

# Suno's own copy of a song, for those who have no task id. Taken as ``audioUrl`` where the brand says so.
SONG_ADDRESS = "https://cdn1.suno.ai/{audio_id}.mp3"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Brand:
    """What one of the three has of its own."""

    name: str
    title: str
    codes: Codes
    credits_path: str
    costs: Mapping[Mode, float]
    limits: Limits
    takes_links: bool = False


class VocalRemoval:
    modes = frozenset(Mode)

    def __init__(
        self,
        brand: Brand,
        url: str,
        key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        song_address: str = SONG_ADDRESS,
    ) -> None:
        self.name, self.title = brand.name, brand.title
        self.costs, self.limits = brand.costs, brand.limits
        self._brand, self._song_address = brand, song_address
        self._line = Line(url, {"Authorization": f"Bearer {key}"}, secret=key, transport=transport)

    def obstacle(self, song: SongRef, mode: Mode) -> str | None:  # noqa: ARG002  both modes are offered
        if song.task_id or (self._brand.takes_links and UUID.fullmatch(song.audio_id)):
            return None
        return f"{self.title} needs the song's task id too: send <task_id>:<audio_id>."

    async def submit(self, song: SongRef, mode: Mode, callback_url: str) -> str:
        if obstacle := self.obstacle(song, mode):
            raise Rejected(obstacle)
        body = {**self._source(song), "type": TYPES[mode], "callBackUrl": callback_url}
        reply = await self._line.submit(SUBMIT_PATH, body)
        if code_of(reply) == 429 and said_with_429(reply) is None:
            raise await self._credits_or_rate(reply, mode)
        return parse_submitted(reply, self._brand.codes)

    async def look(self, upstream_task_id: str) -> Progress:
        return parse_record(await self._line.get(LOOK_PATH, taskId=upstream_task_id), self._brand.codes)

    async def songs(self, task_id: str) -> Sequence[Song]:
        return parse_songs(await self._line.get(SONGS_PATH, taskId=task_id), self._brand.codes, task_id)

    async def credits(self) -> float:
        return parse_credits(await self._line.get(self._brand.credits_path), self._brand.codes)

    def callback_task_id(self, body: Json) -> str | None:
        return claimed_task_id(body)

    async def find(self, song: SongRef, mode: Mode, callback_url: str, hint: str | None) -> str | None:  # noqa: ARG002  the task shows no mode
        if hint is None:  # no call lists separations
            return None
        reply = await self._line.get(LOOK_PATH, taskId=hint)
        # By its link a song gets whatever audio id the upstream gives it.
        audio_id = song.audio_id if song.task_id else None
        return hint if is_ours(reply, self._brand.codes, callback_url, audio_id) else None

    async def aclose(self) -> None:
        await self._line.aclose()

    def _source(self, song: SongRef) -> dict[str, str]:
        """Ids or a link, never both. The link is taken from clients: no official page names ``audioUrl``."""
        if song.task_id:
            return {"taskId": song.task_id, "audioId": song.audio_id}
        return {"audioUrl": self._song_address.format(audio_id=song.audio_id)}

    async def _credits_or_rate(self, reply: Reply, mode: Mode) -> ProviderError:
        """What a 429 means that does not say it: the balance tells."""
        try:
            short = await self.credits() < self.costs[mode]
        except ProviderError:
            kind = self._brand.codes[429][0]
        else:
            kind = NoCredits if short else TooFast
        return error_of(kind, told(reply), reply)
