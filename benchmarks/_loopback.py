"""A minimal Bot API and upstream on loopback, in a process of its own: as fast as Python serves, no limits.

    with loopback() as outside:
        outside.load(["/stems ..."])              # as many people, each with a private chat
        ...                                       # a bot polls outside.url
        outside.answered()                        # seconds from the first update handed out to the last answer

It knows just enough for a bot to start, to hear commands and to answer them. The strict stand-ins for tests
are in ``sandbox/``.
"""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "123456789:loopback-token-that-opens-nothing00"
FIRST_ID = 100_001
BATCH_MAX = 100
BOT = {"id": 123456789, "is_bot": True, "first_name": "Stembot", "username": "stembot_bot"}
FIXED = {"getMe": BOT}  # everything else that a bot calls is answered with true

Json = dict[str, Any]


@dataclass
class World:
    """What was given to the bot and what came back; times by this process's clock."""

    updates: list[Json] = field(default_factory=list)
    first_at: float = 0.0
    answered: dict[int, float] = field(default_factory=dict)  # by chat, when its first message came
    calls: dict[str, float] = field(default_factory=dict)  # by method or path, when it was first called
    counts: dict[str, int] = field(default_factory=dict)
    message_ids: int = 1000
    upstream: Json = field(default_factory=lambda: {"status": "PENDING", "response": None})
    ready_at: float = 0.0
    tasks: int = 0
    callback_url: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def touch(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self.changed.wait()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length bodies, one request after the other: what httpx sends."""

    def __init__(self, world: World) -> None:
        self._world, self._buffer = world, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = _length_in(head)
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            target = head.split(b" ", 2)[1].decode()
            answer = self._answer(target, rest[:length])
            if isinstance(answer, asyncio.Future):
                answer.add_done_callback(lambda done: self._reply(done.result()))
            else:
                self._reply(answer)

    def _reply(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if self._transport and not self._transport.is_closing():
            self._transport.write(head + body)

    def _answer(self, target: str, body: bytes) -> "bytes | asyncio.Future[bytes]":
        raise NotImplementedError


def _length_in(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
