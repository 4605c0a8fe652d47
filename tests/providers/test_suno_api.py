import httpx
import pytest

from providers.base import Failed, Mode, Running, SongRef, Succeeded
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    Rejected,
    SongUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Reply
from providers.suno_api import CODES, SunoApi, parse_clips, parse_credits, parse_submitted

SONG = SongRef("5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034")
VOCALS, INSTRUMENTAL = "d41c6a52-30a1-4a52-8a0e-5d5d6a1f0001", "e52d6a52-30a1-4a52-8a0e-5d5d6a1f0002"
TASK = f"{VOCALS},{INSTRUMENTAL}"
NO_COOKIE = "Failed to get session id, you may need to update the SUNO_COOKIE"
NEW_SHAPE = "Internal error: Cannot read properties of undefined (reading 'session')"
# status, text, on a submit, on a look
ROWS = [
    (400, "Audio ID is required", Rejected, Failed),
    (401, "API Error: Unauthorized", Misconfigured, Misconfigured),
    (402, "Payment required", NoCredits, NoCredits),
    (403, "API Error: Forbidden", Misconfigured, Misconfigured),
    (404, "API Error: Clip not found.", SongUnknown, Unavailable),
    (405, "Method Not Allowed", Misconfigured, Unavailable),
    (422, "API Error: [object Object]", SongUnknown, Unavailable),
    (429, "API Error: Too many requests", TooFast, TooFast),
    (500, f"Internal error: {NO_COOKIE}", Misconfigured, Misconfigured),
    (500, NEW_SHAPE.replace("session", "clips"), OutcomeUnknown, Unavailable),
    (500, "Internal server error", OutcomeUnknown, Unavailable),
    (502, "API Error: Bad Gateway", OutcomeUnknown, Unavailable),
    (503, "Network error: Unable to connect to Suno", OutcomeUnknown, Unavailable),
    (599, "API Error: what", OutcomeUnknown, Unavailable),
]


def test_no_row_of_the_table_goes_untested():
    assert CODES.keys() <= {status for status, *_ in ROWS}


@pytest.mark.parametrize(("status", "text", "on_submit", "on_look"), ROWS)
def test_a_status_on_a_submit(status, text, on_submit, on_look):
    with pytest.raises(on_submit) as caught:
        parse_submitted(Reply(status, {"error": text}))
    assert type(caught.value) is on_submit


@pytest.mark.parametrize(("status", "text", "on_submit", "on_look"), ROWS)
def test_a_status_on_a_look(status, text, on_submit, on_look):
    reply = Reply(status, {"error": text})
    if on_look is Failed:
        assert parse_clips(reply, TASK) == Failed(f"{text} (HTTP {status})")
        return
    with pytest.raises(on_look) as caught:
        parse_clips(reply, TASK)
    assert type(caught.value) is on_look


@pytest.mark.parametrize("text", [NEW_SHAPE, 'Internal server error: "session expired"', NO_COOKIE])
def test_a_500_in_other_words_may_come_after_suno_started(text):
    with pytest.raises(OutcomeUnknown):
        parse_submitted(Reply(500, {"error": text}))


def test_a_page_instead_of_json_goes_by_its_status():
    for status, kind in (
        (500, OutcomeUnknown),
        (200, OutcomeUnknown),
        (405, Misconfigured),
        (404, Misconfigured),
    ):
        with pytest.raises(kind):
            parse_submitted(Reply(status, None, "Internal Server Error"))
    with pytest.raises(Unavailable):
        parse_clips(Reply(404, None, "<html>"), TASK)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("submitted", ["d4e5f6a7-b8c9-0123-defa-234567890123", "e5f6a7b8-c9d0-1234-efab-345678901234"]),
        ("submitted_live", [VOCALS, INSTRUMENTAL]),
    ],
)
def test_a_submit_names_its_clips(sample, name, ids):
    assert parse_submitted(sample(f"suno_api/{name}")) == ",".join(ids)


@pytest.mark.parametrize(
    "body", [[], {}, [{"id": ""}], [{"id": "a,b"}], [{"id": "a/../b"}], "x", [None]], ids=repr
)
def test_accepted_without_a_clip_may_be_charged(body):
    with pytest.raises(OutcomeUnknown, match="names no clip"):
        parse_submitted(Reply(200, body))


