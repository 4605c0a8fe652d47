import pytest

from providers import kie, sunoapi_org
from providers.base import Song
from providers.errors import (
    Misconfigured,
    SongUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Reply
from providers.vocal_removal_answers import (
    claimed_task_id,
    is_ours,
    parse_credits,
    parse_songs,
)

TASK = "b93d7a4415e04f0cb7d2c8f6130a5e72"
SONG = "5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034"
CALLBACK = "https://bot.example/upstream/kie/q3xN"


def body(code, data=None, msg="made up", status=200):
    return Reply(status, {"code": code, "msg": msg, "data": data})


@pytest.mark.parametrize("name", ["sunoapi_org/callback_basic", "kie/callback_full", "kie/callback_failed"])
def test_a_callback_claims_its_task(sample, name):
    callback = sample(name).json
    assert claimed_task_id(callback) == callback["data"]["task_id"]


@pytest.mark.parametrize(
    ("callback", "claimed"),
    [
        ({"data": {"taskId": TASK}}, TASK),
        ({"data": [{"task_id": TASK}]}, TASK),
        ({"taskId": TASK}, TASK),
        ({"data": {"task_id": ["x"]}}, None),
        ({"data": None}, None),
        ([], None),
        (None, None),
        ("x", None),
    ],
    ids=repr,
)
def test_other_callbacks(callback, claimed):
    assert claimed_task_id(callback) == claimed


def test_songs_of_a_generation_task(sample):
    songs = parse_songs(sample("sunoapi_org/generation"), sunoapi_org.CODES, "7c1f")
    cover = "https://f.example/1.jpeg"
    assert songs == (Song(SONG, "7c1f", "Paper Lanterns", 198.44, artist=None, cover_url=cover),)


def test_the_artist_of_a_song_is_read_where_an_upstream_names_one():
    made = {"sunoData": [{"id": SONG, "title": "Paper Lanterns", "display_name": "Ann", "imageUrl": "none"}]}
    songs = parse_songs(body(200, {"response": made}), kie.CODES, TASK)
    assert songs == (Song(SONG, TASK, "Paper Lanterns", artist="Ann"),)


def test_a_generation_task_without_songs_yet_has_none():
    for response in (None, {"sunoData": None}, {"sunoData": [{"id": None}, {"title": "x"}]}):
        assert parse_songs(body(200, {"status": "PENDING", "response": response}), kie.CODES, TASK) == ()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (body(404), SongUnknown),
        (body(400), SongUnknown),
        (body(422), SongUnknown),
        (body(200, None), SongUnknown),
        (body(401), Misconfigured),
        (body(429), TooFast),
        (body(455), Unavailable),
        (body(500), Unavailable),
        (Reply(502, None, "<html>"), Unavailable),
        (Reply(403, None, "error code: 1010"), Misconfigured),
    ],
    ids=repr,
)
def test_a_generation_task_that_cannot_be_had(reply, kind):
    with pytest.raises(kind) as caught:
        parse_songs(reply, kie.CODES, TASK)
    assert type(caught.value) is kind


def test_credits_are_a_number(sample):
    assert parse_credits(sample("sunoapi_org/credits"), sunoapi_org.CODES) == 240
    assert parse_credits(body(200, "12.5"), kie.CODES) == 12.5


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (body(200, None), Unavailable),
        (body(200, "many"), Unavailable),
        (body(200, True), Unavailable),
        (body(401), Misconfigured),
        (body(404), Unavailable),
        (body(422), Unavailable),
        (Reply(404, None, "404 page not found"), Misconfigured),
        (Reply(500, None, ""), Unavailable),
    ],
    ids=repr,
)
def test_credits_that_cannot_be_had(reply, kind):
    with pytest.raises(kind) as caught:
        parse_credits(reply, kie.CODES)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("fields", "ours"),
    [
        ({"callbackUrl": CALLBACK, "audioId": SONG}, True),
        ({"callbackUrl": CALLBACK, "musicIndex": 0}, True),
        ({"callBackUrl": CALLBACK}, True),
        ({"callbackUrl": CALLBACK, "audioId": "another"}, False),
        ({"callbackUrl": CALLBACK + "x", "audioId": SONG}, False),
        ({"audioId": SONG}, False),
        ({}, False),
    ],
    ids=repr,
)
def test_only_a_task_with_our_callback_and_song_is_ours(fields, ours):
    assert is_ours(body(200, fields), kie.CODES, CALLBACK, SONG) is ours


def test_whose_task_it_is_may_be_unanswerable():
    assert not is_ours(body(422), kie.CODES, CALLBACK, SONG)
    assert not is_ours(body(200, {"callbackUrl": ""}), kie.CODES, "", SONG)
    with pytest.raises(Unavailable):
        is_ours(body(500), kie.CODES, CALLBACK, SONG)
