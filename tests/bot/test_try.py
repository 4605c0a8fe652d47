from tests.bot.world import *
async def test_a(world):
    print(await world.say(f"/stems {SONG}"))
    await world.run_until_idle()
    for c in world.telegram.calls: print(c)
    print(world.boundary.passed, len(world.boundary.passed))
    print(await world.job(), await world.entries())
