"""A submit whose answer is lost may have been charged: it is looked for, told, and never sent again."""

import httpx
import pytest

from bot.engine import workflow
from sandbox.songs import ODD, SONGS
from sandbox.telegram import Message, Person
from sandbox.upstreams import Upstream, faults
from sandbox.upstreams.faults import Cut, Fault, Proceed
from storage import separations
from storage.rows import Separation
from storage.states import SeparationState
from tests.end_to_end.in_process import DEADLINE_S, Bot, a_bot, a_sandbox, command_for

S = SeparationState
SONG = SONGS[0]


async def lost(bot: Bot, person: Person, name: str, fault: Fault | None = None) -> Message:
    """The command of a job whose order was taken and charged, and whose answer never came."""
    bot.upstream(name).fail_next(fault or faults.reset_after())
    command = await person.say(command_for(SONG))
    await bot.comes_to(S.UNCERTAIN)
    return command


async def looked_for(bot: Bot) -> Separation:
    """Once it was looked for in vain, with all that was due before."""
    asked_at = bot.clock()

    async def again() -> Separation | None:
        now = await bot.separation()
        return now if now.due_at is None or now.due_at > asked_at else None

    return await bot.until(again)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("sunoapi_org", faults.reset_after()),
        ("sunoapi_com", faults.no_task_id()),
    ],
    ids=lambda value: getattr(value, "name", value),
)
async def test_it_is_never_sent_again_by_itself(tmp_path, name, fault):
    async with a_sandbox(tmp_path, f"{name},kie") as bot:
        ann = bot.person()
        async with bot.at_work():
            command = await lost(bot, ann, name, fault)
            bot.later(6)
            await ann.wait_for_text("did not confirm the order", after=command)
        async with bot.at_work():  # after a restart
            for passed in (60, 600, 600):
                bot.later(passed)
                assert (await looked_for(bot)).state is S.UNCERTAIN
            bot.later(DEADLINE_S)
            told = await bot.ending(ann, command)
            assert "the upstream's answer was lost, and no trace of the work was found" in told
            assert "Nothing was charged · balance 100" in told
            assert [entry.kind for entry in await bot.entries(ann)] == ["grant", "hold", "release"]
        bot.clock.ahead_s += 10 * DEADLINE_S
        async with bot.at_work():  # and long after
            assert (await bot.separation()).state is S.FAILED
        assert bot.charges() == {name: 1}


async def test_the_person_may_have_it_tried_again(tmp_path):
    async with a_bot(tmp_path, "kie,apikley") as bot:
        ann = bot.person()
        command = await lost(bot, ann, "kie")
        bot.later(DEADLINE_S)
        await bot.comes_to(S.FAILED)
        await bot.ending(ann, command)
        (status,) = bot.replies(command)
        await ann.press(status, "Try again")
        await ann.wait_for_text("10 credits paid · balance 90")
        assert bot.charges() == {"kie": 2}


async def test_cancelling_it_gives_the_credits_back_and_sends_nothing(tmp_path):
    async with a_bot(tmp_path, "kie,apikley") as bot:
        ann = bot.person()
        command = await lost(bot, ann, "kie")
        (status,) = await ann.wait_for(lambda _: bot.replies(command))
        await ann.press(status, "Cancel")
        assert "Cancelled, nothing was charged · balance 100" in await bot.ending(ann, command)
        bot.later(DEADLINE_S)
        await bot.comes_to(S.FAILED)
        assert bot.charges() == {"kie": 1}


@pytest.mark.parametrize("fault", [faults.code(500), faults.html_502()], ids=lambda fault: fault.name)
async def test_a_server_error_after_a_submit_is_uncertain_too(tmp_path, fault):
    async with a_bot(tmp_path, "kie,apikley") as bot:
        await lost(bot, bot.person(), "kie", fault)
        assert bot.charges() == {}


# Found again


async def test_suno_api_finds_it_in_its_library(tmp_path):
    async with a_bot(tmp_path, "suno_api,kie") as bot:
        ann = bot.person()
        command = await lost(bot, ann, "suno_api")
        assert "10 credits paid" in await bot.ending(ann, command)
        assert bot.charges() == {"suno_api": 1}


@pytest.fixture
def reachable(free_port) -> dict[str, str]:
    """Settings with which upstreams can call back."""
    return {"http_port": str(free_port), "public_url": f"http://127.0.0.1:{free_port}"}


async def test_its_callback_finds_it(tmp_path, reachable):
    async with a_bot(tmp_path, "apikley,kie", **reachable) as bot:
        ann = bot.person()
        bot.upstream("apikley").hold()
        command = await lost(bot, ann, "apikley")
        bot.upstream("apikley").release()
        assert "10 credits paid" in await bot.ending(ann, command)
        assert bot.charges() == {"apikley": 1}


