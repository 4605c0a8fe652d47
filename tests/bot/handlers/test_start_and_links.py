import pytest
from sqlalchemy import text as sql

from bot import texts
from storage.states import JobState as J
from tests.bot.telegram_stand_in import chat
from tests.bot.upstream_stand_in import FakeProvider
from tests.bot.world import ANN, BAND, BOB, SONG, TASK

GONE_AT = sql("SELECT gone_at FROM chats WHERE id = :id")


@pytest.mark.parametrize("text", ["/start", "/help", "/start@stembot_bot", "/start payload"])
async def test_it_explains_itself_with_an_example(world, text):
    (said,) = await world.say(text)
    assert "/stems " in said
    assert "50 credits" in said


async def test_a_start_tells_a_new_person_what_they_have(world):
    (said,) = await world.say("/start")
    assert "You have 100 credits" in said


async def test_every_command_of_the_menu_is_answered(world):
    for name in texts.COMMANDS:
        assert len(await world.say(f"/{name}")) == 1


@pytest.mark.parametrize("text", [SONG, f"https://suno.com/song/{SONG}", f"{TASK}:{SONG}"])
async def test_a_link_alone_in_a_private_chat_offers_both_modes_with_their_prices(world, text):
    (said,) = await world.say(text)
    assert "10 credits" in said
    assert "50 credits" in said
    (shown,) = world.telegram.messages.values()
    rows = shown["reply_markup"]["inline_keyboard"]
    assert [row[0]["text"][-2:] for row in rows] == ["10", "50"]
    assert await world.jobs_of() == []


async def test_a_link_as_a_caption_will_do(world):
    raw = world.message("x")
    del raw["message"]["text"]
    raw["message"]["caption"] = SONG
    (said,) = await world.handle(raw)
    assert "10 credits" in said


async def test_a_task_alone_is_looked_up(world):
    assert await world.say(TASK) == []
    await world.steps("lookup")
    assert TASK in world.status_text()


async def test_other_words_in_a_private_chat_get_an_example(world):
    (said,) = await world.say("hello there")
    assert "/stems" in said


@pytest.mark.parametrize("text", ["hello there", SONG, f"https://suno.com/song/{SONG}"])
async def test_words_in_a_group_are_not_for_the_bot(world, text):
    assert await world.say(text, chat_id=BAND) == []


async def test_an_unknown_command_gets_an_example_in_private_only(world):
    (said,) = await world.say("/nonsense")
    assert "/stems" in said
    assert await world.say("/nonsense", chat_id=BAND) == []


async def test_another_bots_command_gets_no_answer(world):
    assert await world.say("/start@other_bot") == []


async def test_an_edited_link_offers_nothing(world):
    raw = world.message(SONG)
    edited = {"update_id": 1, "edited_message": {**raw["message"], "edit_date": 1}}
    assert await world.handle(edited) == []


async def test_a_service_message_gets_no_answer(world):
    raw = world.message("x")
    del raw["message"]["text"]
    assert await world.handle({**raw, "message": {**raw["message"], "pinned_message": raw["message"]}}) == []


# What it would cost


@pytest.fixture
async def two_prices(worlds):
    """Of two upstreams the first is the cheaper one, and takes no song without its task."""
    first = FakeProvider(hindrance="The pair, please.")
    both = {"sunoapi_org": first, "kie": FakeProvider(name="kie", title="kie.ai")}
    async with worlds(providers=both, kie_api_key="key-of-nobody", kie_price_basic=30) as world:
        yield world


async def test_a_link_is_offered_for_what_the_one_who_takes_it_costs(two_prices):
    (said,) = await two_prices.say(SONG)
    assert "30 credits" in said
    await two_prices.press("· 30")
    await two_prices.steps("status")
    assert "30 credits, set aside" in two_prices.status_text()


async def test_what_nobody_takes_is_offered_for_the_usual_price(two_prices):
    for provider in two_prices.services.providers.values():
        provider.hindrance = "The pair, please."
    (said,) = await two_prices.say(SONG)
    assert "10 credits" in said


# Who is served


async def test_whom_the_operator_did_not_invite_is_told_their_id(worlds):
    async with worlds(allowed_users=str(BOB)) as world:
        (said,) = await world.say(f"/stems {SONG}")
        assert str(ANN) in said
        assert await world.say(f"/stems {SONG}", chat_id=BAND) == []
        assert await world.jobs_of() == []
        assert await world.say(f"/stems {SONG}", by=BOB) == []
        assert len(await world.jobs_of(BOB)) == 1


async def test_only_the_chats_that_are_named_are_served(worlds):
    async with worlds(allowed_chats=str(BAND)) as world:
        assert await world.say(f"/stems {SONG}", chat_id=-1009) == []
        await world.say(f"/stems {SONG}", chat_id=BAND)
        assert [job.chat_id for job in await world.jobs_of()] == [BAND]


async def test_a_press_of_somebody_who_is_not_served_does_nothing(worlds):
    async with worlds(allowed_users=str(ANN)) as world:
        await world.say(f"/stems {SONG}", chat_id=BAND)
        await world.steps("status")
        await world.handle(world.pressing("Cancel", by=BOB, chat_id=BAND))
        assert (await world.job()).state is J.WAITING


# Chats that change


def membership(status, chat_id=ANN):
    user = {"id": 123456789, "is_bot": True, "first_name": "Stembot"}
    old, new = ({"user": user, "status": word, "until_date": 0} for word in ("member", status))
    change = {"chat": chat(chat_id), "from": {"id": ANN, "is_bot": False, "first_name": "Ann"}, "date": 0}
    return {"update_id": 900, "my_chat_member": {**change, "old_chat_member": old, "new_chat_member": new}}


async def gone_at(world, chat_id):
    async with world.database.reading() as db:
        return await db.scalar(GONE_AT, {"id": chat_id})


async def test_a_block_is_noted_and_forgotten_when_the_person_writes_again(world):
    assert await world.handle(membership("kicked")) == []
    assert await gone_at(world, ANN) is not None
    await world.say("/start")
    assert await gone_at(world, ANN) is None


async def test_to_be_added_to_a_group_is_noted(world):
    await world.handle(membership("member", BAND))
    assert await gone_at(world, BAND) is None


async def test_a_group_that_becomes_a_supergroup_takes_its_jobs_and_credits_along(world):
    await world.grant(40, BAND, "group")
    await world.say_anonymously(f"/stems {SONG}")
    raw = world.message("x", chat_id=BAND)
    del raw["message"]["text"]
    await world.handle({**raw, "message": {**raw["message"], "migrate_to_chat_id": -1009}})
    await world.run_until_idle()
    assert len(world.telegram.titles_in(-1009)) == 2
    assert await world.balance(-1009, "group") == 30


@pytest.mark.parametrize(("repeat_price", "told"), [(0, "cost nothing."), (3, "cost 3 credits.")])
async def test_help_says_what_a_repeat_costs(worlds, repeat_price, told):
    async with worlds(repeat_price=repeat_price) as world:
        assert told in (await world.say("/help"))[0]
