"""Withdrawing a job: alone, while others wait, before and after it was ordered."""

import pytest

from bot import actions
from bot.actions import NoSuchJob, NotPossible
from providers.base import Failed
from storage.states import JobState as J
from storage.states import SeparationState as S
from tests.bot.world import ANN, BOB


async def kinds(world, user_id=ANN):
    return [entry.kind for entry in await world.entries(user_id)]


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


async def test_when_all_have_withdrawn_after_it_was_ordered_nobody_pays_but_who_asks_next(
    world, start, cancel
):
    first, second = await start(), await start(BOB)
    await world.steps("status", "submit")
    assert (await cancel(first)).state is J.LEAVING
    await cancel(second)
    assert (await world.job(first.id)).state is J.CANCELLED
    await world.run_until_idle()
    assert (await world.balance(ANN), await world.balance(BOB)) == (100, 100)
    third = await start(BOB, key="3")
    await world.run_until_idle()
    assert (third.price, world.provider.charges, await world.balance(BOB)) == (10, 1, 90)


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
