"""Claims are kept while their work goes on, and whoever lost one sends and writes nothing more."""

import asyncio

import pytest

from bot.delivery import sender
from bot.engine import status
from bot.engine.leases import LEASE_S, RENEW_EVERY_S, kept
from bot.intake import dispatcher
from storage import jobs, moves, separations
from storage.moves import Stale
from storage.states import JobState as J
from storage.states import SeparationState as S

AT_ONCE_S = 0.001


@pytest.fixture
def claim(world, clock):
    """The queued separation, claimed."""

    async def take():
        async with world.database.transaction() as db:
            return await separations.claim(db, S.QUEUED, "sunoapi_org", now=clock(), lease_s=LEASE_S)

    return take


@pytest.fixture
def claim_delivery(world, clock):
    """The delivery, claimed and begun."""

    async def take():
        async with world.database.transaction() as db:
            job = await jobs.claim_delivery(db, now=clock(), lease_s=LEASE_S)
            if job.state is J.DELIVERING:
                return job
            kept = {"lease": job.lease, "lease_until": job.lease_until}
            return await moves.move(db, job, J.DELIVERING, now=clock(), **kept)

    return take


def test_what_a_dead_process_had_is_taken_up_within_half_a_minute_by_another(world):
    idle_s = {loop.name.split()[0]: loop.idle_s for loop in world.loops}
    assert LEASE_S + max(idle_s["deliver"], idle_s["look"], idle_s["submit"], idle_s["rescue"]) < 30
    assert status.CLAIM_S + idle_s["status"] <= 30
    assert dispatcher.LEASE_S + dispatcher.RESCUE_EVERY_S < 30


def test_updates_are_kept_as_long_as_somebody_works_on_them():
    assert 2 * dispatcher.RESCUE_EVERY_S < dispatcher.LEASE_S


def test_a_lease_is_renewed_more_than_once_before_it_ends():
    assert 2 * RENEW_EVERY_S < LEASE_S


async def test_a_claim_is_renewed_as_long_as_its_work_goes_on_and_no_longer(world, start, claim, clock):
    await start()
    async with kept(world.services, await claim(), every_s=AT_ONCE_S):
        for _ in range(5):
            clock.forward(LEASE_S - 1)
            await renewed(world)
            assert await claim() is None
    clock.forward(LEASE_S)
    assert await claim()


async def test_a_claim_is_kept_though_one_renewal_failed(world, start, claim, clock, caplog):
    await start()
    claimed = await claim()
    world.database.broken = OSError("disk full")
    async with kept(world.services, claimed, every_s=AT_ONCE_S):
        async with asyncio.timeout(10):
            while "lease not renewed" not in caplog.text:
                await world.separation()  # reading lets the renewal go on
        world.database.broken = None
        clock.forward(LEASE_S - 1)
        await renewed(world)


async def test_whoever_lost_a_claim_does_not_renew_it(world, start, claim, clock):
    await start()
    first = await claim()
    clock.forward(LEASE_S)
    second = await claim()
    clock.forward(1)
    async with kept(world.services, first, every_s=AT_ONCE_S):
        with pytest.raises(Stale):
            async with world.database.transaction() as db:
                await moves.renew(db, first, until=clock() + LEASE_S)
    assert (await world.separation()).lease_until == second.lease_until


async def test_a_worker_that_was_suspended_sends_nothing_more(ready, claim_delivery, clock):
    world = await ready("full")
    first = await claim_delivery()
    clock.forward(LEASE_S)
    second = await claim_delivery()
    assert second.id == first.id
    with pytest.raises(Stale):
        await sender.deliver(world.services, first)
    assert world.telegram.called("sendMediaGroup") == []
    assert await world.parts() == []
    await sender.deliver(world.services, second)
    assert len(world.telegram.called("sendMediaGroup")) == 2


async def renewed(world):
    """Wait until the lease ends as late as one from now does."""
    async with asyncio.timeout(10):
        while (await world.separation()).lease_until != world.clock() + LEASE_S:
            pass  # reading lets the renewal go on
