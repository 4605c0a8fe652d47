"""An upstream and its host of files, as a ``Provider`` that does what a test tells it to."""

import io
import wave
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import httpx

from providers.base import Limits, Mode, Progress, Song, SongRef, StemLink, Succeeded
from providers.errors import ProviderError, SongUnknown
from sandbox import song
from sandbox.song import STEMS

FILES = "https://files.example"
BASIC = ("vocals", "instrumental")
LIMITS = Limits(submits=18, per_s=10, look_every_s=10, link_life_days=14)
MANY = 200
COSTS = {Mode.BASIC: 10.0, Mode.FULL: 50.0}


def links(*names: str, days: str = "1") -> tuple[StemLink, ...]:
    return tuple(StemLink(name, f"{FILES}/{days}/{name.replace(' ', '-')}.mp3", 39.5) for name in names)


async def nothing() -> None:
    """What happens during a call, unless a test has something in mind."""


@dataclass
class FakeProvider:
    """Submits are charged and finish at the first look, unless the next answers are given."""

    boundary: Callable[[str], None] = lambda _: None
    name: str = "sunoapi_org"
    title: str = "sunoapi.org"
    modes: frozenset[Mode] = frozenset(Mode)
    costs: Mapping[Mode, float] = field(default_factory=COSTS.copy)
    limits: Limits = LIMITS
    hindrance: str | None = None
    song_title: str | None = "Paper Boats"
    stems: Sequence[str] = ()
    charges: int = 0
    balance: float | ProviderError = 1000.0
    asked: list[tuple[object, ...]] = field(default_factory=list)
    to_submit: deque[str | ProviderError] = field(default_factory=deque)
    to_look: deque[Progress | ProviderError] = field(default_factory=deque)
    to_find: deque[str | ProviderError | None] = field(default_factory=deque)
    listed: list[Song] | ProviderError = field(default_factory=list)
    during: Callable[[], Awaitable[None]] = nothing
    modes_of: dict[str, Mode] = field(default_factory=dict)

    def obstacle(self, _song: SongRef, mode: Mode) -> str | None:
        return self.hindrance if mode in self.modes else f"{self.title} has no {mode} mode."

    async def submit(self, song: SongRef, mode: Mode, callback_url: str) -> str:
        self._ask("submit", song, mode, callback_url)
        await self.during()
        answer = self.to_submit.popleft() if self.to_submit else f"task-{self.charges + 1}"
        if isinstance(answer, str):
            self._charge(mode)
            self.modes_of[answer] = mode
        self.boundary("submit is answered")
        return _said(answer)

    async def look(self, upstream_task_id: str) -> Progress:
        self._ask("look", upstream_task_id)
        await self.during()
        answer = self.to_look.popleft() if self.to_look else self._finished(upstream_task_id)
        self.boundary("look is answered")
        return _said(answer)

    async def find(self, song: SongRef, mode: Mode, callback_url: str, hint: str | None) -> str | None:
        self._ask("find", song, mode, callback_url, hint)
        await self.during()
        return _said(self.to_find.popleft() if self.to_find else None)

    async def songs(self, task_id: str) -> Sequence[Song]:
        self._ask("songs", task_id)
        await self.during()
        if not self.listed:
            raise SongUnknown("no such task")
        return _said(self.listed)

    async def credits(self) -> float:
        return _said(self.balance)

    def _charge(self, mode: Mode) -> None:
        self.charges += 1
        if isinstance(self.balance, float):
            self.balance -= self.costs[mode]

    def callback_task_id(self, body: object) -> str | None:
        return body.get("task_id") if isinstance(body, dict) else None

    async def aclose(self) -> None:
        """Nothing is open."""

    def calls(self, name: str) -> list[tuple[object, ...]]:
        return [asked[1:] for asked in self.asked if asked[0] == name]

    def _ask(self, *asked: object) -> None:
        self.boundary(f"{asked[0]} comes in")
        self.asked.append(asked)

    def _finished(self, upstream_task_id: str) -> Succeeded:
        full = self.modes_of.get(upstream_task_id) is Mode.FULL
        return Succeeded(links(*(self.stems or (STEMS if full else BASIC))), self.song_title)


def _said(answer):
    if isinstance(answer, ProviderError):
        raise answer
    return answer


@dataclass
class FileHost:
    """Behind every link a real MP3, unless a test puts another answer (a status, bytes, an error) there."""

    answers: dict[str, int | bytes | Exception] = field(default_factory=dict)  # by stem name
    fetched: list[str] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[1].removesuffix(".mp3")
        self.fetched.append(name)
        assert len(self.fetched) < MANY, "there is no end to the downloads"
        answer = self.answers.get(name, some_audio())
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        headers = {"Content-Type": "audio/mpeg", "Content-Length": str(len(answer))}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(answer))


@cache
def some_audio() -> bytes:
    """The begin of a real song: a few frames are a file of their own."""
    return song.path("basic_instrumental").read_bytes()[:12_000]


@cache
def some_wav() -> bytes:
    """A tenth of a second of a loud tone."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 8000, 0, "NONE", ""))
        written.writeframes(b"\x00\x40\x00\xc0" * 400)
    return file.getvalue()


@cache
def silence() -> bytes:
    """The begin of a stem that has nothing to play yet."""
    return song.path("bass").read_bytes()[:12_000]
