"""sunoapi.com: real HTTP statuses, one clip per stem, looks that have no ``data`` at first.
https://docs.sunoapi.com/ ("stems basic", "stems full", "get music", "get-credits")
"""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import songs
from sandbox.songs import Refusal, Song
from sandbox.upstreams import files
from sandbox.upstreams.base import Rate, Refused, Upstream, Work
from sandbox.upstreams.faults import Place
from sandbox.upstreams.files import Part, words
from sandbox.upstreams.tasks import Mode, Task
from sandbox.upstreams.wire import Json, json_body, required

ANSWERS: dict[Refusal, tuple[int, str]] = {
    Refusal.BAD_KEY: (401, "Invalid authorization format."),
    Refusal.BAD_BODY: (400, "The body is not valid JSON."),
    Refusal.INVALID: (400, "missing clip_id."),
    Refusal.UNKNOWN_SONG: (400, "clip not found."),
    Refusal.UNKNOWN_TASK: (400, "task not found."),
    Refusal.NO_SOURCE: (400, "The audio of the clip is not available."),
    Refusal.NO_CREDITS: (403, "The remaining credits are not enough. Please top up."),
    Refusal.TOO_FAST: (429, "Too many requests."),
    Refusal.MAINTENANCE: (500, "The service is under maintenance."),
    Refusal.SERVER_ERROR: (500, "Internal Server Error."),
    Refusal.UNDOCUMENTED: (599, "A status that nobody documented"),
}


class SunoApiCom(Upstream):
    name = "sunoapi_com"
    usual_rate = Rate(1, 3.0)

    def routes(self) -> list[BaseRoute]:
        return [
            self._submit_route("basic"),
            self._submit_route("full"),
            Route("/api/v1/suno/task/{task_id}", self.endpoint(Place.LOOK, self._look), methods=["GET"]),
            Route("/api/v1/get-credits", self.endpoint(Place.CREDITS, self._credits), methods=["GET"]),
        ]

    def authorize(self, request: Request) -> None:
        authorization = request.headers.get("Authorization")
        if authorization is None:
            raise Refused(Refusal.BAD_KEY, "Authorization header is missing.")
        if authorization != f"Bearer {self.key}":
            raise Refused(Refusal.BAD_KEY)

    def refuse(self, refusal: Refusal, detail: str) -> Response:
        status, message = ANSWERS[refusal]
        return JSONResponse({"message": detail or message}, status)

    def on_done(self, task: Task) -> None:
        if task.failed:
            self.balance += self.prices[task.mode]  # documented, and seen on its sister

    def _submit_route(self, mode: Mode) -> Route:
        async def submit(request: Request) -> Response:
            song = songs.by_audio_id(required(await json_body(request), "clip_id"))
            if song is None:
                raise Refused(Refusal.UNKNOWN_SONG)
            task = self.make_task(str(uuid.uuid4()), song, mode)
            return await self.spoilt(song, JSONResponse({"message": "success", "task_id": task.id}))

        work: Work = self.endpoint(Place.SUBMIT, submit)
        return Route(f"/api/v1/suno/stems/{mode}", work, methods=["POST"])

    async def _look(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        if known := songs.of_task(task_id):
            return _clips([self._song_clip(song) for song in known])
        task = self.look_at(task_id)
        if task.looks == 1 and task.done_at is None:
            return JSONResponse({"type": "not_ready"})
        if task.looks <= task.song.quirks.empty_looks:
            return JSONResponse({"code": 202, "message": "success", "data": []}, 202)
        return _clips([self._clip(task, part) for part in self.parts(task)], task.song)

    async def _credits(self, _: Request) -> Response:
        return JSONResponse({"credits": self.balance, "extra_credits": 0})

    def _clip(self, task: Task, part: Part) -> Json:
        title = f"{task.song.title} ({words(part.name)})"
        if task.done_at is None:
            stream = f"https://audiopipe.suno.ai/?item_id={part.id}"
            return {
                "clip_id": part.id, "state": "running", "title": title, "audio_url": stream, "duration": None,
            }  # fmt: skip
        if task.failed or part.name in task.song.quirks.failed_clips:
            return {
                "clip_id": part.id, "state": "failed", "title": title, "audio_url": "",
                "error_message": task.song.quirks.error or "generation failed", "duration": None,
            }  # fmt: skip
        return _succeeded(part.id, title, part.url, task.song)

    def _song_clip(self, song: Song) -> Json:
        return _succeeded(song.audio_id, song.title, files.song_link(self.base_files_url, song), song)


def _succeeded(clip_id: str, title: str, link: str, song: Song) -> Json:
    return {
        "clip_id": clip_id, "state": "succeeded", "title": title, "tags": song.tags, "lyrics": "",
        "image_url": "", "audio_url": link, "video_url": None, "created_at": "2026-11-01T10:02:00Z",
        "mv": "chirp-v5", "gpt_description_prompt": "", "duration": f"{song.duration_s:.2f}",
    }  # fmt: skip


def _clips(clips: list[Json], song: Song | None = None) -> Response:
    code: Any = "200" if song and song.quirks.code_as_text else 200
    return JSONResponse({"code": code, "message": "success", "data": clips})
