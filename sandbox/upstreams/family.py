"""The wire format that sunoapi.org, kie.ai and apikley.ru share: HTTP 200, the outcome in ``code``.

https://docs.sunoapi.org/suno-api/separate-vocals-from-music
https://docs.kie.ai/suno-api/separate-vocals
https://docs.apikley.ru/suno-api/get-vocal-separation-details
"""

import json
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import songs
from sandbox.songs import Refusal, Song
from sandbox.upstreams import covers, files
from sandbox.upstreams.base import Rate, Refused, Upstream
from sandbox.upstreams.faults import Place
from sandbox.upstreams.tasks import Mode, Task
from sandbox.upstreams.wire import Json, json_body, required

MODES: dict[str, Mode] = {"separate_vocal": "basic", "split_stem": "full"}
# Every key of a record's ``response``, in the documented order.
KEYS: dict[str, str] = {
    "instrumental": "instrumentalUrl", "vocals": "vocalUrl", "backing_vocals": "backingVocalsUrl",
    "drums": "drumsUrl", "bass": "bassUrl", "guitar": "guitarUrl", "piano": "pianoUrl",
    "keyboard": "keyboardUrl", "percussion": "percussionUrl", "strings": "stringsUrl", "synth": "synthUrl",
    "fx": "fxUrl", "brass": "brassUrl", "woodwinds": "woodwindsUrl",
}  # fmt: skip
POSTS = {"once": 1, "twice": 2, "forged": 1, "early": 1, "astray": 1}  # at the end of a task
FORGED_LINK = "https://files.example.net/forged_Vocals.mp3"


