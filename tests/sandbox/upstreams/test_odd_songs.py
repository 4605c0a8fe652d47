"""What sunoapi_org, kie and apikley do with the odd songs."""

import pytest

from sandbox.songs import ODD

SUBMIT = "/api/v1/vocal-removal/generate"


async def test_each_brand_refuses_an_odd_song_in_its_own_codes(brand):
    upstream, client = brand
    no_credits = {"sunoapi_org": 429, "kie": 402, "apikley": 402}
    too_fast = {"sunoapi_org": 430, "kie": 429, "apikley": 429}
    expected = {
        "no_credits": no_credits[upstream.name],
        "too_fast": too_fast[upstream.name],
        "maintenance": 455,
        "submit_error": 500,
        "unknown_code": 599,
        "no_source": 451,
        "key_revoked": 401,
    }
    answers = {name: (await client.submit(json=client.body(ODD[name])))["code"] for name in expected}
    assert answers == expected
    assert upstream.charges == 0


ENDINGS = [
    ("callback_exception", "CALLBACK_EXCEPTION", True),
    ("success_without_links", "SUCCESS", True),
    ("generation_failed", "GENERATE_AUDIO_FAILED", False),
    ("create_failed", "CREATE_TASK_FAILED", False),
    ("unknown_status", "SUCCESS", True),
]


@pytest.mark.parametrize(("name", "flag", "answers"), ENDINGS)
async def test_an_odd_song_ends_in_its_own_way(brand, name, flag, answers):
    upstream, client = brand
    task_id = await client.start(ODD[name])
    upstream.finish()
    data = (await client.look(task_id))["data"]
    assert (data["successFlag"], data["response"] is not None) == (flag, answers)


async def test_an_unknown_status_word_comes_before_the_end(brand):
    _, client = brand
    task_id = await client.start(ODD["unknown_status"])
    assert (await client.look(task_id))["data"]["successFlag"] == "WARMING_UP"


@pytest.mark.parametrize(
    ("name", "brass"), [("null_stems", None), ("empty_stems", ""), ("missing_stems", "no key")]
)
async def test_absent_stems_come_in_three_forms(brand, name, brass):
    upstream, client = brand
    task_id = await client.start(ODD[name], type="split_stem")
    upstream.finish()
    response = (await client.look(task_id))["data"]["response"]
    assert response.get("brassUrl", "no key") == brass
    assert response["drumsUrl"]


async def test_unusual_shapes_of_a_look(brand):
    upstream, client = brand
    names = ("kazoo", "spaces", "code_as_text", "times_as_text", "times_as_null")
    tasks = {name: await client.start(ODD[name]) for name in names}
    upstream.finish()
    looks = {name: await client.look(task_id) for name, task_id in tasks.items()}
    assert looks["kazoo"]["data"]["response"]["kazooUrl"].endswith("_Kazoo.mp3")
    assert " Vocals.mp3" in looks["spaces"]["data"]["response"]["vocalUrl"]
    assert looks["code_as_text"]["code"] == "200"
    assert looks["times_as_text"]["data"]["createTime"] == "2026-09-21 14:13:20"
    assert looks["times_as_null"]["data"]["completeTime"] is None


async def test_a_late_record_is_found_at_the_third_look(brand):
    _, client = brand
    task_id = await client.start(ODD["late_record"])
    assert [(await client.look(task_id))["code"] for _ in range(3)] == [404, 404, 200]


async def test_a_task_that_never_finishes_can_be_finished_by_its_id(brand, clock):
    upstream, client = brand
    task_id = await client.start(ODD["never"])
    clock.move(86400)
    upstream.finish()
    assert (await client.look(task_id))["data"]["successFlag"] == "PENDING"
    upstream.finish(task_id)
    assert (await client.look(task_id))["data"]["successFlag"] == "SUCCESS"


async def test_a_submit_s_answer_can_be_spoilt_by_the_song(brand):
    upstream, client = brand
    assert (await client.submit(json=client.body(ODD["no_task_id"])))["data"] == {}
    assert len((await client.submit(json=client.body(ODD["task_in_list"])))["data"]) == 1
    assert (await client.submit(json=client.body(ODD["data_null"])))["data"] is None
    assert "data" not in await client.submit(json=client.body(ODD["data_absent"]))
    garbled = await client.http.post(SUBMIT, json=client.body(ODD["answer_garbled"]))
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        garbled.json()
    assert upstream.charges == 5


async def test_success_without_links_still_has_a_response(brand):
    upstream, client = brand
    task_id = await client.start(ODD["success_without_links"])
    upstream.finish()
    response = (await client.look(task_id))["data"]["response"]
    assert not any(link for name, link in response.items() if name.endswith("Url"))


async def test_an_error_message_may_quote_a_link(brand):
    upstream, client = brand
    task_id = await client.start(ODD["error_with_link"])
    upstream.finish()
    assert "bot1234567:SECRET" in (await client.look(task_id))["data"]["errorMessage"]


async def test_looks_may_fail_for_a_while(brand):
    _, client = brand
    task_id = await client.start(ODD["looks_fail"])
    assert [(await client.look(task_id))["code"] for _ in range(4)] == [500, 500, 455, 200]
