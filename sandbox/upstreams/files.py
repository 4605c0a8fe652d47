"""The stem host: links to stems, the stems behind them, and hosts that misbehave.

A link is ``<base>/<set of files>/<host>/<uuid>_Backing_Vocals.mp3``: like the real ones it names the stem at
its end, and it holds everything the host needs to know, so nothing is kept.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.types import Receive, Scope, Send

from sandbox import song
from sandbox.songs import Song, by_audio_id
from sandbox.upstreams.faults import cut
from sandbox.upstreams.tasks import Mode

BASIC = ("vocals", "instrumental")
STEMS: dict[Mode, tuple[str, ...]] = {"basic": BASIC, "full": song.STEMS}
SPELLED = {"fx": "FX"}  # where a file name is not the stem's words in capitals
MP3 = "audio/mpeg"
ORIGIN = "-origin"  # ends a second set of links to the same files
SLOW_BYTES = 256
ROUTE = "/{files}/{host}/{name}"


@dataclass(frozen=True, slots=True)
class Part:
    """A stem of a task: its name, its link ("" for a song without links), the uuid in the link."""

    name: str
    url: str
    id: str


def words(stem: str) -> str:
    """``backing_vocals`` -> ``Backing Vocals``"""
    return SPELLED.get(stem, stem.replace("_", " ").title())


def parts(base_url: str, task_id: str, song_: Song, mode: Mode) -> list[Part]:
    """What a finished task has to give, with the song's oddities; the same for every look."""
    quirks = song_.quirks
    names = [name for name in (*STEMS[mode], *quirks.extra) if name not in quirks.absent]
    return [
        _part(base_url, f"{task_id}/{set_number}", name, mode, song_)
        for set_number in range(1, quirks.sets + 1)
        for name in names
    ]


def song_link(base_url: str, song_: Song) -> str:
    return f"{base_url}/song/s/{song_.audio_id}.mp3"


def song_behind(base_url: str, url: str) -> Song | None:
    """The song that an ``audioUrl`` leads to: a known one at Suno's own host, or at this sandbox."""
    for prefix in ("https://cdn1.suno.ai/", f"{base_url}/song/s/"):
        if url.startswith(prefix) and url.endswith(".mp3"):
            return by_audio_id(url.removeprefix(prefix).removesuffix(".mp3"))
    return None


async def serve(request: Request) -> Response:
    """The file of ``ROUTE``, the way its host sends files."""
    path = file_path(request.path_params["files"], unquote(request.path_params["name"]))
    host = HOSTS.get(request.path_params["host"])
    if path is None or host is None:
        return PlainTextResponse("NoSuchKey", 404)
    return host(path)


def file_path(files: str, name: str) -> Path | None:
    """The recording behind a link's end: ``full``, ``..._Backing_Vocals.mp3`` -> ``backing_vocals``."""
    if files == "song":
        return song.path("mix")
    match = re.fullmatch(r"[0-9a-f-]{36}[_ ](.+)\.mp3", name)
    mode = files.removesuffix(ORIGIN)
    if match is None or mode not in STEMS:
        return None
    stem = match[1].replace(" ", "_").lower()
    if mode == "basic" and stem in BASIC:
        return song.path(f"basic_{stem}")
    # An invented instrument has no recording of its own.
    return song.path(stem if stem in song.STEMS else "synth")


class CutFile(Response):
    """Half of a file under the length of the whole, then the connection is cut."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.read_bytes(), media_type=MP3)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await cut(scope, receive)


def _slow(path: Path) -> Response:
    async def trickle() -> AsyncIterator[bytes]:
        body = path.read_bytes()  # noqa: ASYNC240  small files on a local disk
        for start in range(0, len(body), SLOW_BYTES):
            yield body[start : start + SLOW_BYTES]
            await asyncio.sleep(1)

    return StreamingResponse(trickle(), media_type=MP3, headers={"Content-Length": str(path.stat().st_size)})


def _endless(path: Path) -> Response:
    async def repeat() -> AsyncIterator[bytes]:
        body = path.read_bytes()  # noqa: ASYNC240  small files on a local disk
        while True:
            yield body
            await asyncio.sleep(0)  # a receiver that left is noticed here: sending to it raises nothing

    return StreamingResponse(repeat(), media_type=MP3)


HOSTS: dict[str, Callable[[Path], Response]] = {
    "s": lambda path: FileResponse(path, media_type=MP3),
    "forbidden": lambda _: PlainTextResponse("AccessDenied", 403),
    "html": lambda _: HTMLResponse(
        "<!doctype html><title>Just a moment...</title><p>Checking your browser</p>"
    ),
    "cut": CutFile,
    "slow": _slow,
    "endless": _endless,
}


def _part(base_url: str, seed: str, name: str, mode: Mode, song_: Song) -> Part:
    file_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{name}"))
    if not song_.quirks.links:
        return Part(name, "", file_id)
    gap = " " if song_.quirks.spaced else "_"
    file_name = gap.join([file_id, *words(name).split()]) + ".mp3"
    return Part(name, f"{base_url}/{mode}/{song_.quirks.host}/{file_name}", file_id)
