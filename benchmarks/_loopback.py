"""A minimal Bot API and upstream on loopback, in a process of their own: no checks, no limits, fast.

    with loopback() as outside:
        outside.say("/stems ...", "/stems ...")     # each by another person, in a private chat of theirs
        outside.all_answered()                      # how long until every one of them had a message

It knows just enough for a bot to start, hear commands and answer them, and for looks at tasks that never end.
The strict stand-ins that tests use are in ``sandbox/``.
"""

import asyncio
import json
import multiprocessing
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "123456789:loopback-token-that-opens-nothing00"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Stembot", "username": "stembot_bot"}
FIRST_CHAT = 100_001
BATCH_MAX = 100
WITHIN_S = 120.0
PENDING = {"code": 200, "msg": "success", "data": {"taskId": "t", "status": "PENDING", "response": None}}

Json = dict[str, Any]


@dataclass(slots=True)
class World:
    """What is there for the bot, and what it did; instants by this process's clock."""

    updates: list[Json] = field(default_factory=list)
    handed_out_at: float = 0.0
    answered_at: dict[int, float] = field(default_factory=dict)  # by chat, its first message since ``say``
    calls: Counter[str] = field(default_factory=Counter)  # by the last word of the address
    _ids: int = 1000
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, target: str, body: bytes) -> object:
        """What a request gets, as JSON."""
        name = urlsplit(target).path.rsplit("/", 1)[1]
        self.calls[name] += 1
        self._touch()
        given = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        if target.startswith("/bot"):
            return {"ok": True, "result": await self._telegram(name, given)}
        if target.startswith("/control"):
            return await self._control(name, json.loads(body or b"{}"))
        return self._upstream(name)

    async def _telegram(self, method: str, given: dict[str, str]) -> object:
        match method:
            case "getMe":
                return BOT
            case "getUpdates":
                return await self._poll(int(given.get("offset", 0)), float(given.get("timeout", 0)))
            case "sendMessage" | "editMessageText":
                return self._message(int(given["chat_id"]), given["text"])
            case _:
                return True

    async def _poll(self, offset: int, wait_s: float) -> list[Json]:
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        try:
            async with asyncio.timeout(wait_s):
                await self._until(lambda: self.updates)
        except TimeoutError:
            return []
        self.handed_out_at = self.handed_out_at or time.perf_counter()
        return self.updates[:BATCH_MAX]

    def _message(self, chat_id: int, text: str) -> Json:
        self.answered_at.setdefault(chat_id, time.perf_counter())
        self._ids += 1
        chat = {"id": chat_id, "type": "private", "first_name": "Ann"}
        return {"message_id": self._ids, "date": int(time.time()), "chat": chat, "from": BOT, "text": text}

    def _upstream(self, name: str) -> Json:
        match name:
            case "generate":
                return {"code": 200, "msg": "success", "data": {"taskId": f"task-{self.calls[name]}"}}
            case "credit":
                return {"code": 200, "msg": "success", "data": 100_000}
            case _:
                return PENDING

    async def _control(self, name: str, given: Json) -> object:
        match name:
            case "say":
                self.updates = given["updates"]
                self.handed_out_at, self.answered_at = 0.0, {}
                self._touch()
            case "answered":
                async with asyncio.timeout(WITHIN_S):
                    await self._until(lambda: len(self.answered_at) >= given["chats"])
                return sorted(at - self.handed_out_at for at in self.answered_at.values())
            case "called":
                async with asyncio.timeout(WITHIN_S):
                    await self._until(lambda: self.calls[given["name"]] >= given["times"])
        return self.calls

    def _touch(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await self._changed.wait()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with bodies of a known length, one request after the other: what httpx sends."""

    def __init__(self, world: World) -> None:
        self._world, self._buffer = world, b""
        self._answering: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if end and len(rest) >= (length := _length_in(head)):
            self._buffer = rest[length:]
            answering = asyncio.ensure_future(self._answer(head.split(b" ", 2)[1].decode(), rest[:length]))
            self._answering.add(answering)
            answering.add_done_callback(self._answering.discard)

    def connection_lost(self, _: Exception | None) -> None:
        for answering in self._answering:
            answering.cancel()

    async def _answer(self, target: str, body: bytes) -> None:
        answer = json.dumps(await self._world.answer(target, body)).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
            answer
        )
        self._transport.write(head + answer)  # type: ignore[attr-defined]


def _length_in(head: bytes) -> int:
    names = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return next((int(value) for name, _, value in names if name.lower() == b"content-length"), 0)


@dataclass(frozen=True, slots=True)
class Outside:
    """The other process, as a benchmark holds it."""

    url: str

    def settings(self) -> dict[str, str]:
        """Of a bot that shall live there, in small letters."""
        return {
            "telegram_token": TOKEN,
            "telegram_api_url": self.url,
            "sunoapi_org_url": self.url,
            "sunoapi_org_api_key": "key-of-nobody",
            "http_port": "0",
        }

    def say(self, texts: list[str], *, first: int) -> None:
        """Each text by another person; ``first`` numbers people and updates, so that none comes twice."""
        self._post("say", updates=[_update(first + place, text) for place, text in enumerate(texts)])

    def all_answered(self, chats: int) -> list[float]:
        """For each of so many chats, the seconds until its first message, in order."""
        return list(self._post("answered", chats=chats))

    def called(self, name: str, times: int = 1) -> Counter[str]:
        """How often everything was called, once this was called so often."""
        return Counter(self._post("called", name=name, times=times))

    def calls(self) -> Counter[str]:
        return Counter(self._post("calls"))

    def _post(self, control: str, /, **given: object) -> Any:
        request = urllib.request.Request(f"{self.url}/control/{control}", json.dumps(given).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=WITHIN_S + 10) as answer:
            return json.load(answer)


def _update(number: int, text: str) -> Json:
    person = {"id": number, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    command = {"type": "bot_command", "offset": 0, "length": len(text.split(" ")[0])}
    message = {
        "message_id": 1,
        "date": int(time.time()),
        "chat": {"id": number, "type": "private", "first_name": "Ann"},
        "from": person,
        "text": text,
        "entities": [command],
    }
    return {"update_id": number, "message": message}


def _serve(pipe: "Pipe[int, None]") -> None:
    async def serve() -> None:
        world = World()
        server = await asyncio.get_running_loop().create_server(lambda: Connection(world), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def loopback() -> Iterator[Outside]:
    """Serve until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    serving = context.Process(target=_serve, args=(theirs,), daemon=True)
    serving.start()
    try:
        yield Outside(f"http://127.0.0.1:{ours.recv()}")
    finally:
        serving.kill()
        serving.join()
        serving.close()
