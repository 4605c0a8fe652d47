"""When an upstream fails another one delivers, for the same price; a slow one holds up nobody else."""

import asyncio

import httpx
import pytest
from starlette.responses import Response

from bot.engine import workflow
from bot.share_links import ShareLinks
from providers import registry
from sandbox.songs import MORE_TASK, ODD, SONGS, Refusal
from sandbox.upstreams import faults
from sandbox.upstreams.faults import Fault, Place, Proceed
from storage.states import SeparationState
from tests.end_to_end.in_process import CLOSED, DEADLINE_S, Bot, a_bot, a_sandbox, command_for

SONG = SONGS[0]
FOREVER = 1000
REFUSED_AT_ONCE = (Refusal.NO_CREDITS, Refusal.BAD_KEY, Refusal.UNKNOWN_SONG, Refusal.NO_SOURCE)
ANOTHER = "sunoapi_org"


@pytest.mark.parametrize("name", ["kie", "sunoapi_com"])
async def test_what_one_refuses_the_next_delivers_for_one_price(tmp_path, name):
    async with a_bot(tmp_path, f"{name},{ANOTHER}") as bot:
        for refusal, song in zip(REFUSED_AT_ONCE, SONGS, strict=False):
            ann = bot.person()
            bot.unhurried(name)
            refused_at = bot.refuses(name, refusal, times=1)
            command = await ann.say(command_for(song))
            assert "10 credits paid · balance 90" in await bot.ending(ann, command)
            assert len(bot.titles(command)) == 2
            assert [entry.amount for entry in await bot.entries(ann) if entry.kind == "hold"] == [-10]
            assert len(refused_at) == 1
            bot.app.services.upstreams[name].trouble = None  # as if it were mended
        assert bot.charges() == {ANOTHER: len(REFUSED_AT_ONCE)}


async def test_the_price_stays_when_the_next_would_cost_more(tmp_path):
    async with a_bot(tmp_path, "kie,apikley", kie_price_basic="7", apikley_price_basic="30") as bot:
        ann = bot.person()
        bot.refuses("kie", Refusal.NO_CREDITS)
        command = await ann.say(command_for(SONG))
        assert "7 credits paid · balance 93" in await bot.ending(ann, command)


async def test_under_maintenance_it_is_tried_again_shortly_and_then_the_next_delivers(tmp_path):
    async with a_bot(tmp_path, "sunoapi_org,kie") as bot:
        ann = bot.person()
        refused_at = bot.refuses("sunoapi_org", Refusal.MAINTENANCE)
        command = await ann.say(command_for(SONG))
        await bot.all_end()
        assert "10 credits paid" in await bot.ending(ann, command)
        assert len(refused_at) == 1 + workflow.RETRIES
        assert bot.charges() == {"kie": 1}


async def test_a_short_maintenance_is_waited_for(tmp_path):
    async with a_bot(tmp_path, "kie,apikley") as bot:
        ann = bot.person()
        bot.refuses("kie", Refusal.MAINTENANCE, times=2)
        command = await ann.say(command_for(SONG))
        await bot.all_end()
        assert "10 credits paid" in await bot.ending(ann, command)
        assert bot.charges() == {"kie": 1}


async def test_where_nobody_listens_the_next_delivers(tmp_path):
    async with a_bot(tmp_path, "apikley,kie", apikley_url=CLOSED) as bot:
        ann = bot.person()
        command = await ann.say(command_for(SONG))
        await bot.all_end()
        assert "10 credits paid" in await bot.ending(ann, command)
        assert bot.charges() == {"kie": 1}


async def test_one_song_goes_round_to_the_last_that_can_make_it(tmp_path):
    async with a_bot(tmp_path, ",".join(registry.names), apikley_url=CLOSED) as bot:
        ann = bot.person()
        bot.refuses("sunoapi_org", Refusal.NO_CREDITS)
        bot.refuses("kie", Refusal.BAD_KEY)
        bot.refuses("sunoapi_com", Refusal.UNKNOWN_SONG)
        command = await ann.say(command_for(SONG))
        await bot.all_end()
        assert "10 credits paid · balance 90" in await bot.ending(ann, command)
        assert bot.charges() == {"suno_api": 1}


async def test_where_nobody_can_the_person_is_told_why_and_pays_nothing(tmp_path):
    async with a_bot(tmp_path, "kie,apikley") as bot:
        ann = bot.person()
        for name in ("kie", "apikley"):
            bot.upstream(name).balance = 0
        command = await ann.say(command_for(SONG))
        told = await bot.ending(ann, command)
        assert "No stems: this bot's own credits at kie.ai are used up" in told
        assert "Nothing was charged · balance 100" in told
        assert [entry.kind for entry in await bot.entries(ann)] == ["grant", "hold", "release"]
        assert bot.charges() == {}


async def test_a_failure_of_the_work_itself_is_not_tried_elsewhere(tmp_path):
    async with a_bot(tmp_path, "kie,apikley") as bot:
        ann = bot.person()
        command = await ann.say(command_for(ODD["generation_failed"]))
        assert "Nothing was charged · balance 100" in await bot.ending(ann, command)
        assert bot.charges() == {"kie": 1}


