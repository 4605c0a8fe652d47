"""What the buttons do, for whom, and what is shared: the archive and work under way."""

import asyncio

import pytest

from sandbox.songs import ODD, SONGS
from sandbox.upstreams.faults import Fault, Place
from tests.end_to_end.towns import balance_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


def command_for(song) -> str:
    return f"/stems {song.task_id}:{song.audio_id}"


@pytest.fixture(scope="module")
def downloads(lively_town) -> list[str]:
    """Grows with every download of a stem."""
    seen = []

    async def play(proceed):
        seen.append("a stem")
        return await proceed()

    lively_town.upstream.fail_next(Fault("noted", play), on=Place.FILE, times=1000)
    return seen


@pytest.fixture
def ann(lively_town):
    return lively_town.telegram.person("Ann")


@pytest.fixture
def ben(lively_town):
    return lively_town.telegram.person("Ben")


async def test_cancel_while_it_is_pending_costs_nothing(lively_town, ann):
    command = await ann.say(command_for(ODD["never"]))
    status = await ann.wait_for_text("10 credits, set aside", after=command)
    assert await balance_of(ann) == 90
    press = await ann.press(status, "Cancel")
    answer = await press.answer()
    assert answer.text == "Cancelled. Nothing was charged."
    assert not answer.show_alert
    status = await ann.wait_for_text("Cancelled, nothing was charged · balance 100", after=command)
    assert [button["text"] for button in status.buttons] == ["Try again"]
    assert await balance_of(ann) == 100
    assert lively_town.replies(command) == [status]


async def test_what_was_cancelled_is_not_delivered_when_it_is_done(lively_town, ann, ben):
    song = SONGS[0]
    lively_town.upstream.hold()
    command = await ann.say(command_for(song))
    await ann.press(await ann.wait_for_text("10 credits, set aside", after=command), "Cancel")
    await ann.wait_for_text("Cancelled, nothing", after=command)
    lively_town.upstream.release()
    asked_later = await ben.say(command_for(song))
    await ben.wait_for_text("Delivered", after=asked_later)
    assert lively_town.charged(song.audio_id) == ["basic"]
    assert lively_town.audios(command) == []
    assert [await balance_of(ann), await balance_of(ben)] == [100, 90]


async def test_send_again_uses_what_telegram_has(lively_town, ann, downloads):
    before = len(downloads)
    command = await ann.say(command_for(SONGS[1]))
    status = await ann.wait_for_text("balance 90", after=command)
    press = await ann.press(status, "Send again")
    await press.answer()
    await ann.wait_for_text("No credits charged · balance 90", within_s=20, after=status)
    first, second = album_calls(lively_town, ann)
    assert uploads_in(first) == 2
    assert uploads_in(second) == 0
    sent = [message.audio for message in lively_town.audios(command)]
    assert [audio.title for audio in sent[2:]] == [audio.title for audio in sent[:2]]
    assert len(downloads) - before == 2
    assert lively_town.charged(SONGS[1].audio_id) == ["basic"]


async def test_full_set_brings_all_stems_for_its_price(lively_town, ann):
    group = lively_town.telegram.group("Band", members=[ann])
    command = await ann.say(command_for(SONGS[2]), group)
    status = await ann.wait_for_text("balance 90", chat=group, after=command)
    await ann.press(status, "Full set")
    await ann.wait_for_audios(12, chat=group, after=status)
    assert len(lively_town.audios(command)) == 2 + 12
    assert lively_town.charged(SONGS[2].audio_id) == ["basic", "full"]


async def test_a_button_is_for_the_one_who_asked(lively_town, ann, ben):
    group = lively_town.telegram.group("Band", members=[ann, ben])
    command = await ann.say(command_for(ODD["never"]), group)
    status = await ann.wait_for_text("10 credits, set aside", chat=group, after=command)
    press = await ben.press(status, "Cancel")
    answer = await press.answer()
    assert answer.show_alert
    assert "Only the person who asked" in answer.text
    assert await balance_of(ann) == 90
    assert lively_town.replies(command)[0].buttons == status.buttons


async def test_send_again_and_full_set_are_not_for_others_either(lively_town, ann, ben):
    group = lively_town.telegram.group("Band", members=[ann, ben])
    command = await ann.say(command_for(SONGS[3]), group)
    status = await ann.wait_for_text("Delivered", chat=group, after=command)
    for button in ("Send again", "Full set"):
        press = await ben.press(status, button)
        assert (await press.answer()).show_alert
    assert await balance_of(ben) == 100
    assert await balance_of(ann) == 90
    assert len(lively_town.audios(command)) == 2


async def test_a_song_that_somebody_had_before_comes_from_the_archive(lively_town, ann, ben, downloads):
    before = len(downloads)
    group = lively_town.telegram.group("Band", members=[ann, ben])
    first = await ann.say(command_for(SONGS[4]), group)
    await ann.wait_for_text("Delivered", chat=group, after=first)
    again = await ben.say(f"/stems {SONGS[4].audio_id}", group)
    await ben.wait_for_text("No credits charged · balance 100", chat=group, after=again)
    assert [message.audio.title for message in lively_town.audios(again)] == [
        message.audio.title for message in lively_town.audios(first)
    ]
    assert lively_town.charged(SONGS[4].audio_id) == ["basic"]
    assert len(downloads) - before == 2


async def test_two_who_ask_at_once_share_one_separation(lively_town, ann, ben):
    lively_town.upstream.hold()
    commands = await asyncio.gather(*(person.say(command_for(SONGS[5])) for person in (ann, ben)))
    for person, command in zip((ann, ben), commands, strict=True):
        await person.wait_for_text("credits", after=command)
    lively_town.upstream.release()
    for person, command in zip((ann, ben), commands, strict=True):
        await person.wait_for_text("Delivered", after=command)
        assert len(lively_town.audios(command)) == 2
    assert lively_town.charged(SONGS[5].audio_id) == ["basic"]
    assert sorted([await balance_of(ann), await balance_of(ben)]) == [90, 100]


async def test_a_link_alone_offers_both_modes(lively_town, ann):
    link = await ann.say(f"https://suno.com/song/{SONGS[6].audio_id}?sh=abc")
    offer = await ann.wait_for_text("50 credits", after=link)
    assert [button["text"] for button in offer.buttons] == [
        "Vocals + instrumental · 10",
        "Full set, up to 12 stems · 50",
    ]
    await ann.press(offer, "Vocals")
    assert len(await ann.wait_for_audios(2, after=link)) == 2
    assert lively_town.charged(SONGS[6].audio_id) == ["basic"]


def album_calls(town, person):
    calls = town.telegram.calls_of("sendMediaGroup")
    return [call for call in calls if call.parameters["chat_id"] == str(person.chat_id)]


def uploads_in(call) -> int:
    """How many stems went out with a call, each with its picture, instead of a ``file_id``."""
    media = call.parameters["media"]
    uploads = [value for value in call.parameters.values() if str(value).startswith("<")]
    stems = [item for item in media if item["media"].startswith("attach://")]
    assert len(uploads) == len(stems) + len([item for item in media if "thumbnail" in item])
    return len(stems)
