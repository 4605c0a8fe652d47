"""A claim gives a row to one worker for a while; whoever lost it notices before it writes."""

import asyncio
from dataclasses import replace

import pytest

from storage import jobs, lookups, moves, separations
from storage.moves import Stale
from storage.rows import Job, Separation
from storage.states import JobState, SeparationState

S, J = SeparationState, JobState
PROVIDER = "sunoapi_org"


@pytest.fixture
def claim(do, clock):
    """Claim the queued separation that is due longest, for a minute."""

    async def take(state=S.QUEUED, provider=PROVIDER):
        return await do(separations.claim, state, provider, now=clock(), lease_s=60)

    return take


async def test_of_many_workers_each_row_goes_to_one(given, processes, clock):
    ids = {(await given.separation()).id for _ in range(12)}

    async def work(database):
        async with database.transaction() as db:
            return await separations.claim(db, S.QUEUED, PROVIDER, now=clock(), lease_s=60)

    claimed = await asyncio.gather(*(work(database) for database in processes * 4))
    assert sorted(row.id for row in claimed if row) == sorted(ids)


async def test_a_claim_in_a_transaction_that_is_still_open_is_not_given_twice(given, database, claim, clock):
    rows = [await given.separation(), await given.separation()]
    async with database.transaction() as db:
        first = await separations.claim(db, S.QUEUED, PROVIDER, now=clock(), lease_s=60)
        second = asyncio.create_task(claim())  # PostgreSQL passes over the locked row, SQLite waits
        if not database.embedded:
            await asyncio.wait_for(second, 10)
    assert [first.id, (await second).id] == [row.id for row in rows]


async def test_whoever_is_due_longest_is_first(given, do, clock):
    """Whichever was made first, and whichever comes first in an index."""
    late = await given.separation(provider="apikley")
    early = await given.separation(provider="sunoapi_org")
    soon = await given.separation(provider="kie")
    for row, due_in_s in ((late, 3), (early, 1), (soon, 2)):
        await do(moves.postpone, row, clock() + due_in_s)
    clock.forward(10)
    claimed = [await do(moves.claim, Separation, S.QUEUED, now=clock(), lease_s=60) for _ in range(3)]
    assert [row.id for row in claimed] == [early.id, soon.id, late.id]


async def test_what_is_not_due_yet_is_not_claimed(given, do, clock, claim):
    await do(moves.postpone, await given.separation(), clock() + 10)
    assert await claim() is None
    clock.forward(10)
    assert await claim()


async def test_what_is_due_never_is_not_claimed(given, clock, claim):
    await given.separation(state=S.FAILED)
    assert await claim(S.FAILED) is None


async def test_a_claim_is_of_one_state_and_one_provider(given, claim):
    await given.separation(provider="kie")
    assert await claim(S.RUNNING, "kie") is None
    assert await claim(S.QUEUED, PROVIDER) is None
    assert await claim(S.QUEUED, "kie")


async def test_a_claimed_row_is_free_again_when_its_lease_has_lapsed(given, clock, claim):
    await given.separation()
    first = await claim()
    assert first.lease_until == clock() + 60
    clock.forward(59)
    assert await claim() is None
    clock.forward(1)
    second = await claim()
    assert second.id == first.id
    assert second.lease != first.lease


async def test_a_worker_whose_lease_went_to_another_is_stale(given, do, clock, claim):
    await given.separation()
    first = await claim()
    clock.forward(60)
    second = await claim()
    for attempt in (
        do(moves.move, first, S.SUBMITTING, now=clock()),
        do(moves.postpone, first, clock() + 10),
        do(moves.renew, first, until=clock() + 60),
    ):
        with pytest.raises(Stale):
            await attempt
    assert await do(separations.get, first.id) == second


async def test_a_worker_whose_lapsed_lease_nobody_took_may_still_write(given, do, clock, claim):
    await given.separation()
    claimed = await claim()
    clock.forward(600)
    assert (await do(moves.move, claimed, S.SUBMITTING, now=clock())).state is S.SUBMITTING


async def test_renewing_keeps_a_claim(given, do, clock, claim):
    await given.separation()
    claimed = await claim()
    await do(moves.renew, claimed, until=clock() + 120)
    assert await do(separations.get, claimed.id) == replace(claimed, lease_until=clock() + 120)
    clock.forward(119)
    assert await claim() is None


async def test_a_claim_is_renewed_through_a_move_that_keeps_it_and_not_past_one_that_ends_it(
    given, do, clock, claim
):
    await given.separation()
    queued = await claim()
    kept = {"lease": queued.lease, "lease_until": queued.lease_until}
    submitting = await do(moves.move, queued, S.SUBMITTING, now=clock(), **kept)
    clock.forward(59)
    await do(moves.renew, queued, until=clock() + 60)
    clock.forward(59)
    assert await do(separations.claim_abandoned, now=clock(), lease_s=60) is None
    await do(moves.move, submitting, S.UNCERTAIN, now=clock())
    with pytest.raises(Stale):
        await do(moves.renew, queued, until=clock() + 60)


