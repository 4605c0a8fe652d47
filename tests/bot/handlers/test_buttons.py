import pytest

from bot import songs
from providers.base import Failed, SongRef
from providers.errors import OutcomeUnknown
from storage.states import JobState as J
from tests.bot.telegram_stand_in import ANSWER_LOST, TOO_OLD
from tests.bot.world import ANN, BAND, BOB, EVE, SONG, TASK

PACKED = songs.pack(SongRef(SONG))


@pytest.fixture
async def delivered(world):
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    return world


@pytest.fixture
async def in_group(world):
    """Ann asked for it in a group."""
    await world.say(f"/stems {SONG}", chat_id=BAND)
    await world.steps("status")
    return world


def status_message(world, chat_id=ANN):
    return [one for (chat, _), one in world.telegram.messages.items() if chat == chat_id and "text" in one][
        -1
    ]


# Whose buttons


@pytest.mark.parametrize("label", ["Send again", "Full set"])
async def test_only_who_asked_may_press_what_is_under_a_delivered_job(in_group, label):
    await in_group.run_until_idle()
    jobs_before, balance = len(await in_group.jobs_of()), await in_group.balance()
    assert (await in_group.press(label, by=BOB, chat_id=BAND)).startswith("ALERT Only the person who asked")
    assert (len(await in_group.jobs_of()), await in_group.balance()) == (jobs_before, balance)
    assert await in_group.jobs_of(BOB) == []


async def test_only_who_asked_may_cancel(in_group):
    assert (await in_group.press("Cancel", by=BOB, chat_id=BAND)).startswith("ALERT")
    assert (await in_group.job()).state is J.WAITING
    await in_group.press("Cancel", by=ANN, chat_id=BAND)
    assert (await in_group.job()).state is J.CANCELLED


async def test_only_who_asked_may_try_again(in_group):
    in_group.provider.to_look.append(Failed("no luck"))
    await in_group.run_until_idle()
    assert (await in_group.press("Try again", by=BOB, chat_id=BAND)).startswith("ALERT")
    assert await in_group.jobs_of(BOB) == []


async def test_an_anonymous_admins_buttons_are_for_the_chats_admins(world):
    await world.grant(40, BAND, "group")
    await world.say_anonymously(f"/stems {SONG}")
    await world.steps("status")
    world.telegram.admins.add(EVE)
    assert (await world.press("Cancel", by=BOB, chat_id=BAND)).startswith("ALERT")
    assert (await world.job()).state is J.WAITING
    assert "Cancelled" in await world.press("Cancel", by=EVE, chat_id=BAND)
    assert await world.balance(BAND, "group") == 40


async def test_what_an_anonymous_admin_asked_for_stays_with_the_group_whoever_presses(world):
    await world.grant(70, BAND, "group")
    await world.say_anonymously(f"/stems {SONG}")
    await world.run_until_idle()
    world.telegram.admins.add(EVE)
    assert await world.press("Full set", by=EVE, chat_id=BAND) == ""
    job = await world.job(2)
    assert (job.user_id, job.chat_id, job.price) == (None, BAND, 50)
    assert await world.balance(BAND, "group") == 10
    await world.steps("status")
    await world.press("Cancel", by=EVE, chat_id=BAND)
    await world.run_until_idle()
    await world.press("Try again", by=EVE, chat_id=BAND)
    assert (await world.job(3)).user_id is None
    assert await world.balance(BAND, "group") == 10
    assert await world.jobs_of(EVE) == []


async def test_a_copy_of_what_the_group_has_is_the_pressers_own(world):
    await world.grant(40, BAND, "group")
    await world.say_anonymously(f"/stems {SONG}")
    await world.run_until_idle()
    world.telegram.admins.add(EVE)
    await world.press("To my chat", by=EVE, chat_id=BAND)
    (job,) = await world.jobs_of(EVE)
    assert (job.chat_id, job.price) == (EVE, 0)


# What they do


async def test_cancel_gives_the_credits_back_and_says_so(world):
    await world.say(f"/stems {SONG}")
    await world.steps("status")
    assert await world.press("Cancel") == "Cancelled. Nothing was charged."
    assert await world.balance() == 100


async def test_the_same_press_twice_changes_nothing_the_second_time(world):
    await world.say(f"/stems {SONG}")
    await world.steps("status")
    raw = world.pressing("Cancel")
    await world.press_update(raw)
    assert "nothing to cancel" in await world.press_update(raw)
    assert [entry.kind for entry in await world.entries()] == ["grant", "hold", "release"]


async def test_a_payer_who_leaves_is_told_that_the_price_stays(world):
    await world.say(f"/stems {SONG}")
    await world.say(f"/stems {SONG}", by=BOB)
    await world.steps("status", "status")
    assert "Others wait" in await world.press("Cancel")
    assert (await world.job()).state is J.LEAVING


async def test_the_full_set_is_asked_for_at_its_price(delivered):
    assert await delivered.press("Full set") == ""
    job = (await delivered.jobs_of())[-1]
    assert ((await delivered.view(job.id)).separation.mode, job.price) == ("full", 50)
    assert await delivered.balance() == 40
    await delivered.run_until_idle()
    assert len(delivered.telegram.titles_in(ANN)) == 14


async def test_a_second_tap_on_full_set_names_the_job_under_way(delivered):
    await delivered.press("Full set")
    assert "job 2" in await delivered.press("Full set")
    assert len(await delivered.jobs_of()) == 2


