"""What trying again costs is said before it is done: the price of the upstream that would get it."""

import pytest

from bot.upstreams import Call
from providers.base import Failed
from providers.errors import NoCredits
from tests.bot.telegram_stand_in import KICKED
from tests.bot.upstream_stand_in import FakeProvider
from tests.bot.world import ANN, BAND, BOB, SONG, TASK


@pytest.fixture
async def failed(worlds):
    """A song that the first of two upstreams could not separate."""
    first, second = FakeProvider(), FakeProvider(name="kie", title="kie.ai")
    prices = {"sunoapi_org_price_basic": 7, "kie_price_basic": 30}
    async with worlds(providers={"sunoapi_org": first, "kie": second}, provider=first, **prices) as world:
        world.services.providers["sunoapi_org"].to_look.append(Failed("no luck"))
        await world.say(f"/stems {TASK}:{SONG}")
        await world.run_until_idle()
        yield world


async def test_it_is_that_of_the_first_while_the_first_would_get_it(failed):
    assert "Try again for 7 credits" in failed.status_text()
    await failed.press("Try again")
    await failed.run_until_idle()
    assert "7 credits paid" in failed.status_text()


async def test_it_is_that_of_the_next_where_the_first_has_no_credits(failed):
    failed.services.upstreams["sunoapi_org"].note(NoCredits("0"), Call.SUBMIT)
    await failed.say(f"/stems {TASK}:{SONG}")
    await failed.steps("status")
    await failed.press("Cancel")
    await failed.run_until_idle()
    assert "Cancelled, nothing was charged · balance 100\nTry again for 30 credits." in failed.status_text()
    await failed.press("Try again")
    await failed.run_until_idle()
    assert "30 credits paid" in failed.status_text()


async def test_where_nobody_would_get_it_no_price_is_named(failed):
    for provider in failed.services.providers.values():
        provider.hindrance = "This song is too old."
    await failed.say("/jobs")
    await failed.press("1 · ")
    assert "Check the id, or try again later" in failed.status_text()
    assert "This song is too old." in await failed.press("Try again")


async def thrown_out(world, by):
    """Who asked in a group that throws the bot out before the stems are there opens the job in private."""
    world.telegram.fail("sendMediaGroup", KICKED)
    await world.say(f"/stems {SONG}", by=by, chat_id=BAND)
    await world.run_until_idle()
    await world.say("/jobs", by=by)
    await world.press("Paper Boats", by=by)
    return world.status_text(by)


async def test_what_nobody_has_paid_for_is_kept_at_its_price(world):
    told = await thrown_out(world, ANN)
    assert "write to the chat where you asked any more" in told
    assert "Forbidden" not in told
    assert "“Try again” sends them to the chat where you press it, for 10 credits." in told
    await world.press("Try again")
    await world.run_until_idle()
    assert await world.balance() == 90


async def test_what_somebody_has_paid_for_is_to_be_had_at_no_cost(world):
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    assert "“Try again” sends them to the chat where you press it, at no cost." in await thrown_out(
        world, BOB
    )
    await world.press("Try again", by=BOB)
    await world.run_until_idle()
    assert len(world.telegram.titles_in(BOB)) == 2
    assert await world.balance(BOB) == 100


async def test_who_withdrew_joins_again_at_no_cost_while_the_work_goes_on(world):
    await world.say(f"/stems {SONG}")
    await world.say(f"/stems {SONG}", by=BOB)
    await world.steps("status", "status")
    await world.press("Cancel", by=BOB)
    await world.steps("status")
    assert world.status_text(BOB).endswith("Try again at no cost.")
