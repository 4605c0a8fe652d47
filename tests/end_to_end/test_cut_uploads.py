"""Telegram cuts an upload off: at its begin, in the middle, between two files, at its last byte. What had not
all left is sent again by itself; of the rest nobody knows, and the person decides. Which bytes make the
difference depends on what sockets hold: tests/bot/test_sent_bodies.py looks at that.
"""

from collections.abc import AsyncIterator

import pytest

from sandbox.songs import SONGS, Song
from sandbox.telegram import Message
from tests.crash.moments import Uploads
from tests.end_to_end.in_process import Bot, a_sandbox, as_answer, command_for

SHARES = [0, 0.001, 0.25, 0.5, 0.99, 1]  # of an album of two files of equal size


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
async def bot(tmp_path, uploads) -> AsyncIterator[Bot]:
    async with a_sandbox(tmp_path, "sunoapi_org") as bot:
        uploads.watch(bot.sandbox.telegram)
        async with bot.at_work():
            yield bot


async def test_wherever_an_upload_is_cut_every_stem_arrives_once(bot, uploads):
    for share, song in zip(SHARES, SONGS, strict=False):
        uploads.cut_next(share)
        titles = await titles_in_the_end(bot, song)
        assert titles == [f"{song.title} (Vocals)", f"{song.title} (Instrumental)"], f"cut at {share}"


async def titles_in_the_end(bot: Bot, song: Song) -> list[str]:
    """What came in reply to a command, also to the button that is there where nobody knows."""
    person = bot.person()
    command = await person.say(command_for(song))
    await bot.passes_until(lambda: as_answer(bot.last_form(command)))
    if "did not confirm" not in bot.last_form(command):
        return bot.titles(command)
    assert bot.titles(command) == []
    await person.press(status_of(bot, command), "Send again")
    await bot.passes_until(lambda: as_answer(bot.titles(command)))
    return bot.titles(command)


def status_of(bot: Bot, command: Message) -> Message:
    return next(reply for reply in bot.replies(command) if reply.text)
