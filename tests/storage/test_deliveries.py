"""The parts of a delivery are written down before they are sent, and so is what became of them."""

import json

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from storage import deliveries, tables
from storage.deliveries import PartKind, PartState

PLAN = [(PartKind.ALBUM, [1, 2, 3]), (PartKind.SINGLE, [4]), (PartKind.LINKS, [5, 6])]


@pytest.fixture
def add(do, clock):
    async def append(job, plan):
        await do(deliveries.add, job, plan, now=clock())
        return await do(deliveries.parts_of, job.id)

    return append


def outline(parts):
    return [(part.position, part.kind, deliveries.stem_ids(part), part.state) for part in parts]


async def test_parts_are_kept_in_the_order_of_the_plan(given, add):
    parts = await add(await given.job(), PLAN)
    assert outline(parts) == [
        (0, "album", [1, 2, 3], "pending"),
        (1, "single", [4], "pending"),
        (2, "links", [5, 6], "pending"),
    ]


async def test_more_parts_come_behind_those_that_are_there(given, add):
    job = await given.job()
    await add(job, PLAN[:2])
    parts = await add(job, PLAN[2:])
    assert [(part.position, part.kind) for part in parts] == [(0, "album"), (1, "single"), (2, "links")]


async def test_an_empty_plan_adds_nothing(given, add):
    assert await add(await given.job(), []) == []


async def test_each_job_has_its_own_parts(given, add, do):
    job, other = await given.job(), await given.job()
    await add(job, PLAN)
    assert await do(deliveries.parts_of, other.id) == []
    assert (await add(other, PLAN[:1]))[0].position == 0


async def test_a_place_in_a_delivery_is_taken_once(given, add, do):
    """Two who plan at once cannot both be heard, so no stem is sent twice."""
    [part] = await add(await given.job(), PLAN[:1])
    again = {name: getattr(part, name) for name in part.__slots__ if name != "id"}

    async def plan_again(db):
        await db.execute(insert(tables.parts).values(**again))

    with pytest.raises(IntegrityError):
        await do(plan_again)


@pytest.mark.parametrize("state", PartState)
async def test_what_became_of_a_part_is_marked(given, add, do, clock, state):
    job = await given.job()
    first, second = await add(job, PLAN[:2])
    marked = {"message_ids": [70, 71], "why": "so"}
    await do(deliveries.mark, first, state, now=clock.forward(5), **marked)
    kept, other = await do(deliveries.parts_of, job.id)
    assert (kept.state, json.loads(kept.message_ids_json), kept.why) == (state, [70, 71], "so")
    assert kept.changed_at == clock()
    assert other == second


async def test_other_parts_take_the_place_of_one_that_cannot_go_as_planned(given, add, do, clock):
    job = await given.job()
    album, *_ = await add(job, PLAN)
    singles = [(PartKind.SINGLE, [1]), (PartKind.SINGLE, [2])]
    await do(deliveries.replace, job, album, singles, closed={3: PartState.GONE}, now=clock())
    assert outline(await do(deliveries.parts_of, job.id)) == [
        (0, "single", [1], "pending"),
        (1, "single", [2], "pending"),
        (2, "single", [4], "pending"),
        (3, "links", [5, 6], "pending"),
        (4, "single", [3], "gone"),
    ]


async def test_what_was_sent_before_stays_when_a_part_is_replaced(given, add, do, clock):
    job = await given.job()
    first, second, _ = await add(job, PLAN)
    await do(deliveries.mark, first, PartState.SENT, message_ids=[70], now=clock())
    await do(deliveries.replace, job, second, [(PartKind.LINKS, [4])], now=clock())
    assert outline(await do(deliveries.parts_of, job.id)) == [
        (0, "album", [1, 2, 3], "sent"),
        (1, "links", [4], "pending"),
        (2, "links", [5, 6], "pending"),
    ]


async def test_what_was_given_up_before_is_still_known_after_a_second_replacement(given, add, do, clock):
    job = await given.job()
    album, *_ = await add(job, PLAN)
    await do(
        deliveries.replace, job, album, [(PartKind.ALBUM, [1, 2])], closed={3: PartState.GONE}, now=clock()
    )
    album, *_ = await do(deliveries.parts_of, job.id)
    await do(
        deliveries.replace, job, album, [(PartKind.SINGLE, [1])], closed={2: PartState.GONE}, now=clock()
    )
    parts = await do(deliveries.parts_of, job.id)
    assert [deliveries.stem_ids(part) for part in parts if part.state == "gone"] == [[3], [2]]