def test_clips_are_named_by_their_titles_not_by_their_order(sample):
    found = parse_clips(sample("suno_api/complete"), TASK)
    assert isinstance(found, Succeeded)
    assert [(stem.name, stem.url, stem.duration_s) for stem in found.stems] == [
        ("vocals", f"https://cdn1.suno.ai/{VOCALS}.mp3", 198.4),
        ("instrumental", f"https://cdn1.suno.ai/{INSTRUMENTAL}.mp3", 198.4),
    ]
    assert found.song_title == "Paper Lanterns"


def test_streams_are_no_files(sample):
    assert parse_clips(sample("suno_api/streaming"), TASK) == Running()


def test_an_id_that_is_missing_is_waited_for(sample):
    complete = sample("suno_api/complete")
    assert isinstance(parse_clips(Reply(200, complete.json[:1]), TASK), Running)
    assert parse_clips(Reply(200, []), TASK) == Running()
    assert parse_clips(complete, f"{TASK},f63e") == Running(parse_clips(complete, TASK))


def test_credits_are_what_the_account_has_left(sample):
    assert parse_credits(sample("suno_api/credits")) == 45
    for body in ({}, [], {"credits_left": None}):
        with pytest.raises(Unavailable):
            parse_credits(Reply(200, body))


class Scripted:
    """suno-api with an answer per path; what was asked is in ``asked``."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []
        self.provider = SunoApi(
            "http://localhost:3000", "__client=1", transport=httpx.MockTransport(self.answer)
        )

    def answer(self, request):
        self.asked.append(request.url.raw_path.decode())
        answer = self.answers[request.url.path.removeprefix("/api/")]
        status, body = answer(request.url.params) if callable(answer) else answer
        return httpx.Response(status, json=body)


async def test_a_look_that_fails_without_a_cause_asks_for_it():
    upstream = Scripted(get=(500, {"error": "Internal server error"}), get_limit=(500, {"error": NO_COOKIE}))
    with pytest.raises(Misconfigured, match="SUNO_COOKIE"):
        await upstream.provider.look(TASK)
    upstream.answers["get_limit"] = (200, {"credits_left": 5})
    with pytest.raises(Unavailable, match="Internal server error"):
        await upstream.provider.look(TASK)
    await upstream.provider.aclose()


def stems(*ids):
    titles = ("Vocals", "Instrumental")
    return [{"id": id, "title": f"Paper Lanterns ({titles[n % 2]})"} for n, id in enumerate(ids)]


def library(clips, stem_from_id):
    raw = {"id": "x", "metadata": {"stem_from_id": stem_from_id}}
    return Scripted(get=(200, [{"id": "s1", "title": "Paper Lanterns"}, *clips]), clip=(200, raw))


async def test_an_uncertain_submit_is_found_in_the_library():
    upstream = library(stems("v2", "i2", "v1", "i1"), SONG.audio_id)
    assert await upstream.provider.find(SONG, Mode.BASIC, "", None) == "v2,i2"
    assert upstream.asked == ["/api/get", "/api/clip?id=v2", "/api/clip?id=i2"]
    await upstream.provider.aclose()


async def test_an_uncertain_submit_is_not_taken_for_another_songs(sample):
    for upstream in (
        library(stems("v2", "i2"), "another"),
        library([], SONG.audio_id),
        library(stems("v2"), SONG.audio_id),
    ):
        assert await upstream.provider.find(SONG, Mode.BASIC, "", None) is None
        await upstream.provider.aclose()


async def test_a_long_library_is_not_read_to_its_end():
    upstream = library(stems(*(f"c{number}" for number in range(40))), "another")
    assert await upstream.provider.find(SONG, Mode.BASIC, "", None) is None
    assert len(upstream.asked) == 1 + 8
    await upstream.provider.aclose()


async def test_a_library_that_cannot_be_read_is_asked_again():
    upstream = Scripted(get=(500, {"error": "Internal server error"}))
    with pytest.raises(Unavailable):
        await upstream.provider.find(SONG, Mode.BASIC, "", None)
    await upstream.provider.aclose()


async def test_what_it_does_not_have_it_says():
    upstream = Scripted()
    assert upstream.provider.obstacle(SONG, Mode.BASIC) is None
    assert (
        upstream.provider.obstacle(SONG, Mode.FULL)
        == "suno-api splits a song into vocals and instrumental only."
    )
    with pytest.raises(Rejected):
        await upstream.provider.submit(SONG, Mode.FULL, "")
    with pytest.raises(SongUnknown):
        await upstream.provider.songs("7c1f")
    assert upstream.provider.callback_task_id({"data": {"task_id": "t1"}}) is None
    assert upstream.asked == []
    await upstream.provider.aclose()