async def test_its_callback_finds_it_though_it_came_before_the_answer_was_lost(tmp_path, reachable):
    async with a_bot(tmp_path, "kie", **reachable) as bot:
        ann, kie = bot.person(), bot.upstream("kie")
        kie.fail_next(called_back_and_cut(kie))
        command = await ann.say(command_for(SONG))
        assert "10 credits paid" in await bot.ending(ann, command)


def called_back_and_cut(upstream: Upstream) -> Fault:
    """The work is done and its callback sent, before the connection is cut."""

    async def play(proceed: Proceed) -> Cut:
        await proceed()
        upstream.finish()
        await upstream.callbacks.sent()
        return Cut()

    return Fault("called_back_and_cut", play)


# Not believed


async def test_a_forged_callback_is_not_believed(tmp_path, reachable):
    async with a_bot(tmp_path, "kie", **reachable) as bot:
        ann, odd = bot.person(), ODD["callback_forged"]
        command = await ann.say(command_for(odd))
        assert "10 credits paid" in await bot.ending(ann, command)
        assert [posted.status for posted in bot.upstream("kie").callbacks.posted][:1] == [200]
        async with bot.app.services.database.reading() as db:
            links = [stem.url for stem in await separations.stems_of(db, 1)]
        assert all(link.startswith(bot.sandbox.url) for link in links)


async def test_somebody_elses_task_is_not_taken_for_the_lost_one(tmp_path, reachable):
    async with a_bot(tmp_path, "kie", **reachable) as bot:
        ann, ben = bot.person("Ann"), bot.person("Ben")
        bot.upstream("kie").hold()
        command = await lost(bot, ann, "kie")
        await ben.say(command_for(SONGS[1]))
        await bot.comes_to(S.RUNNING, 2)
        (ours, bens) = bot.upstream("kie").submits
        body = {"code": 200, "msg": "ok", "data": {"task_id": bens.task_id, "vocal_separation_info": {}}}
        assert await post(ours.callback_url, body) == 200
        assert (await looked_for(bot)).state is S.UNCERTAIN
        assert bot.titles(command) == []


async def test_a_callback_to_a_wrong_address_is_nobodys(tmp_path, reachable):
    async with a_bot(tmp_path, "kie", **reachable) as bot:
        bot.upstream("kie").hold()
        await lost(bot, bot.person(), "kie")
        token = (await bot.separation()).callback_token
        task_id = bot.upstream("kie").submits[0].task_id
        for place in ("kie/not-a-token", f"sunoapi_org/{token}", f"nobody/{token}"):
            address = f"{reachable['public_url']}/upstream/{place}"
            assert await post(address, {"code": 200, "data": {"task_id": task_id}}) == 404
        assert (await bot.separation()).hinted_task_id is None


async def post(url: str, body: object) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(url, json=body)).status_code


# Given up early, where the upstream's balance proves that nothing was bought


async def test_with_its_balance_unchanged_it_is_given_up_early_and_not_sent_again(tmp_path):
    async with a_bot(tmp_path, "kie,apikley") as bot:
        ann = bot.person()
        command = await lost(bot, ann, "kie", faults.reset_before())
        bot.later(workflow.BOOKED_AFTER_S + 5)
        await bot.comes_to(S.FAILED)
        told = await bot.ending(ann, command)
        assert "the upstream has charged nothing for it" in told
        assert "Nothing was charged · balance 100" in told
        assert [button["text"] for button in bot.replies(command)[0].buttons] == ["Try again"]
        assert bot.charges() == {}


async def test_with_its_balance_changed_it_is_not_given_up_before_the_deadline(tmp_path):
    async with a_bot(tmp_path, "kie") as bot:
        await lost(bot, bot.person(), "kie")
        bot.later(workflow.BOOKED_AFTER_S + 5)
        assert (await looked_for(bot)).state is S.UNCERTAIN


async def test_with_another_order_near_it_the_balance_proves_nothing(tmp_path):
    async with a_bot(tmp_path, "kie") as bot:
        ann, ben = bot.person("Ann"), bot.person("Ben")
        await lost(bot, ann, "kie", faults.reset_before())
        await ben.say(command_for(SONGS[1]))
        await bot.ended(2)
        bot.upstream("kie").balance += 10  # as a refund would
        bot.later(workflow.BOOKED_AFTER_S + 5)
        assert (await looked_for(bot)).state is S.UNCERTAIN