class Family(Upstream):
    usual_rate = Rate(20, 10.0)
    codes: ClassVar[Mapping[Refusal, tuple[int, str]]]
    credits_path: ClassVar[str]
    stems_in_callback: ClassVar[str]  # the key under ``data`` of a callback
    takes_audio_url: ClassVar[bool] = True

    @abstractmethod
    def record(self, task: Task) -> Json:
        """``data`` of a look, in this brand's set of fields."""

    def routes(self) -> list[BaseRoute]:
        submit = self.endpoint(Place.SUBMIT, self._submit)
        look = self.endpoint(Place.LOOK, self._look)
        return [
            Route("/api/v1/vocal-removal/generate", submit, methods=["POST"]),
            Route("/api/v1/vocal-removal/record-info", look, methods=["GET"]),
            Route("/api/v1/generate/record-info", self.endpoint(Place.SONGS, self._songs), methods=["GET"]),
            Route(self.credits_path, self.endpoint(Place.CREDITS, self._credits), methods=["GET"]),
        ]

    def authorize(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            raise Refused(Refusal.BAD_KEY)

    def refuse(self, refusal: Refusal, detail: str) -> Response:
        code, msg = self.codes[refusal]
        return JSONResponse({"code": code, "msg": detail or msg, "data": None})

    def on_done(self, task: Task) -> None:
        how = task.song.quirks.callbacks
        url = f"{task.callback_url}x" if how == "astray" else task.callback_url
        for _ in range(POSTS.get(how, 0)):
            self.callbacks.send(url, self._callback(task))

    async def _submit(self, request: Request) -> Response:
        body = await json_body(request)
        mode, callback_url = _mode(body), _callback_url(body)
        song = self._song(body)
        task = self.make_task(uuid.uuid4().hex, song, mode, callback_url)
        if song.quirks.callbacks == "forged":
            self.callbacks.send(callback_url, self._forged_callback(task))
        if song.quirks.callbacks == "early":
            self.finish(task.id)
            await self.callbacks.sent()
        return await self.spoilt(song, _answer({"taskId": task.id}, song))

    async def _look(self, request: Request) -> Response:
        task = self.look_at(required(request.query_params, "taskId"))
        if task.done_at is not None and task.song.quirks.callbacks == "late":
            self.callbacks.send(task.callback_url, self._callback(task))
        return _answer(self.record(task), task.song)

    async def _songs(self, request: Request) -> Response:
        task_id = required(request.query_params, "taskId")
        known = songs.of_task(task_id)
        if not known:
            raise Refused(Refusal.UNKNOWN_TASK)
        return _answer(self._generation(task_id, known))

    async def _credits(self, _: Request) -> Response:
        return _answer(self.balance)

    def _song(self, body: Json) -> Song:
        """The song that the two ids, or the audioUrl, name. Never both, never one id alone."""
        if "audioUrl" in body and self.takes_audio_url:
            if "taskId" in body or "audioId" in body:
                raise Refused(Refusal.INVALID, "audioUrl cannot be combined with taskId or audioId")
            return self._song_behind(required(body, "audioUrl"))
        task_id, audio_id = required(body, "taskId"), required(body, "audioId")
        song = songs.by_audio_id(audio_id)
        if song is None or song.task_id != task_id:
            raise Refused(Refusal.UNKNOWN_SONG)
        return song

    def _song_behind(self, audio_url: str) -> Song:
        song = files.song_behind(self.base_files_url, audio_url)
        if song is None:
            raise Refused(Refusal.NO_SOURCE)
        return song

    def _generation(self, task_id: str, known: tuple[Song, ...]) -> Json:
        """https://docs.sunoapi.org/suno-api/get-music-generation-details"""
        tracks = [self._track(song) for song in known]
        return {
            "taskId": task_id, "parentMusicId": "", "param": json.dumps({"model": "V5", "customMode": True}),
            "response": {"taskId": task_id, "sunoData": tracks}, "status": "SUCCESS", "type": "GENERATE",
            "errorCode": None, "errorMessage": None,
        }  # fmt: skip

    def _track(self, song: Song) -> Json:
        link = files.song_link(self.base_files_url, song)
        return {
            "id": song.audio_id, "audioUrl": link, "streamAudioUrl": link.removesuffix(".mp3"),
            "imageUrl": covers.link(self.base_files_url, song.audio_id),
            "prompt": "[Verse] ...", "modelName": "chirp-v5", "title": song.title,
            "tags": song.tags, "createTime": "2026-09-21 00:00:00", "duration": song.duration_s,
        }  # fmt: skip

    def _callback(self, task: Task) -> Json:
        if task.failed:
            what = "Vocal separation" if task.mode == "basic" else "Instrument separation"
            data = {"task_id": task.id, self.stems_in_callback: None}
            return {"code": 500, "msg": f"{what} failed", "data": data}
        links = {
            snake(KEYS.get(part.name, f"{part.name}Url")): part.url for part in self.parts(task) if part.url
        }
        return self._good_news(task, {"origin_url": "", **links})

    def _forged_callback(self, task: Task) -> Json:
        return self._good_news(task, {"origin_url": "", "vocal_url": FORGED_LINK})

    def _good_news(self, task: Task, links: dict[str, str]) -> Json:
        what = "vocal Removal" if self.stems_in_callback == "vocal_removal_info" else "vocal separation"
        data = {"task_id": task.id, self.stems_in_callback: links}
        return {"code": 200, "msg": f"{what} generated successfully.", "data": data}


def common_record(task: Task, response: Json | None) -> Json:
    """The fields of a look that all three send."""
    quirks = task.song.quirks
    done = task.done_at is not None
    return {
        "taskId": task.id,
        "musicId": str(uuid.uuid5(uuid.NAMESPACE_OID, task.song.audio_id)),
        "callbackUrl": task.callback_url,
        "completeTime": _when(task.done_at, task.song),
        "response": response,
        "successFlag": (quirks.done_word or "SUCCESS") if done else (quirks.running_word or "PENDING"),
        "createTime": _when(task.created_at, task.song),
        "errorCode": 500 if done and quirks.error else None,
        "errorMessage": (quirks.error or None) if done else None,
    }


def stem_fields(task: Task, found: list[files.Part]) -> Json | None:
    """``response`` of a look: null for every stem that did not come, or as an odd song wants it."""
    if task.done_at is None or task.failed:
        return None
    quirks = task.song.quirks
    fields: Json = {"originUrl": None} | dict.fromkeys(KEYS.values())
    fields |= {KEYS.get(part.name, f"{part.name}Url"): part.url or None for part in found}
    for name in quirks.absent:
        if quirks.absent_as == "empty":
            fields[KEYS[name]] = ""
        elif quirks.absent_as == "no_key":
            del fields[KEYS[name]]
    return fields


def snake(key: str) -> str:
    """``backingVocalsUrl`` -> ``backing_vocals_url``"""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _mode(body: Json) -> Mode:
    kind = required(body, "type")
    if kind not in MODES:
        raise Refused(Refusal.INVALID, "type must be separate_vocal or split_stem")
    return MODES[kind]


def _callback_url(body: Json) -> str:
    url = required(body, "callBackUrl")
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise Refused(Refusal.INVALID, "callBackUrl must be a valid URL")
    return url


def _answer(data: object, song: Song | None = None) -> Response:
    code = "200" if song and song.quirks.code_as_text else 200
    return JSONResponse({"code": code, "msg": "success", "data": data})


def _when(at: float | None, song: Song) -> int | str | None:
    if at is None or song.quirks.times == "null":
        return None
    if song.quirks.times == "text":
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return int(at * 1000)
