"""Rates and throttles, decided on a clock that stands still."""

import json
import math

import pytest

from sandbox.telegram import Limits
from sandbox.telegram.errors import ApiError
from sandbox.telegram.limits import MEGABYTE, Queue, Rates

MP3 = ("x.mp3", b"ID3 x", "audio/mpeg")


@pytest.fixture
async def limited(make_telegram, bot_for):
    """A stand-in with the real limits, a bot, and somebody who started it."""
    telegram = make_telegram(limits=Limits())
    ann = telegram.person("Ann")
    await ann.say("/start")
    async with bot_for(telegram) as bot:
        yield telegram, bot, ann


async def statuses(bot, count, method="sendMessage", **parameters):
    return [(await bot.raw(method, **parameters)).status_code for _ in range(count)]


async def test_a_private_chat_takes_a_burst_and_then_one_a_second(limited, clock):
    _, bot, ann = limited
    message = {"chat_id": ann.user_id, "text": "x"}
    assert await statuses(bot, 6, **message) == [200] * 5 + [429]
    response = await bot.raw("sendMessage", **message)
    assert response.json() == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
    assert response.headers["retry-after"] == "1"
    clock.now += 1
    assert await statuses(bot, 2, **message) == [200, 429]


async def test_a_group_takes_twenty_a_minute_edits_too(limited, clock):
    telegram, bot, ann = limited
    group = telegram.group("Band", members=[ann])
    sent = await bot.call("sendMessage", chat_id=group.chat_id, text="0")
    for n in range(19):
        place = {"chat_id": group.chat_id, "message_id": sent["message_id"]}
        await bot.call("editMessageText", **place, text=f"edit {n}")
    clock.now += 59
    refused = await bot.error("sendMessage", chat_id=group.chat_id, text="x")
    assert refused == (429, "Too Many Requests: retry after 1")
    clock.now += 1
    await bot.call("sendMessage", chat_id=group.chat_id, text="x")


async def test_items_of_an_album_count_singly(limited):
    telegram, bot, ann = limited
    group = telegram.group("Band", members=[ann])
    media = json.dumps([{"type": "audio", "media": f"attach://{n}"} for n in range(10)])
    files = {str(n): MP3 for n in range(10)}
    for _ in range(2):
        await bot.call("sendMediaGroup", files, chat_id=group.chat_id, media=media)
    refused = await bot.error("sendMessage", chat_id=group.chat_id, text="x")
    assert refused == (429, "Too Many Requests: retry after 60")


async def test_thirty_a_second_in_all(limited, clock):
    telegram, bot, _ = limited
    people = [telegram.person(f"P{n}") for n in range(31)]
    for person in people:
        await person.say("/start")
    answers = [(await bot.raw("sendMessage", chat_id=p.user_id, text="x")).status_code for p in people]
    assert answers == [200] * 30 + [429]
    assert await statuses(bot, 1, "getMe") == [200]
    clock.now += 1
    assert await statuses(bot, 1, "sendChatAction", chat_id=people[0].user_id, action="typing") == [200]


def waits(size_bytes, count, apart_s=0.0):
    """What uploads of one size wait; None for a refused one."""
    queue, result = Queue(), []
    for n in range(count):
        try:
            result.append(queue.join(size_bytes, n * apart_s))
        except ApiError as error:
            result.append({60: None}[error.parameters["retry_after"]])
    return result


def test_equal_sizes_wait_for_each_other_as_in_the_public_server():
    twelve_large = waits(30_000_000, 12)
    assert twelve_large.count(None) == 4
    assert math.isclose(twelve_large[7], 5.3)
    assert None not in waits(30_000_000, 12, apart_s=0.5)
    twelve_small = waits(4_000_000, 12)
    assert math.isclose(twelve_small[-1], 3.4)
    assert waits(4_000_000, 24).count(None) == 7


def test_different_or_small_sizes_do_not_wait():
    rates = Rates(Limits())
    assert [rates.upload_wait_s(MEGABYTE + n, 0.0) for n in range(20)] == [0.0] * 20
    assert [rates.upload_wait_s(100_000, 0.0) for _ in range(40)] == [0.0] * 40
    off = Rates(Limits(equal_sizes=False))
    assert [off.upload_wait_s(MEGABYTE, 0.0) for _ in range(40)] == [0.0] * 40


async def test_an_upload_in_a_queue_waits_and_a_refused_one_is_told_late(make_telegram, bot_for):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    telegram = make_telegram(limits=Limits(overall_per_s=None, private_per_s=None), sleep=sleep)
    ann = telegram.person("Ann")
    await ann.say("/start")
    async with bot_for(telegram) as bot:
        audio = {"audio": ("x.mp3", b"x" * 9_000_000)}
        answers = [(await bot.raw("sendAudio", audio, chat_id=ann.user_id)).status_code for _ in range(9)]
    assert answers == [200] * 8 + [429]
    assert slept == [pytest.approx(0.9 * n - 1) for n in range(2, 8)] + [Limits().refusal_delay_s]
