"""Task ids and share links: asked of the outside in the background, answered in the chat."""

import asyncio

import httpx
import pytest

from bot.share_links import ShareLinks
from bot.upstreams import Call
from providers.base import Mode, Song
from providers.errors import Misconfigured, NoCredits, OutcomeUnknown, Unavailable
from storage.states import JobState as J
from tests.bot.telegram_stand_in import ANSWER_LOST, BLOCKED, TOO_FAST, UNREACHABLE
from tests.bot.upstream_stand_in import FakeProvider
from tests.bot.world import ANN, BAND, BOB, OTHER_SONG, SONG, TASK

PAIR = [Song(SONG, TASK, "Paper Boats", 201.0), Song(OTHER_SONG, TASK, None, None)]
SHARE = "https://suno.com/s/Ab3dEf"


def buttons(world, chat_id=ANN):
    shown = [one for (chat, _), one in world.telegram.messages.items() if chat == chat_id][-1]
    return [
        button["text"]
        for row in (shown.get("reply_markup") or {}).get("inline_keyboard", [])
        for button in row
    ]


async def test_a_task_shows_its_songs_as_buttons_in_reply(world):
    world.provider.listed = PAIR
    assert await world.say(f"/stems {TASK}") == []
    await world.steps("lookup")
    assert buttons(world) == ["Paper Boats · 3:21", OTHER_SONG[:8]]
    (call,) = world.telegram.sent
    assert call.data["reply_parameters"]["message_id"] == 1
    assert "10 credits" in call.text


async def test_a_task_is_priced_as_by_the_upstream_that_would_get_the_song(worlds):
    both = {"sunoapi_org": FakeProvider(listed=PAIR), "kie": FakeProvider(name="kie", title="kie.ai")}
    async with worlds(providers=both, kie_api_key="key-of-nobody", kie_price_basic=30) as world:
        world.services.upstreams["sunoapi_org"].note(NoCredits("0"), Call.SUBMIT)
        await world.say(f"/stems {TASK}")
        await world.steps("lookup")
        assert "30 credits" in world.telegram.texts_in(ANN)[-1]


async def test_a_pressed_song_is_asked_for_with_its_task_in_the_mode_that_was_meant(world):
    world.provider.listed = PAIR
    await world.say(f"/stems {TASK} full")
    await world.steps("lookup")
    await world.press("Paper Boats")
    separation = await world.separation()
    assert (separation.audio_id, separation.task_id, separation.mode) == (SONG, TASK, Mode.FULL)
    await world.run_until_idle()
    assert (await world.job()).state is J.DELIVERED


async def test_the_answer_goes_to_the_topic_that_asked(world):
    world.provider.listed = PAIR
    await world.say(f"/stems {TASK}", chat_id=BAND, message_thread_id=7, is_topic_message=True)
    await world.steps("lookup")
    assert world.telegram.sent[0].data["message_thread_id"] == 7


async def test_only_who_asked_may_pick(world):
    world.provider.listed = PAIR
    await world.say(f"/stems {TASK}", chat_id=BAND)
    await world.steps("lookup")
    assert (await world.press("Paper Boats", by=BOB, chat_id=BAND)).startswith("ALERT")
    assert await world.jobs_of(BOB) == []


async def test_the_same_message_twice_is_answered_once(world):
    world.provider.listed = PAIR
    raw = world.message(f"/stems {TASK}")
    await world.handle(raw)
    await world.handle(raw)
    await world.work()
    assert len(world.telegram.sent) == 1


async def test_a_task_that_nobody_knows_is_told_with_an_example(world):
    await world.say(f"/stems {TASK}")
    await world.work()
    assert TASK in world.status_text()
    assert "/stems" in world.status_text()


async def test_a_task_that_the_second_upstream_knows_is_found_there(worlds):
    second = FakeProvider(name="kie", title="kie.ai", listed=PAIR)
    first = FakeProvider()
    async with worlds(providers={"sunoapi_org": first, "kie": second}) as world:
        await world.say(f"/stems {TASK}")
        await world.work()
        assert buttons(world)[0].startswith("Paper Boats")


async def test_a_task_that_one_upstream_knows_is_told_though_another_never_answers(worlds):
    slow, quick = FakeProvider(), FakeProvider(name="kie", title="kie.ai", listed=PAIR)
    slow.during = asyncio.Event().wait
    async with worlds(providers={"sunoapi_org": slow, "kie": quick}) as world:
        await world.say(f"/stems {TASK}")
        await world.steps("lookup")
        assert buttons(world)[0].startswith("Paper Boats")


async def test_a_task_for_which_one_upstream_lists_nothing_is_found_at_another(worlds):
    first, second = Empty(), FakeProvider(name="kie", title="kie.ai", listed=PAIR)
    async with worlds(providers={"sunoapi_org": first, "kie": second}) as world:
        await world.say(f"/stems {TASK}")
        await world.steps("lookup")
        assert buttons(world)[0].startswith("Paper Boats")


class Empty(FakeProvider):
    """It says of every task that it holds no songs."""

    async def songs(self, _task_id):
        return ()


