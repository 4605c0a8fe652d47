"""Operators are told of a trouble once, each of them, until it is over."""

import asyncio

import pytest

from storage import moves, notices
from storage.moves import Stale

OPERATORS = (1, 2)


@pytest.fixture
def trouble(do, clock):
    async def begins(key="kie:credits", operators=OPERATORS):
        return await do(notices.raise_alert, key, "kie is out of credits", operators, now=clock())

    return begins


@pytest.fixture
def claim(do, clock):
    async def take():
        return await do(notices.claim, now=clock(), lease_s=60)

    return take


async def test_every_operator_is_told_once(do, trouble, claim):
    assert await trouble() is True
    assert await trouble() is False
    told = [await claim(), await claim()]
    assert [(notice.chat_id, notice.text) for notice in told] == [
        (1, "kie is out of credits"),
        (2, "kie is out of credits"),
    ]
    assert await claim() is None


async def test_of_many_who_notice_the_same_trouble_one_tells(processes, claim, clock):
    async def notice(database):
        async with database.transaction() as db:
            return await notices.raise_alert(db, "kie:credits", "trouble", [1], now=clock())

    news = await asyncio.gather(*(notice(database) for database in processes * 2))
    assert news.count(True) == 1
    assert await claim()
    assert await claim() is None


async def test_a_trouble_stands_until_it_is_over_and_is_then_told_again(do, clock, trouble):
    await trouble("kie:credits")
    await trouble("kie:key")
    assert await do(notices.standing) == {"kie:credits", "kie:key"}
    await do(notices.end_alert, "kie:credits")
    assert await do(notices.standing) == {"kie:key"}
    clock.forward(5)
    assert await trouble("kie:credits") is True


async def test_what_was_said_is_not_said_again(do, trouble, claim):
    await trouble(operators=[1])
    notice = await claim()
    await do(notices.said, notice)
    assert await do(notices.next_due) is None
    with pytest.raises(Stale):
        await do(notices.said, notice)


async def test_what_could_not_be_said_is_tried_again(do, clock, trouble, claim):
    await trouble(operators=[1])
    notice = await claim()
    await do(moves.postpone, notice, clock() + 10, failures=1)
    assert (await claim(), await do(notices.next_due)) == (None, clock() + 10)
    clock.forward(10)
    assert (await claim()).failures == 1
