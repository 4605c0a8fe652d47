import pytest

from sandbox.songs import ODD, SONGS

SONG = SONGS[0]
SUBMIT = "/api/generate_stems"


@pytest.fixture
async def suno_api(make):
    return await make("suno_api")


async def start(client, song=SONG):
    answer = await client.post(SUBMIT, json={"audio_id": song.audio_id})
    assert answer.status_code == 200
    return answer.json()


async def look(client, clips):
    ids = ",".join(clip["id"] for clip in clips)
    return (await client.get("/api/get", params={"ids": ids})).json()


async def test_a_submit_returns_two_clips_without_links(suno_api):
    upstream, client = suno_api
    clips = await start(client)
    assert [clip["title"] for clip in clips] == ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
    assert {clip["status"] for clip in clips} == {"submitted"}
    assert all("audio_url" not in clip and clip["stem_from_id"] == SONG.audio_id for clip in clips)
    assert upstream.submits[0].task_id == ",".join(clip["id"] for clip in clips)


async def test_links_are_empty_then_a_stream_then_a_file(suno_api, clock):
    upstream, client = suno_api
    clips = await start(client)
    assert [clip["audio_url"] for clip in await look(client, clips)] == ["", ""]
    streaming = await look(client, clips)
    assert {clip["status"] for clip in streaming} == {"streaming"}
    assert "audiopipe.suno.ai" in streaming[0]["audio_url"]
    clock.move(3)
    done = await look(client, clips)
    assert {clip["status"] for clip in done} == {"complete"}
    assert (await client.get(done[0]["audio_url"])).headers["content-type"] == "audio/mpeg"
    assert "stem_from_id" not in done[0]
    assert upstream.looks == 3


async def test_a_clip_is_missing_at_first_for_one_song(suno_api):
    upstream, client = suno_api
    clips = await start(client, ODD["clips_late"])
    upstream.finish()
    assert [len(await look(client, clips)) for _ in range(3)] == [1, 1, 2]


async def test_useless_links_come_first_for_one_song(suno_api):
    upstream, client = suno_api
    clips = await start(client, ODD["useless_links"])
    upstream.finish()
    links = [(await look(client, clips))[0]["audio_url"] for _ in range(3)]
    assert links[0] == "https://cdn1.suno.ai/None.mp3"
    assert "audiopipe" in links[1]
    assert links[2].startswith("http://upstream/files/")


async def test_a_task_is_finished_by_any_text_that_holds_its_clip_ids(suno_api):
    upstream, client = suno_api
    clips = await start(client)
    upstream.finish(" ".join(clip["id"] for clip in reversed(clips)))
    assert {clip["status"] for clip in await look(client, clips)} == {"complete"}


async def test_a_failed_song_has_clips_in_error(suno_api):
    upstream, client = suno_api
    clips = await start(client, ODD["generation_failed"])
    upstream.finish()
    assert {clip["status"] for clip in await look(client, clips)} == {"error"}


async def test_unknown_ids_are_missing_from_the_answer(suno_api):
    _, client = suno_api
    clips = await start(client)
    assert len(await look(client, [*clips, {"id": "unknown"}])) == 2
    assert await look(client, [{"id": "unknown"}]) == []


async def test_the_library_has_the_newest_stems_first(suno_api):
    _, client = suno_api
    clips = await start(client)
    library = (await client.get("/api/get")).json()
    assert [clip["id"] for clip in library[:2]] == [clip["id"] for clip in clips]
    assert SONG.title in [clip["title"] for clip in library]
    assert (await client.get("/api/get", params={"page": "7"})).json() == []


async def test_one_clip_names_the_song_it_comes_from(suno_api):
    _, client = suno_api
    clips = await start(client)
    clip = (await client.get("/api/clip", params={"id": clips[0]["id"]})).json()
    assert clip["metadata"]["stem_from_id"] == SONG.audio_id
    assert (await client.get("/api/clip", params={"id": "unknown"})).status_code == 500


async def test_failed_looks_all_say_internal_server_error(suno_api):
    _, client = suno_api
    clips = await start(client, ODD["late_record"])
    answers = [
        await client.get("/api/get", params={"ids": ",".join(clip["id"] for clip in clips)}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [500, 500, 200]
    assert answers[0].json() == {"error": "Internal server error"}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "Audio ID is required"),
        ({"audio_id": ""}, 400, "Audio ID is required"),
        ({"audio_id": "11111111-1111-4111-8111-111111111111"}, 404, "API Error: Clip not found."),
        ({"audio_id": ODD["no_credits"].audio_id}, 402, "Payment required"),
        ({"audio_id": ODD["maintenance"].audio_id}, 503, "Network error: Unable to connect to Suno"),
        ({"audio_id": ODD["too_fast"].audio_id}, 429, "API Error: Too many requests"),
    ],
)
async def test_refusals_have_real_statuses(suno_api, body, status, error):
    upstream, client = suno_api
    answer = await client.post(SUBMIT, json=body)
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert upstream.charges == 0


async def test_a_body_that_is_no_json_fails_without_json(suno_api):
    _, client = suno_api
    answer = await client.post(SUBMIT, content="audio_id=1")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")


@pytest.mark.parametrize(
    ("cookie", "status"),
    [(None, 200), ("session=mistyped", 200), ("__client=right", 200), ("__client=wrong", 500)],
)
async def test_only_a_cookie_with_client_counts(suno_api, cookie, status):
    _, client = suno_api
    headers = {"Cookie": cookie} if cookie else {}
    assert (await client.get("/api/get_limit", headers=headers)).status_code == status


async def test_credits_are_those_of_the_account(suno_api):
    upstream, client = suno_api
    await start(client)
    assert (await client.get("/api/get_limit")).json()["credits_left"] == upstream.balance == 990


async def test_there_is_no_full_split_and_no_submit_by_get(suno_api):
    _, client = suno_api
    assert (await client.get(SUBMIT)).status_code == 405
    assert (await client.post("/api/generate_stems/full", json={})).status_code == 404
