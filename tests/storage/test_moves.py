"""A move is legal, made by whoever holds the row, and tells whoever waits."""

import asyncio
from itertools import product

import pytest
from sqlalchemy.exc import IntegrityError

from storage import jobs, moves, separations
from storage.moves import IllegalMove, Stale
from storage.rows import Job, Separation
from storage.states import MOVES, OPEN_JOBS, OPEN_SEPARATIONS, JobState, SeparationState

S, J = SeparationState, JobState
LEGAL = {(str(old), str(new)) for old, new in MOVES}
ILLEGAL = [
    pytest.param(old, new, id=f"{type(old).__name__}: {old} -> {new}")
    for machine in (S, J)
    for old, new in product(machine, [*S, *J])
    if (str(old), str(new)) not in LEGAL and (isinstance(new, machine) or str(new) not in set(machine))
]


async def now_of(given, row):
    """The row as the database has it."""
    if isinstance(row, Job):
        return await given.do(jobs.find, row.id)
    return await given.do(separations.get, row.id)


@pytest.fixture
async def row_at(given):
    """Makes a job or a separation in a state."""

    async def make(state):
        if isinstance(state, J):
            return await given.job(state=state)
        return await given.separation(state=state)

    return make


def test_the_machines_share_no_word_for_a_state_that_can_be_left():
    assert not {str(state) for state in OPEN_SEPARATIONS} & {str(state) for state in OPEN_JOBS}


@pytest.mark.parametrize("machine", [S, J])
def test_open_states_are_those_that_can_be_left(machine):
    left = {old for old, _ in MOVES if isinstance(old, machine)}
    assert left == set(OPEN_SEPARATIONS if machine is S else OPEN_JOBS)


@pytest.mark.parametrize(("old", "new"), MOVES, ids=lambda state: f"{type(state).__name__}.{state}")
async def test_a_legal_move_is_made_and_ends_the_lease(given, row_at, clock, old, new):
    row = await row_at(old)
    changes = {"upstream_task_id": "task"} if new is S.RUNNING else {}
    moved = await given.do(moves.move, row, new, now=clock.forward(5), why="so", **changes)
    assert (moved.state, moved.why, moved.lease, moved.lease_until) == (new, "so", None, None)
    assert await now_of(given, row) == moved


# The rule is the table's and no engine's: one engine is enough for all of its pairs.
@pytest.mark.parametrize(("old", "new"), ILLEGAL)
async def test_every_other_move_is_refused(new_world, clock, old, new):
    async with new_world(clock) as given:
        row = await (given.job(state=old) if isinstance(old, J) else given.separation(state=old))
        with pytest.raises(IllegalMove, match=f"{old} -> {new}"):
            await given.do(moves.move, row, new, now=clock())
        assert await now_of(given, row) == row


@pytest.mark.parametrize("end", [S.FAILED, S.SUCCEEDED, S.CANCELLED])
async def test_a_separation_that_ended_is_never_due_again(given, clock, end):
    ended = await given.separation(state=end)
    assert (ended.due_at, ended.finished_at) == (None, clock())


async def test_a_move_keeps_a_lease_that_it_is_told_to_keep(given, do, clock):
    await given.separation()
    queued = await do(separations.claim, S.QUEUED, "sunoapi_org", now=clock(), lease_s=60)
    kept = {"lease": queued.lease, "lease_until": queued.lease_until}
    submitting = await do(moves.move, queued, S.SUBMITTING, now=clock(), **kept)
    assert submitting.lease == queued.lease is not None
    assert await do(separations.claim_abandoned, now=clock(), lease_s=60) is None


async def test_a_row_that_another_moved_is_stale(given, do, clock):
    queued = await given.separation()
    await do(moves.move, queued, S.SUBMITTING, now=clock())
    with pytest.raises(Stale, match=f"separations {queued.id} is no longer queued"):
        await do(moves.move, queued, S.FAILED, now=clock())
    assert (await now_of(given, queued)).state is S.SUBMITTING


async def test_a_row_that_another_claimed_is_stale(given, do, clock):
    queued = await given.separation()
    claimed = await do(separations.claim, S.QUEUED, "sunoapi_org", now=clock(), lease_s=60)
    with pytest.raises(Stale):
        await do(moves.move, queued, S.CANCELLED, now=clock())
    assert await now_of(given, queued) == claimed


async def test_of_another_row_with_the_same_state_and_lease_nothing_changes(given, do, clock):
    mine, other = await given.separation(), await given.separation()
    await do(moves.move, mine, S.CANCELLED, now=clock())
    assert await now_of(given, other) == other


async def test_a_stale_move_writes_nothing_to_the_ledger(given, do, clock):
    job = await given.job()
    await do(moves.move, job, J.DELIVERING, now=clock())
    with pytest.raises(Stale):
        await do(moves.move, job, J.CANCELLED, now=clock())
    delivering = await do(jobs.find, job.id)
    await do(moves.move, delivering, J.DELIVERED, now=clock())  # its hold was still there to capture


async def test_of_many_who_move_a_row_at_once_one_succeeds(given, processes, clock):
    job = await given.job()

    async def withdraw(database):
        async with database.transaction() as db:
            return await moves.move(db, job, J.CANCELLED, now=clock())

    outcomes = await asyncio.gather(*(withdraw(one) for one in processes * 3), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Job"] + ["Stale"] * 11


async def test_a_running_separation_without_its_task_is_refused(given, do, clock):
    submitting = await given.separation(state=S.SUBMITTING)
    with pytest.raises(IntegrityError):
        await do(moves.move, submitting, S.RUNNING, now=clock())


async def test_a_move_of_a_job_makes_its_status_due(given, do, clock):
    job = await given.job(status_due_at=clock() + 100)
    moved = await do(moves.move, job, J.DELIVERING, now=clock.forward(3))
    assert moved.status_due_at == clock()


async def test_a_move_of_a_separation_makes_the_status_of_whoever_waits_due(given, do, clock):
    separation = await given.separation()
    wants = {"separation": separation, "origin": "joined", "price": 0}
    waiting = await given.job(**wants, acknowledged_at=clock(), status_due_at=clock() + 100)
    unanswered = await given.job(**wants)
    cancelled = await given.job(**wants, acknowledged_at=clock(), state=J.CANCELLED)
    stranger = await given.job(acknowledged_at=clock())
    await do(moves.move, separation, S.SUBMITTING, now=clock.forward(3))
    assert (await do(jobs.find, waiting.id)).status_due_at == clock()
    for untouched in (unanswered, cancelled, stranger):
        assert await do(jobs.find, untouched.id) == untouched


async def test_a_moved_row_is_of_its_kind(given):
    assert isinstance(await given.separation(state=S.FAILED), Separation)
    assert isinstance(await given.job(state=J.FAILED), Job)
