"""Files beat flags: with the real adapter of an upstream, over a transport of ours."""

import json

import httpx
import pytest

from providers import registry
from storage.states import JobState as J
from tests.bot.upstream_stand_in import FILES
from tests.bot.world import ANN, SONG, TASK


def record(status, **links):
    response = {"vocalUrl": links.get("vocals"), "instrumentalUrl": links.get("instrumental")}
    data = {
        "taskId": "task-1",
        "successFlag": status,
        "errorMessage": "callback failed",
        "response": response,
    }
    return {"code": 200, "msg": "success", "data": data}


@pytest.fixture
def real(worlds, clock):
    """``real(record)``: a bot whose only upstream is sunoapi.org, which answers looks with this."""

    def make(looked):
        def answer(request):
            submitted = {"code": 200, "msg": "success", "data": {"taskId": "task-1"}}
            return httpx.Response(200, content=json.dumps(submitted if request.method == "POST" else looked))

        transport = httpx.MockTransport(answer)
        provider = registry.build("sunoapi_org", "https://api.example", "key-of-nobody", transport=transport)
        return worlds(providers={"sunoapi_org": provider})

    return make


async def test_links_beat_a_status_that_says_it_failed(real):
    files = {name: f"{FILES}/1/{name}.mp3" for name in ("vocals", "instrumental")}
    async with real(record("CALLBACK_EXCEPTION", **files)) as world:
        await world.say(f"/stems {TASK}:{SONG}")
        await world.run_until_idle()
        assert (await world.job()).state is J.DELIVERED
        assert len(world.telegram.titles_in(ANN)) == 2


async def test_a_success_without_one_link_is_a_failure(real):
    async with real(record("SUCCESS")) as world:
        await world.say(f"/stems {TASK}:{SONG}")
        await world.run_until_idle()
        assert (await world.job()).state is J.FAILED
        assert await world.balance() == 100
