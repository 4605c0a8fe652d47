"""kill -9 at the worst moments: nothing is lost, nothing is bought twice."""

import asyncio

import pytest

from sandbox.songs import SONGS
from sandbox.telegram import faults as telegram_faults
from sandbox.telegram.faults import Cut, Fault, Hold
from sandbox.upstreams import faults
from tests.end_to_end.towns import balance_of

SONG = SONGS[0]
BASIC = f"/stems {SONG.task_id}:{SONG.audio_id}"
FULL = f"{BASIC} full"


@pytest.fixture
def ann(town):
    return town.telegram.person("Ann")


async def test_a_job_whose_separation_is_pending_is_delivered_after_a_kill(town, ann):
    town.upstream.hold()
    bot = await town.home.start(LOG_LEVEL="DEBUG")
    command = await ann.say(BASIC)
    await bot.line("look: Running")
    await bot.kill()
    await town.home.start()
    town.upstream.release()
    await ann.wait_for_text("balance 90", after=command)
    assert [message.audio.title for message in town.audios(command)] == [
        "Paper Boats (Vocals)",
        "Paper Boats (Instrumental)",
    ]
    assert town.charged(SONG.audio_id) == ["basic"]
    assert len(town.replies(command)) == 3, "one status message and the stems"


async def test_an_order_that_a_kill_cut_off_is_found_by_its_callback_and_not_repeated(town, ann, free_port):
    public = {"HTTP_PORT": str(free_port), "PUBLIC_URL": f"http://127.0.0.1:{free_port}"}
    arrived, answered = asyncio.Event(), asyncio.Event()
    town.upstream.fail_next(held(arrived, answered))
    town.upstream.hold()
    bot = await town.home.start(**public)
    command = await ann.say(BASIC)
    await arrived.wait()
    await bot.kill()
    answered.set()
    bot = await town.home.start(**public)
    await bot.line("was being submitted when the process ended")
    town.upstream.finish()
    await ann.wait_for_text("balance 90", within_s=15, after=command)
    assert len(town.audios(command)) == 2
    assert town.charged(SONG.audio_id) == ["basic"]


async def test_an_order_that_a_kill_cut_off_without_a_trace_costs_the_person_nothing(town, ann):
    arrived, answered = asyncio.Event(), asyncio.Event()
    town.upstream.fail_next(held(arrived, answered))
    bot = await town.home.start(JOB_DEADLINE_SECONDS="3")
    command = await ann.say(BASIC)
    await arrived.wait()
    await bot.kill()
    answered.set()
    await town.home.start(JOB_DEADLINE_SECONDS="3")
    status = await ann.wait_for_text("Nothing was charged", within_s=20, after=command)
    assert "balance 100" in status.text
    assert await balance_of(ann) == 100
    assert town.charged(SONG.audio_id) == ["basic"]


async def test_after_a_kill_between_two_albums_only_the_second_is_sent(town, ann):
    on_its_way = Fault(processed=False, answer=Cut(), hold=Hold(None))
    town.telegram.fail_next("sendMediaGroup", telegram_faults.ok())
    town.telegram.fail_next("sendMediaGroup", on_its_way)
    bot = await town.home.start()
    command = await ann.say(FULL)
    await town.telegram.wait_for_calls("sendMediaGroup", 2, within_s=20)
    await bot.kill()
    on_its_way.release()
    bot = await town.home.start()
    await bot.line("job 1: delivery: Done")
    titles = [message.audio.title for message in town.audios(command)]
    assert len(titles) == len(set(titles)) == 12
    assert town.charged(SONG.audio_id) == ["full"]


async def test_what_is_said_while_the_bot_is_down_is_answered_after_the_start(town, ann):
    bot = await town.home.start()
    assert await balance_of(ann) == 100
    await bot.kill()
    command = await ann.say(BASIC)
    await town.home.start()
    await ann.wait_for_text("balance 90", after=command)
    assert len(town.audios(command)) == 2


def held(arrived: asyncio.Event, answered: asyncio.Event) -> faults.Fault:
    """The order is charged, and its answer waits for ``answered``."""

    async def play(proceed):
        answer = await proceed()
        arrived.set()
        await answered.wait()
        return answer

    return faults.Fault("held", play)
