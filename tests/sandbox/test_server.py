"""The whole sandbox on one address, as a bot and a test outside the process meet it."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sandbox import song
from sandbox.server import Sandbox
from sandbox.songs import SONGS
from sandbox.upstreams import BRANDS

SONG = SONGS[0]


@pytest.fixture
async def sandbox(tmp_path):
    async with Sandbox.running(folder=tmp_path, finish_after_s=0.01) as sandbox:
        yield sandbox


@pytest.fixture
async def client(sandbox):
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


async def test_telegram_answers_at_the_address_of_the_settings(sandbox, client):
    settings = sandbox.settings()
    answer = await client.get(f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_TOKEN']}/getMe")
    assert answer.json()["result"]["is_bot"] is True


CREDITS = {
    "sunoapi_org": ("/api/v1/generate/credit", "data"),
    "kie": ("/api/v1/chat/credit", "data"),
    "apikley": ("/api/v1/chat/credit", "data"),
    "sunoapi_com": ("/api/v1/get-credits", "credits"),
    "suno_api": ("/api/get_limit", "credits_left"),
}


@pytest.mark.parametrize("name", BRANDS)
async def test_each_upstream_answers_with_the_key_of_the_settings(sandbox, client, name):
    settings, (path, field) = sandbox.settings(), CREDITS[name]
    headers = (
        {"Cookie": settings["SUNO_API_COOKIE"]}
        if name == "suno_api"
        else {"Authorization": f"Bearer {settings[f'{name.upper()}_API_KEY']}"}
    )
    answer = await client.get(settings[f"{name.upper()}_URL"] + path, headers=headers)
    assert answer.json()[field] == 1000


async def test_the_settings_are_texts_and_nothing_in_them_leaves_the_machine(sandbox):
    settings = sandbox.settings()
    assert all(isinstance(value, str) for value in settings.values())
    urls = [value for name, value in settings.items() if name.endswith("_URL")]
    assert len(urls) == 1 + len(BRANDS)
    assert all(url.startswith("http://127.0.0.1:") for url in urls)
    assert settings["ALLOW_PRIVATE_FILE_HOSTS"] == "true"


async def test_a_task_ends_by_itself_and_its_stems_can_be_fetched(sandbox, client, tmp_path):
    url, upstream = sandbox.upstream_url("kie"), sandbox.upstreams["kie"]
    client.headers["Authorization"] = f"Bearer {upstream.key}"
    told = asyncio.Event()

    async def callback(_):
        told.set()
        return PlainTextResponse("ok")

    routes = [Route("/told", callback, methods=["POST"])]
    async with Sandbox.running(folder=tmp_path, routes=routes) as bot:
        body = {"taskId": SONG.task_id, "audioId": SONG.audio_id, "type": "split_stem"}
        body["callBackUrl"] = f"{bot.url}/told"
        task_id = (await client.post(f"{url}/api/v1/vocal-removal/generate", json=body)).json()["data"][
            "taskId"
        ]
        async with asyncio.timeout(5):
            await told.wait()
    look = await client.get(f"{url}/api/v1/vocal-removal/record-info", params={"taskId": task_id})
    drums = await client.get(look.json()["data"]["response"]["drumsUrl"])
    assert drums.content == song.path("drums").read_bytes()


async def test_the_control_address_tells_of_every_upstream(sandbox, client):
    for name in BRANDS:
        state = (await client.get(f"{sandbox.url}/control/{name}")).json()
        assert (state["name"], state["charges"]) == (name, 0)


async def test_people_are_reached_under_chat_api(sandbox, client):
    sandbox.telegram.person("Ann")
    answer = await client.get(f"{sandbox.url}/chat-api/chats")
    assert "Ann" in answer.text


async def test_a_page_s_routes_are_served_next_to_the_rest(tmp_path):
    page = Route("/", lambda _: PlainTextResponse("the page"))
    async with Sandbox.running(folder=tmp_path, routes=[page]) as sandbox, httpx.AsyncClient() as client:
        assert (await client.get(sandbox.url)).text == "the page"


async def test_it_ends_within_a_second_while_a_bot_polls_and_a_page_follows(tmp_path, caplog):
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(timeout=30) as client, asyncio.TaskGroup() as group:
        async with Sandbox.running(folder=tmp_path) as sandbox:
            token = sandbox.settings()["TELEGRAM_TOKEN"]
            url = f"{sandbox.telegram_url}/bot{token}/getUpdates"
            group.create_task(_tolerant(client.post(url, json={"timeout": 30})))
            group.create_task(_tolerant(client.get(f"{sandbox.url}/chat-api/events")))
            await sandbox.telegram.wait_for_calls("getUpdates", 1)
            started = loop.time()
        assert loop.time() - started < 1
    assert caplog.records == []


async def _tolerant(request):
    try:
        await request
    except httpx.HTTPError:
        return
