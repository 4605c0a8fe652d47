"""What the balance at an upstream tells of an order whose answer was lost."""

from bot.engine.workflow import BOOKED_AFTER_S
from providers.base import Failed, Running
from providers.errors import OutcomeUnknown
from storage.states import SeparationState as S
from tests.bot.world import BOB, OTHER_SONG, SONG


async def test_a_balance_that_a_refund_of_older_work_may_have_restored_proves_nothing(world, clock):
    await world.say(f"/stems {SONG}")
    world.provider.to_look.extend([Running(), Failed("no luck")])
    await world.steps("status", "submit")
    clock.forward(200)
    await world.steps("look")
    await world.say(f"/stems {OTHER_SONG}", by=BOB)
    world.provider.to_submit.append(OutcomeUnknown("cut"))
    await world.steps("status", "submit")  # it was taken and charged all the same, and the other is refunded
    clock.forward(BOOKED_AFTER_S + 1)
    await world.steps("look", "find")
    assert (await world.separation(1)).state is S.FAILED
    assert (await world.separation(2)).state is S.UNCERTAIN
