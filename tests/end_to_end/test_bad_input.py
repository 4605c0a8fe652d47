"""What cannot be done is answered once, in one short text that shows how it is done right."""

import re

import pytest

from sandbox.songs import SONGS, TASK
from tests.end_to_end.towns import balance_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"SIGNUP_CREDITS": "30"}
SONG = SONGS[0]
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
EXAMPLE = re.compile(rf"/stems (\w{{32}}:|https://suno\.com/song/)?{UUID}( full)?")
UNKNOWN = "11111111-2222-4333-8444-555555555555"

REFUSED = [
    pytest.param("/stems", "Send the song with the command", id="no argument"),
    pytest.param("/stems full", "Send the song with the command", id="only the word full"),
    pytest.param("/stems boats", "“boats” is not a song id", id="not an id"),
    pytest.param("/stems <b>&", "“b>&” is not a song id", id="not an id, and HTML"),
    pytest.param(f"/stems {SONG.audio_id[:-1]}", "is not a song id", id="an id with a digit missing"),
    pytest.param(f"/stems {SONG.audio_id} ful", "I don't know “ful”", id="unknown word"),
    pytest.param(f"/stems {SONG.audio_id} {UNKNOWN}", "One song at a time", id="two songs"),
    pytest.param(f"/stems {'0' * 32}", f"knows task {'0' * 32}", id="unknown task"),
    pytest.param("hello", "Send the song with the command", id="no command"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
async def test_it_is_said_what_is_wrong_and_what_is_right(lively_town, text, said):
    ann = lively_town.telegram.person("Ann")
    command = await ann.say(text)
    answer = await ann.wait_for_text("/stems", after=command)
    assert said in answer.text
    assert EXAMPLE.search(answer.text)
    assert len(answer.text) < 250
    await has_no_more(lively_town, ann, 2)
    assert await balance_of(ann) == 30


@pytest.mark.parametrize(
    "song", [f"{TASK}:{UNKNOWN}", f"{'0' * 32}:{SONG.audio_id}", UNKNOWN], ids=["audio", "task", "id alone"]
)
async def test_a_song_that_the_upstream_does_not_know_costs_nothing(lively_town, song):
    ann = lively_town.telegram.person("Ann")
    command = await ann.say(f"/stems {song}")
    status = await ann.wait_for_text("No stems", after=command)
    assert "Nothing was charged · balance 30" in status.text
    assert EXAMPLE.search(status.text)
    assert [button["text"] for button in status.buttons] == ["Try again"]
    assert lively_town.replies(command) == [status]
    assert await balance_of(ann) == 30


async def test_not_enough_credits_names_price_and_balance(lively_town):
    ann = lively_town.telegram.person("Ann")
    command = await ann.say(f"/stems {SONG.task_id}:{SONG.audio_id} full")
    answer = await ann.wait_for_text("50 credits", after=command)
    assert "30 credits" in answer.text
    await has_no_more(lively_town, ann, 2)
    assert await balance_of(ann) == 30
    assert lively_town.charged(SONG.audio_id) == []


async def test_a_known_task_offers_its_songs(lively_town):
    ann = lively_town.telegram.person("Ann")
    command = await ann.say(f"/stems {TASK}")
    answer = await ann.wait_for_text("10 credits", after=command)
    assert [button["text"] for button in answer.buttons] == [
        "Paper Boats · 0:39",
        "Paper Boats (Night) · 0:39",
    ]
    await ann.press(answer, "Night")
    audios = await ann.wait_for_audios(2, after=command)
    assert [audio.title for audio in audios] == [
        "Paper Boats (Night) (Vocals)",
        "Paper Boats (Night) (Instrumental)",
    ]


async def has_no_more(town, person, count):
    """Nothing came but these messages, up to the answer to the next command."""
    asked = await person.say("/jobs")
    answer = await person.wait_for_text("No jobs yet", after=asked)
    assert town.telegram.messages(person)[count:] == [asked, answer]
