"""People over HTTP: what a page and a test in another process use."""

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.telegram import control_routes
from sandbox.telegram.control import event_stream

BUTTON = {"inline_keyboard": [[{"text": "Cancel", "callback_data": "c:1"}]]}


def with_control(telegram):
    return Starlette(routes=[Mount("/chat-api", routes=control_routes(telegram)), *telegram.routes()])


@pytest.fixture
async def page(telegram):
    transport = httpx.ASGITransport(with_control(telegram))
    async with httpx.AsyncClient(transport=transport, base_url="http://page/chat-api") as client:
        yield client


async def test_a_page_can_meet_say_and_press(page, bot):
    person = (await page.post("/persons", json={"name": "Bob", "username": "bob"})).json()
    chat = f"/chats/{person['id']}"
    said = await page.post(f"{chat}/say", json={"person_id": person["person_id"], "text": "/stems x"})
    assert (said.status_code, said.json()["html"]) == (201, "/stems x")
    sent = await bot.call(
        "sendMessage", chat_id=person["id"], text="<b>ok</b>", parse_mode="HTML", reply_markup=BUTTON
    )
    press = {"person_id": person["person_id"], "message_id": sent["message_id"], "data": "c:1"}
    pressed = await page.post(f"{chat}/press", json=press)
    assert pressed.status_code == 201
    shown = (await page.get(f"{chat}/messages")).json()
    assert [message["html"] for message in shown] == ["/stems x", "<b>ok</b>"]
    updates = await bot.call("getUpdates")
    assert [update["update_id"] for update in updates][-1] == pressed.json()["update_id"]


async def test_a_page_can_make_groups(page, bot):
    people = [
        (await page.post("/persons", json={"name": name})).json()["person_id"] for name in ("Ann", "Bob")
    ]
    group = (await page.post("/groups", json={"title": "Band", "person_ids": people})).json()
    assert group["type"] == "supergroup"
    sent = await bot.call("sendMessage", chat_id=group["id"], text="hi")
    reply = {"person_id": people[0], "text": "yes", "reply_to": sent["message_id"]}
    said = (await page.post(f"/chats/{group['id']}/say", json=reply)).json()
    assert said["reply_to_message"]["message_id"] == sent["message_id"]
    chats = (await page.get("/chats")).json()
    assert [chat["id"] for chat in chats] == [*people, group["id"]]
    assert [person["id"] for person in chats[-1]["people"]] == people


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/chats/5/say", {"person_id": 5, "text": "x"}, 404),
        ("/chats/x/say", {"person_id": 5, "text": "x"}, 404),
        ("/persons", {"name": ""}, 400),
        ("/persons", [], 400),
        ("/groups", {"title": "x", "person_ids": [5]}, 404),
    ],
)
async def test_wrong_requests_are_told_why(page, path, body, status):
    response = await page.post(path, json=body)
    assert response.status_code == status
    assert response.json()["error"]


async def test_what_telegram_would_not_let_one_do_is_409(page, ann):
    await ann.block()
    response = await page.post(f"/chats/{ann.user_id}/say", json={"person_id": ann.user_id, "text": "x"})
    assert (response.status_code, response.json()["error"]) == (409, "Ann has blocked the bot")
    missing = await page.post(
        f"/chats/{ann.user_id}/press", json={"person_id": ann.user_id, "message_id": 99, "data": "x"}
    )
    assert missing.status_code == 404
    broken = await page.post("/persons", content=b"{")
    assert broken.status_code == 400


async def test_files_play_from_the_middle(page, bot, ann, song):
    sent = await bot.call("sendAudio", {"audio": ("Paper Boats.mp3", song)}, chat_id=ann.user_id)
    path = f"/files/{sent['audio']['file_id']}"
    whole = await page.get(path)
    assert (whole.content, whole.headers["content-type"]) == (song, "audio/mpeg")
    assert whole.headers["content-disposition"].startswith("inline")
    part = await page.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, song[100:200])
    assert (await page.get("/files/none")).status_code == 404


async def test_events_stream_and_end_with_the_stand_in(telegram, serve, ann):
    async with (
        serve(with_control(telegram)) as url,
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", f"{url}/chat-api/events") as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == ": connected"
        await ann.say("hi")
        event = await next_event(lines)
        assert (event["type"], event["chat_id"], event["message"]["text"]) == ("new", ann.user_id, "hi")
        await telegram.close()
        assert [line async for line in lines if line] == []


async def next_event(lines):
    async for line in lines:
        if line.startswith("data: "):
            return json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


async def test_a_quiet_stream_shows_that_it_lives(telegram):
    stream = event_stream(telegram.subscribe(), keep_alive_s=0.001)
    assert await anext(stream) == ": connected\n\n"
    assert await asyncio.wait_for(anext(stream), 5) == ": still here\n\n"
    await stream.aclose()
