"""The whole bot on loopback: how it starts, what keeps it from starting, how it ends."""

import asyncio
import gc
import json
import socket
import time
from collections import deque
from contextlib import asynccontextmanager
from itertools import count

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram.error import InvalidToken

from bot.app import STOP_WITHIN_S, CannotStart, build
from bot.delivery import plan
from bot.intake.poller import GIVE_UP_AFTER_S, IntakeDead
from bot.web.telegram import HEADER, secret
from sandbox.serving import HOST, listening_socket, serving
from storage.database import Database, InUse
from tests.bot.new_world import new_settings
from tests.bot.telegram_stand_in import BOT, GATEWAY, NOT_FOUND, UNAUTHORIZED
from tests.bot.world import ANN, SONG, person

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_1"


class Outside:
    """Telegram's and an upstream's server in one; the upstream only ever tells its credits."""

    def __init__(self, listener):
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        self.calls, self.faults, self.updates = [], deque(), asyncio.Queue()
        self.missing = set()  # methods that this server does not have
        self.called, self.upstream_asked = asyncio.Condition(), asyncio.Event()
        self.app = Starlette(
            routes=[
                Route(f"/bot{TOKEN}/{{method}}", self.answer, methods=["GET", "POST"]),
                Route("/api/v1/generate/credit", self.credits),
                Route("/api/{path:path}", self.hang, methods=["GET", "POST"]),
            ]
        )

    async def answer(self, request):
        method = request.path_params["method"]
        form = await request.form()
        async with self.called:
            self.calls.append((method, dict(form)))
            self.called.notify_all()
        if self.faults:
            fault = self.faults[0] if len(self.faults) == 1 else self.faults.popleft()
            return Response(fault.body, fault.status)
        if method in self.missing:
            return Response(NOT_FOUND.body, NOT_FOUND.status)
        if method == "getUpdates":
            return Response(self.result(await self.next_updates()))
        message = {"message_id": 5, "date": 0, "chat": {"id": ANN, "type": "private"}, "text": "x"}
        return Response(self.result({"getMe": BOT, "sendMessage": message}.get(method, True)))

    async def next_updates(self):
        return [await self.updates.get()]  # a long poll; it is cut off in the end

    async def credits(self, _request):
        return JSONResponse({"code": 200, "msg": "success", "data": 1000})

    async def hang(self, _request):
        self.upstream_asked.set()
        await asyncio.Event().wait()

    @staticmethod
    def result(value):
        return json.dumps({"ok": True, "result": value})

    async def until_called(self, method):
        async with asyncio.timeout(10), self.called:
            await self.called.wait_for(lambda: any(call[0] == method for call in self.calls))


@pytest.fixture(autouse=True)
def nothing_left_open():
    yield
    gc.collect()  # a connection that was left open is told here, not in the next test


@pytest.fixture
async def outside():
    listener = listening_socket(0)
    outside = Outside(listener)
    async with serving(outside.app, listener):
        yield outside


class Running:
    """A bot that runs; ``ended`` is its task."""

    def __init__(self, app):
        self.app, self.stop, self.started = app, asyncio.Event(), asyncio.Event()
        self.ended = asyncio.create_task(app.run(self.stop, self.started.set))

    async def start(self):
        waiting = asyncio.create_task(self.started.wait())
        await asyncio.wait([waiting, self.ended], return_when=asyncio.FIRST_COMPLETED, timeout=20)
        waiting.cancel()
        return self

    async def end(self):
        self.stop.set()
        began = time.monotonic()
        await asyncio.wait_for(self.ended, 20)
        return time.monotonic() - began


@pytest.fixture
def bot(sqlite_databases, tmp_path, outside):
    """``async with bot(**settings) as running``: a bot that was told to start."""

    @asynccontextmanager
    async def run(**settings):
        with sqlite_databases.new() as url:
            ours = {"telegram_api_url": outside.url, "sunoapi_org_url": outside.url, "http_port": 0}
            running = Running(build(new_settings(url, **ours | settings), files=tmp_path / "files"))
            try:
                yield running
            finally:
                running.stop.set()
                await asyncio.wait([running.ended], timeout=20)

    return run


def saying(text):
    chat = {"id": ANN, "type": "private", "first_name": "Ann"}
    entities = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    sent = {"message_id": 1, "date": 0, "chat": chat, "from": person(ANN)}
    return {"update_id": 1, "message": {**sent, "text": text, "entities": entities}}


def free_port():
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


async def test_it_starts_serves_and_ends(bot, outside):
    async with bot() as running:
        await running.start()
        outside.updates.put_nowait(saying("/help"))
        await outside.until_called("sendMessage")
        await running.end()
    methods = [method for method, _ in outside.calls]
    assert methods[0] == "getMe"
    assert "deleteWebhook" in methods
    assert "setMyCommands" in methods


async def test_an_idle_bot_ends_at_once(bot):
    async with bot() as running:
        await running.start()
        assert await running.end() < 2


