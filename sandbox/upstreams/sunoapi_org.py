"""sunoapi.org: 429 means no credits here, 430 too fast. https://docs.sunoapi.org/suno-api/quickstart"""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.songs import Refusal
from sandbox.upstreams.family import Family, common_record, stem_fields
from sandbox.upstreams.tasks import Task
from sandbox.upstreams.wire import Json

CODES = {
    Refusal.BAD_KEY: (401, "You do not have access permissions"),
    Refusal.BAD_BODY: (400, "Invalid parameters"),
    Refusal.INVALID: (400, "Invalid parameters"),
    Refusal.UNKNOWN_SONG: (400, "The taskId and audioId do not belong to a known track"),
    Refusal.UNKNOWN_TASK: (404, "The record does not exist"),
    Refusal.NO_SOURCE: (451, "The source audio could not be downloaded"),
    Refusal.NO_CREDITS: (429, "The current credits are insufficient. Please top up."),
    Refusal.TOO_FAST: (430, "Your call frequency is too high. Please try again later."),
    Refusal.MAINTENANCE: (455, "The system is under maintenance. Please try again later."),
    Refusal.SERVER_ERROR: (500, "Server exception, please try again later"),
    Refusal.UNDOCUMENTED: (599, "A code that nobody documented"),
}


class SunoApiOrg(Family):
    name = "sunoapi_org"
    credits_path = "/api/v1/generate/credit"
    stems_in_callback = "vocal_removal_info"
    codes = CODES

    def record(self, task: Task) -> Json:
        return common_record(task, stem_fields(task, self.parts(task))) | {"audioId": task.song.audio_id}

    def exception_handlers(self) -> dict[Any, Any]:
        return {405: _wrong_method}


async def _wrong_method(_: Request, __: HTTPException) -> Response:
    return JSONResponse({"code": 404, "msg": "Invalid request method or path", "data": None})
