"""The acknowledgement, its edits, its last form; and what comes of them when Telegram does not play along."""

from itertools import pairwise

import pytest

from bot.engine.status import APART_S
from providers.base import Failed, Running
from storage.states import JobState as J
from tests.bot.telegram_stand_in import (
    ANSWER_LOST,
    BLOCKED,
    CHAT_NOT_FOUND,
    FINE,
    GATEWAY,
    NO_THREAD,
    NOT_MODIFIED,
    NOT_THERE,
    REFUSED,
    TOO_FAST,
    TOPIC_CLOSED,
    UNREACHABLE,
    moved_to,
)
from tests.bot.world import ANN, BAND, BOB, SONG

NEW_BAND = -1009


def buttons(message):
    return [
        button["text"]
        for row in (message.get("reply_markup") or {}).get("inline_keyboard", [])
        for button in row
    ]


def newest(world, chat_id=ANN):
    return [one for (chat, _), one in world.telegram.messages.items() if chat == chat_id and "text" in one][
        -1
    ]


@pytest.fixture
async def asked(world):
    await world.say(f"/stems {SONG}")
    return world


async def test_the_acknowledgement_answers_the_command_and_names_song_mode_and_price(asked):
    await asked.steps("status")
    shown = newest(asked)
    assert shown["replied_to"] == 1
    assert SONG in shown["text"]
    assert "Vocals + instrumental" in shown["text"]
    assert "10 credits" in shown["text"]
    assert buttons(shown) == ["Cancel"]


async def test_it_goes_into_the_topic_that_asked(world):
    await world.say(f"/stems {SONG}", chat_id=BAND, message_thread_id=7, is_topic_message=True)
    await world.steps("status")
    assert newest(world, BAND)["thread"] == 7


async def test_it_does_not_go_into_a_thread_of_replies(world):
    await world.say(f"/stems {SONG}", chat_id=BAND, message_thread_id=7)
    await world.steps("status")
    assert newest(world, BAND)["thread"] is None


async def test_one_message_tells_it_all(asked):
    asked.provider.to_look.extend([Running()] * 10)
    await asked.run_until_idle()
    assert len(asked.telegram.called("sendMessage")) == 1
    assert len(asked.telegram.texts_in(ANN)) == 1


@pytest.mark.parametrize("chat_id", [ANN, BAND], ids=["private", "group"])
async def test_edits_keep_apart(world, chat_id):
    world.provider.to_look.extend([Running()] * 10)
    await world.say(f"/stems {SONG}", chat_id=chat_id)
    await world.run_until_idle()
    times = [call.at for call in world.telegram.called("sendMessage", "editMessageText")]
    assert len(times) > 3
    assert all(later - earlier >= APART_S for earlier, later in pairwise(times))


async def test_a_group_gets_fewer_edits(world):
    world.provider.to_look.extend([Running()] * 10)
    await world.say(f"/stems {SONG}")
    await world.say(f"/stems {SONG}", by=BOB, chat_id=BAND)
    await world.run_until_idle()
    edits = world.telegram.called("editMessageText")
    assert len([call for call in edits if call.chat_id == BAND]) < len([c for c in edits if c.chat_id == ANN])


async def test_the_last_form_follows_soon(asked):
    await asked.run_until_idle()
    (album,) = asked.telegram.called("sendMediaGroup")
    last = asked.telegram.called("editMessageText")[-1]
    assert 0 <= last.at - album.at <= APART_S


async def test_a_job_from_the_archive_shows_its_last_form_at_once(asked):
    await asked.run_until_idle()
    await asked.say(f"/stems {SONG}", by=BOB)
    started = asked.clock()
    await asked.run_until_idle()
    assert "Delivered" in asked.status_text(BOB)
    assert asked.clock() - started < APART_S


async def test_the_last_form_tells_what_came_what_it_cost_and_what_is_left(asked):
    await asked.run_until_idle()
    shown = newest(asked)
    assert "Vocals, Instrumental" in shown["text"]
    assert "10 credits paid" in shown["text"]
    assert "balance 90" in shown["text"]
    assert buttons(shown)[:2] == ["Full set", "Send again"]


async def test_a_full_set_offers_no_full_set(world):
    await world.say(f"/stems {SONG} full")
    await world.run_until_idle()
    assert "Full set" not in buttons(newest(world))
    assert "Send again" in buttons(newest(world))


async def test_a_failed_job_says_why_that_nothing_was_charged_and_what_to_do(asked):
    asked.provider.to_look.append(Failed("<b>odd</b> & sudden"))
    await asked.run_until_idle()
    shown = newest(asked)
    assert "&lt;b&gt;odd&lt;/b&gt; &amp; sudden" in shown["text"]
    assert "Nothing was charged" in shown["text"]
    assert f"/stems {SONG}" in shown["text"]
    assert buttons(shown) == ["Try again"]


async def test_a_cancelled_job_says_so(asked):
    await asked.steps("status")
    await asked.press("Cancel")
    await asked.run_until_idle()
    assert "Cancelled, nothing was charged" in asked.status_text()
    assert buttons(newest(asked)) == ["Try again"]


# An acknowledgement that does not get through


@pytest.mark.parametrize("fault", [TOO_FAST, UNREACHABLE], ids=["429", "no connection"])
async def test_what_was_surely_not_said_is_said_later(asked, fault):
    asked.telegram.fail("sendMessage", *[fault] * 4)
    await asked.run_until_idle()
    assert len(asked.telegram.texts_in(ANN)) == 1
    assert "Delivered" in asked.status_text()


