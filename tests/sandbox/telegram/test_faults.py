"""Every way in which a call can go wrong, over real connections."""

import asyncio

import httpx
import pytest

from sandbox.telegram import faults


@pytest.fixture
def message(ann):
    return {"chat_id": ann.user_id, "text": "hi"}


def bot_texts(telegram, ann):
    return [message.text for message in telegram.messages(ann) if message.sender["is_bot"]]


@pytest.mark.parametrize(
    ("fault", "status", "arrives"),
    [
        (faults.ok(), 200, True),
        (faults.error(400, "Bad Request: whatever"), 400, False),
        (faults.retry_after(7), 429, False),
        (faults.too_large(), 413, False),
        (faults.html(502), 502, False),
        (faults.html(504, processed=True), 504, True),
        (faults.garbled(), 200, True),
    ],
)
async def test_a_fault_hits_one_call_only(telegram, wired, ann, message, fault, status, arrives):
    telegram.fail_next("sendMessage", fault)
    response = await wired.raw("sendMessage", **message)
    assert response.status_code == status == telegram.calls_of("sendMessage")[0].status
    assert bot_texts(telegram, ann) == (["hi"] if arrives else [])
    await wired.call("sendMessage", **message)


async def test_broken_json_is_broken(telegram, wired, message):
    telegram.fail_next("sendMessage", faults.garbled())
    with pytest.raises(ValueError, match="Unterminated"):
        (await wired.raw("sendMessage", **message)).json()


@pytest.mark.parametrize(("fault", "arrives"), [(faults.reset_before(), False), (faults.reset_after(), True)])
async def test_a_cut_connection_may_or_may_not_have_done_it(telegram, wired, ann, message, fault, arrives):
    telegram.fail_next("sendMessage", fault)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await wired.raw("sendMessage", **message)
    assert bot_texts(telegram, ann) == (["hi"] if arrives else [])
    await wired.call("sendMessage", **message)


async def test_a_cut_in_process_is_an_error_of_the_connection(telegram, bot, message):
    telegram.fail_next("sendMessage", faults.reset_before())
    with pytest.raises(ConnectionResetError):
        await bot.raw("sendMessage", **message)


async def test_a_slow_call_works_at_once_and_answers_when_released(telegram, wired, ann, message):
    slow = telegram.fail_next("sendMessage", faults.slow())
    call = asyncio.create_task(wired.call("sendMessage", **message))
    await ann.wait_for_text("hi", within_s=5)
    assert not call.done()
    slow.release()
    assert (await asyncio.wait_for(call, 5))["text"] == "hi"


async def test_a_slow_call_can_outlast_the_bots_patience(telegram, wired, ann, message):
    slow = telegram.fail_next("sendMessage", faults.slow())
    wired.client.timeout = httpx.Timeout(10, read=0.05)
    with pytest.raises(httpx.ReadTimeout):
        await wired.raw("sendMessage", **message)
    await ann.wait_for_text("hi", within_s=5)
    slow.release()


async def test_a_slow_call_ends_by_itself_after_its_time(telegram, wired, message):
    telegram.fail_next("sendMessage", faults.slow(0.01))
    await wired.call("sendMessage", **message)


async def test_faults_come_in_order_and_only_where_they_apply(telegram, bot, ann, message):
    telegram.fail_next("sendMessage", faults.html(500), when=lambda p: p["text"] == "bad")
    telegram.fail_next("*", faults.html(502), times=2)
    assert (await bot.raw("sendMessage", **message)).status_code == 502
    assert (await bot.raw("sendMessage", **message | {"text": "bad"})).status_code == 500
    assert (await bot.raw("getMe")).status_code == 502
    assert (await bot.raw("getMe")).status_code == 200
    telegram.fail_next("getMe", faults.html(502))
    telegram.stop_failing()
    assert (await bot.raw("getMe")).status_code == 200
