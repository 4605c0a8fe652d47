"""Figures of the upstreams, for operators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine import alerts
from bot.reports import histories, percentile, upstream_reports
from bot.upstreams import OPENS_AFTER, Call
from providers.base import Failed, Mode
from providers.errors import Misconfigured, NoCredits, Unavailable
from storage.states import SeparationState as S
from tests.bot.world import SONG, TASK

TIMES = st.lists(st.floats(0, 10_000), min_size=1).map(sorted)


@given(TIMES, st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_so_many_are_not_above_it(times, share):
    found = percentile(times, share)
    assert found in times
    assert sum(one <= found for one in times) >= share * len(times)
    assert sum(one < found for one in times) < share * len(times)


@pytest.mark.parametrize(
    ("times", "median", "most"),
    [([5.0], 5.0, 5.0), ([1.0, 9.0], 1.0, 9.0), (list(map(float, range(1, 11))), 5.0, 9.0)],
)
def test_median_and_90_percent(times, median, most):
    assert (percentile(times, 0.5), percentile(times, 0.9)) == (median, most)


async def test_before_anything_happened_nothing_is_claimed(world):
    (report,) = await upstream_reports(world.services)
    assert (report.title, report.state, report.credits) == ("sunoapi.org", "working", None)
    assert (report.open_separations, report.last_error, dict(report.times)) == (0, None, {})


async def test_open_separations_and_times_are_the_databases(world, clock):
    await world.say(f"/stems {TASK}:{SONG}")
    (report,) = await upstream_reports(world.services)
    assert report.open_separations == 1
    await world.run_until_idle()
    assert (await world.separation()).state is S.SUCCEEDED
    (report,) = await upstream_reports(world.services)
    assert report.open_separations == 0
    assert report.times == {Mode.BASIC: (15.0, 15.0)}  # it was finished at the first look


async def test_its_state_and_last_error_are_this_processs(world):
    upstream = world.services.upstreams["sunoapi_org"]
    upstream.note(Misconfigured("the key is refused"), Call.SUBMIT)
    (report,) = await upstream_reports(world.services)
    assert (report.state, report.last_error) == ("needs the operator", "the key is refused")
    for _ in range(OPENS_AFTER):
        upstream.note(Unavailable("maintenance"), Call.LOOK)
    (report,) = await upstream_reports(world.services)
    assert (report.state, report.last_error) == ("set aside, tried again soon", "maintenance")


async def test_one_that_cannot_be_reached_is_not_said_to_work(world):
    upstream = world.services.upstreams["sunoapi_org"]
    upstream.probed(Unavailable("it cannot be reached"))
    (report,) = await upstream_reports(world.services)
    assert (report.state, report.last_error) == ("gave no usable answer last time", "it cannot be reached")
    upstream.probed(240.0)
    (report,) = await upstream_reports(world.services)
    assert report.state == "working"


async def test_after_a_restart_the_last_failure_is_the_databases(world):
    world.provider.to_look.append(Failed("Internal Error"))
    await world.say(f"/stems {TASK}:{SONG}")
    await world.run_until_idle()
    (report,) = await upstream_reports(world.services)
    assert report.last_error == "sunoapi.org could not separate this song (Internal Error)"


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        (["task-1"], "working"),
        ([Misconfigured("key")], "needs the operator"),
        ([NoCredits("0")], "needs the operator"),
        ([Unavailable("maintenance")] * OPENS_AFTER, "set aside, tried again soon"),
    ],
    ids=["well", "key", "credits", "down"],
)
async def test_other_processes_know_how_an_upstream_is_doing(world, outcomes, state):
    for outcome in outcomes:
        world.services.upstreams["sunoapi_org"].note(outcome, Call.SUBMIT)
    await alerts.tell(world.services, world.provider)
    async with world.database.reading() as db:
        (history,) = (await histories(db, [world.provider])).values()
    assert history.state == state
