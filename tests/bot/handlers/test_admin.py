import pytest

from tests.bot.world import ANN, BAND, BOB, SONG

OPERATOR = 1003


@pytest.fixture
async def operated(worlds):
    async with worlds(admins=str(OPERATOR)) as world:
        await world.say("/start")
        yield world


@pytest.mark.parametrize("text", [f"/grant {ANN} 5", "/stats", "/upstreams"])
async def test_nobody_else_may(operated, text):
    assert await operated.say(text, by=BOB, chat_id=BAND) == []
    assert await operated.balance(ANN) == 100


async def test_a_grant_gives_credits(operated):
    (said,) = await operated.say(f"/grant {ANN} 25 for the party", by=OPERATOR)
    assert "125" in said
    assert await operated.balance(ANN) == 125
    (statement,) = await operated.say("/credits")
    assert "+25 for the party" in statement


async def test_a_grant_to_a_group_is_for_its_anonymous_admins(operated):
    await operated.say("/credits", chat_id=BAND)
    await operated.say(f"/grant {BAND} 25", by=OPERATOR)
    assert await operated.balance(BAND, "group") == 25
    (statement,) = await operated.say_anonymously("/credits")
    assert "+25 from the operator" in statement


async def test_the_same_grant_twice_gives_once(operated):
    raw = operated.message(f"/grant {ANN} 25", by=OPERATOR)
    await operated.handle(raw)
    await operated.handle(raw)
    assert await operated.balance(ANN) == 125


@pytest.mark.parametrize(
    "arguments", ["", "1001", "1001 x", "1001 0", "1001 -5", "ann 5", "1001 99999999999", "²"]
)
async def test_a_grant_that_cannot_be_read_gets_an_example(operated, arguments):
    (said,) = await operated.say(f"/grant {arguments}", by=OPERATOR)
    assert "/grant" in said
    assert await operated.balance(ANN) == 100


@pytest.mark.parametrize("user", ["99", "-99", "9" * 25])
async def test_a_grant_to_somebody_unknown_gives_nothing(operated, user):
    (said,) = await operated.say(f"/grant {user} 5", by=OPERATOR)
    assert said


async def test_stats_count_jobs(operated):
    (said,) = await operated.say("/stats", by=OPERATOR)
    assert said
    await operated.say(f"/stems {SONG}")
    await operated.run_until_idle()
    (said,) = await operated.say("/stats", by=OPERATOR)
    assert "delivered" in said


async def test_upstreams_are_listed_with_their_credits(operated):
    await operated.work()
    (said,) = await operated.say("/upstreams", by=OPERATOR)
    assert "sunoapi.org" in said
    assert "1000" in said