async def test_it_ends_in_time_while_a_step_hangs(bot, outside):
    async with bot() as running:
        await running.start()
        outside.updates.put_nowait(saying(f"/stems {SONG}"))
        await asyncio.wait_for(outside.upstream_asked.wait(), 10)
        assert await running.end() < STOP_WITHIN_S + 2


async def test_a_telegram_that_is_away_at_the_start_is_waited_for(bot, outside, caplog):
    outside.faults.extend([GATEWAY, GATEWAY])
    async with bot() as running:
        await outside.until_called("getMe")
        outside.faults.clear()
        await running.start()
        assert running.started.is_set()
        outside.updates.put_nowait(saying("/help"))
        await outside.until_called("sendMessage")
        assert "Telegram does not answer" in caplog.text


async def test_a_server_without_the_methods_that_set_a_bot_up_is_served(bot, outside, caplog):
    outside.missing |= {"deleteWebhook", "setMyCommands"}
    async with bot() as running:
        await running.start()
        outside.updates.put_nowait(saying("/help"))
        await outside.until_called("sendMessage")
        assert "lacks a method" in caplog.text


async def test_while_telegram_is_away_at_the_start_it_is_not_healthy(bot, outside):
    outside.faults.append(GATEWAY)
    port = free_port()
    async with bot(http_port=port) as running, httpx.AsyncClient() as client:
        await outside.until_called("getMe")
        answer = await client.get(f"http://{HOST}:{port}/healthz")
        assert answer.status_code == 503
        await running.end()


async def test_it_ends_while_it_waits_for_telegram(bot, outside):
    outside.faults.append(GATEWAY)
    async with bot() as running:
        await outside.until_called("getMe")
        assert await running.end() < 2
        assert not running.started.is_set()


async def test_a_wrong_token_keeps_it_from_starting_and_is_not_told(bot, outside, caplog):
    outside.faults.append(UNAUTHORIZED)
    async with bot() as running:
        with pytest.raises(CannotStart, match="TELEGRAM_TOKEN") as raised:
            await asyncio.wait_for(running.ended, 10)
    assert TOKEN not in str(raised.value)
    assert isinstance(raised.value.__cause__, InvalidToken)


async def test_a_port_that_is_taken_keeps_it_from_starting(bot):
    with socket.create_server((HOST, 0)) as taken:
        async with bot(http_port=taken.getsockname()[1]) as running:
            with pytest.raises(CannotStart, match="HTTP_PORT"):
                await asyncio.wait_for(running.ended, 10)


async def test_a_database_in_use_keeps_it_from_starting(bot):
    async with bot() as running:
        await running.start()
        second = Database(str(running.app.services.database.url))
        with pytest.raises(InUse):
            second.lock()
        await second.close()


async def test_a_silence_of_telegram_ends_the_process(bot, outside):
    async with bot() as running:
        await running.start()
        await outside.until_called("getUpdates")
        hours = count()
        running.app.services.now = lambda: GIVE_UP_AFTER_S * 2 * next(hours)  # nothing is heard for long
        outside.faults.append(GATEWAY)
        outside.updates.put_nowait(saying("/help"))
        with pytest.raises(IntakeDead):
            await asyncio.wait_for(running.ended, 15)


async def test_in_webhook_mode_telegram_is_given_the_address_and_the_secret(bot, outside):
    port = free_port()
    settings = {"telegram_webhook": True, "public_url": "https://bot.example", "http_port": port}
    async with bot(**settings) as running, httpx.AsyncClient() as client:
        await running.start()
        ((_, hook),) = [call for call in outside.calls if call[0] == "setWebhook"]
        assert hook["url"] == "https://bot.example/telegram"
        assert hook["secret_token"] == secret(TOKEN)
        headers = {HEADER: hook["secret_token"]}
        answer = await client.post(f"http://{HOST}:{port}/telegram", json=saying("/help"), headers=headers)
        assert answer.status_code == 200
        await outside.until_called("sendMessage")
        await running.end()
    assert "getUpdates" not in [method for method, _ in outside.calls]


async def test_a_provider_that_cannot_be_built_keeps_it_from_starting(sqlite_databases, tmp_path):
    settings = new_settings("sqlite:///x.db").model_copy(update={"sunoapi_org_url": "ftp://nowhere"})
    with pytest.raises(CannotStart, match="sunoapi_org"):
        build(settings, files=tmp_path)


@pytest.mark.parametrize("local", [False, True])
async def test_a_server_of_ones_own_takes_larger_files(bot, local):
    async with bot(telegram_local_mode=local) as running:
        await running.start()
        limit = running.app.services.upload_max_bytes
    assert limit == (plan.LOCAL_UPLOAD_MAX_BYTES if local else plan.UPLOAD_MAX_BYTES)


async def test_what_an_earlier_run_left_of_its_downloads_is_swept(bot, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    (files / "stembot-left").write_bytes(b"x")
    async with bot() as running:
        await running.start()
        assert list(files.iterdir()) == []
