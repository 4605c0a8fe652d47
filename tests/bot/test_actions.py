"""Start, join, archive, send again, buttons: who waits on what, and who pays."""

import pytest

from bot import actions
from bot.actions import NotPossible
from bot.pricing import NoProvider
from providers.base import Mode, SongRef
from storage.ledger import InsufficientCredits
from storage.states import JobState as J
from tests.bot.telegram_stand_in import ANSWER_LOST, UNREACHABLE
from tests.bot.world import ANN, BAND, BOB, EVE, OTHER_SONG, REF, asker


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


@pytest.fixture
async def lost(world, start, clock):
    """Ann's job was delivered, as far as anybody knows, and nothing is left of its files."""
    world.telegram.fail("sendMediaGroup", ANSWER_LOST)
    await start()
    await world.run_until_idle()
    clock.forward(15 * 86400)
    return world


async def test_what_has_to_be_made_anew_is_not_ordered_before_its_price_is_said(lost, start):
    await start(BOB)
    assert not await lost.step("submit")
    await lost.steps("status")
    said = lost.status_text(BOB)
    assert "10 credits, set aside" in said
    assert "those files are no longer kept: it has to be made anew" in said
    await lost.run_until_idle()
    assert lost.provider.charges == 2
    assert len(lost.telegram.titles_in(BOB)) == 2
    assert await lost.balance(BOB) == 90


async def test_what_has_to_be_made_anew_is_never_ordered_where_nobody_could_be_told(lost, start, clock):
    lost.telegram.fail_always("sendMessage", UNREACHABLE)
    await start(BOB)
    await lost.steps("status")
    clock.forward(lost.services.settings.job_deadline_seconds)
    await lost.steps("submit")
    assert lost.provider.charges == 1
    assert await lost.balance(BOB) == 100


async def test_who_joins_what_has_to_be_made_anew_hears_nothing_of_it(lost, start):
    await start(BOB)
    await start(EVE)
    await lost.steps("status", "status")
    assert "no longer kept" not in lost.status_text(EVE)


async def test_a_link_that_is_dead_before_its_day_is_not_counted_on(world, start):
    world.files.answers |= {"vocals": 404, "instrumental": 404}
    first = await start()
    await world.run_until_idle()
    assert (await world.job(first.id)).state is J.FAILED
    world.files.answers.clear()
    second = await start(key="2")
    await world.run_until_idle()
    assert (await world.job(second.id)).state is J.DELIVERED
    assert world.provider.charges == 2


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
    assert [entry.kind for entry in await world.entries()].count("grant") == 1
