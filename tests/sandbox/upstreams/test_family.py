"""sunoapi_org, kie and apikley: one wire format, each with its own codes."""

import pytest

from sandbox import songs
from sandbox.songs import SONGS, TASK
from sandbox.upstreams import faults
from sandbox.upstreams.base import UNLIMITED

SUBMIT = "/api/v1/vocal-removal/generate"
LOOK = "/api/v1/vocal-removal/record-info"
SONG = SONGS[0]
CREDITS = {
    "sunoapi_org": "/api/v1/generate/credit",
    "kie": "/api/v1/chat/credit",
    "apikley": "/api/v1/chat/credit",
}


async def test_a_task_is_pending_and_then_names_two_stems(brand, clock):
    upstream, client = brand
    task_id = await client.start()
    pending = (await client.look(task_id))["data"]
    assert (pending["successFlag"], pending["response"], pending["completeTime"]) == ("PENDING", None, None)
    assert pending["createTime"] == 1_790_000_000_000
    clock.move(3)
    done = (await client.look(task_id))["data"]
    links = {name: link for name, link in done["response"].items() if name.endswith("Url") and link}
    assert done["successFlag"] == "SUCCESS"
    assert set(links) == {"vocalUrl", "instrumentalUrl"}
    assert upstream.looks == 2


async def test_a_full_split_brings_twelve_stems_and_nulls_for_the_rest(brand):
    upstream, client = brand
    task_id = await client.start(type="split_stem")
    upstream.finish()
    response = (await client.look(task_id))["data"]["response"]
    assert sum(bool(link) for name, link in response.items() if name.endswith("Url")) == 12
    assert response["instrumentalUrl"] is None
    assert response["pianoUrl"] is None
    assert response["originUrl"] is None


async def test_each_brand_sends_its_own_fields(make_family):
    fields = {}
    for name in ("sunoapi_org", "kie", "apikley"):
        upstream, client = await make_family(name)
        task_id = await client.start()
        upstream.finish(task_id)
        fields[name] = (await client.look(task_id))["data"]
    assert fields["apikley"]["audioId"] == SONG.audio_id
    assert fields["kie"]["musicIndex"] == 0
    assert "audioId" not in fields["kie"]
    origin = fields["kie"]["response"]["originData"][0]
    assert origin["id"] in fields["kie"]["response"]["vocalUrl"]
    assert origin["audio_url"] != fields["kie"]["response"]["vocalUrl"]
    assert "originData" not in fields["apikley"]["response"]


async def test_every_submit_is_charged_again(brand):
    upstream, client = brand
    assert await client.start() != await client.start()
    await client.start(type="split_stem")
    assert upstream.charges == 3
    assert upstream.balance == 1000 - 10 - 10 - 50
    assert [submit.charged for submit in upstream.submits] == [10, 10, 50]
    assert upstream.submits[0].song == SONG
    assert upstream.submits[0].callback_url == "https://example.com/noop"


INVALID = {"sunoapi_org": 400, "kie": 422, "apikley": 422}
FLAWS = [
    pytest.param({"type": None}, id="no type"),
    pytest.param({"type": "vocals"}, id="an unknown type"),
    pytest.param({"callBackUrl": None}, id="no callBackUrl"),
    pytest.param({"callBackUrl": "bot.example"}, id="a callBackUrl that is no URL"),
    pytest.param({"callBackUrl": "ftp://bot.example/x"}, id="a callBackUrl of another scheme"),
    pytest.param({"callBackUrl": 7}, id="a callBackUrl that is no text"),
    pytest.param({"taskId": None}, id="an audioId alone"),
    pytest.param({"audioId": None}, id="a taskId alone"),
    pytest.param({"taskId": songs.MORE_TASK}, id="an audioId of another task"),
    pytest.param({"audioId": "11111111-1111-4111-8111-111111111111"}, id="an unknown audioId"),
]


@pytest.mark.parametrize("flaw", FLAWS)
async def test_a_flawed_submit_is_refused_and_not_charged(brand, flaw):
    upstream, client = brand
    answer = await client.submit(json=client.body(**flaw))
    assert (answer["code"], answer["data"]) == (INVALID[upstream.name], None)
    assert upstream.charges == 0


async def test_a_body_must_be_a_json_object_and_say_so(brand):
    upstream, client = brand
    for options in ({"data": client.body()}, {"content": "{"}, {"json": [client.body()]}):
        headers = {} if "data" in options else {"Content-Type": "application/json"}
        assert (await client.submit(headers=headers, **options))["code"] == 400
    assert upstream.charges == 0


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "right-key", "bearer right-key"])
async def test_a_wrong_key_is_code_401_with_http_200(brand, authorization):
    upstream, client = brand
    headers = {"Authorization": authorization}
    assert (await client.submit(json=client.body(), headers=headers))["code"] == 401
    for path in (LOOK, "/api/v1/generate/record-info", CREDITS[upstream.name]):
        answer = await client.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (200, 401)