async def test_postponing_ends_the_claim_and_moves_nothing(given, do, clock, claim):
    await given.separation()
    postponed = await do(moves.postpone, await claim(), clock() + 10, failures=1)
    assert (postponed.state, postponed.lease, postponed.lease_until) == (S.QUEUED, None, None)
    assert (postponed.due_at, postponed.failures) == (clock() + 10, 1)
    assert postponed == await do(separations.get, postponed.id)


async def test_what_a_dead_worker_was_submitting_is_claimed_when_its_lease_has_lapsed(
    given, do, clock, claim
):
    await given.separation()
    queued = await claim()
    kept = {"lease": queued.lease, "lease_until": queued.lease_until}
    await do(moves.move, queued, S.SUBMITTING, now=clock(), **kept)
    clock.forward(59)
    assert await do(separations.claim_abandoned, now=clock(), lease_s=60) is None
    clock.forward(1)
    assert (await do(separations.claim_abandoned, now=clock(), lease_s=60)).id == queued.id


@pytest.mark.parametrize("state", [S.QUEUED, S.RUNNING, S.UNCERTAIN])
async def test_what_should_have_ended_is_claimed_at_whichever_upstream(given, do, clock, state):
    separation = await given.separation(state=state, provider="kie")
    lease = {"overdue_since": clock() + 1799, "now": clock(), "lease_s": 60}
    assert await do(separations.claim_overdue, **lease) is None
    lease["overdue_since"] += 1
    assert (await do(separations.claim_overdue, **lease)).id == separation.id


async def test_voided_leases_are_free_at_once(given, do, clock, claim):
    await given.separation()
    claimed = await claim()
    await do(moves.void_leases)
    with pytest.raises(Stale):
        await do(moves.move, claimed, S.SUBMITTING, now=clock())
    assert (await claim()).id == claimed.id


async def test_next_due_is_when_the_first_row_is_due_or_its_lease_ends(given, do, clock, claim):
    async def next_due():
        return await do(separations.next_due, [S.QUEUED], PROVIDER)

    assert await next_due() is None
    await do(moves.postpone, await given.separation(), clock() + 30)
    assert await next_due() == clock() + 30
    await given.separation()
    assert await next_due() == clock()
    await claim()
    assert await next_due() == clock() + 30
    clock.forward(30)
    await claim()
    assert await next_due() == clock() + 30  # the first claim's lease


async def test_next_due_leaves_out_other_states_providers_and_what_ended(given, do):
    await given.separation(provider="kie")
    await given.separation(state=S.SUBMITTING)
    await given.separation(state=S.CANCELLED)
    assert await do(separations.next_due, [S.QUEUED, S.CANCELLED], PROVIDER) is None


async def test_next_due_counts_what_the_caller_asks_for(given, do, clock):
    await given.job(due_at=clock() + 5)
    await given.job(due_at=clock() + 3, state=J.CANCELLED)
    assert await do(moves.next_due, Job, (J.WAITING, J.DELIVERING)) == clock() + 5
    assert await do(moves.next_due, Separation, (S.QUEUED,)) == clock()


async def ask_lookup(given, key, **values):
    await given.person()
    wanted = {"kind": "task", "reference": "task", "chat_id": 11, "message_id": 1, **values}
    return await given.do(lookups.ask, now=given.clock(), request_key=key, **wanted)


async def test_a_lookup_is_asked_once_for_one_message(given):
    assert await ask_lookup(given, "message:1") is True
    assert await ask_lookup(given, "message:1", reference="other") is False
    assert await ask_lookup(given, "message:2") is True


async def test_a_lookup_is_claimed_postponed_and_answered(given, do, clock):
    await ask_lookup(given, "message:1")
    lookup = await do(lookups.claim, now=clock(), lease_s=60)
    assert await do(lookups.claim, now=clock(), lease_s=60) is None
    await do(moves.postpone, lookup, clock() + 10, failures=1)
    assert await do(lookups.next_due) == clock() + 10
    clock.forward(10)
    again = await do(lookups.claim, now=clock(), lease_s=60)
    assert (again.id, again.failures) == (lookup.id, 1)
    with pytest.raises(Stale):
        await do(lookups.answered, lookup)
    await do(lookups.answered, again)
    assert await do(lookups.next_due) is None


async def test_an_answered_lookup_is_stale(given, do, clock):
    await ask_lookup(given, "message:1")
    lookup = await do(lookups.claim, now=clock(), lease_s=60)
    await do(lookups.answered, lookup)
    with pytest.raises(Stale):
        await do(lookups.answered, lookup)


async def test_whoever_comes_back_too_late_ends_nobody_elses_claim_on_a_status(given, do, clock):
    await given.job(status_due_at=clock())
    late = (await do(jobs.claim_status, now=clock(), claimed_until=clock() + 30)).job
    clock.forward(30)
    assert await do(jobs.claim_status, now=clock(), claimed_until=clock() + 30)
    await do(jobs.showed, late, due_at=clock())
    assert await do(jobs.next_status) == clock() + 30
