"""What operators are told of the upstreams: once per trouble, all of it on demand, and nobody else a word."""

import contextlib
import re
from collections.abc import AsyncIterator

from bot.engine.alerts import PROBE_EVERY_S
from sandbox.songs import ODD, SONGS, Refusal
from sandbox.telegram import Person
from sandbox.upstreams import faults
from storage.states import SeparationState
from tests.end_to_end.in_process import Bot, a_sandbox, command_for
from tests.end_to_end.processes import Home

ALL = "sunoapi_org,kie,apikley,sunoapi_com,suno_api"


@contextlib.asynccontextmanager
async def a_bot_and_its_operator(folder, providers, **settings) -> AsyncIterator[tuple[Bot, Person]]:
    async with a_sandbox(folder, providers, **settings) as bot:
        operator = bot.person("Olga")
        async with bot.at_work(admins=str(operator.user_id)):
            await operator.wait_for_text("You have", after=await operator.say("/start"))
            for name in providers.split(","):
                await bot.probed(name)
            yield bot, operator


def words_to(bot: Bot, operator: Person, about: str) -> list[str]:
    """What was said unasked of one upstream."""
    texts = [message.text or "" for message in bot.sandbox.telegram.messages(operator)]
    return [text for text in texts if text.startswith(f"⚠ The credits at {about}") or about in text[:40]]


async def fails(bot: Bot, song=SONGS[0]) -> None:
    ann = bot.person("Ann")
    assert "Nothing was charged" in await bot.ending(ann, await ann.say(command_for(song)))


async def is_delivered(bot: Bot, song=SONGS[0]) -> None:
    ann = bot.person("Ann")
    assert "credits paid" in await bot.ending(ann, await ann.say(command_for(song)))


# Unasked


