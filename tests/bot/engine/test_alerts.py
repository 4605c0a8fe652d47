"""Asking upstreams for their credits now and then, and what operators are told of it."""

import pytest

from bot.engine.alerts import JOBS_LEFT, PROBE_EVERY_S, next_probe, notice_one, probe_one, tell
from bot.upstreams import FIRST_PROBE_S, OPENS_AFTER, Call, upstream
from providers.errors import Misconfigured, NoCredits, SongUnknown, Unavailable
from storage import notices
from tests.bot.telegram_stand_in import BLOCKED, TOO_FAST, UNREACHABLE
from tests.bot.world import ANN, BOB

KEY_REFUSED = Misconfigured("no access (code 401)")
AWAY = Unavailable("maintenance")
PLENTY, LOW = 1000.0, 10.0 * JOBS_LEFT - 1


@pytest.fixture
async def watched(worlds):
    """A bot with two operators."""
    async with worlds(admins={ANN, BOB}) as world:
        yield world


async def probes(world, *outcomes) -> list[str]:
    """Each is what the credits call answers, when it is time again; what ``ANN`` has been told so far."""
    for outcome in outcomes:
        world.provider.balance = outcome
        world.clock.forward(PROBE_EVERY_S)
        assert await probe_one(world.services, world.provider)
    return await told(world)


async def told(world) -> list[str]:
    while await notice_one(world.services):
        pass
    return world.telegram.texts_in(ANN)


async def hears(world, outcome) -> None:
    """A submit or a look ends in this."""
    world.services.upstreams[world.provider.name].note(outcome, Call.SUBMIT)
    await tell(world.services, world.provider)


async def standing(world) -> set[str]:
    async with world.database.reading() as db:
        return await notices.standing(db)


# When


async def test_it_asks_at_once_and_then_every_ten_minutes(watched):
    asked = [await probe_one(watched.services, watched.provider) for _ in range(2)]
    watched.clock.forward(PROBE_EVERY_S - 1)
    asked.append(await probe_one(watched.services, watched.provider))
    watched.clock.forward(1)
    asked.append(await probe_one(watched.services, watched.provider))
    assert asked == [True, False, False, True]


@pytest.mark.parametrize("outcome", [AWAY, KEY_REFUSED, NoCredits("0")])
async def test_one_that_is_down_is_asked_sooner_and_once_at_a_time(watched, outcome):
    upstream = watched.services.upstreams[watched.provider.name]
    for _ in range(OPENS_AFTER):
        upstream.note(AWAY, Call.LOOK)
    watched.clock.forward(FIRST_PROBE_S)
    watched.provider.balance = outcome
    assert await probe_one(watched.services, watched.provider)
    assert next_probe(watched.services, watched.provider) > watched.clock()


# What is told


async def test_every_operator_is_told_once_that_the_key_is_refused(watched):
    texts = await probes(watched, KEY_REFUSED, KEY_REFUSED)
    assert len(texts) == 1
    assert "sunoapi.org refuses this bot's key or access: no access (code 401)" in texts[0]
    assert watched.telegram.texts_in(BOB) == texts


async def test_it_is_told_again_once_it_was_mended(watched):
    assert len(await probes(watched, KEY_REFUSED, PLENTY, KEY_REFUSED)) == 2


async def test_that_it_was_away_in_between_mends_no_key(watched):
    assert len(await probes(watched, KEY_REFUSED, AWAY, KEY_REFUSED)) == 1


async def test_that_the_key_was_refused_in_between_is_no_top_up(watched):
    texts = await probes(watched, LOW, KEY_REFUSED, LOW)
    assert sum("running low" in text for text in texts) == 1


async def test_an_upstream_that_is_away_is_no_business_of_operators(watched):
    assert await probes(watched, AWAY, AWAY) == []


async def test_low_credits_are_told_once_until_they_are_topped_up(watched):
    texts = await probes(watched, LOW, LOW - 10, PLENTY, LOW)
    assert [f"({LOW:g} left)" in text for text in texts] == [True, True]


async def test_a_refused_submit_is_told_at_once(watched):
    for _ in range(3):
        await hears(watched, NoCredits("insufficient"))
    (text,) = await told(watched)
    assert "The credits at sunoapi.org are used up" in text


async def test_a_key_that_is_refused_for_orders_alone_is_told_once(watched):
    for _ in range(3):
        await hears(watched, KEY_REFUSED)
        await probes(watched, PLENTY)  # for this call it is good enough
    assert len(await told(watched)) == 1
    for outcome in ("task-1", KEY_REFUSED):
        await hears(watched, outcome)
    assert len(await told(watched)) == 2


async def test_credits_that_run_low_by_an_order_are_told_at_once(watched):
    watched.services.upstreams["sunoapi_org"].credits = LOW
    for task in ("task-1", "task-2"):
        await hears(watched, task)
    (text,) = await told(watched)
    assert "are running low" in text


async def test_that_they_are_used_up_is_told_once_though_they_were_low_before_and_are_after(watched):
    texts = await probes(watched, LOW, 5.0, LOW, 5.0)
    assert ["running low" in text for text in texts] == [True, False]
    assert "are used up" in texts[1]


async def test_after_a_restart_nothing_is_told_again(watched):
    before = await probes(watched, KEY_REFUSED, LOW)
    watched.services.upstreams["sunoapi_org"] = upstream(watched.provider, watched.clock)
    assert await probes(watched, AWAY, LOW) == before


async def test_one_that_is_down_is_noted_until_it_is_back_and_not_said(watched):
    for _ in range(OPENS_AFTER):
        await hears(watched, AWAY)
    assert await standing(watched) == {"sunoapi_org:down"}
    assert await probes(watched, PLENTY) == []
    assert await standing(watched) == set()


async def test_of_credits_that_were_never_enough_one_thing_is_told(watched):
    (text,) = await probes(watched, 0.0, LOW)
    assert "are used up" in text


@pytest.mark.parametrize("outcome", ["task-1", AWAY, SongUnknown("?")])
async def test_of_other_submits_nothing_is_told(watched, outcome):
    await hears(watched, outcome)
    assert await told(watched) == []


async def test_what_an_upstream_says_is_shown_as_text(watched):
    (text,) = await probes(watched, Misconfigured("<b>bold & wrong</b>"))
    assert "&lt;b&gt;bold &amp; wrong&lt;/b&gt;" in text


# How it gets there


@pytest.mark.parametrize("fault", [UNREACHABLE, TOO_FAST])
async def test_what_could_not_be_said_is_said_later(watched, fault):
    watched.telegram.faults["sendMessage"].append(fault)
    await probes(watched, KEY_REFUSED)
    watched.clock.forward(60)
    assert len(await told(watched)) == 1
    assert len(watched.telegram.texts_in(BOB)) == 1


async def test_an_operator_who_cannot_be_written_to_is_left_out(watched):
    watched.telegram.faults["sendMessage"].append(BLOCKED)
    await probes(watched, KEY_REFUSED)
    watched.clock.forward(3600)
    await told(watched)
    assert sorted(map(len, (watched.telegram.texts_in(ANN), watched.telegram.texts_in(BOB)))) == [0, 1]
    async with watched.database.reading() as db:
        assert await notices.next_due(db) is None
