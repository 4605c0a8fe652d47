"""Start, join, archive, cancel, leave, send again: who waits on what, and who pays."""

import pytest

from bot import actions
from bot.actions import Asker, NoSuchJob, NotPossible
from bot.pricing import NoProvider
from providers.base import Failed, Mode, SongRef
from storage.ledger import InsufficientCredits
from storage.states import JobState as J
from storage.states import SeparationState as S
from tests.bot.telegram_stand_in import ANSWER_LOST
from tests.bot.world import ANN, BAND, BOB, EVE, NAMES, OTHER_SONG, SONG

REF = SongRef(SONG)


def asker(user_id=ANN, key="1", chat_id=None):
    return Asker(
        user_id=user_id,
        name=NAMES.get(user_id, ""),
        username=None,
        language="en",
        chat_id=chat_id or user_id or BAND,
        chat_kind="private",
        chat_title=None,
        message_id=1,
        thread_id=None,
        request_key=f"{user_id}:{key}",
    )


@pytest.fixture
def start(world):
    async def ask(user_id=ANN, key="1", mode=Mode.BASIC, **where):
        return await actions.start(world.services, REF, mode, asker(user_id, key, **where))

    return ask


@pytest.fixture
def cancel(world):
    async def withdraw(job):
        return await actions.cancel(world.services, job.id)

    return withdraw


async def kinds(world, user_id=ANN):
    return [entry.kind for entry in await world.entries(user_id)]


async def test_who_starts_it_has_its_price_set_aside(world, start):
    job = await start()
    assert (job.state, job.origin, job.price) == (J.WAITING, "started", 10)
    assert await world.balance() == 90


async def test_the_full_set_has_its_own_price(world, start):
    await start(mode=Mode.FULL)
    assert await world.balance() == 50


async def test_the_same_request_gives_the_same_job_again(world, start):
    assert (await start()).id == (await start()).id
    assert await world.balance() == 90
    assert len(await world.jobs_of()) == 1


async def test_who_joins_pays_nothing(world, start):
    first, second = await start(), await start(BOB)
    assert (second.origin, second.price, second.separation_id) == ("joined", 0, first.separation_id)
    await world.run_until_idle()
    assert world.provider.charges == 1
    assert (await world.balance(ANN), await world.balance(BOB)) == (90, 100)
    assert len(world.telegram.titles_in(BOB)) == 2


async def test_the_other_mode_is_another_separation(start):
    first, second = await start(), await start(BOB, mode=Mode.FULL)
    assert second.separation_id != first.separation_id
    assert second.origin == "started"


async def test_a_repeat_comes_from_the_archive_without_upstream_upload_and_price(world, start):
    await start()
    await world.run_until_idle()
    fetched, asked = len(world.files.fetched), len(world.provider.asked)
    repeat = await start(BOB)
    assert (repeat.origin, repeat.price) == ("archive", 0)
    await world.run_until_idle()
    assert (len(world.files.fetched), len(world.provider.asked)) == (fetched, asked)
    assert world.telegram.titles_in(BOB) == world.telegram.titles_in(ANN)
    assert await world.balance(BOB) == 100


async def test_a_repeat_may_have_a_price(worlds):
    async with worlds(repeat_price=3) as world:
        await actions.start(world.services, REF, Mode.BASIC, asker())
        await actions.start(world.services, REF, Mode.BASIC, asker(BOB))
        assert await world.balance(BOB) == 97
        await world.run_until_idle()
        await actions.start(world.services, REF, Mode.BASIC, asker(EVE))
        await world.run_until_idle()
        assert [await world.balance(who) for who in (ANN, BOB, EVE)] == [90, 97, 97]


async def test_stems_that_can_be_sent_no_more_are_separated_again(world, start, clock):
    world.telegram.fail_always("sendMediaGroup", ANSWER_LOST)
    await start()
    await world.run_until_idle()
    clock.forward(15 * 86400)
    assert (await start(BOB)).origin == "started"


async def test_without_the_credits_nothing_begins(world, start):
    await start(mode=Mode.FULL)
    await start(key="2")
    with pytest.raises(InsufficientCredits) as short:
        await actions.start(world.services, SongRef(OTHER_SONG), Mode.FULL, asker(key="3"))
    assert (short.value.price, short.value.balance) == (50, 40)
    assert len(await world.jobs_of()) == 2
    assert await world.balance() == 40


async def test_a_song_that_no_upstream_takes_starts_nothing(world, start):
    world.provider.hindrance = "It needs a task id."
    with pytest.raises(NoProvider, match="It needs a task id"):
        await start()
    assert await world.jobs_of() == []


# Withdrawing


async def test_withdrawn_alone_and_queued_nothing_is_ordered(world, start, cancel):
    await cancel(await start())
    assert (await world.job()).state is J.CANCELLED
    assert (await world.separation()).state is S.CANCELLED
    await world.run_until_idle()
    assert world.provider.charges == 0
    assert await kinds(world) == ["grant", "hold", "release"]


async def test_withdrawn_alone_and_running_the_next_to_ask_pays(world, start, cancel):
    job = await start()
    await world.steps("status", "submit")
    await cancel(job)
    assert (await world.separation()).state is S.RUNNING
    assert await world.balance() == 100
    second = await start(BOB)
    assert (second.origin, second.price) == ("started", 10)
    await world.run_until_idle()
    assert world.provider.charges == 1
    assert (await world.balance(ANN), await world.balance(BOB)) == (100, 90)
    assert world.telegram.titles_in(ANN) == []