async def test_an_unconfirmed_acknowledgement_holds_nothing_up_and_is_not_repeated(asked):
    asked.telegram.fail("sendMessage", ANSWER_LOST)
    await asked.steps("status")
    await asked.work()
    assert len(asked.telegram.texts_in(ANN)) == 1
    await asked.run_until_idle()
    assert (await asked.job()).state is J.DELIVERED
    assert "Delivered" in asked.status_text()


async def test_a_refused_acknowledgement_holds_nothing_up(asked):
    asked.telegram.fail("sendMessage", REFUSED)
    await asked.run_until_idle()
    assert (await asked.job()).state is J.DELIVERED
    assert "Delivered" in asked.status_text()


async def test_a_chat_that_does_not_take_one_text_gets_its_stems(asked):
    asked.telegram.fail_always("sendMessage", REFUSED)
    await asked.run_until_idle()
    assert len(asked.telegram.titles_in(ANN)) == 2
    assert (await asked.job()).state is J.DELIVERED


@pytest.mark.parametrize("fault", [BLOCKED, CHAT_NOT_FOUND], ids=["blocked", "not found"])
async def test_who_blocks_the_bot_has_withdrawn(asked, fault):
    asked.telegram.fail_always("sendMessage", fault)
    await asked.run_until_idle()
    assert (await asked.job()).state is J.CANCELLED
    assert (asked.provider.charges, await asked.balance()) == (0, 100)


async def test_who_blocks_the_bot_while_others_wait_stops_nobody(asked):
    await asked.steps("status")
    await asked.say(f"/stems {SONG}", by=BOB)
    asked.telegram.fail("editMessageText", BLOCKED)
    await asked.run_until_idle()
    assert (await asked.job(1)).state is J.LEFT
    assert len(asked.telegram.titles_in(BOB)) == 2


# Edits that do not get through


async def test_a_deleted_status_message_is_followed_by_the_last_form_as_a_new_one(asked):
    await asked.steps("status")
    asked.telegram.messages.clear()
    await asked.run_until_idle()
    assert len(asked.telegram.texts_in(ANN)) == 1
    assert "Delivered" in asked.status_text()


async def test_a_status_message_deleted_at_the_end_is_sent_anew(asked):
    await asked.steps("status", "submit")
    asked.telegram.fail("editMessageText", *[FINE] * 3, NOT_THERE)
    await asked.run_until_idle()
    assert "Delivered" in asked.status_text()


async def test_an_edit_that_changes_nothing_is_no_trouble(asked):
    asked.telegram.fail("editMessageText", NOT_MODIFIED)
    await asked.run_until_idle()
    assert len(asked.telegram.called("sendMessage")) == 1
    assert "Delivered" in asked.status_text()


@pytest.mark.parametrize("fault", [ANSWER_LOST, GATEWAY, TOO_FAST, UNREACHABLE])
async def test_a_lost_edit_is_made_up_for(asked, fault):
    asked.telegram.fail("editMessageText", *[fault] * 9)
    await asked.run_until_idle()
    assert "Delivered" in asked.status_text()
    assert len(asked.telegram.called("sendMessage")) == 1


async def test_a_last_form_whose_answers_are_lost_is_not_sent_without_end(asked):
    asked.telegram.fail("sendMessage", *[ANSWER_LOST] * 50)
    await asked.run_until_idle()
    assert len(asked.telegram.texts_in(ANN)) <= 3


# Chats that change


async def test_a_group_that_moves_shows_the_rest_at_its_new_place(world):
    await world.say(f"/stems {SONG}", chat_id=BAND)
    await world.steps("status")
    world.telegram.fail("editMessageText", moved_to(NEW_BAND))
    await world.run_until_idle()
    assert "Delivered" in world.status_text(NEW_BAND)


async def test_a_group_that_moved_before_the_acknowledgement_is_told_at_its_new_place(world):
    await world.say(f"/stems {SONG}", chat_id=BAND)
    world.telegram.fail("sendMessage", moved_to(NEW_BAND))
    await world.steps("status", "status")
    assert SONG in world.status_text(NEW_BAND)


@pytest.mark.parametrize("fault", [NO_THREAD, TOPIC_CLOSED], ids=["deleted", "closed"])
async def test_where_the_topic_is_gone_general_is_told(world, fault):
    await world.say(f"/stems {SONG}", chat_id=BAND, message_thread_id=7, is_topic_message=True)
    world.telegram.fail("sendMessage", fault)
    await world.run_until_idle()
    assert newest(world, BAND)["thread"] is None
    assert "Delivered" in world.status_text(BAND)


async def test_a_group_whose_every_topic_is_closed_is_not_told_without_end(world):
    await world.say(f"/stems {SONG}", chat_id=BAND)
    world.telegram.fail_always("sendMessage", TOPIC_CLOSED)
    for _ in range(30):
        await world.step("status")
    assert len(world.telegram.called("sendMessage")) < 4


async def test_a_full_group_is_told_in_the_end(world):
    """Twenty messages a minute are what a group takes."""
    for number in range(10, 18):
        await world.say(f"/stems {SONG[:-2]}{number}", by=2000 + number, chat_id=BAND)
    await world.run_until_idle()
    delivered = [text for text in world.telegram.texts_in(BAND) if "Delivered" in text]
    assert len(delivered) == 8


async def test_the_end_of_a_job_is_not_told_without_end(world, clock):
    await world.say(f"/stems {SONG}")
    await world.steps("status")
    world.telegram.fail_always("editMessageText", UNREACHABLE)
    await world.press("Cancel")
    clock.forward(86400 - 1)
    await world.steps("status")
    assert (await world.job()).status_due_at is not None
    clock.forward(10)
    await world.steps("status")
    assert (await world.job()).status_due_at is None
