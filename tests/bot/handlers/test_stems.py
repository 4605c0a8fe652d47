import pytest

from storage.states import JobState as J
from tests.bot.telegram_stand_in import chat
from tests.bot.world import ANN, BAND, BOB, OTHER_SONG, SONG, TASK, person

CHANNEL = {"id": 136817688, "is_bot": True, "first_name": "Channel"}
LINKED_CHANNEL = {"id": 777000, "is_bot": False, "first_name": "Telegram"}


@pytest.mark.parametrize(
    ("text", "audio_id", "task_id", "mode"),
    [
        (f"/stems {SONG}", SONG, None, "basic"),
        (f"/stems {SONG} full", SONG, None, "full"),
        (f"/stems FULL {SONG.upper()}", SONG, None, "full"),
        (f"/stems {TASK}:{SONG}", SONG, TASK, "basic"),
        (f"/stems https://suno.com/song/{SONG}?sh=x", SONG, None, "basic"),
        (f"/stems@stembot_bot {SONG}", SONG, None, "basic"),
        (f"/STEMS\n{SONG}", SONG, None, "basic"),
    ],
)
async def test_a_command_starts_a_job(world, text, audio_id, task_id, mode):
    command = text.split()[0]
    entities = [{"type": "bot_command", "offset": 0, "length": len(command)}]
    await world.handle(world.message(text, entities=entities))
    separation = await world.separation()
    assert (separation.audio_id, separation.task_id, separation.mode) == (audio_id, task_id, mode)


async def test_the_handler_asks_no_upstream_and_says_nothing_by_itself(world):
    assert await world.say(f"/stems {SONG}") == []
    assert world.provider.asked == []


async def test_the_same_update_twice_is_one_job(world):
    raw = world.message(f"/stems {SONG}")
    await world.handle(raw)
    await world.handle(raw)
    assert len(await world.jobs_of()) == 1
    assert await world.balance() == 90


async def test_the_same_message_under_a_new_update_id_is_one_job(world):
    raw = world.message(f"/stems {SONG}")
    await world.handle(raw)
    await world.handle({**raw, "update_id": 4711})
    assert len(await world.jobs_of()) == 1


async def test_an_edited_command_starts_nothing(world):
    raw = world.message(f"/stems {SONG}")
    edited = {"update_id": raw["update_id"], "edited_message": {**raw["message"], "edit_date": 1}}
    assert await world.handle(edited) == []
    assert await world.jobs_of() == []


async def test_another_bots_command_starts_nothing(world):
    assert await world.say(f"/stems@other_bot {SONG}") == []
    assert await world.say(f"/stems@other_bot {SONG}", chat_id=BAND) == []
    assert await world.jobs_of() == []


async def test_a_channel_post_starts_nothing(world):
    raw = world.message(f"/stems {SONG}")
    post = {**raw["message"], "chat": {"id": -1005, "type": "channel", "title": "News"}}
    del post["from"]
    assert await world.handle({"update_id": 1, "channel_post": post}) == []
    assert await world.jobs_of() == []


@pytest.mark.parametrize("pseudo_user", [CHANNEL, LINKED_CHANNEL], ids=["as a channel", "linked channel"])
async def test_who_speaks_as_a_channel_is_asked_to_speak_as_themself(world, pseudo_user):
    raw = world.message(
        f"/stems {SONG}", chat_id=BAND, sender_chat={"id": -1005, "type": "channel", "title": "N"}
    )
    raw["message"]["from"] = pseudo_user
    (said,) = await world.handle(raw)
    assert "channel" in said
    assert await world.jobs_of(pseudo_user["id"]) == []


async def test_an_anonymous_admin_is_paid_for_by_the_group(world):
    await world.grant(40, BAND, "group")
    assert await world.say_anonymously(f"/stems {SONG}") == []
    job = await world.job()
    assert (job.user_id, job.chat_id) == (None, BAND)
    assert await world.balance(BAND, "group") == 30


async def test_an_anonymous_admin_of_a_group_without_credits_is_told(world):
    (said,) = await world.say_anonymously(f"/stems {SONG}")
    assert "10 credits" in said


@pytest.mark.parametrize(
    "text",
    [
        "/stems",
        "/stems hello",
        f"/stems {SONG} loud",
        f"/stems {SONG} {OTHER_SONG}",
        f"/stems {SONG} basic full",
    ],
    ids=["nothing", "no id", "a word too many", "two songs", "two modes"],
)
async def test_what_cannot_be_understood_gets_one_answer_with_a_right_example(world, text):
    (said,) = await world.say(text)
    assert "<code>/stems 5f0c2a9e" in said
    assert await world.jobs_of() == []


async def test_what_was_typed_is_shown_escaped(world):
    (said,) = await world.say("/stems a<b>&c")
    assert "a&lt;b&gt;&amp;c" in said


@pytest.mark.parametrize("braces", ["{word}", "{0}", "}{", "{price!r}"])
async def test_braces_are_only_text(world, braces):
    (said,) = await world.say(f"/stems {braces}")
    assert said.count("<code>") == said.count("</code>")


async def test_a_reply_to_a_message_that_names_a_song_asks_for_that(world):
    named = replied(f"listen: https://suno.com/song/{SONG} !")
    await world.say("/stems full", reply_to_message=named)
    assert (await world.separation()).mode == "full"


async def test_a_reply_finds_the_address_behind_a_word(world):
    link = {"type": "text_link", "offset": 0, "length": 4, "url": f"https://suno.com/song/{SONG}"}
    await world.say("/stems", reply_to_message=replied("this", entities=[link]))
    assert (await world.separation()).audio_id == SONG


async def test_a_reply_finds_it_in_a_caption(world):
    named = replied(None, caption=SONG)
    await world.say("/stems", reply_to_message=named)
    assert (await world.separation()).audio_id == SONG


async def test_a_reply_to_nothing_useful_gets_an_example(world):
    (said,) = await world.say("/stems", reply_to_message=replied("nice song"))
    assert "/stems" in said


def replied(text, **fields):
    sender = {"from": person(BOB), "chat": chat(ANN), "message_id": 500, "date": 0}
    return {**sender, **({"text": text} if text else {}), **fields}


async def test_without_the_credits_it_says_what_is_missing(worlds):
    async with worlds(signup_credits=20) as world:
        (said,) = await world.say(f"/stems {SONG} full")
        assert "50 credits" in said
        assert "20 credits" in said
        assert await world.jobs_of() == []


async def test_where_no_upstream_takes_it_it_says_what_is_missing(world):
    world.provider.hindrance = "x < y: send <task_id>:<audio_id>."
    (said,) = await world.say(f"/stems {SONG}")
    assert "x &lt; y" in said
    assert "Nothing was charged" in said


async def test_a_group_is_served_as_a_person_is(world):
    await world.say(f"/stems {SONG}", chat_id=BAND)
    await world.run_until_idle()
    assert (await world.job()).state is J.DELIVERED
    assert len(world.telegram.titles_in(BAND)) == 2
    assert world.telegram.titles_in(ANN) == []
