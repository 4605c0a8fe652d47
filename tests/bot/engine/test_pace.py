"""How often a running task is looked at."""

from dataclasses import replace
from itertools import pairwise

import pytest

from providers.base import Running
from providers.errors import TooFast
from tests.bot.upstream_stand_in import LIMITS
from tests.bot.world import BOB, OTHER_SONG, SONG


@pytest.fixture
async def running(world):
    """Ann's song is being separated."""
    await world.say(f"/stems {SONG}")
    await world.steps("status", "submit")
    return world


async def test_the_waits_grow_up_to_half_a_minute(running, clock):
    looked_at = []

    async def note():
        looked_at.append(clock())

    running.provider.during = note
    running.provider.to_look.extend([Running()] * 30)
    await running.run_until_idle()
    waits = [later - sooner for sooner, later in pairwise(looked_at)]
    assert waits == sorted(waits)
    assert 10 <= waits[0] < waits[-1] == pytest.approx(30)


async def test_it_is_as_seldom_as_the_upstream_advises(running, clock):
    running.provider.limits = replace(LIMITS, look_every_s=25.0)
    running.provider.to_look.append(Running())
    clock.forward(15)
    await running.steps("look")
    assert (await running.separation()).due_at >= clock() + 25


async def test_an_upstream_that_is_looked_at_too_often_is_left_alone_by_all(running, clock):
    await running.say(f"/stems {OTHER_SONG}", by=BOB)
    await running.steps("submit")
    running.provider.to_look.append(TooFast("slow down", wait_s=40))
    clock.forward(15)
    await running.steps("look", "look")
    assert len(running.provider.calls("look")) == 1
    assert [(await running.separation(job)).due_at for job in (1, 2)] == [clock() + 40] * 2
