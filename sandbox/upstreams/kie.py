"""kie.ai: 402 means no credits, 429 too fast; its records carry ``originData`` next to the stems' own keys.
https://docs.kie.ai/suno-api/separate-vocals
"""

from sandbox import songs
from sandbox.songs import Refusal
from sandbox.upstreams.family import Family, common_record, stem_fields
from sandbox.upstreams.files import ORIGIN, Part, words
from sandbox.upstreams.tasks import Task
from sandbox.upstreams.wire import Json

CODES = {
    Refusal.BAD_KEY: (401, "You do not have access permissions"),
    Refusal.BAD_BODY: (400, "The request body is not valid JSON"),
    Refusal.INVALID: (422, "The request parameters failed validation checks"),
    Refusal.UNKNOWN_SONG: (422, "The record is null: check taskId and audioId"),
    Refusal.UNKNOWN_TASK: (404, "The requested resource does not exist"),
    Refusal.NO_SOURCE: (451, "Failed to fetch the audio. Kindly verify any access limits set by you."),
    Refusal.NO_CREDITS: (402, "Credits insufficient: the balance isn't enough, top up to continue"),
    Refusal.TOO_FAST: (429, "Your call frequency is too high. Please try again later."),
    Refusal.MAINTENANCE: (455, "The website is under maintenance. Please try again later."),
    Refusal.SERVER_ERROR: (500, "Server exception, please try again later or contact customer service"),
    Refusal.UNDOCUMENTED: (599, "A code that nobody documented"),
}
IN_ORIGIN_DATA = 3  # its own example lists fewer stems there than it has keys


class Kie(Family):
    name = "kie"
    credits_path = "/api/v1/chat/credit"
    stems_in_callback = "vocal_separation_info"
    codes = CODES

    def record(self, task: Task) -> Json:
        found = self.parts(task)
        response = stem_fields(task, found)
        if response is not None:
            response |= {"id": None, "originData": [_origin(task, part) for part in found[:IN_ORIGIN_DATA]]}
        return common_record(task, response) | {"musicIndex": _index(task)}


def _origin(task: Task, part: Part) -> Json:
    """A stem once more: another link to the same file, its uuid as the id."""
    link = part.url.replace(f"/{task.mode}/", f"/{task.mode}{ORIGIN}/")
    return {
        "duration": task.song.duration_s, "audio_url": link, "id": part.id,
        "stem_type_group_name": words(part.name),
    }  # fmt: skip


def _index(task: Task) -> int:
    return songs.of_task(task.song.task_id).index(task.song) % 2  # documented as 0 or 1
