"""What trying again costs is said before it is done: the price of the upstream that would get it."""

import pytest

from bot.upstreams import Call
from providers.base import Failed
from providers.errors import NoCredits
from tests.bot.upstream_stand_in import FakeProvider
from tests.bot.world import SONG, TASK


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
