"""Waiting for what the bot does, and following what changes."""

import asyncio

import pytest

from sandbox.telegram import Event
from sandbox.telegram.changes import BACKLOG_MAX

MP3 = ("vocals.mp3", b"ID3 x", "audio/mpeg")


async def test_waiting_ends_when_the_condition_holds(bot, ann):
    waiting = asyncio.create_task(ann.wait_for_audios(2, within_s=5))
    for title in ("one", "two"):
        await bot.call("sendAudio", {"audio": MP3}, chat_id=ann.user_id, title=title)
    assert [audio.title for audio in await waiting] == ["one", "two"]


async def test_waiting_in_vain_shows_what_is_there(bot, ann):
    keyboard = {"inline_keyboard": [[{"text": "Cancel", "callback_data": "x"}]]}
    await bot.call("sendMessage", chat_id=ann.user_id, text="Working", reply_markup=keyboard)
    await bot.call("sendAudio", {"audio": MP3}, chat_id=ann.user_id)
    with pytest.raises(TimeoutError) as failed:
        await ann.wait_for_text("Done", within_s=0.01)
    assert "Ann: /start" in str(failed.value)
    assert "Stembot: Working (Cancel)" in str(failed.value)
    assert "[audio: vocals.mp3]" in str(failed.value)


async def test_a_text_is_looked_for_among_the_bots_newest(telegram, bot, ann):
    first = await bot.call("sendMessage", chat_id=ann.user_id, text="Done")
    asked = await ann.say("Done?")
    assert (await ann.wait_for_text("Done")).message_id == first["message_id"]
    with pytest.raises(TimeoutError):
        await ann.wait_for_text("Done", within_s=0.01, after=asked)
    await bot.call("editMessageText", chat_id=ann.user_id, message_id=first["message_id"], text="Really")
    assert (await ann.wait_for_text("Really")).edit_date is not None


async def test_waiting_works_in_groups(telegram, bot, ann):
    group = telegram.group("Band", members=[ann])
    await bot.call("sendAudio", {"audio": MP3}, chat_id=group.chat_id)
    assert len(await ann.wait_for_audios(1, chat=group)) == 1
    shown = await ann.wait_for(lambda messages: [m for m in messages if m.audio], chat=group)
    assert shown == telegram.messages(group.chat_id)


async def test_events_follow_every_change(telegram, bot, ann):
    with telegram.subscribe() as events:
        said = await ann.say("hi")
        await ann.edit(said, "ho")
        ann.delete(said)
        await telegram.close()
        seen = [(event.type, event.message.text) async for event in events]
    assert seen == [("new", "hi"), ("edited", "ho"), ("deleted", "ho")]
    assert await telegram.subscribe().get() is None


async def test_a_reader_that_never_reads_is_dropped(telegram, ann):
    with telegram.subscribe() as events:
        for _ in range(BACKLOG_MAX + 5):
            telegram.world.changes.announce(Event("action", ann.chat_id, detail="typing"))
        seen = [event async for event in events]
    assert len(seen) == BACKLOG_MAX - 1


async def test_an_update_nobody_heard_has_no_id(telegram, ann):
    group = telegram.group("Band", members=[ann])
    talk = await ann.say("just talk", chat=group)
    with pytest.raises(LookupError):
        telegram.update_of(talk)


def test_the_token_is_in_no_repr(telegram):
    assert "AAAA" not in repr(telegram) + repr(telegram._server)
