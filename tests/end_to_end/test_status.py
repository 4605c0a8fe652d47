"""The status message stays one message, edited in its own time, however slowly Telegram answers."""

import pytest

from sandbox.songs import SONGS
from sandbox.telegram import faults

SONG = SONGS[0]


@pytest.fixture
def ann(town):
    return town.telegram.person("Ann")


async def test_a_job_that_fails_while_its_acknowledgement_is_on_its_way_still_has_one_status(town, ann):
    slow = town.telegram.fail_next("sendMessage", faults.slow())
    await town.home.start()
    command = await ann.say(f"/stems {'0' * 32}:{SONG.audio_id}")
    await town.telegram.wait_for_calls("sendMessage", 1)
    while "failed" not in await jobs_told_to(ann):
        pass
    slow.release()
    await ann.wait_for_text("No stems", after=command)
    assert len(town.replies(command)) == 1


async def test_the_last_edit_waits_for_one_that_is_on_its_way(town, ann):
    slow = town.telegram.fail_next("editMessageText", faults.slow())
    town.upstream.hold()
    bot = await town.home.start()
    command = await ann.say(f"/stems {SONG.task_id}:{SONG.audio_id}")
    await town.telegram.wait_for_calls("editMessageText", 1)
    town.upstream.release()
    await bot.line("delivery: Done")
    slow.release()
    status = await ann.wait_for_text("balance 90", after=command)
    first, last = town.telegram.calls_of("editMessageText")
    assert last.at - first.at >= 5
    assert "Cancel" not in [button["text"] for button in status.buttons]


async def jobs_told_to(person):
    asked = await person.say("/jobs")
    return (await person.wait_for_text("Your jobs", after=asked)).text
