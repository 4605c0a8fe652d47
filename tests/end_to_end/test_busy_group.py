"""A group that wants more than Telegram takes in a minute; the limits are those of the sandbox, which has
Telegram's own. Time is added while nothing happens.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from sqlalchemy import text

from sandbox.songs import SONGS
from sandbox.telegram import Message
from tests.end_to_end.in_process import Bot, a_bot, as_answer, command_for

ORDER = [
    "Vocals", "Backing Vocals", "Drums", "Bass", "Guitar", "Keyboard",
    "Percussion", "Strings", "Synth", "FX", "Brass", "Woodwinds",
]  # fmt: skip
TOO_MANY_REQUESTS = 429
AT_WORK = text("SELECT count(*) FROM jobs WHERE lease IS NOT NULL")


@pytest.fixture
async def bot(tmp_path) -> AsyncIterator[Bot]:
    async with a_bot(tmp_path, "sunoapi_org") as bot:
        yield bot


async def test_two_people_get_twelve_stems_each_in_one_minute_and_a_private_chat_does_not_wait(bot):
    ann, ben, eve = (bot.person(name) for name in ("Ann", "Ben", "Eve"))
    band = bot.sandbox.telegram.group("Band", members=[ann, ben])
    of_ann = await ann.say(command_for(SONGS[0], "full"), band)
    of_ben = await ben.say(command_for(SONGS[1], "full"), band)
    await time_passes_until(bot, lambda: len(bot.titles(of_ann) + bot.titles(of_ben)) >= len(ORDER))
    of_eve = await eve.say(command_for(SONGS[2]))
    await eve.wait_for_audios(2, within_s=15, after=of_eve)  # meanwhile no time is added
    assert len(bot.titles(of_ann) + bot.titles(of_ben)) < 2 * len(ORDER), "the group has to wait"
    await time_passes_until(bot, lambda: is_told(bot, of_ann) and is_told(bot, of_ben))
    for command, song in ((of_ann, SONGS[0]), (of_ben, SONGS[1])):
        assert bot.titles(command) == [f"{song.title} ({stem})" for stem in ORDER]
    assert [call for call in bot.sandbox.telegram.calls if call.status == TOO_MANY_REQUESTS] == []


def is_told(bot: Bot, command: Message) -> bool:
    """Whether the status message has its last form."""
    return any("balance" in (reply.text or "") for reply in bot.replies(command))


async def time_passes_until(bot: Bot, is_so: Callable[[], bool]) -> None:
    """Adds time while there is nothing but waiting for it: no lease ends under somebody at work."""
    for _ in range(200):
        with suppress(TimeoutError):
            await bot.until(lambda: as_answer(is_so()), within_s=0.1)
            return
        if bot.clock.sleepers or not await is_at_work(bot):
            bot.later(2)
    raise AssertionError("it never comes to that")


async def is_at_work(bot: Bot) -> bool:
    async with bot.app.services.database.reading() as db:
        return bool(await db.scalar(AT_WORK))
