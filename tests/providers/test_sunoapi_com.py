import pytest

from providers.base import Failed, Mode, Running, Song, SongRef, StemLink, Succeeded
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    Rejected,
    SongUnknown,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Reply
from providers.sunoapi_com import CODES, SunoApiCom, parse_credits, parse_songs, parse_submitted, parse_task

MONEY = "The remaining credits are not enough. Please top up."
PLAN = "You do not have an active subscription. Please subscribe."
# status, text, on a submit, on a look
ROWS = [
    (400, "missing task id.", SongUnknown, Failed),
    (400, "task not found.", SongUnknown, TaskUnknown),
    (401, "Invalid authorization format.", Misconfigured, Misconfigured),
    (402, "pay", NoCredits, Failed),
    (403, MONEY, NoCredits, NoCredits),
    (403, PLAN, Misconfigured, Misconfigured),
    (403, "lyrics not allowed", Rejected, Failed),
    (404, "Not Found", Misconfigured, Unavailable),
    (405, "Method Not Allowed", Misconfigured, Unavailable),
    (410, "retired", Misconfigured, Failed),
    (429, "slow down", TooFast, TooFast),
    (500, "Internal Server Error.", OutcomeUnknown, Unavailable),
    (503, "down", OutcomeUnknown, Unavailable),
    (504, "Task failed due to timeout. Credits were previously refunded.", OutcomeUnknown, Failed),
    (599, "what", OutcomeUnknown, Unavailable),
]


def test_no_row_of_the_table_goes_untested():
    assert CODES.keys() <= {status for status, *_ in ROWS}


@pytest.mark.parametrize(("status", "text", "on_submit", "on_look"), ROWS)
@pytest.mark.parametrize("field", ["message", "error", "detail"])
def test_a_status_on_a_submit(status, text, on_submit, on_look, field):
    with pytest.raises(on_submit) as caught:
        parse_submitted(Reply(status, {field: text}))
    assert type(caught.value) is on_submit
    assert str(caught.value) == f"{text} (HTTP {status})"


@pytest.mark.parametrize(("status", "text", "on_submit", "on_look"), ROWS)
def test_a_status_on_a_look(status, text, on_submit, on_look):
    reply = Reply(status, {"message": text})
    if on_look is Failed:
        assert parse_task(reply) == Failed(f"{text} (HTTP {status})")
        return
    with pytest.raises(on_look) as caught:
        parse_task(reply)
    assert type(caught.value) is on_look


def test_a_page_instead_of_json_is_not_the_apis():
    with pytest.raises(Misconfigured, match="CDN"):
        parse_submitted(Reply(403, None, "error code: 1010"))
    for status in (200, 500, 502, 504):
        with pytest.raises(OutcomeUnknown):
            parse_submitted(Reply(status, None, "<html>"))
    for status in (200, 400, 403, 404, 504):
        with pytest.raises(Unavailable):
            parse_task(Reply(status, None, "<html>"))


def test_a_bodys_code_counts_where_http_says_all_is_well():
    with pytest.raises(TooFast):
        parse_submitted(Reply(200, {"code": 429, "message": "slow down"}))
    assert parse_submitted(Reply(200, {"code": "200", "task_id": "t1"})) == "t1"


def test_a_submit_is_accepted(sample):
    assert parse_submitted(sample("sunoapi_com/submitted")) == "af0b3e97-0905-4827-a3c9-a31976873120"


@pytest.mark.parametrize(
    "body", [[{"task_id": "t1"}], {"taskId": "t1"}, {"data": {"task_id": "t1"}}], ids=repr
)
def test_other_spellings_of_an_accepted_submit(body):
    assert parse_submitted(Reply(200, body)) == "t1"


@pytest.mark.parametrize("body", [{}, {"message": "success"}, {"task_id": ""}, [], "t1", 7], ids=repr)
def test_accepted_without_a_task_id_may_be_charged(body):
    with pytest.raises(OutcomeUnknown, match="names no task"):
        parse_submitted(Reply(200, body))


@pytest.mark.parametrize(("name", "status"), [("not_ready", 200), ("not_ready", 202), ("running", 200)])
def test_the_first_looks_find_it_running(sample, name, status):
    assert parse_task(sample(f"sunoapi_com/{name}", status)) == Running()


@pytest.mark.parametrize("body", [{"data": []}, {"data": None}, {}, [], {"code": 202}], ids=repr)
def test_a_look_without_clips_runs(body):
    assert parse_task(Reply(200, body)) == Running()


def test_the_clips_that_succeeded_are_delivered(sample):
    assert parse_task(sample("sunoapi_com/one_failed")) == Succeeded(
        (StemLink("vocals", "https://cdn1.suno.ai/f1.mp3", 104.88),), "Paper Lanterns"
    )


def test_credits_are_the_sum(sample):
    assert parse_credits(sample("sunoapi_com/credits")) == 50
    assert parse_credits(Reply(200, {"credits": "5", "extra_credits": 2.5})) == 7.5


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, {"extra_credits": 1}), Unavailable),
        (Reply(200, []), Unavailable),
        (Reply(401, {"message": "Authorization header is missing."}), Misconfigured),
        (Reply(403, None, "error code: 1010"), Misconfigured),
        (Reply(504, {"message": "timeout"}), Unavailable),
    ],
    ids=repr,
)
def test_credits_that_cannot_be_had(reply, kind):
    with pytest.raises(kind) as caught:
        parse_credits(reply)
    assert type(caught.value) is kind


def test_songs_of_a_generation_task(sample):
    songs = parse_songs(sample("sunoapi_com/running"), "t1")
    assert songs == (Song("f1", "t1", "Paper Lanterns (Vocals)"),)
    told = {"clip_id": "f1", "image_url": "https://f.example/1.jpeg", "display_name": "Ann"}
    (song,) = parse_songs(Reply(200, {"data": [told]}), "t1")
    assert (song.cover_url, song.artist) == ("https://f.example/1.jpeg", "Ann")
    with pytest.raises(SongUnknown):
        parse_songs(Reply(400, {"message": "task not found."}), "t1")


async def test_nothing_stands_in_the_way_and_nothing_can_be_found_again():
    provider = SunoApiCom("https://api.sunoapi.com", "key")
    song = SongRef("a")
    assert [provider.obstacle(song, mode) for mode in Mode] == [None, None]
    assert provider.callback_task_id({"data": {"task_id": "t1"}}) is None
    assert await provider.find(song, Mode.BASIC, "https://bot.example/cb", "t1") is None
    await provider.aclose()
