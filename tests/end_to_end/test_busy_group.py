"""A group that wants more than Telegram takes in a minute; the limits are those of the sandbox, which has
Telegram's own. Time is added while nothing happens.
"""

from collections.abc import AsyncIterator

import pytest

from sandbox.songs import SONGS
from tests.end_to_end.in_process import Bot, a_bot, as_answer, command_for

ORDER = [
    "Vocals", "Backing Vocals", "Drums", "Bass", "Guitar", "Keyboard",
    "Percussion", "Strings", "Synth", "FX", "Brass", "Woodwinds",
]  # fmt: skip
TOO_MANY_REQUESTS = 429


@pytest.fixture
async def bot(tmp_path) -> AsyncIterator[Bot]:
    async with a_bot(tmp_path, "sunoapi_org") as bot:
        yield bot


async def test_two_people_get_twelve_stems_each_in_one_minute_and_a_private_chat_does_not_wait(bot):
    ann, ben, eve = (bot.person(name) for name in ("Ann", "Ben", "Eve"))
    band = bot.sandbox.telegram.group("Band", members=[ann, ben])
    of_ann = await ann.say(command_for(SONGS[0], "full"), band)
    of_ben = await ben.say(command_for(SONGS[1], "full"), band)
    await bot.passes_until(lambda: as_answer(len(bot.titles(of_ann) + bot.titles(of_ben)) >= len(ORDER)))
    of_eve = await eve.say(command_for(SONGS[2]))
    await eve.wait_for_audios(2, within_s=15, after=of_eve)  # meanwhile no time is added
    assert len(bot.titles(of_ann) + bot.titles(of_ben)) < 2 * len(ORDER), "the group has to wait"
    await bot.passes_until(lambda: as_answer(bot.last_form(of_ann) and bot.last_form(of_ben)))
    for command, song in ((of_ann, SONGS[0]), (of_ben, SONGS[1])):
        assert bot.titles(command) == [f"{song.title} ({stem})" for stem in ORDER]
    assert [call for call in bot.sandbox.telegram.calls if call.status == TOO_MANY_REQUESTS] == []
