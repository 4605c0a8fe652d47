"""What must do nothing: edited commands, updates that come twice, commands for another bot."""

import pytest

from sandbox.songs import SONGS

pytestmark = pytest.mark.asyncio(loop_scope="module")


def command_for(number: int, mode: str = "") -> str:
    song = SONGS[number]
    return f"/stems {song.task_id}:{song.audio_id} {mode}".strip()


async def test_an_edited_command_does_nothing(lively_town):
    ann, before = lively_town.telegram.person("Ann"), lively_town.upstream.charges
    command = await ann.say("/help")
    await ann.wait_for_text("I split Suno songs", after=command)
    await ann.edit(command, command_for(0))
    assert await jobs_told_to(ann) == "No jobs yet"
    assert lively_town.upstream.charges == before
    assert len(lively_town.telegram.messages(ann)) == 4


async def test_a_command_that_was_edited_after_its_job_began_does_not_begin_another(lively_town):
    ann = lively_town.telegram.person("Ann")
    command = await ann.say(command_for(1))
    await ann.wait_for_text("Delivered", after=command)
    await ann.edit(command, command_for(1, "full"))
    assert "Your jobs" in await jobs_told_to(ann)
    assert lively_town.charged(SONGS[1].audio_id) == ["basic"]
    assert len(lively_town.replies(command)) == 3


async def test_an_update_that_comes_twice_starts_one_job(lively_town):
    ann = lively_town.telegram.person("Ann")
    command = await ann.say(command_for(2))
    await ann.wait_for_text("Delivered", after=command)
    await lively_town.telegram.redeliver(lively_town.telegram.update_of(command))
    assert (await jobs_told_to(ann)).count("delivered") == 1
    assert lively_town.charged(SONGS[2].audio_id) == ["basic"]
    assert len(lively_town.replies(command)) == 3


async def test_a_question_that_comes_twice_is_answered_once(lively_town):
    ann = lively_town.telegram.person("Ann")
    question = await ann.say("/credits")
    await ann.wait_for_text("You have", after=question)
    await lively_town.telegram.redeliver(lively_town.telegram.update_of(question))
    await jobs_told_to(ann)
    assert len(lively_town.telegram.messages(ann)) == 4


async def test_a_press_that_comes_twice_sends_once(lively_town):
    ann = lively_town.telegram.person("Ann")
    command = await ann.say(command_for(3))
    status = await ann.wait_for_text("Delivered", after=command)
    press = await ann.press(status, "Send again")
    await ann.wait_for_audios(4, after=command)
    assert press.update_id
    await lively_town.telegram.redeliver(press.update_id)
    assert (await jobs_told_to(ann)).count(SONGS[3].title) == 2
    assert len(lively_town.audios(command)) == 4


@pytest.mark.parametrize(
    "text", [f"/stems@other_bot {SONGS[4].audio_id}", "/stems@other_bot", "/help@other_bot"]
)
async def test_a_command_for_another_bot_is_left_to_it(lively_town, text):
    ann = lively_town.telegram.person("Ann")
    group = lively_town.telegram.group("Band", members=[ann])
    await ann.say(text, group)
    await ann.say(text)
    assert await jobs_told_to(ann) == "No jobs yet"
    assert await jobs_told_to(ann, group) == "No jobs yet"
    assert len(lively_town.telegram.messages(ann)) == 3
    assert len(lively_town.telegram.messages(group)) == 3
    assert lively_town.charged(SONGS[4].audio_id) == []


async def test_a_command_with_its_own_name_is_taken_among_other_bots(lively_town):
    ann = lively_town.telegram.person("Ann")
    group = lively_town.telegram.group("Band", members=[ann], other_bots=True)
    command = await ann.say(f"/stems@STEMBOT_sandbox_bot {SONGS[5].task_id}:{SONGS[5].audio_id}", group)
    await ann.wait_for_text("Delivered", chat=group, after=command)
    assert len(lively_town.audios(command)) == 2


async def jobs_told_to(person, chat=None):
    """The answer to /jobs, which comes after everything that was said before was dealt with."""
    asked = await person.say("/jobs@stembot_sandbox_bot", chat)
    answer = await person.wait_for(
        lambda messages: next(
            (m for m in messages if m.message_id > asked.message_id and "obs" in m.text), None
        ),
        chat=chat,
    )
    return "No jobs yet" if "No jobs yet" in answer.text else answer.text
