"""What came of a message, an order or a send is written down though one COMMIT of it fails."""

import pytest

from storage.states import JobState as J
from tests.bot.world import SONG


@pytest.fixture
async def asked(world):
    """Ann has asked for two stems and was told so."""
    await world.say(f"/stems {SONG}")
    await world.step("status")
    return world


def fail_after(world, happened):
    """The first COMMIT after this boundary fails."""

    def after(boundary):
        if boundary == happened:
            world.database.boundary = fail

    def fail(_boundary):
        world.database.boundary = lambda _: None
        raise OSError("disk full")

    return after


async def test_an_acknowledgement_is_not_sent_again_because_a_commit_failed(world):
    await world.say(f"/stems {SONG}")
    world.telegram.boundary = fail_after(world, "sendMessage is answered")
    await world.run_until_idle()
    assert len(world.telegram.called("sendMessage")) == 1
    assert (await world.job()).state is J.DELIVERED


async def test_an_answer_to_an_order_outlives_a_commit_that_failed(asked):
    asked.provider.boundary = fail_after(asked, "submit is answered")
    await asked.steps("submit")
    assert (await asked.separation()).upstream_task_id == "task-1"


async def test_an_album_is_not_sent_again_because_a_commit_failed(asked):
    await asked.steps("submit")
    asked.clock.forward(15)
    await asked.steps("look")
    asked.telegram.boundary = fail_after(asked, "sendMediaGroup is answered")
    await asked.run_until_idle()
    assert len(asked.telegram.called("sendMediaGroup")) == 1
    assert (await asked.job()).state is J.DELIVERED
