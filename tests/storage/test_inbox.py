"""Updates are kept once, handled at least once, and given up when their handler keeps failing."""

import asyncio
from itertools import chain

import pytest

from storage import inbox, moves, retention
from storage.inbox import STARTS, TRIES, Arrived

LEASE_S = 60


def update(update_id, chat_id=11):
    return Arrived(update_id, chat_id, f'{{"update_id": {update_id}}}')


@pytest.fixture
def store(do, clock):
    async def arrive(*update_ids, lease="poller"):
        wanted = {"now": clock(), "lease": lease, "lease_s": LEASE_S}
        return await do(inbox.store, [update(update_id) for update_id in update_ids], **wanted)

    return arrive


@pytest.fixture
def take(do, clock):
    async def abandoned(*, limit=10, lease="another"):
        wanted = {"now": clock(), "lease": lease, "lease_s": LEASE_S, "limit": limit}
        return await do(inbox.take_abandoned, **wanted)

    return abandoned


@pytest.fixture
def fail(do, clock):
    """The handler of an update fails; it may come again at once."""

    async def handler_fails(update_id, lease="another"):
        return await do(inbox.failed, update_id, "a bug", now=clock(), retry_at=clock(), lease=lease)

    return handler_fails


def ids(stored):
    return [one.update_id for one in stored]


async def test_new_updates_are_told_from_known_ones(store):
    assert await store(3, 1, 2) == [1, 2, 3]
    assert await store(2, 4, 1) == [4]
    assert await store(1, 2, 3, 4) == []


async def test_an_update_twice_in_one_batch_is_kept_once(store, do):
    assert await store(7, 7, 8) == [7, 8]
    assert await do(inbox.unhandled) == 2


async def test_of_several_who_store_the_same_update_one_has_it(processes, clock):
    async def store(database):
        async with database.transaction() as db:
            return await inbox.store(db, [update(1)], now=clock(), lease="mine", lease_s=LEASE_S)

    stored = await asyncio.gather(*(store(database) for database in processes * 2))
    assert sorted(stored) == [[]] * 7 + [[1]]


async def test_an_update_that_comes_again_keeps_its_first_text(store, do, clock, take):
    await store(1)
    repeated = [Arrived(1, 12, "something else")]
    await do(inbox.store, repeated, now=clock(), lease="poller", lease_s=LEASE_S)
    clock.forward(LEASE_S)
    [kept] = await take()
    assert (kept.chat_id, kept.payload_json) == (11, '{"update_id": 1}')


async def test_one_that_was_handled_is_known_when_it_comes_again(store, do, clock, take):
    await store(1)
    await do(inbox.handled, [1], now=clock())
    assert await store(1) == []
    clock.forward(LEASE_S)
    assert (await take(), await do(inbox.unhandled)) == ([], 0)


async def test_what_is_being_handled_is_not_taken_until_its_lease_lapses(store, clock, take):
    await store(2, 1)
    clock.forward(LEASE_S - 1)
    assert await take() == []
    clock.forward(1)
    taken = await take()
    assert ids(taken) == [1, 2]
    assert {(one.lease, one.lease_until, one.tries) for one in taken} == {("another", clock() + LEASE_S, 2)}
    assert await take() == []


async def test_the_oldest_are_taken_first_and_no_more_than_asked_for(store, clock, take):
    await store(5, 3, 4, 1, 2)
    clock.forward(LEASE_S)
    assert [ids(await take(limit=2)) for _ in range(4)] == [[1, 2], [3, 4], [5], []]


async def test_of_many_takers_each_update_goes_to_one(store, clock, processes):
    await store(*range(1, 21))
    clock.forward(LEASE_S)

    async def take(database):
        async with database.transaction() as db:
            wanted = {"now": clock(), "lease": "mine", "lease_s": LEASE_S, "limit": 3}
            return ids(await inbox.take_abandoned(db, **wanted))

    taken = await asyncio.gather(*(take(database) for database in processes * 3))
    assert sorted(chain(*taken)) == list(range(1, 21))
    assert max(map(len, taken)) == 3


async def test_the_leases_of_a_dead_process_are_void(store, do, take):
    await store(1)
    await do(moves.void_leases)
    assert ids(await take()) == [1]


async def test_a_failed_one_comes_again_until_it_had_its_tries(store, do, take, fail):
    await store(1)
    for tried in range(2, TRIES + 1):
        assert await fail(1, "poller" if tried == 2 else "another") is False
        [again] = await take()
        assert (again.tries, again.why) == (tried, "a bug")
    assert await fail(1) is True
    assert (await take(), await do(inbox.unhandled)) == ([], 0)


async def test_a_failed_one_waits_until_it_may_come_again(store, do, clock, take):
    await store(1)
    await do(inbox.failed, 1, "a bug", now=clock(), retry_at=clock() + 5, lease="poller")
    assert await take() == []
    clock.forward(5)
    assert ids(await take()) == [1]


async def test_the_failure_of_one_that_another_works_on_by_now_changes_nothing(store, clock, take, fail):
    await store(1)
    clock.forward(LEASE_S)
    await take()
    assert await fail(1, "poller") is False
    assert await take(lease="third") == [], "the other one holds it still"


async def test_one_with_which_the_process_dies_again_and_again_is_given_up(store, do, clock, take):
    await store(1, 2)
    await do(inbox.handled, [2], now=clock())
    words = {"now": clock(), "lease": "new"}
    for _ in range(STARTS - 1):
        assert await do(inbox.give_up, **words) == []
        await do(moves.void_leases)
        await take()
    assert await do(inbox.give_up, **words) == [], "somebody holds it"
    await do(moves.void_leases)
    assert ids(await do(inbox.give_up, **words)) == [1]
    assert (await take(), await do(inbox.unhandled)) == ([], 0)


async def test_only_what_was_handled_long_ago_is_forgotten(store, do, clock):
    await store(1, 2, 3)
    await do(inbox.handled, [1], now=clock())
    await do(inbox.handled, [2], now=clock.forward(10))
    assert await do(retention.forget_updates, handled_before=clock()) == 1
    assert await store(1, 2, 3) == [1]
    assert await do(inbox.unhandled) == 2


async def test_an_update_may_have_no_chat(do, clock):
    words = {"now": clock(), "lease": "poller", "lease_s": LEASE_S}
    assert await do(inbox.store, [update(1, chat_id=None)], **words) == [1]
