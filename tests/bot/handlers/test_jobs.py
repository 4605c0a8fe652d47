import pytest

from storage.states import JobState as J
from tests.bot.telegram_stand_in import NOT_THERE
from tests.bot.world import ANN, BAND, BOB, SONG


async def ask_many(world, count, **fields):
    await world.grant(1000, ANN)
    for number in range(10, 10 + count):
        await world.say(f"/stems {SONG[:-2]}{number}", **fields)


def shown(world, chat_id=ANN):
    return [one for (chat, _), one in world.telegram.messages.items() if chat == chat_id][-1]


def buttons(world):
    return [button["text"] for row in shown(world)["reply_markup"]["inline_keyboard"] for button in row]


async def test_without_jobs_it_shows_how_to_begin(world):
    (said,) = await world.say("/jobs")
    assert "/stems" in said


async def test_jobs_come_newest_first_each_with_its_state(world):
    await ask_many(world, 2)
    (said,) = await world.say("/jobs")
    assert said.index("<b>2</b>") < said.index("<b>1</b>")
    assert said.count("being separated") == 2


async def test_eleven_jobs_are_two_pages(world):
    await ask_many(world, 11)
    await world.say("/jobs")
    assert [label.split(" ")[0] for label in buttons(world)] == [*map(str, range(11, 1, -1)), "Older"]
    await world.press("Older")
    assert [label.split(" ")[0] for label in buttons(world)] == ["1", "‹"]
    await world.press("Newer")
    assert buttons(world)[-1] == "Older ›"


async def test_ten_jobs_are_one_page(world):
    await ask_many(world, 10)
    await world.say("/jobs")
    assert len(buttons(world)) == 10


async def test_a_tap_opens_a_job_with_what_can_be_done(world):
    await ask_many(world, 1)
    await world.say("/jobs")
    await world.press("1")
    assert buttons(world)[0] == "Cancel"
    await world.press("Jobs")
    assert "newest first" in shown(world)["text"]


async def test_what_is_cancelled_there_shows_it(world):
    await ask_many(world, 1, chat_id=BAND)
    await world.say("/jobs")
    await world.press("1")
    await world.press("Cancel")
    assert "Cancelled, nothing was charged" in shown(world)["text"]
    assert buttons(world) == ["Try again", "‹ Jobs"]


async def test_nobody_turns_the_pages_of_another(world):
    await ask_many(world, 1, chat_id=BAND)
    await world.say("/jobs", chat_id=BAND)
    assert (await world.press("1", by=BOB, chat_id=BAND)).startswith("ALERT")


async def test_a_group_shows_only_what_was_asked_for_there(world):
    await world.say(f"/stems {SONG}")
    (in_group,) = await world.say("/jobs", chat_id=BAND)
    (in_private,) = await world.say("/jobs")
    assert "<b>1</b>" not in in_group
    assert "<b>1</b>" in in_private


async def test_nobody_sees_the_jobs_of_others(world):
    await world.say(f"/stems {SONG}")
    (said,) = await world.say("/jobs", by=BOB)
    assert "<b>1</b>" not in said


@pytest.mark.parametrize("text", ["/cancel 1", "/cancel #1", "/cancel № 1"])
async def test_a_job_is_withdrawn_by_its_number(world, text):
    await world.say(f"/stems {SONG}")
    (said,) = await world.say(text)
    assert "Nothing was charged" in said
    assert (await world.job()).state is J.CANCELLED


@pytest.mark.parametrize(
    "text", ["/cancel", "/cancel one", "/cancel 1 2", "/cancel -1", "/cancel " + "9" * 30, "/cancel ²"]
)
async def test_what_is_no_number_gets_an_example(world, text):
    (said,) = await world.say(text)
    assert "/cancel 12" in said


async def test_there_is_no_withdrawing_of_what_is_not_there_or_not_ones_own(world):
    await world.say(f"/stems {SONG}")
    for text, who in (("/cancel 1", BOB), ("/cancel 99", ANN)):
        (said,) = await world.say(text, by=who)
        assert "no job" in said
    assert (await world.job()).state is J.WAITING


async def test_what_is_over_cannot_be_withdrawn(world):
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    (said,) = await world.say("/cancel 1")
    assert "job 1 is delivered" in said


async def test_an_anonymous_admin_withdraws_what_an_anonymous_admin_asked_for(world):
    await world.grant(40, BAND, "group")
    await world.say_anonymously(f"/stems {SONG}")
    (said,) = await world.say_anonymously("/cancel 1")
    assert "Nothing was charged" in said


async def test_an_edited_cancel_cancels_nothing(world):
    await world.say(f"/stems {SONG}")
    raw = world.message("/cancel 1")
    await world.handle({"update_id": raw["update_id"], "edited_message": {**raw["message"], "edit_date": 1}})
    assert (await world.job()).state is J.WAITING


@pytest.mark.parametrize("fault", [None, NOT_THERE], ids=["edited", "not to be edited"])
async def test_a_press_on_an_acknowledgement_that_was_sent_twice_is_answered(world, fault):
    await world.say(f"/stems {SONG}")
    await world.steps("status")
    raw = world.pressing("Cancel")
    message = raw["callback_query"]["message"]
    twin = {**message, "message_id": message["message_id"] + 100}
    world.telegram.messages[ANN, twin["message_id"]] = twin
    world.telegram.fail("editMessageText", fault)
    assert await world.press_update(world.press_of("1:c:1", twin)) == "Cancelled. Nothing was charged."
    assert ("Cancelled" in world.telegram.messages[ANN, twin["message_id"]]["text"]) is (fault is None)