async def test_what_waits_past_its_deadline_is_not_bought_any_more(tmp_path):
    async with a_bot(tmp_path, "kie") as bot:
        ann = bot.person()
        bot.refuses("kie", Refusal.MAINTENANCE, times=1)
        command = await ann.say(command_for(SONG))
        await bot.until(lambda: waits_again(bot))
        bot.later(DEADLINE_S + 1)
        assert "it took too long.\nNothing was charged · balance 100" in await bot.ending(ann, command)
        assert bot.charges() == {}


async def test_an_upstream_taken_out_of_use_does_not_keep_a_job_for_ever(tmp_path):
    async with a_sandbox(tmp_path, "kie,apikley") as bot:
        ann = bot.person()
        async with bot.at_work():
            bot.upstream("kie").hold()
            command = await ann.say(command_for(SONG))
            await bot.comes_to(SeparationState.RUNNING)
        async with bot.at_work(providers="apikley"):
            bot.later(DEADLINE_S + 61)
            assert "Nothing was charged · balance 100" in await bot.ending(ann, command)


async def waits_again(bot: Bot) -> bool:
    separation = await bot.separation()
    return bool(separation and separation.failures and separation.state is SeparationState.QUEUED)


# One that answers after a minute


@pytest.fixture
async def woken():
    """Until this event an upstream that is made slow answers nothing; set at the end in any case."""
    event = asyncio.Event()
    yield event
    event.set()


def slow_down(bot: Bot, name: str, until: asyncio.Event) -> None:
    for place in (Place.SUBMIT, Place.LOOK, Place.CREDITS, Place.SONGS):
        bot.upstream(name).fail_next(faults.slow(until), on=place, times=FOREVER)


@pytest.mark.parametrize(
    ("slow", "to_the_slow", "to_the_quick"),
    [
        ("apikley", lambda song: command_for(song), lambda song: f"/stems {song.audio_id}"),
        ("suno_api", lambda song: command_for(song), lambda song: command_for(song, "full")),
    ],
    ids=["apikley", "suno_api"],
)
async def test_jobs_at_others_do_not_wait_for_a_slow_one(tmp_path, woken, slow, to_the_slow, to_the_quick):
    async with a_bot(tmp_path, f"{slow},kie") as bot:
        slow_down(bot, slow, woken)
        for song in SONGS[:4]:  # more than it has workers
            waiting = bot.person()
            command = await waiting.say(to_the_slow(song))
            await waiting.wait_for_text("10 credits, set aside", after=command)
        quick = bot.person()
        command = await quick.say(to_the_quick(SONGS[5]), bot.band(quick))
        await bot.ended(5)
        assert len(bot.titles(command)) in {2, 12}
        assert bot.charges() == {"kie": 1}
        bot.unhurried(slow)
        woken.set()
        for number in range(1, 5):
            await bot.ended(number)
        assert bot.charges() == {"kie": 1, slow: 4}


async def test_deliveries_do_not_wait_for_those_whose_files_come_slowly(tmp_path, woken):
    async with a_bot(tmp_path, "apikley,kie") as bot:
        bot.upstream("apikley").fail_next(faults.slow(woken), on=Place.FILE, times=FOREVER)
        for number, song in enumerate(SONGS[:7], start=1):  # more than it has workers
            await bot.person().say(command_for(song))
            await bot.comes_to(SeparationState.SUCCEEDED, number)
        quick = bot.person()
        command = await quick.say(f"/stems {ODD['spaces'].audio_id}")  # nobody knows its task
        await bot.ended(8)
        assert len(bot.titles(command)) == 2
        assert bot.charges() == {"apikley": 7, "kie": 1}
        woken.set()  # else the end would wait for them


async def test_a_share_link_does_not_wait_for_songs_that_are_listed_slowly(tmp_path, woken):
    async with a_bot(tmp_path, "apikley,kie") as bot:
        await bot.app.services.share_links.aclose()
        bot.app.services.share_links = ShareLinks(httpx.MockTransport(suno_dot_com))
        bot.upstream("kie").fail_next(faults.slow(woken), on=Place.SONGS, times=FOREVER)
        asked = [asyncio.Event() for _ in range(3)]  # as many as work on tasks
        for event in asked:
            bot.upstream("apikley").fail_next(told_when_asked(event, woken), on=Place.SONGS)
            await bot.person().say(f"/stems {MORE_TASK}")
            await event.wait()
        eve = bot.person("Eve")
        command = await eve.say("/stems https://suno.com/s/AbCdEf")
        assert "10 credits paid" in await bot.ending(eve, command)
        woken.set()


def told_when_asked(asked: asyncio.Event, until: asyncio.Event) -> Fault:
    async def play(proceed: Proceed) -> Response:
        asked.set()
        await until.wait()
        return await proceed()

    return Fault("told_when_asked", play)


def suno_dot_com(_: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"Location": f"https://suno.com/song/{SONG.audio_id}?sh=AbCdEf"})
