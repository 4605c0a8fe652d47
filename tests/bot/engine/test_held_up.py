"""What is shown of a delivery that has to wait in the middle."""

from bot import texts
from tests.bot.world import BAND, BOB, OTHER_SONG, SONG


async def test_while_the_second_half_waits_for_room_in_a_group_it_says_so(world):
    for song in (SONG, OTHER_SONG):
        await world.say(f"/stems {song}", chat_id=BAND)
        await world.run_until_idle()
    await world.say(f"/stems {SONG} full", by=BOB, chat_id=BAND)
    await world.run_until_idle()
    shown = {call.text for call in world.telegram.called("editMessageText")}
    (waiting,) = (text for text in shown if "The first half is here" in text)
    assert waiting.endswith(f"; the second follows in about a minute: {texts.GROUP_FULL}.")
    assert len(world.telegram.titles_in(BAND)) == 16
    assert (await world.job(3)).why is None
