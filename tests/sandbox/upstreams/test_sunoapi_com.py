import pytest

from sandbox.songs import ODD, SONGS, TASK

SONG = SONGS[0]
SUBMIT = "/api/v1/suno/stems/"


@pytest.fixture
async def sunoapi_com(make):
    return await make("sunoapi_com")


async def start(client, clock, song=SONG, mode="basic"):
    clock.move(3)
    answer = await client.post(SUBMIT + mode, json={"clip_id": song.audio_id})
    assert answer.json()["message"] == "success"
    return answer.json()["task_id"]


async def look(client, task_id):
    return await client.get(f"/api/v1/suno/task/{task_id}")


async def test_the_first_looks_are_only_accepted_for_one_song(sunoapi_com, clock):
    _, client = sunoapi_com
    task_id = await start(client, clock, ODD["clips_late"])
    clock.move(3)
    looks = [await look(client, task_id) for _ in range(3)]
    assert [(seen.status_code, len(seen.json()["data"])) for seen in looks] == [(202, 0), (202, 0), (200, 2)]


async def test_looks_go_from_not_ready_over_running_to_succeeded(sunoapi_com, clock):
    _, client = sunoapi_com
    task_id = await start(client, clock)
    assert (await look(client, task_id)).json() == {"type": "not_ready"}
    running = (await look(client, task_id)).json()["data"]
    assert {clip["state"] for clip in running} == {"running"}
    assert "audiopipe.suno.ai" in running[0]["audio_url"]
    clock.move(3)
    done = (await look(client, task_id)).json()["data"]
    assert [clip["title"] for clip in done] == ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
    assert {clip["state"] for clip in done} == {"succeeded"}
    assert (await client.get(done[0]["audio_url"])).headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize(("song", "clips"), [(SONG, 12), (ODD["two_sets"], 24)])
async def test_a_full_split_brings_twelve_clips_or_two_sets(sunoapi_com, clock, song, clips):
    upstream, client = sunoapi_com
    task_id = await start(client, clock, song, "full")
    upstream.finish()
    done = (await look(client, task_id)).json()["data"]
    assert len({clip["audio_url"] for clip in done}) == len({clip["clip_id"] for clip in done}) == clips
    assert len({clip["title"] for clip in done}) == 12


async def test_one_clip_may_fail(sunoapi_com, clock):
    upstream, client = sunoapi_com
    task_id = await start(client, clock, ODD["one_clip_failed"])
    upstream.finish()
    done = (await look(client, task_id)).json()["data"]
    assert [(clip["state"], bool(clip["audio_url"])) for clip in done] == [
        ("succeeded", True),
        ("failed", False),
    ]


async def test_a_failed_task_is_refunded(sunoapi_com, clock):
    upstream, client = sunoapi_com
    task_id = await start(client, clock, ODD["generation_failed"])
    assert upstream.balance == 990
    upstream.finish()
    done = (await look(client, task_id)).json()["data"]
    assert {clip["state"] for clip in done} == {"failed"}
    assert (upstream.balance, upstream.charges) == (1000, 1)


AUTHORIZATIONS = [
    ({"Authorization": "right-key"}, "Invalid authorization format."),
    ({"Authorization": "Bearer wrong"}, "Invalid authorization format."),
]


@pytest.mark.parametrize(("headers", "message"), AUTHORIZATIONS)
async def test_a_wrong_key_is_a_real_401(sunoapi_com, headers, message):
    _, client = sunoapi_com
    answer = await client.get("/api/v1/get-credits", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"message": message})


async def test_no_key_at_all_is_a_real_401(sunoapi_com):
    _, client = sunoapi_com
    del client.headers["Authorization"]
    answer = await client.post(SUBMIT + "basic", json={"clip_id": SONG.audio_id})
    assert (answer.status_code, answer.json()) == (401, {"message": "Authorization header is missing."})


@pytest.mark.parametrize(
    "body", [{}, {"clip_id": ""}, {"clip_id": "unknown"}, {"clip_id": 5}, [], {"audio_id": "x"}]
)
async def test_a_flawed_submit_is_a_real_400(sunoapi_com, body):
    upstream, client = sunoapi_com
    answer = await client.post(SUBMIT + "basic", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])
    assert upstream.charges == 0


async def test_an_unknown_task_is_a_real_400(sunoapi_com):
    _, client = sunoapi_com
    answer = await look(client, "unknown")
    assert (answer.status_code, answer.json()) == (400, {"message": "task not found."})


async def test_two_submits_within_three_seconds_are_too_fast(sunoapi_com, clock):
    upstream, client = sunoapi_com
    await start(client, clock)
    answer = await client.post(SUBMIT + "full", json={"clip_id": SONG.audio_id})
    assert answer.status_code == 429
    await start(client, clock)
    assert upstream.charges == 2


async def test_no_credits_is_a_403_in_words(sunoapi_com):
    upstream, client = sunoapi_com
    upstream.balance = 5
    answer = await client.post(SUBMIT + "basic", json={"clip_id": SONG.audio_id})
    assert answer.status_code == 403
    assert "remaining credits are not enough" in answer.json()["message"]


async def test_credits_and_songs(sunoapi_com):
    _, client = sunoapi_com
    assert (await client.get("/api/v1/get-credits")).json() == {"credits": 1000, "extra_credits": 0}
    songs = (await look(client, TASK)).json()["data"]
    assert [song["title"] for song in songs] == ["Paper Boats", "Paper Boats (Night)"]


async def test_wrong_paths_and_methods_have_real_statuses(sunoapi_com):
    _, client = sunoapi_com
    assert (await client.get("/api/v1/suno/nothing")).status_code == 404
    assert (await client.get(SUBMIT + "basic")).status_code == 405
    assert (await client.post(SUBMIT + "drums", json={})).status_code == 404