async def test_the_same_press_of_full_set_twice_is_one_job(delivered):
    raw = delivered.pressing("Full set")
    await delivered.press_update(raw)
    await delivered.run_until_idle()
    await delivered.press_update(raw)
    assert len(await delivered.jobs_of()) == 2


async def test_without_the_credits_the_press_says_so(worlds):
    async with worlds(signup_credits=20) as world:
        await world.say(f"/stems {SONG}")
        await world.run_until_idle()
        said = await world.press("Full set")
        assert said.startswith("ALERT")
        assert "50 credits" in said


async def test_send_again_sends_again(delivered):
    await delivered.press("Send again")
    await delivered.run_until_idle()
    assert len(delivered.telegram.titles_in(ANN)) == 4
    assert await delivered.balance() == 90


async def test_send_again_after_the_files_are_lost_says_what_to_do(world, clock):
    world.telegram.fail_always("sendMediaGroup", ANSWER_LOST)
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    clock.forward(15 * 86400)
    said = await world.press("Send again")
    assert said.startswith("ALERT")
    assert "10 credits" in said


async def test_nobody_gets_the_stems_of_a_cancelled_job_for_nothing(world):
    await world.say(f"/stems {SONG}")
    await world.steps("status", "submit")
    await world.press("Cancel")
    await world.run_until_idle()
    forged = world.press_of("1:s:1", status_message(world))
    assert (await world.press_update(forged)).startswith("ALERT")
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == []


async def test_try_again_after_a_failure_is_a_new_order(world):
    world.provider.to_look.append(Failed("no luck"))
    await world.say(f"/stems {TASK}:{SONG}")
    await world.run_until_idle()
    await world.press("Try again")
    await world.run_until_idle()
    assert world.provider.charges == 2
    assert [job.state for job in await world.jobs_of()] == [J.FAILED, J.DELIVERED]
    assert await world.balance() == 90


async def test_only_a_person_orders_again_what_was_uncertain(world):
    world.provider.to_submit.append(OutcomeUnknown("cut"))
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    assert len(world.provider.calls("submit")) == 1
    await world.press("Try again")
    await world.run_until_idle()
    assert len(world.provider.calls("submit")) == 2
    assert (await world.job(2)).state is J.DELIVERED


async def test_a_button_works_after_the_message_it_answers_to_was_deleted(delivered):
    message = {**status_message(delivered)}
    message.pop("reply_to_message", None)
    await delivered.press_update(delivered.press_of("1:s:1", message))
    assert len(await delivered.jobs_of()) == 2


# What no button of ours carries


STRANGE = [  # rt is Ann in base 36
    "",
    "1",
    "0:c:1",
    "2:c:1",
    "1:y:1",
    "1:c",
    "1:c:",
    "1:c:!",
    "1:c:999",
    "1:c:zzzzzzzzzzzzzzzzzzzz",
    "1:o:rt:zzzzzzzzzzzzzzzzzzzz:0",
    "1:j:rt",
    "1:j:rt:zzzzzzzzzzzzzzzzzzzz",
    "1:j:rt:-1",
    "1:e:rt",
    "1:e:rt:zzzzzzzzzzzzzzzzzzzz",
    "1:b:rt",
    "1:b:rt:",
    "1:b:rt:nonsense",
    f"1:b:rt:{PACKED[:-1]}",
    "1:o:rt:1",
]


@pytest.mark.parametrize("data", STRANGE)
async def test_strange_data_gets_an_alert_and_does_nothing(delivered, data):
    jobs_before = await delivered.jobs_of()
    said = await delivered.press_update(delivered.press_of(data, status_message(delivered)))
    assert said.startswith("ALERT") or data == "1:j:rt:-1"
    assert await delivered.jobs_of() == jobs_before


async def test_a_message_too_old_to_be_read_still_has_a_button(delivered):
    raw = delivered.pressing("Send again")
    shown = raw["callback_query"]["message"]
    raw["callback_query"]["message"] = {"chat": shown["chat"], "message_id": shown["message_id"], "date": 0}
    await delivered.press_update(raw)
    await delivered.run_until_idle()
    assert len(delivered.telegram.titles_in(ANN)) == 4


async def test_a_press_without_a_message_gets_an_alert(delivered):
    raw = delivered.pressing("Send again")
    del raw["callback_query"]["message"]
    assert (await delivered.press_update(raw)).startswith("ALERT")


async def test_a_press_that_can_be_answered_no_more_is_still_obeyed(world):
    await world.say(f"/stems {SONG}")
    await world.steps("status")
    world.telegram.fail("answerCallbackQuery", TOO_OLD)
    await world.handle(world.pressing("Cancel"))
    assert (await world.job()).state is J.CANCELLED


# Offers and lists


async def test_an_offered_mode_is_asked_for_by_a_press(world):
    await world.say(f"https://suno.com/song/{SONG}")
    await world.press("Full set")
    assert (await world.separation()).mode == "full"


async def test_the_request_of_a_press_is_what_the_stems_answer_to(world):
    await world.say(f"https://suno.com/song/{SONG}")
    shown = status_message(world)
    raw = world.pressing("Vocals")
    raw["callback_query"]["message"] = {**shown, "reply_to_message": {**shown, "message_id": 1}}
    await world.press_update(raw)
    assert (await world.job()).message_id == 1
