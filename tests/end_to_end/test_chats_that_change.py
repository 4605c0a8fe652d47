"""What a person has of it when their chat changes between the command and the stems."""

from collections.abc import AsyncIterator

import pytest

from sandbox.songs import SONGS
from sandbox.telegram import Group, Message, Person, faults
from storage.states import JobState as J
from tests.end_to_end.in_process import Bot, a_bot, command_for

SONG = SONGS[0]
UPSTREAM = "sunoapi_org"
TITLES = ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
NO_AUDIO = faults.error(400, "Bad Request: not enough rights to send audios to the chat")


@pytest.fixture
async def bot(tmp_path) -> AsyncIterator[Bot]:
    async with a_bot(tmp_path, UPSTREAM) as bot:
        bot.upstream(UPSTREAM).hold()
        yield bot


async def asked(
    bot: Bot, person: Person, group: Group | None = None, thread: int | None = None, mode: str = ""
) -> Message:
    """The command; the bot has acknowledged it, and the upstream is still at work."""
    command = await person.say(command_for(SONG, mode), group, thread)
    await person.wait_for(lambda _: bot.replies(command), chat=group)
    await bot.until(lambda: submitted(bot))
    return command


async def submitted(bot: Bot) -> bool:
    return bool(bot.upstream(UPSTREAM).submits)


def done(bot: Bot) -> None:
    bot.upstream(UPSTREAM).release()


def titles(bot: Bot, chat: Person | Group) -> list[str]:
    return [message.audio.title for message in bot.sandbox.telegram.messages(chat) if message.audio]


async def wait_for_stems(person: Person, group: Group | None = None) -> list[str]:
    return [audio.title for audio in await person.wait_for_audios(2, chat=group)]


async def test_who_blocked_the_bot_gets_the_credits_back_and_later_the_stems(bot):
    ann = bot.person()
    await asked(bot, ann)
    await ann.block()
    done(bot)
    assert (await bot.ended()).state in (J.FAILED, J.CANCELLED)
    assert await bot.balance(ann) == 100
    await ann.unblock()
    await ann.say(command_for(SONG))
    assert await wait_for_stems(ann) == TITLES
    assert bot.charges() == {UPSTREAM: 1}, "they were in the archive"


async def test_whoever_deleted_their_account_costs_nobody_anything(bot):
    ann = bot.person()
    await asked(bot, ann)
    ann.delete_account()
    done(bot)
    assert (await bot.ended()).state in (J.FAILED, J.CANCELLED)
    assert await bot.balance(ann) == 100


async def test_what_was_asked_for_in_a_group_that_threw_the_bot_out_is_to_be_had_in_private(bot):
    ann = bot.person()
    band = bot.band(ann)
    await asked(bot, ann, band)
    band.kick_bot()
    done(bot)
    await bot.ended()
    listed = await ann.say("/jobs")
    jobs = await ann.wait_for_text("newest first", after=listed)
    await ann.press(jobs, "Paper Boats")
    opened = await ann.wait_for_text("No stems", after=listed)
    await ann.press(opened, "Try again")
    assert await wait_for_stems(ann) == TITLES
    assert bot.charges() == {UPSTREAM: 1}


async def test_a_group_that_became_a_supergroup_gets_everything_at_its_new_place(bot):
    ann = bot.person()
    old = bot.sandbox.telegram.group("Band", members=[ann], supergroup=False)
    await asked(bot, ann, old)
    new = old.migrate()
    done(bot)
    assert await wait_for_stems(ann, new) == TITLES
    assert (await bot.ended()).chat_id == new.chat_id
    assert titles(bot, old) == []


@pytest.mark.parametrize("change", [Group.close_thread, Group.delete_thread], ids=["closed", "deleted"])
async def test_where_the_topic_is_gone_the_general_one_serves(bot, change):
    ann = bot.person()
    forum = bot.sandbox.telegram.group("Band", members=[ann], forum=True)
    topic = forum.thread("Stems")
    await asked(bot, ann, forum, topic)
    change(forum, topic)
    done(bot)
    assert await wait_for_stems(ann, forum) == TITLES
    sent = [message for message in bot.sandbox.telegram.messages(forum) if message.audio]
    assert {message.message_thread_id for message in sent} == {None}


async def test_a_command_that_was_deleted_is_answered_all_the_same(bot):
    ann = bot.person()
    command = await asked(bot, ann)
    ann.delete(command)
    done(bot)
    assert await wait_for_stems(ann) == TITLES
    assert {
        message.reply_to_message_id for message in bot.sandbox.telegram.messages(ann) if message.audio
    } == {None}


async def test_where_audio_may_not_be_sent_every_stem_comes_as_a_link_and_one_sentence_says_why(bot):
    ann = bot.person()
    band = bot.band(ann)
    for method in ("sendAudio", "sendMediaGroup"):
        bot.sandbox.telegram.fail_next(method, NO_AUDIO, times=100)
    command = await asked(bot, ann, band, mode="full")
    done(bot)
    links = await ann.wait_for_text("the stems as links", chat=band, after=command)
    assert links.html.count("<a href=") == 12
    status = await ann.wait_for_text(
        "this chat does not let me send audio: 12 stems", chat=band, after=command
    )
    assert status.text.count("because") == 1
    assert len(bot.sandbox.telegram.calls_of("sendMediaGroup")) == 1
    assert (await bot.ended()).state is J.DELIVERED
