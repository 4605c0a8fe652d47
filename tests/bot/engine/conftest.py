import pytest

from tests.bot.world import SONG


@pytest.fixture
def ready(world):
    """``await ready("full")``: Ann's stems are separated, nothing is sent yet."""

    async def separate(mode="", **fields):
        await world.say(f"/stems {SONG} {mode}", **fields)
        await world.step("status")
        await world.steps("submit")
        world.clock.forward(15)
        await world.steps("look")
        return world

    return separate