@pytest.mark.parametrize("name", ["sunoapi_org", "kie"])
async def test_an_audio_url_replaces_the_pair_of_ids(make_family, name):
    upstream, client = await make_family(name)
    pair = {"taskId": None, "audioId": None}
    await client.start(**pair, audioUrl=f"https://cdn1.suno.ai/{SONG.audio_id}.mp3")
    await client.start(**pair, audioUrl=f"http://upstream/files/song/s/{SONG.audio_id}.mp3")
    assert [submit.song for submit in upstream.submits] == [SONG, SONG]


@pytest.mark.parametrize("name", ["sunoapi_org", "kie"])
async def test_an_audio_url_next_to_an_id_is_refused(make_family, name):
    _, client = await make_family(name)
    url = f"https://cdn1.suno.ai/{SONG.audio_id}.mp3"
    assert (await client.submit(json=client.body(audioUrl=url)))["code"] == INVALID[name]
    assert (await client.submit(json=client.body(audioUrl=url, taskId=None)))["code"] == INVALID[name]


@pytest.mark.parametrize("name", ["sunoapi_org", "kie"])
@pytest.mark.parametrize(
    "url",
    [
        "https://cdn1.suno.ai/11111111-1111-4111-8111-111111111111.mp3",
        f"http://cdn1.suno.ai/{SONG.audio_id}.mp3",
        f"https://cdn1.suno.ai.evil.example/{SONG.audio_id}.mp3",
        "https://example.com/song.mp3",
    ],
)
async def test_an_audio_url_that_leads_nowhere_is_451(make_family, name, url):
    upstream, client = await make_family(name)
    assert (await client.submit(json=client.body(taskId=None, audioId=None, audioUrl=url)))["code"] == 451
    assert upstream.charges == 0


async def test_apikley_needs_the_pair(make_family):
    _, client = await make_family("apikley")
    url = f"https://cdn1.suno.ai/{SONG.audio_id}.mp3"
    assert (await client.submit(json=client.body(taskId=None, audioId=None, audioUrl=url)))["code"] == 422


async def test_no_credits_has_another_code_per_brand(brand):
    upstream, client = brand
    upstream.balance = 9
    expected = {"sunoapi_org": 429, "kie": 402, "apikley": 402}
    assert (await client.submit(json=client.body()))["code"] == expected[upstream.name]
    assert upstream.balance == 9


async def test_the_twenty_first_submit_within_ten_seconds_is_too_fast(brand, clock):
    upstream, client = brand
    for _ in range(20):
        await client.start()
    expected = {"sunoapi_org": 430, "kie": 429, "apikley": 429}
    assert (await client.submit(json=client.body()))["code"] == expected[upstream.name]
    assert upstream.charges == 20
    clock.move(10)
    await client.start()


async def test_the_submit_limit_can_be_lifted(make_family):
    upstream, client = await make_family("kie", rate=UNLIMITED)
    for _ in range(25):
        await client.start()
    assert upstream.charges == 25


async def test_credits_are_told_at_the_brand_s_own_path_only(brand):
    upstream, client = brand
    own = CREDITS[upstream.name]
    assert (await client.http.get(own)).json() == {"code": 200, "msg": "success", "data": 1000}
    for path in {*CREDITS.values(), "/api/v1/get-credits"} - {own}:
        assert (await client.http.get(path)).status_code == 404


async def test_a_wrong_path_is_a_real_404(brand):
    _, client = brand
    assert (await client.http.get("/api/v1/vocal-removal/nothing")).status_code == 404


async def test_a_wrong_method_is_answered_as_documented(brand):
    upstream, client = brand
    answer = await client.http.get(SUBMIT)
    if upstream.name == "sunoapi_org":
        assert (answer.status_code, answer.json()["code"]) == (200, 404)
    else:
        assert answer.status_code == 405


async def test_a_look_at_an_unknown_task_finds_nothing(brand):
    upstream, client = brand
    assert (await client.look("0" * 32))["code"] == 404
    assert (await client.http.get(LOOK)).json()["code"] == INVALID[upstream.name]


async def test_a_generation_task_lists_its_songs(brand):
    _, client = brand
    answer = (await client.http.get("/api/v1/generate/record-info", params={"taskId": TASK})).json()
    tracks = answer["data"]["response"]["sunoData"]
    assert [track["title"] for track in tracks] == ["Paper Boats", "Paper Boats (Night)"]
    assert tracks[0]["id"] == "5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034"
    assert (await client.http.get(tracks[0]["audioUrl"])).headers["content-type"] == "audio/mpeg"
    unknown = await client.http.get("/api/v1/generate/record-info", params={"taskId": "0" * 32})
    assert unknown.json()["code"] == 404


async def test_a_held_task_waits_for_its_release(brand, clock):
    upstream, client = brand
    upstream.hold()
    task_id = await client.start()
    clock.move(3600)
    assert (await client.look(task_id))["data"]["successFlag"] == "PENDING"
    upstream.release()
    assert (await client.look(task_id))["data"]["successFlag"] == "SUCCESS"


async def test_a_fault_meets_one_exchange_of_its_kind(brand):
    upstream, client = brand
    upstream.fail_next(faults.code(500, "down"), on="look")
    task_id = await client.start()
    assert (await client.look(task_id))["code"] == 500
    assert (await client.look(task_id))["code"] == 200