async def test_withdrawn_alone_and_finished_without_anybody_the_next_pays_from_the_archive(
    world, start, cancel
):
    job = await start()
    await world.steps("status", "submit")
    await cancel(job)
    await world.run_until_idle()
    second = await start(BOB)
    assert (second.origin, second.price) == ("started", 10)
    await world.run_until_idle()
    assert (world.provider.charges, await world.balance(BOB)) == (1, 90)


async def test_a_payer_who_withdraws_while_others_wait_pays_if_it_succeeds(world, start, cancel):
    job = await start()
    await start(BOB)
    assert (await cancel(job)).state is J.LEAVING
    assert await world.balance() == 90
    await world.run_until_idle()
    assert (await world.job(job.id)).state is J.LEFT
    assert world.telegram.titles_in(ANN) == []
    assert len(world.telegram.titles_in(BOB)) == 2
    assert (await world.balance(ANN), await world.balance(BOB)) == (90, 100)


async def test_a_payer_who_withdrew_gets_the_hold_back_if_it_fails(world, start, cancel):
    job = await start()
    await start(BOB)
    await cancel(job)
    world.provider.to_look.append(Failed("no luck"))
    await world.run_until_idle()
    assert (await world.job(job.id)).state is J.FAILED
    assert await kinds(world) == ["grant", "hold", "release"]


async def test_who_only_joined_withdraws_without_a_trace(world, start, cancel):
    await start()
    assert (await cancel(await start(BOB))).state is J.CANCELLED
    await world.run_until_idle()
    assert (await world.job(1)).state is J.DELIVERED
    assert world.telegram.titles_in(BOB) == []


async def test_when_all_have_withdrawn_before_it_was_ordered_nobody_pays(world, start, cancel):
    first, second = await start(), await start(BOB)
    await cancel(first)
    await cancel(second)
    await world.run_until_idle()
    assert world.provider.charges == 0
    assert await world.balance(ANN) == 100


async def test_who_withdrew_may_ask_again_and_joins(world, start, cancel):
    first = await start()
    await start(BOB)
    await cancel(first)
    again = await start(key="2")
    assert again.origin == "joined"
    await world.run_until_idle()
    assert (await world.job(again.id)).state is J.DELIVERED
    assert await world.balance() == 90


async def test_nothing_can_be_withdrawn_twice(world, start, cancel):
    job = await start()
    await cancel(job)
    with pytest.raises(NotPossible):
        await cancel(job)
    assert await world.balance() == 100


async def test_what_was_delivered_cannot_be_withdrawn(world, start, cancel):
    job = await start()
    await world.run_until_idle()
    with pytest.raises(NotPossible):
        await cancel(job)


async def test_there_is_no_withdrawing_from_a_job_that_is_not_there(world):
    with pytest.raises(NoSuchJob):
        await actions.cancel(world.services, 99)


# Once more


async def again(world, job, user_id=ANN, key="again"):
    return await actions.send_again(world.services, job, asker(user_id, key))


async def test_sending_again_costs_nothing_and_uploads_nothing(world, start):
    job = await start()
    await world.run_until_idle()
    fetched = len(world.files.fetched)
    await again(world, job)
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 4
    assert len(world.files.fetched) == fetched
    assert await world.balance() == 90


async def test_a_second_tap_on_send_again_means_the_first(world, start):
    job = await start()
    await world.run_until_idle()
    assert (await again(world, job, key="a")).id == (await again(world, job, key="b")).id


async def test_sending_again_is_not_possible_once_the_files_are_lost(world, start, clock):
    world.telegram.fail_always("sendMediaGroup", ANSWER_LOST)
    job = await start()
    await world.run_until_idle()
    clock.forward(15 * 86400)
    with pytest.raises(NotPossible):
        await again(world, job)


async def test_who_got_the_price_back_gets_no_stems_for_nothing(world, start, cancel):
    job = await start()
    await world.steps("status", "submit")
    withdrawn = await cancel(job)
    await world.run_until_idle()
    with pytest.raises(NotPossible):
        await again(world, withdrawn)


# Buttons


async def test_a_second_tap_means_the_job_of_the_first(world):
    first, is_new = await actions.ask_from_button(world.services, REF, Mode.BASIC, asker(key="a"))
    second, is_newer = await actions.ask_from_button(world.services, REF, Mode.BASIC, asker(key="b"))
    assert (first.id, is_new, is_newer) == (second.id, True, False)
    assert await world.balance() == 90


async def test_taps_in_two_chats_are_two_jobs(world):
    first, _ = await actions.ask_from_button(world.services, REF, Mode.BASIC, asker(key="a"))
    second, is_new = await actions.ask_from_button(
        world.services, REF, Mode.BASIC, asker(key="b", chat_id=BAND)
    )
    assert is_new
    assert first.id != second.id


# Groups


async def test_an_anonymous_admins_job_is_paid_by_the_group(world, start):
    await world.grant(40, BAND, "group")
    job = await start(None, chat_id=BAND)
    assert job.user_id is None
    await world.run_until_idle()
    assert await world.balance(BAND, "group") == 30


async def test_a_group_without_credits_cannot_pay(world, start):
    with pytest.raises(InsufficientCredits):
        await start(None, chat_id=BAND)


async def test_a_new_user_is_welcomed_with_credits_once(world, start):
    await start()
    await start(key="2")
    assert (await kinds(world)).count("grant") == 1
