"""What the trouble of one file, or of one chat, costs the others: nothing."""

import pytest

from tests.bot.telegram_stand_in import refusal
from tests.bot.world import ANN, EVE, SONG

BASIC_TITLES = ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
FILES = ("sendAudio", "sendDocument", "sendMediaGroup")
LINKS_LIVE_S = 15 * 86_400
SOMETHING = refusal(400, "Bad Request: SOMETHING_ABOUT_THIS_CHAT")


@pytest.mark.parametrize("age_s", [0, LINKS_LIVE_S], ids=["links live", "links dead"])
async def test_what_one_chat_refuses_stays_in_the_archive_for_the_others(ready, world, age_s):
    await ready()
    await world.run_until_idle()
    world.clock.forward(age_s)
    for method in FILES:
        world.telegram.fail_in(EVE, method, *[SOMETHING] * 9)
    await world.say(f"/stems {SONG}", by=EVE)
    await world.run_until_idle()
    assert world.telegram.titles_in(EVE) == []
    world.clock.forward(LINKS_LIVE_S)
    await world.press("Send again")
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES * 2


async def test_one_bad_file_id_does_not_cost_the_others_of_its_album(ready, world):
    await ready()
    await world.run_until_idle()
    world.clock.forward(LINKS_LIVE_S)
    del world.telegram.known_files[next(iter(world.telegram.known_files))]
    await world.press("Send again")
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == [*BASIC_TITLES, BASIC_TITLES[1]]
    assert "no longer kept" in await world.press("Send again"), (
        "the other is lost: all of it can be made anew"
    )


async def test_a_chat_that_had_to_wait_has_no_fewer_tries_for_its_downloads(ready, world):
    await ready()
    wait = refusal(429, "Too Many Requests: retry after 60", retry_after=60)
    world.telegram.fail("sendMediaGroup", *[wait] * 6)
    while len(world.telegram.called("sendMediaGroup")) < 6:
        await world.step("deliver")
        world.clock.forward(61)
    world.files.answers["vocals"] = 503
    await world.steps("deliver")
    del world.files.answers["vocals"]
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES


async def test_the_others_do_not_wait_for_a_download_that_stays_broken(ready, world):
    await ready("full")
    world.files.answers["drums"] = 500
    await world.steps("deliver")
    world.clock.forward(2)
    await world.steps("deliver")
    assert len(world.telegram.titles_in(ANN)) == 11
    assert all(world.files.fetched.count(name) <= 2 for name in ("vocals", "bass", "brass"))
    del world.files.answers["drums"]
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN)[11:] == ["Paper Boats (Drums)"]
    assert "Delivered: 12 stems" in world.status_text()
