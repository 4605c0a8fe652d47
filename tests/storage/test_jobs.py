"""Jobs as people see them: asked once, found again, delivered one at a time in a chat."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from storage import jobs, moves, songs
from storage.moves import Stale
from storage.states import OPEN_JOBS, PAYING_JOBS, JobState, SeparationState

J = JobState
ANN, BEN, GROUP = 11, 12, -100


@pytest.fixture
async def group(given, do, clock):
    """A group chat that exists."""
    await given.enter_group(GROUP)
    return GROUP


async def test_a_request_makes_one_job(given, do):
    job = await given.job(request_key="message:1:2")
    with pytest.raises(IntegrityError):
        await given.job(request_key="message:1:2")
    assert await do(jobs.by_request, "message:1:2") == job
    assert await do(jobs.by_request, "message:1:3") is None


async def test_a_new_job_waits_and_is_found(given, do):
    job = await given.job(message_id=5, thread_id=6)
    assert (job.state, job.failures, job.message_id, job.thread_id) == (J.WAITING, 0, 5, 6)
    assert await do(jobs.find, job.id) == job
    assert await do(jobs.find, job.id, lock=True) == job
    assert await do(jobs.find, job.id + 1) is None


async def test_a_view_shows_the_job_with_its_separation_and_song(given, do, clock):
    separation = await given.separation("song")
    await do(songs.learn, "song", learnt_from="kie", title="Paper Boats", now=clock())
    job = await given.job(separation=separation)
    seen = await do(jobs.view, job.id)
    assert (seen.job, seen.separation, seen.song.title) == (job, separation, "Paper Boats")
    assert await do(jobs.view, job.id + 1) is None


async def test_a_persons_jobs_come_newest_first_by_pages(given, do):
    ids = [(await given.job()).id for _ in range(5)]
    await given.job(user_id=BEN)

    async def page(offset):
        return [view.job.id for view in await do(jobs.page, ANN, None, limit=2, offset=offset)]

    assert [await page(offset) for offset in (0, 2, 4, 6)] == [
        [ids[4], ids[3]],
        [ids[2], ids[1]],
        [ids[0]],
        [],
    ]


async def test_in_a_group_only_the_jobs_asked_for_there_are_listed(given, do, group):
    await given.job()
    there = await given.job(chat_id=group)
    assert [view.job.id for view in await do(jobs.page, ANN, group, limit=9, offset=0)] == [there.id]


async def test_the_open_jobs_of_a_separation_come_oldest_first(given, do):
    separation = await given.separation()
    made = {state: await given.job(separation=separation, price=0, state=state) for state in J}
    await given.job()
    assert [job.state for job in await do(jobs.open_on, separation.id)] == list(OPEN_JOBS)
    assert [job.id for job in await do(jobs.open_on, separation.id)] == [
        made[state].id for state in OPEN_JOBS
    ]


@pytest.mark.parametrize("state", J)
async def test_a_second_tap_means_the_job_that_is_under_way(given, do, state):
    job = await given.job(state=state)
    like = await do(jobs.open_like, ANN, ANN, job.separation_id)
    assert like == (job if state in {J.WAITING, J.DELIVERING} else None)


async def test_a_job_of_another_person_chat_or_separation_is_not_alike(given, do, group):
    job = await given.job()
    other = await given.job()
    assert await do(jobs.open_like, BEN, ANN, job.separation_id) is None
    assert await do(jobs.open_like, ANN, group, job.separation_id) is None
    assert await do(jobs.open_like, ANN, ANN, other.separation_id) == other


async def test_the_job_of_an_anonymous_admin_is_alike_to_their_next(given, do, clock, group):
    theirs = await given.job()
    values = {"account_id": theirs.account_id, "user_id": None, "chat_id": group, "origin": "joined"}
    values |= {"separation_id": theirs.separation_id, "price": 0, "created_at": clock()}
    anonymous = await do(jobs.create, request_key="anonymous", **values)
    assert await do(jobs.open_like, None, group, theirs.separation_id) == anonymous
    assert await do(jobs.open_like, ANN, group, theirs.separation_id) is None


@pytest.mark.parametrize("state", J)
async def test_a_separation_is_paid_while_the_one_who_started_it_pays(given, do, state):
    job = await given.job(state=state)
    assert await do(jobs.is_paid, job.separation_id) is (state in PAYING_JOBS)


@pytest.mark.parametrize("origin", ["joined", "archive"])
async def test_whoever_joined_does_not_pay_for_a_separation(given, do, origin):
    job = await given.job(origin=origin)
    assert await do(jobs.is_paid, job.separation_id) is False


async def test_open_jobs_are_counted_by_state(given, do):
    for state in (J.WAITING, J.WAITING, J.DELIVERING, J.DELIVERED):
        await given.job(state=state)
    assert sorted(await do(jobs.counts)) == [("delivering", 1), ("waiting", 2)]


@pytest.fixture
def claim(do, clock):
    async def take():
        return await do(jobs.claim_delivery, now=clock(), lease_s=60)

    return take


async def test_stems_that_are_there_make_the_jobs_that_wait_for_them_due(given, do, clock, claim):
    separation = await given.separation()
    wants = {"separation": separation, "origin": "joined", "price": 0, "acknowledged_at": clock()}
    waiting, cancelled = await given.job(**wants), await given.job(**wants, state=J.CANCELLED)
    await given.job(acknowledged_at=clock())
    assert await claim() is None
    await do(jobs.let_deliver, separation.id, now=clock())
    assert (await do(jobs.find, cancelled.id)).due_at is None
    assert (await claim()).id == waiting.id
    assert await claim() is None


async def test_nothing_is_delivered_before_it_was_acknowledged(given, do, clock, claim):
    job = await given.job(due_at=clock())
    assert (await claim(), await do(jobs.next_delivery)) == (None, None)
    await do(jobs.unreachable, job.id, now=clock())  # no acknowledgement is waited for any more
    assert await do(jobs.next_delivery) == clock()
    assert (await claim()).id == job.id


async def test_one_job_at_a_time_is_delivered_to_a_chat(given, do, clock, claim):
    ready = {"acknowledged_at": clock(), "due_at": clock()}
    first, second = await given.job(**ready), await given.job(**ready)
    other_chat = await given.job(user_id=BEN, **ready)
    claimed = await claim()
    assert claimed.id == first.id
    assert (await claim()).id == other_chat.id
    assert await claim() is None
    delivering = await do(moves.move, claimed, J.DELIVERING, now=clock())
    await do(moves.move, delivering, J.DELIVERED, now=clock())
    assert (await claim()).id == second.id


async def test_a_delivery_can_be_taken_by_who_has_made_the_stems(given, do, clock):
    ready = {"acknowledged_at": clock(), "due_at": clock()}
    of = {
        name: await given.job(user_id=user, separation=await given.separation(provider=name), **ready)
        for name, user in (("kie", ANN), ("apikley", BEN))
    }
    rest = {"provider": None, "but": ["kie"]}
    assert await do(jobs.next_delivery, provider="sunoapi_com") is None
    assert await do(jobs.next_delivery, **rest) == clock()
    assert (await do(jobs.claim_delivery, now=clock(), lease_s=60, **rest)).id == of["apikley"].id
    assert await do(jobs.claim_delivery, now=clock(), lease_s=60, **rest) is None
    assert (await do(jobs.claim_delivery, now=clock(), lease_s=60, provider="kie")).id == of["kie"].id


async def test_of_many_workers_at_once_one_delivers_to_a_chat(given, processes, clock):
    for _ in range(6):
        await given.job(acknowledged_at=clock(), due_at=clock())

    async def work(database):
        async with database.transaction() as db:
            return await jobs.claim_delivery(db, now=clock(), lease_s=60)

    claimed = await asyncio.gather(*(work(database) for database in processes * 3))
    assert sum(job is not None for job in claimed) == 1


async def test_a_delivery_that_was_interrupted_goes_on_first(given, do, clock, claim):
    waiting = await given.job(acknowledged_at=clock(), due_at=clock() - 50)
    interrupted = await given.job(acknowledged_at=clock(), due_at=clock(), state=J.DELIVERING)
    assert (await claim()).id == interrupted.id
    assert await claim() is None
    clock.forward(60)
    resumed = await claim()  # its worker died: the lease has lapsed
    assert (resumed.id, resumed.state) == (interrupted.id, J.DELIVERING)
    await do(moves.move, resumed, J.DELIVERED, now=clock())
    assert (await claim()).id == waiting.id


async def test_the_first_of_two_who_deliver_after_a_lapsed_lease_is_stale(given, do, clock, claim):
    await given.job(acknowledged_at=clock(), due_at=clock(), state=J.DELIVERING)
    first = await claim()
    clock.forward(60)
    second = await claim()
    with pytest.raises(Stale):
        await do(moves.move, first, J.DELIVERED, now=clock())
    await do(moves.move, second, J.DELIVERED, now=clock())


async def test_a_closed_topic_is_forgotten(given, do):
    job = await given.job(thread_id=6, message_id=5)
    await do(jobs.forget_thread, job.id)
    left = await do(jobs.find, job.id)
    assert (left.thread_id, left.message_id) == (None, None), "a reply would go into the topic again"


@pytest.fixture
def claim_status(do, clock):
    async def take():
        return await do(jobs.claim_status, now=clock(), claimed_until=clock() + 30)

    return take


async def test_the_status_that_is_due_longest_is_shown_first(given, clock, claim_status):
    late = await given.job(status_due_at=clock() - 1)
    early = await given.job(status_due_at=clock() - 2)
    await given.job(status_due_at=clock() + 1)
    await given.job()
    assert [(await claim_status()).job.id for _ in range(2)] == [early.id, late.id]
    assert await claim_status() is None


async def test_a_status_that_nobody_reports_on_is_due_again(given, do, clock, claim_status):
    job = await given.job(status_due_at=clock())
    claimed = await claim_status()
    assert claimed.separation.id == job.separation_id
    assert await do(jobs.next_status) == clock() + 30
    clock.forward(30)
    assert (await claim_status()).job.id == job.id


async def test_what_was_shown_is_kept_and_due_when_the_caller_says(given, do, clock, claim_status):
    await given.job(status_due_at=clock())
    claimed = (await claim_status()).job
    shown = {"status_shown": "half way", "status_message_id": 9, "status_edited_at": clock()}
    await do(jobs.showed, claimed, due_at=clock() + 5, **shown)
    kept = await do(jobs.find, claimed.id)
    assert {name: getattr(kept, name) for name in shown} == shown
    assert await do(jobs.next_status) == clock() + 5


async def test_a_last_form_is_due_no_more(given, do, clock, claim_status):
    await given.job(status_due_at=clock())
    claimed = (await claim_status()).job
    await do(jobs.showed, claimed, due_at=None)
    assert await do(jobs.next_status) is None


async def test_a_move_while_the_status_is_shown_keeps_it_due(given, do, clock, claim_status):
    job = await given.job(status_due_at=clock())
    claimed = (await claim_status()).job
    await do(moves.move, job, J.DELIVERING, now=clock.forward(2))
    await do(jobs.showed, claimed, due_at=None, status_shown="waiting")
    kept = await do(jobs.find, job.id)
    assert (kept.state, kept.status_shown, kept.status_due_at) == (J.DELIVERING, "waiting", clock())


async def test_a_move_of_the_separation_while_the_status_is_shown_keeps_it_due(
    given, do, clock, claim_status
):
    separation = await given.separation()
    job = await given.job(separation=separation, acknowledged_at=clock(), status_due_at=clock())
    claimed = (await claim_status()).job
    await do(moves.move, separation, SeparationState.SUBMITTING, now=clock.forward(2))
    await do(jobs.showed, claimed, due_at=clock() + 10)
    assert (await do(jobs.find, job.id)).status_due_at == clock()


async def test_a_move_gives_a_status_to_nobody_else_while_it_is_shown(given, do, clock, claim_status):
    job = await given.job(status_due_at=clock())
    claimed = (await claim_status()).job
    await do(moves.move, job, J.DELIVERING, now=clock.forward(2))
    assert await claim_status() is None
    await do(jobs.showed, claimed, due_at=None)
    assert (await claim_status()).job.id == job.id


async def test_after_a_crash_whoever_was_at_a_status_is_dead(given, do, clock, claim_status):
    job = await given.job(status_due_at=clock())
    await claim_status()
    await do(jobs.void_status_claims, now=clock())
    assert (await claim_status()).job.id == job.id


async def test_in_a_chat_that_is_gone_no_status_is_due(given, do, clock):
    job = await given.job(acknowledged_at=clock() - 9, status_due_at=clock())
    await do(jobs.unreachable, job.id, now=clock())
    kept = await do(jobs.find, job.id)
    assert (kept.acknowledged_at, kept.status_due_at) == (clock() - 9, None)
