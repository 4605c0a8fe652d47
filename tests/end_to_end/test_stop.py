"""How the bot ends and starts again: within its time, with nothing lost, and alone on its database."""

import asyncio
import sys

import pytest

from bot.app import STOP_WITHIN_S
from bot.cli.run import STOP_AT_LATEST_S
from sandbox.songs import SONGS
from sandbox.telegram import faults
from tests.end_to_end.processes import START_WITHIN_S
from tests.end_to_end.towns import balance_of

SONG = SONGS[0]
COMMAND = f"/stems {SONG.task_id}:{SONG.audio_id}"


@pytest.fixture
def ann(town):
    return town.telegram.person("Ann")


async def test_it_stops_while_a_separation_is_pending_and_then_finishes_it(town, ann):
    town.upstream.hold()
    bot = await town.home.start(LOG_LEVEL="DEBUG")
    command = await ann.say(COMMAND)
    await bot.line("look: Running")
    assert await bot.stop() == 0
    assert "Traceback" not in bot.output
    town.upstream.release()
    await town.home.start()
    await ann.wait_for_text("balance 90", after=command)
    assert len(town.audios(command)) == 2
    assert town.charged(SONG.audio_id) == ["basic"]


async def test_it_stops_while_telegram_is_silent_about_an_album_and_then_settles_the_job(town, ann):
    silence = town.telegram.fail_next("sendMediaGroup", faults.slow())
    bot = await town.home.start()
    command = await ann.say(COMMAND)
    await town.telegram.wait_for_calls("sendMediaGroup", 1)
    assert await bot.stop() == 0
    silence.release()
    await town.home.start()
    await ann.wait_for_text("10 credits paid · balance 90", after=command)
    assert town.charged(SONG.audio_id) == ["basic"]


async def test_it_stops_while_telegram_cannot_be_reached(town):
    town.telegram.fail_next("getMe", faults.html(), times=100)
    bot = await town.home.command("run")
    await bot.line("Telegram does not answer")
    assert await bot.stop() == 0


async def test_what_was_said_while_it_was_stopped_is_answered_and_nothing_twice(town, ann):
    bot = await town.home.start()
    question = await ann.say("/credits")
    await ann.wait_for_text("You have", after=question)
    command = await ann.say(COMMAND)
    await ann.wait_for_text("balance 90", after=command)
    assert await bot.stop() == 0
    await town.telegram.redeliver(town.telegram.update_of(question))
    await town.telegram.redeliver(town.telegram.update_of(command))
    said_meanwhile = await ann.say(COMMAND)
    await town.home.start()
    await ann.wait_for_text("No credits charged · balance 90", after=said_meanwhile)
    assert await balance_of(ann) == 90
    assert len(town.audios(command)) == len(town.audios(said_meanwhile)) == 2
    assert sum("You have" in (m.text or "") for m in town.telegram.messages(ann)) == 2
    assert town.charged(SONG.audio_id) == ["basic"]


async def test_a_second_bot_on_the_same_database_refuses_and_the_first_one_goes_on(town, ann):
    bot = await town.home.start()
    second = await town.home.command("run", LOG_LEVEL="WARNING")
    assert await second.ended() == 1
    (line,) = second.lines
    assert "another stembot runs on" in line
    assert str(town.home.database) in line
    assert await balance_of(ann) == 100, "the first one goes on"
    assert await bot.stop() == 0
    assert "Traceback" not in bot.output
    assert bot.lines[-1].endswith("stopped")


async def test_a_port_that_is_taken_is_one_line(town):
    port = town.sandbox.url.rpartition(":")[2]
    bot = await town.home.command("run", HTTP_PORT=port, LOG_LEVEL="WARNING")
    assert await bot.ended() == 1
    (line,) = bot.lines
    assert line.startswith("HTTP_PORT: ")
    assert port in line


async def test_a_token_that_telegram_does_not_know_is_one_line(town):
    wrong = f"123456789:{'x' * 35}"
    bot = await town.home.command("run", TELEGRAM_TOKEN=wrong, LOG_LEVEL="WARNING")
    assert await bot.ended() == 1
    (line,) = bot.lines
    assert line.startswith("TELEGRAM_TOKEN: ")
    assert wrong not in line


async def test_a_process_that_cannot_come_to_its_end_is_ended():
    hanging = "import threading; from bot.cli import run; run.end_at_latest(0.1); threading.Event().wait()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", hanging)
    assert await asyncio.wait_for(process.wait(), START_WITHIN_S) == 1


def test_that_end_comes_after_the_orderly_one_and_before_docker_kills():
    assert STOP_WITHIN_S < STOP_AT_LATEST_S < 10
