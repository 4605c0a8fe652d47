"""apikley.ru: the codes of kie.ai, the fields of its own page, and the pair of ids as the only input.
https://docs.apikley.ru/suno-api/get-vocal-separation-details
"""

from sandbox.upstreams.family import Family, common_record, stem_fields
from sandbox.upstreams.kie import CODES
from sandbox.upstreams.tasks import Task
from sandbox.upstreams.wire import Json


class Apikley(Family):
    name = "apikley"
    credits_path = "/api/v1/chat/credit"
    stems_in_callback = "vocal_separation_info"
    takes_audio_url = False
    codes = CODES

    def record(self, task: Task) -> Json:
        return common_record(task, stem_fields(task, self.parts(task))) | {"audioId": task.song.audio_id}
