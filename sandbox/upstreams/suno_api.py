"""gcui-art/suno-api, self-hosted: no key of its own, a Suno cookie; clips come without links and are polled.
https://github.com/gcui-art/suno-api
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.songs import SONGS, Refusal, Song, by_audio_id
from sandbox.upstreams import files
from sandbox.upstreams.base import Refused, Upstream
from sandbox.upstreams.faults import Place
from sandbox.upstreams.files import Part, words
from sandbox.upstreams.tasks import Task
from sandbox.upstreams.wire import Json, json_body

PAGE = 20
USELESS_LINK = "https://cdn1.suno.ai/None.mp3"
ANSWERS: dict[Refusal, tuple[int, str]] = {
    Refusal.BAD_KEY: (
        500,
        "Internal error: Failed to get session id, you may need to update the SUNO_COOKIE",
    ),
    Refusal.INVALID: (400, "Audio ID is required"),
    Refusal.UNKNOWN_SONG: (404, "API Error: Clip not found."),
    Refusal.UNKNOWN_TASK: (500, "Internal server error"),
    Refusal.NO_SOURCE: (422, "API Error: [object Object]"),
    Refusal.NO_CREDITS: (402, "Payment required"),
    Refusal.TOO_FAST: (429, "API Error: Too many requests"),
    Refusal.MAINTENANCE: (503, "Network error: Unable to connect to Suno"),
    Refusal.SERVER_ERROR: (500, "Internal error: Cannot read properties of undefined (reading 'clips')"),
    Refusal.UNDOCUMENTED: (599, "API Error: a status that nobody documented"),
}


class SunoApi(Upstream):
    """``key`` is the one Suno cookie that works. A task's id is its clip ids, joined by commas."""

    name = "suno_api"

    def routes(self) -> list[BaseRoute]:
        look = self.endpoint(Place.LOOK, self._get)
        return [
            Route("/api/generate_stems", self.endpoint(Place.SUBMIT, self._submit), methods=["POST"]),
            Route("/api/get", look, methods=["GET"]),
            Route("/api/clip", self.endpoint(Place.SONGS, self._clip), methods=["GET"]),
            Route("/api/get_limit", self.endpoint(Place.CREDITS, self._limit), methods=["GET"]),
        ]

    def authorize(self, request: Request) -> None:
        # A cookie without __client is ignored and the server's own is used, silently.
        cookie = request.headers.get("Cookie", "")
        if "__client" in cookie and cookie != self.key:
            raise Refused(Refusal.BAD_KEY)

    def refuse(self, refusal: Refusal, detail: str) -> Response:
        if refusal is Refusal.BAD_BODY:  # its framework fails before its own code does
            return PlainTextResponse("Internal Server Error", 500)
        status, message = ANSWERS[refusal]
        return JSONResponse({"error": detail or message}, status)

    def finish(self, task_id: str | None = None) -> None:
        super().finish(self._task_of(task_id).id if task_id else None)

    async def _submit(self, request: Request) -> Response:
        audio_id = (await json_body(request)).get("audio_id")
        if not audio_id:
            raise Refused(Refusal.INVALID)
        song = by_audio_id(str(audio_id))
        if song is None:
            raise Refused(Refusal.UNKNOWN_SONG)
        task = self.make_task(_new_task_id(), song, "basic")
        clips = [_submitted(task, part) for part in self._clips_of(task)]
        return await self.spoilt(song, JSONResponse(clips))

    async def _get(self, request: Request) -> Response:
        ids = request.query_params.get("ids")
        if not ids:
            return JSONResponse(self._library(request.query_params.get("page", "0")))
        task = self._count_look(ids.split(","))
        found = [self._found(clip_id) for clip_id in ids.split(",")]
        if task and task.looks <= task.song.quirks.empty_looks:
            found = found[1:]
        return JSONResponse([clip for clip in found if clip is not None])

    async def _clip(self, request: Request) -> Response:
        clip_id = request.query_params.get("id")
        if not clip_id:
            return JSONResponse({"error": "Missing parameter id"}, 400)
        clip = self._found(clip_id)
        if clip is None:
            return JSONResponse({"error": "Internal server error"}, 500)
        task = self._task_with(clip_id)
        origin = {"stem_from_id": task.song.audio_id} if task else {}
        return JSONResponse(clip | {"metadata": {"type": "gen", "error_message": None, **origin}})

    async def _limit(self, _: Request) -> Response:
        return JSONResponse(
            {"credits_left": self.balance, "period": "day", "monthly_limit": 50, "monthly_usage": 5}
        )

    def _count_look(self, clip_ids: list[str]) -> Task | None:
        """One look, even when it asks for several clips; raises Refused where the song wants it."""
        task = next((task for task in map(self._task_with, clip_ids) if task), None)
        if task is None:
            return None
        if task.looks < len(task.song.quirks.first_looks):
            task.looks += 1
            raise Refused(Refusal.UNKNOWN_TASK)  # every cause hides behind one 500
        task.looks += 1
        return task

    def _library(self, page_text: str) -> list[Json]:
        """A page of what the account has, newest first."""
        page = int(page_text) if page_text.isdecimal() else 0
        clips = [
            self._stem(task, part) for task in reversed(list(self.tasks)) for part in self._clips_of(task)
        ]
        clips += [self._song(song) for song in SONGS]
        return clips[page * PAGE : (page + 1) * PAGE]

    def _found(self, clip_id: str) -> Json | None:
        if song := by_audio_id(clip_id):
            return self._song(song)
        task = self._task_with(clip_id)
        if task is None:
            return None
        return next(self._stem(task, part) for part in self._clips_of(task) if part.id == clip_id)

    def _task_with(self, clip_id: str) -> Task | None:
        task_id = next((task.id for task in self.tasks if clip_id in task.id.split(",")), None)
        return self.tasks.get(task_id) if task_id else None

    def _task_of(self, text: str) -> Task:
        """The task that a client's own way of joining clip ids means; KeyError if there is none."""
        for task in self.tasks:
            if any(clip_id in text for clip_id in task.id.split(",")):
                return task
        raise KeyError(text)

    def _clips_of(self, task: Task) -> list[Part]:
        ids = task.id.split(",")
        return [Part(part.name, part.url, ids[n]) for n, part in enumerate(self.parts(task)[: len(ids)])]

    def _stem(self, task: Task, part: Part) -> Json:
        status, link = self._state(task, part)
        return _fed(
            part.id, f"{task.song.title} ({words(part.name)})", status, link, task.song, task.created_at
        )

    def _state(self, task: Task, part: Part) -> tuple[str, str]:
        """Status and link of a clip: none, then a stream's, then the file's."""
        stream = f"https://audiopipe.suno.ai/?item_id={part.id}"
        if task.done_at is None:
            return ("submitted", "") if task.looks <= 1 else ("streaming", stream)
        if task.failed or part.name in task.song.quirks.failed_clips:
            return "error", ""
        stale = task.song.quirks.stale_looks - task.looks
        if stale >= 0:
            return "complete", USELESS_LINK if stale else stream
        return "complete", part.url

    def _song(self, song: Song) -> Json:
        return _fed(
            song.audio_id, song.title, "complete", files.song_link(self.base_files_url, song), song, 0
        )


def _new_task_id() -> str:
    return ",".join(str(uuid.uuid4()) for _ in files.BASIC)


def _submitted(task: Task, part: Part) -> Json:
    return {
        "id": part.id, "status": "submitted", "created_at": _iso(task.created_at),
        "title": f"{task.song.title} ({words(part.name)})", "stem_from_id": task.song.audio_id,
    }  # fmt: skip


def _fed(clip_id: str, title: str, status: str, link: str, song: Song, created_at: float) -> dict[str, Any]:
    """A clip of the feed. It does not say which song a stem comes from."""
    return {
        "id": clip_id, "title": title, "image_url": "", "lyric": "", "audio_url": link, "video_url": "",
        "created_at": _iso(created_at), "model_name": "chirp-v5", "status": status, "type": "gen",
        "tags": song.tags, "duration": song.duration_s if status == "complete" else None,
    }  # fmt: skip


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