async def test_a_shortage_is_told_once_per_upstream_and_not_per_job(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie,apikley") as (bot, olga):
        bot.upstream("kie").balance = bot.upstream("apikley").balance = 0
        for song in SONGS[:3]:
            await fails(bot, song)
        bot.later(PROBE_EVERY_S + 1)
        await bot.probed("kie")
        await fails(bot, SONGS[3])
        assert "are used up" in (await olga.wait_for_text("kie.ai")).text
        assert "are used up" in (await olga.wait_for_text("apikley.ru")).text
        assert [len(words_to(bot, olga, title)) for title in ("kie.ai", "apikley.ru")] == [1, 1]


async def test_it_is_told_again_after_a_top_up_and_a_new_shortage(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie") as (bot, olga):
        kie = bot.upstream("kie")
        kie.balance = 0
        await fails(bot)
        await bot.probed_anew("kie")  # it sees the shortage
        kie.balance = 1000
        await bot.probed_anew("kie")
        await is_delivered(bot, SONGS[1])
        kie.balance = 0
        await fails(bot, SONGS[2])
        await olga.wait_for(lambda _: len(words_to(bot, olga, "kie.ai")) == 2)


async def test_a_top_up_soon_after_the_shortage_is_noticed(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie,apikley") as (bot, olga):
        kie = bot.upstream("kie")
        kie.balance = 0
        await is_delivered(bot)
        await olga.wait_for_text("The credits at kie.ai")
        kie.balance = 1000  # before anything has asked for the balance again
        await bot.probed_anew("kie")
        await is_delivered(bot, SONGS[1])
        assert bot.charges() == {"apikley": 1, "kie": 1}
        kie.balance = 0
        await is_delivered(bot, SONGS[2])
        await olga.wait_for(lambda _: len(words_to(bot, olga, "kie.ai")) == 2)


async def test_a_full_job_is_refused_while_the_balance_would_do_for_a_basic_one(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie") as (bot, olga):
        bot.upstream("kie").balance = 45
        ann = bot.person()
        await ann.say(command_for(SONGS[0], "full"))
        await bot.ended()
        assert "The credits at kie.ai are used up" in (await olga.wait_for_text("The credits")).text
        await is_delivered(bot, SONGS[1])


async def test_running_low_is_told_before_it_is_too_late(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie") as (bot, olga):
        bot.upstream("kie").balance = 70
        await bot.probed_anew("kie")
        assert "are running low (70 left)" in (await olga.wait_for_text("The credits")).text


async def test_that_credits_are_used_up_is_told_though_it_was_told_that_they_run_low(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie") as (bot, olga):
        bot.upstream("kie").balance = 70
        await bot.probed_anew("kie")
        await olga.wait_for_text("running low")
        bot.upstream("kie").balance = 0
        await fails(bot)
        await olga.wait_for_text("are used up")


async def test_a_refused_key_is_told_once_and_again_after_it_was_mended(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie,apikley") as (bot, olga):
        kie, key = bot.upstream("kie"), bot.upstream("kie").key
        kie.key = "another"
        for song in SONGS[:2]:
            await is_delivered(bot, song)
        await bot.probed_anew("kie")
        assert "refuses this bot's key" in (await olga.wait_for_text("kie.ai")).text
        kie.key = key
        await bot.probed_anew("kie")
        await is_delivered(bot, SONGS[2])
        assert bot.charges() == {"apikley": 2, "kie": 1}
        assert len(words_to(bot, olga, "kie.ai")) == 1
        kie.key = "another"
        await bot.probed_anew("kie")
        await olga.wait_for(lambda _: len(words_to(bot, olga, "kie.ai")) == 2)
        assert key not in "".join(words_to(bot, olga, "kie.ai"))


async def test_that_a_cdn_blocks_the_bot_is_told_once_and_the_next_delivers(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie,apikley") as (bot, olga):
        bot.upstream("kie").fail_next(faults.cdn_block(), times=2)
        for song in SONGS[:2]:
            await is_delivered(bot, song)
            bot.app.services.upstreams["kie"].trouble = None  # else it is not asked a second time
        told = await olga.wait_for_text("kie.ai")
        assert "the CDN in front of it blocked the request (HTTP 403, error code: 1010)" in told.text
        assert len(words_to(bot, olga, "kie.ai")) == 1
        assert bot.charges() == {"apikley": 2}


async def test_an_operator_who_never_wrote_keeps_no_other_from_being_told(tmp_path):
    async with a_sandbox(tmp_path, "kie") as bot:
        olga, silent = bot.person("Olga"), bot.person("Silent")
        bot.upstream("kie").balance = 0
        await olga.say("/start")
        async with bot.at_work(admins=f"{silent.user_id},{olga.user_id}"):
            await olga.wait_for_text("The credits at kie.ai")


# On demand


async def test_upstreams_tells_everything_of_each(tmp_path):
    async with a_bot_and_its_operator(tmp_path, ALL) as (bot, olga):
        await is_delivered(bot)
        bot.upstream("sunoapi_org").hold()
        await bot.person().say(command_for(SONGS[1]))
        await bot.comes_to(SeparationState.RUNNING, 2)
        told = (await olga.wait_for_text("sunoapi.org", after=await olga.say("/upstreams"))).text
        of = {part.partition(":")[0]: part for part in told.split("\n\n")}
        assert list(of) == ["sunoapi.org", "kie.ai", "apikley.ru", "sunoapi.com", "suno-api"]
        assert of["sunoapi.org"].startswith(
            "sunoapi.org: working, 990 credits left, 1 open\nbasic: median 0:0"
        )
        assert of["kie.ai"] == "kie.ai: working, 1000 credits left, 0 open"


async def test_upstreams_shows_what_is_down_and_its_last_error(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie,apikley") as (bot, olga):
        bot.refuses("kie", Refusal.MAINTENANCE)
        bot.upstream("apikley").balance = 0
        await bot.person().say(command_for(SONGS[0]))
        await bot.all_end()
        told = (await olga.wait_for_text("kie.ai", after=await olga.say("/upstreams"))).text
        kie, apikley = told.split("\n\n")
        assert "under maintenance" in kie.partition("last error: ")[2]
        assert apikley.startswith("apikley.ru: needs the operator")
        assert "Credits insufficient" in apikley.partition("last error: ")[2]


async def test_nobody_else_gets_an_answer(tmp_path):
    async with a_bot_and_its_operator(tmp_path, "kie") as (bot, _):
        ann = bot.person()
        for command in ("/upstreams", "/stats", "/grant 1 5"):
            await ann.say(command)
        await ann.wait_for_text("You have", after=await ann.say("/credits"))
        from_the_bot = [one for one in bot.sandbox.telegram.messages(ann) if one.sender["is_bot"]]
        assert len(from_the_bot) == 1


# ``stembot check``


async def check(bot: Bot, folder, providers: str, **settings: str) -> tuple[int, list[list[str]]]:
    """Its exit status, and the cells of its table of upstreams, row by row as they are printed."""
    home = Home(folder, {"COLUMNS": "200", "PROVIDERS": providers} | bot.sandbox.settings())
    command = await home.command("check", **settings)
    status = await command.ended()
    cells = [[cell.strip() for cell in re.split("[│┃|]", line)[1:-1]] for line in command.lines]
    return status, [row for row in cells if len(row) == 7]


async def test_check_shows_what_the_database_remembers_of_each(tmp_path):
    async with a_sandbox(tmp_path, "kie,apikley,sunoapi_com") as bot:
        async with bot.at_work():
            await is_delivered(bot)
            await fails(bot, ODD["generation_failed"])
            bot.upstream("kie").hold()
            await bot.person().say(command_for(SONGS[1], "full"))
            await bot.comes_to(SeparationState.RUNNING, 3)
            bot.refuses("kie", Refusal.NO_CREDITS, times=1)
            await is_delivered(bot, SONGS[2])
        before = (tmp_path / "stembot.db").read_bytes()
        status, (headings, *rows) = await check(bot, tmp_path, "kie,apikley,sunoapi_com")
        assert status == 0
        assert headings == ["Upstream", "State", "Credits", "Open", "Two stems", "Full set", "Last failure"]
        kie, apikley, sunoapi_com = rows
        assert kie[:4] == ["kie.ai", "needs the operator", "930", "1"]
        assert re.fullmatch(r"0:0\d, 0:0\d", kie[4])
        assert kie[5] == "-"
        assert kie[6].startswith("this bot's own credits at kie.ai are used up")
        assert apikley[:4] == ["apikley.ru", "working", "990", "0"]
        assert apikley[6] == "-"
        assert sunoapi_com == ["sunoapi.com", "working", "1000", "0", "-", "-", "-"]
        assert (tmp_path / "stembot.db").read_bytes() == before


async def test_check_shows_no_credits_of_one_that_does_not_answer(tmp_path):
    async with a_sandbox(tmp_path, "kie") as bot:
        async with bot.at_work():
            await fails(bot, ODD["generation_failed"])
        status, (_, kie) = await check(bot, tmp_path, "kie", KIE_API_KEY="another-key")
        assert status == 1
        assert kie[2:4] == ["-", "0"]
        assert "could not separate this song (Internal Error)" in kie[6]
