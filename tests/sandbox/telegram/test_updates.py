"""getUpdates and webhooks: nothing is lost before it is confirmed, and one reader at a time."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.telegram import Limits

OTHER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


def texts(updates):
    return [update["message"]["text"] for update in updates]


async def test_updates_come_again_until_their_offset_is_passed(bot, ann):
    for text in ("one", "two", "three"):
        await ann.say(text)
    first = await bot.call("getUpdates")
    assert texts(first) == ["one", "two", "three"]
    assert await bot.call("getUpdates") == first
    assert texts(await bot.call("getUpdates", offset=first[0]["update_id"] + 1)) == ["two", "three"]
    assert texts(await bot.call("getUpdates")) == ["two", "three"]
    ids = [update["update_id"] for update in first]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]


async def test_a_negative_offset_keeps_the_newest(bot, ann):
    for text in ("one", "two", "three"):
        await ann.say(text)
    assert texts(await bot.call("getUpdates", offset=-1)) == ["three"]
    assert texts(await bot.call("getUpdates")) == ["three"]


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (2, 2), (1000, 100)])
async def test_the_limit_is_1_to_100(bot, ann, limit, count):
    for n in range(101):
        await ann.say(str(n))
    assert len(await bot.call("getUpdates", limit=limit)) == count


async def test_allowed_updates_stick(telegram, bot, ann):
    await bot.call("getUpdates", allowed_updates=["callback_query"])
    await ann.say("unheard")
    assert await bot.call("getUpdates") == []
    await bot.call("getUpdates", allowed_updates=[])
    await ann.say("heard")
    assert texts(await bot.call("getUpdates")) == ["heard"]


async def test_an_old_callback_is_dropped_from_the_queue(telegram, bot, ann, clock):
    keyboard = {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]]}
    await bot.call("sendMessage", chat_id=ann.user_id, text="x", reply_markup=keyboard)
    await ann.press(telegram.messages(ann)[-1], "x")
    await ann.say("hi")
    clock.now += 151
    assert texts(await bot.call("getUpdates")) == ["hi"]


async def test_a_poll_waits_for_the_next_update(wired, ann, telegram):
    poll = asyncio.create_task(wired.call("getUpdates", timeout=50))
    await telegram.wait_for_calls("getUpdates", 1)
    await ann.say("here")
    assert texts(await asyncio.wait_for(poll, 5)) == ["here"]


async def test_a_second_poller_ends_the_first(wired, ann, telegram):
    first = asyncio.create_task(wired.error("getUpdates", timeout=50))
    await telegram.wait_for_calls("getUpdates", 1)
    second = asyncio.create_task(wired.call("getUpdates", timeout=50))
    assert await asyncio.wait_for(first, 5) == (409, OTHER)
    await ann.say("here")
    assert texts(await asyncio.wait_for(second, 5)) == ["here"]


async def test_an_update_comes_again_whatever_was_confirmed(telegram, bot, ann):
    said = await ann.say("one")
    (update,) = await bot.call("getUpdates")
    assert await bot.call("getUpdates", offset=update["update_id"] + 1) == []
    assert telegram.update_of(said) == update["update_id"]
    await telegram.redeliver(update["update_id"])
    assert await bot.call("getUpdates", offset=update["update_id"] + 1) == [update]
    assert await bot.call("getUpdates", offset=update["update_id"] + 1) == []


async def test_an_edit_is_an_update_of_its_own(bot, ann):
    said = await ann.say("/stems one")
    await ann.edit(said, "/stems two")
    kinds = [next(key for key in update if key != "update_id") for update in await bot.call("getUpdates")]
    assert kinds == ["message", "edited_message"]


async def test_closing_ends_a_poll_that_waits(wired, telegram):
    poll = asyncio.create_task(wired.call("getUpdates", timeout=50))
    await telegram.wait_for_calls("getUpdates", 1)
    await telegram.close()
    assert await asyncio.wait_for(poll, 5) == []


@pytest.fixture
async def hook(serve):
    """A webhook of the bot: its address, what it received, and what it answers next."""
    received, answers = asyncio.Queue(), []

    async def take(request: Request) -> Response:
        await received.put((request.headers.get("x-telegram-bot-api-secret-token"), await request.json()))
        return Response(status_code=answers.pop(0) if answers else 200)

    async with serve(Starlette(routes=[Route("/telegram", take, methods=["POST"])])) as url:
        yield f"{url}/telegram", received, answers


async def test_a_webhook_gets_every_update_with_the_secret(telegram, bot, ann, hook):
    url, received, _ = hook
    await ann.say("before")
    await bot.call("setWebhook", url=url, secret_token="s3cret")
    await ann.say("after")
    got = [await asyncio.wait_for(received.get(), 5) for _ in range(2)]
    assert [(secret, update["message"]["text"]) for secret, update in got] == [
        ("s3cret", "before"),
        ("s3cret", "after"),
    ]
    assert await bot.error("getUpdates") == (409, ACTIVE)
    await ann.say("last")
    await asyncio.wait_for(received.get(), 5)  # so the two before it were taken
    await bot.call("deleteWebhook")
    assert set(texts(await bot.call("getUpdates"))) <= {"last"}


async def test_a_webhook_that_fails_gets_the_update_again(make_telegram, bot_for, hook):
    url, received, answers = hook
    answers += [500, 404]
    telegram = make_telegram(limits=Limits(webhook_retry_s=0.01))
    ann = telegram.person("Ann")
    async with bot_for(telegram) as bot:
        await bot.call("setWebhook", url=url)
        await ann.say("hi")
        got = [await asyncio.wait_for(received.get(), 5) for _ in range(3)]
        assert len({update["update_id"] for _, update in got}) == 1
        info = await bot.call("getWebhookInfo")
        assert info["last_error_message"] == "Wrong response from the webhook: 404 Not Found"
        await telegram.close()


async def test_a_webhook_ends_the_poll_that_waits(wired, telegram, hook):
    poll = asyncio.create_task(wired.error("getUpdates", timeout=50))
    await telegram.wait_for_calls("getUpdates", 1)
    await wired.call("setWebhook", url=hook[0])
    assert await asyncio.wait_for(poll, 5) == (409, "Conflict: terminated by setWebhook request")


async def test_the_webhook_is_described(bot, ann, hook):
    await bot.call("setWebhook", url=hook[0], allowed_updates=["message"], max_connections=7)
    info = await bot.call("getWebhookInfo")
    assert (info["url"], info["max_connections"], info["allowed_updates"]) == (hook[0], 7, ["message"])
    await bot.call("setWebhook", url="")
    assert (await bot.call("getWebhookInfo"))["url"] == ""


async def test_pending_updates_can_be_dropped(bot, ann):
    await ann.say("x")
    assert (await bot.call("getWebhookInfo"))["pending_update_count"] == 1
    await bot.call("deleteWebhook", drop_pending_updates=True)
    assert await bot.call("getUpdates") == []


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"url": "http://example.com/x"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            {"url": "https://example.com:81/x"},
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ({"url": "https://example.com/x", "secret_token": "ü"}, "secret token contains unallowed characters"),
    ],
)
async def test_a_bad_webhook_is_refused(bot, parameters, words):
    assert await bot.error("setWebhook", **parameters) == (400, f"Bad Request: {words}")


async def test_the_bot_learns_who_it_is(bot):
    me = await bot.call("getMe")
    assert (me["id"], me["username"], me["is_bot"]) == (123456789, "stembot_demo_bot", True)
    assert me["can_read_all_group_messages"] is False
    assert await bot.call("logOut")


async def test_the_poll_of_a_bot_that_died_takes_nothing(wired, ann, telegram):
    said = await ann.say("one")
    (update,) = await wired.call("getUpdates")
    offset = update["update_id"] + 1
    poll = asyncio.create_task(wired.call("getUpdates", timeout=50, offset=offset))
    await telegram.wait_for_calls("getUpdates", 2)
    poll.cancel()
    await ann.wait_for(lambda _: telegram.calls_of("getUpdates")[1].status == 0)
    await telegram.redeliver(telegram.update_of(said))
    assert await wired.call("getUpdates", offset=offset) == [update]