async def test_ids_that_no_button_can_carry_are_left_out(world):
    world.provider.listed = [Song("not-a-uuid", TASK, "Odd"), PAIR[0]]
    await world.say(f"/stems {TASK}")
    await world.work()
    assert buttons(world) == ["Paper Boats · 3:21"]


async def test_a_task_without_a_usable_song_is_told(world):
    world.provider.listed = [Song("not-a-uuid", TASK, "Odd")]
    await world.say(f"/stems {TASK}")
    await world.work()
    assert "no finished song" in world.status_text()


@pytest.mark.parametrize("error", [Unavailable("down"), OutcomeUnknown("cut")])
async def test_an_upstream_that_is_away_is_asked_again(world, error):
    world.provider.listed = error
    await world.say(f"/stems {TASK}")
    await world.steps("lookup")
    assert world.telegram.sent == []
    world.provider.listed = PAIR
    await world.run_until_idle()
    assert buttons(world)[0].startswith("Paper Boats")


@pytest.mark.parametrize("error", [Unavailable("it is <down>"), Misconfigured("a wrong key")])
async def test_an_upstream_that_stays_away_is_told(world, error):
    world.provider.listed = error
    await world.say(f"/stems {TASK}")
    await world.run_until_idle()
    assert len(world.telegram.sent) == 1
    assert "Nothing was charged" in world.status_text()
    assert "<down>" not in world.status_text()


async def test_a_lookup_that_cannot_be_answered_ends(worlds):
    """The one upstream lists songs, but takes none of them in this mode."""
    provider = FakeProvider(listed=PAIR, modes=frozenset({Mode.BASIC}))
    async with worlds(provider=provider) as world:
        await world.say(f"/stems {TASK} full")
        await world.run_until_idle()
        assert len(world.telegram.sent) == 1


@pytest.mark.parametrize("fault", [TOO_FAST, UNREACHABLE], ids=["429", "no connection"])
async def test_an_answer_that_was_surely_not_sent_is_sent_later(world, fault):
    world.provider.listed = PAIR
    world.telegram.fail("sendMessage", *[fault] * 4)
    await world.say(f"/stems {TASK}")
    await world.run_until_idle()
    assert len(world.telegram.texts_in(ANN)) == 1


@pytest.mark.parametrize("fault", [ANSWER_LOST, BLOCKED], ids=["answer lost", "blocked"])
async def test_any_other_is_not_repeated(world, fault):
    world.provider.listed = PAIR
    world.telegram.fail("sendMessage", fault)
    await world.say(f"/stems {TASK}")
    await world.run_until_idle()
    assert len(world.telegram.called("sendMessage")) == 1


# Share links


@pytest.fixture
async def sharing(world):
    """``sharing.answer`` is what suno.com says."""
    world.answer = httpx.Response(307, headers={"Location": f"/song/{SONG}"})
    await world.services.share_links.aclose()
    world.services.share_links = ShareLinks(httpx.MockTransport(lambda _: world.answer))
    return world


async def test_a_shared_song_is_asked_for(sharing):
    await sharing.say(f"/stems {SHARE} full")
    await sharing.run_until_idle()
    separation = await sharing.separation()
    assert (separation.audio_id, separation.mode) == (SONG, Mode.FULL)
    assert (await sharing.job()).state is J.DELIVERED


async def test_a_shared_song_without_a_mode_is_offered(sharing):
    await sharing.say(SHARE)
    await sharing.work()
    assert [label.split(" · ")[-1] for label in buttons(sharing)] == ["10", "50"]
    await sharing.press("Vocals")
    assert (await sharing.separation()).audio_id == SONG


async def test_the_same_share_link_message_twice_is_one_job(sharing):
    raw = sharing.message(f"/stems {SHARE}")
    await sharing.handle(raw)
    await sharing.work()
    await sharing.handle(raw)
    await sharing.run_until_idle()
    assert len(await sharing.jobs_of()) == 1


async def test_a_share_link_that_leads_nowhere_is_told(sharing):
    sharing.answer = httpx.Response(404)
    await sharing.say(f"/stems {SHARE}")
    await sharing.work()
    assert "share link" in sharing.status_text()


async def test_a_shared_song_that_nobody_can_pay_is_told(sharing):
    await sharing.say_anonymously(f"/stems {SHARE}")
    await sharing.work()
    assert "you have 0 credits" in sharing.status_text(BAND)


async def test_a_shared_song_that_no_upstream_takes_is_told(sharing):
    sharing.provider.hindrance = "It needs a <task id>."
    await sharing.say(f"/stems {SHARE}")
    await sharing.work()
    assert "It needs a &lt;task id&gt;." in sharing.status_text()


async def test_an_answer_that_telegram_does_not_take_is_given_up_in_the_end(world, clock):
    await world.say(f"/stems {TASK}")
    world.telegram.fail_always("sendMessage", UNREACHABLE)
    await world.steps("lookup")
    assert (await world.due())["lookup task"] > clock()
    clock.forward(3600)
    await world.steps("lookup")
    assert "lookup task" not in await world.due()
