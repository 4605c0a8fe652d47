"""Credits: what is granted, set aside, spent and given back, and what their owner sees of it."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from storage import chats, jobs, ledger, moves
from storage.ledger import InsufficientCredits
from storage.states import MOVES, OPEN_JOBS, PAYING_JOBS, Entry, JobState

J = JobState
ANN = 11


def lives(state=J.WAITING):
    """Every way that a job can go, to its end."""
    nexts = [new for old, new in MOVES if old is state]
    return [(state, *rest) for new in nexts for rest in lives(new)] if nexts else [(state,)]


@pytest.fixture
def statement(given, do):
    async def read(user_id=ANN, **page):
        account = await do(ledger.account_of, "user", user_id)
        return await do(ledger.statement, account.id, **{"limit": 100, **page})

    return read


def moved(statement):
    """What the entries did, newest first."""
    return [(entry.kind, entry.amount) for entry in statement.entries]


async def meet(given, user_id, *, credits):
    who = {"name": "Ann", "username": "ann", "language": "en"}
    return await given.do(chats.meet, user_id, **who, signup_credits=credits, now=given.clock())


async def test_a_new_person_gets_the_welcome_credits_once(given, statement):
    account = await meet(given, ANN, credits=100)
    assert (await meet(given, ANN, credits=100)).id == account.id
    assert (await statement()).balance == 100


async def test_of_many_first_messages_at_once_one_is_the_first(given, statement):
    accounts = await asyncio.gather(*(meet(given, ANN, credits=100) for _ in range(8)))
    assert len({account.id for account in accounts}) == 1
    assert (await statement()).balance == 100


async def test_without_welcome_credits_nothing_is_written(given, statement):
    await meet(given, ANN, credits=0)
    assert moved(await statement()) == []


async def test_a_grant_counts_once_per_operation(given, do, clock, statement):
    account = await given.person(credits=0)
    words = {"note": "a gift", "now": clock()}
    assert await do(ledger.grant, account, 30, operation="grant:1", **words) is True
    assert await do(ledger.grant, account, 30, operation="grant:1", **words) is False
    assert await do(ledger.grant, account, 5, operation="grant:2", **words) is True
    assert (await statement()).balance == 35


async def test_a_user_and_a_group_of_the_same_number_have_accounts_of_their_own(given, do, clock):
    user, group = await given.person(), await do(ledger.account_of, "group", ANN)
    assert user.id != group.id
    assert (user.balance, group.balance) == (100, 0)
    assert await do(ledger.account_of, "group", ANN) == group


async def test_an_account_is_found_only_where_one_was_opened(given, do):
    assert await do(ledger.find_account, "user", ANN) is None
    account = await given.person()
    assert await do(ledger.find_account, "user", ANN) == account


async def test_a_hold_is_set_aside_from_the_balance_at_once(given, statement):
    await given.job(price=30)
    seen = await statement()
    assert (seen.balance, seen.held, moved(seen)[0]) == (70, 30, ("hold", -30))


async def test_a_captured_hold_is_spent(given, statement):
    await given.job(price=30, state=J.DELIVERED)
    seen = await statement()
    assert (seen.balance, seen.held) == (70, 0)


async def test_a_released_hold_is_given_back_whole(given, statement):
    await given.job(price=30, state=J.CANCELLED)
    seen = await statement()
    assert (seen.balance, seen.held, moved(seen)) == (
        100,
        0,
        [("release", 30), ("hold", -30), ("grant", 100)],
    )


async def test_a_hold_beyond_the_balance_is_refused_and_says_what_is_missing(given, do, statement):
    with pytest.raises(InsufficientCredits, match="price 101, balance 100") as caught:
        await given.job(price=101)
    assert (caught.value.price, caught.value.balance) == (101, 100)
    assert moved(await statement()) == [("grant", 100)]
    assert await do(jobs.find, 1) is None  # nor is there a job: one transaction


async def test_the_whole_balance_can_be_held(given, statement):
    await given.job(price=100)
    assert (await statement()).balance == 0


async def test_of_twenty_holds_at_once_with_credits_for_three_three_succeed(given, processes, do, clock):
    account = await given.person(credits=35)
    wanted = {"account_id": account.id, "user_id": ANN, "chat_id": ANN, "origin": "started", "price": 10}
    wanted["separation_id"] = (await given.separation()).id

    async def hold(number):
        async with processes[number % 4].transaction() as db:
            job = await jobs.create(db, request_key=f"{number}", created_at=clock(), **wanted)
            await ledger.hold(db, job, now=clock())

    outcomes = await asyncio.gather(*(hold(number) for number in range(20)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientCredits)]
    assert (outcomes.count(None), len(refused)) == (3, 17)
    assert await do(ledger.balance, account.id) == 5


async def test_a_job_is_held_once(given, do, clock, statement):
    job = await given.job()
    with pytest.raises(IntegrityError):
        await do(ledger.hold, job, now=clock())
    assert (await statement()).balance == 90


@pytest.mark.parametrize("first", [Entry.CAPTURE, Entry.RELEASE])
@pytest.mark.parametrize("second", [Entry.CAPTURE, Entry.RELEASE])
async def test_a_hold_is_settled_once(given, do, clock, statement, first, second):
    job = await given.job()
    await do(ledger.settle, first, job, now=clock())
    before = await statement()
    with pytest.raises(IntegrityError):
        await do(ledger.settle, second, job, now=clock())
    assert await statement() == before


async def test_a_release_gives_back_what_was_held_and_nothing_else(given, do, clock, statement):
    job = await given.job(price=10)
    with pytest.raises(IntegrityError):
        await do(ledger.settle, Entry.RELEASE, replace(job, price=11), now=clock())
    assert (await statement()).balance == 90


@pytest.mark.parametrize("price", [0, 10])
@pytest.mark.parametrize("life", lives(), ids=" -> ".join)
async def test_every_life_of_a_job_settles_its_hold_exactly_once(given, do, clock, statement, life, price):
    job = await given.job(price=price)
    for state in life[1:]:
        job = await do(moves.move, job, state, now=clock())
    spent = job.state in PAYING_JOBS
    for entry in (Entry.CAPTURE, Entry.RELEASE):  # it was settled, so neither can be written now
        with pytest.raises(IntegrityError):
            await do(ledger.settle, entry, job, now=clock())
    seen = await statement()
    assert (seen.balance, seen.held) == (100 - price * spent, 0)


@pytest.mark.parametrize("state", OPEN_JOBS)
async def test_while_a_job_is_open_its_hold_is_kept(given, statement, state):
    await given.job(price=10, state=state)
    seen = await statement()
    assert (seen.balance, seen.held) == (90, 10)


async def test_a_statement_shows_the_newest_first_by_pages_and_hides_what_moved_nothing(given, statement):
    await given.job(price=10, state=J.DELIVERED)
    await given.job(price=0, state=J.CANCELLED)
    await given.job(price=20)
    assert moved(await statement()) == [("hold", -20), ("hold", -10), ("grant", 100)]
    assert moved(await statement(limit=2)) == [("hold", -20), ("hold", -10)]
    assert moved(await statement(limit=2, offset=2)) == [("grant", 100)]
    last = await statement(limit=2, offset=4)
    assert (last.balance, last.held, last.entries) == (70, 20, ())


async def test_a_statement_is_of_one_account(given, statement):
    await given.job(user_id=12, price=60)
    await given.person(ANN)
    seen = await statement(ANN)
    assert (seen.balance, seen.held, moved(seen)) == (100, 0, [("grant", 100)])
