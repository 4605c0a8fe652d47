import asyncio

import httpx
import pytest

from sandbox.songs import SONGS
from sandbox.upstreams import faults

SUBMIT = "/api/v1/vocal-removal/generate"
BODY = {
    "taskId": SONGS[0].task_id,
    "audioId": SONGS[0].audio_id,
    "type": "separate_vocal",
    "callBackUrl": "https://example.com/noop",
}


@pytest.fixture
async def kie(make):
    return await make("kie")


NOTHING_DONE = [
    (faults.code(455, "maintenance"), 200, '{"code":455,"msg":"maintenance","data":null}'),
    (faults.http(503, {"error": "x"}), 503, '{"error":"x"}'),
    (faults.http(418, "teapot"), 418, "teapot"),
    (faults.cdn_block(), 403, "error code: 1010"),
    (faults.html_502(), 502, faults.BAD_GATEWAY),
]


@pytest.mark.parametrize(
    ("fault", "status", "text"), NOTHING_DONE, ids=lambda case: getattr(case, "name", None)
)
async def test_some_faults_answer_in_place_of_the_work(kie, fault, status, text):
    upstream, client = kie
    upstream.fail_next(fault)
    answer = await client.post(SUBMIT, json=BODY)
    assert (answer.status_code, answer.text) == (status, text)
    assert upstream.charges == 0


@pytest.mark.parametrize(("fault", "charges"), [(faults.reset_before(), 0), (faults.reset_after(), 1)])
async def test_a_reset_comes_before_or_after_the_charge(kie, fault, charges):
    upstream, client = kie
    upstream.fail_next(fault)
    with pytest.raises(httpx.ReadError):
        await client.post(SUBMIT, json=BODY)
    assert upstream.charges == charges


async def test_some_faults_spoil_the_answer_after_the_charge(kie):
    upstream, client = kie
    for fault in (faults.no_task_id(), faults.data_list(), faults.code_as_text()):
        upstream.fail_next(fault)
    answers = [(await client.post(SUBMIT, json=BODY)).json() for _ in range(3)]
    assert answers[0]["data"] == {}
    assert answers[1]["data"][0]["taskId"] == upstream.submits[1].task_id
    assert answers[2]["code"] == "200"
    upstream.fail_next(faults.not_json())
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        (await client.post(SUBMIT, json=BODY)).json()
    assert upstream.charges == 4


async def test_a_slow_exchange_waits_for_its_event(kie):
    upstream, client = kie
    go = asyncio.Event()
    upstream.fail_next(faults.slow(go))
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(client.post(SUBMIT, json=BODY))
        assert (await client.get("/api/v1/chat/credit")).json()["data"] == 1000
        assert upstream.charges == 0
        go.set()
    assert answer.result().json()["code"] == 200


async def test_a_fault_may_meet_several_exchanges_and_only_its_own_kind(kie):
    upstream, client = kie
    upstream.fail_next(faults.html_502(), on="credits", times=2)
    assert (await client.post(SUBMIT, json=BODY)).status_code == 200
    statuses = [(await client.get("/api/v1/chat/credit")).status_code for _ in range(3)]
    assert statuses == [502, 502, 200]


async def test_an_unknown_kind_of_exchange_is_an_error(kie):
    upstream, _ = kie
    with pytest.raises(ValueError, match="sumbit"):
        upstream.fail_next(faults.html_502(), on="sumbit")
