"""A Bot API with an upstream, and a host of large stems, each on loopback in a process of its own.

    with stem_host(45_000_000) as files, outside(files) as there:
        there.say(1, "/stems ... full")
        there.seen(LAST_FORM)          # what has come in by then, and when

The Bot API counts the bytes of what is uploaded and forgets them; there are no limits and no checks. The
upstream's tasks are done at once.
"""

import asyncio
import json
import multiprocessing
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from multiprocessing.connection import Connection as Pipe
from typing import Any
from urllib.parse import parse_qs, urlsplit

from _loopback import BOT, TOKEN, Json

STEMS = ("vocal", "backingVocals", "drums", "bass", "guitar", "keyboard", "percussion")
STEMS += ("strings", "synth", "fx", "brass", "woodwinds")
PIECE_BYTES = 1 << 18
KEPT_BYTES = 1 << 16  # of a body: the fields that come before the files
SECOND_BYTES = 44_100 * 2 * 2
WITHIN_S = 300.0
GROUP = -1001
SENDS = {"sendAudio", "sendDocument", "sendMediaGroup"}
LAST_FORM = "last form"
Answer = Callable[[str, bytes, int], Any]  # the address, the begin of the body and its size


@dataclass(slots=True)
class Seen:
    """What came in since ``say``: ``first`` is when it began, ``last`` when the newest was answered, ``sent``
    when the newest file was. An edit that tells the balance is a "last form"."""

    requests: list[str] = field(default_factory=list)
    uploaded_bytes: int = 0
    first: float = 0.0
    last: float = 0.0
    sent: float = 0.0


# One HTTP/1.1 server, small as it can be


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.I)
            kept, size = await _body(reader, int(length[1]) if length else 0)
            await _reply(writer, await answer(head.split(b" ", 2)[1].decode(), kept, size))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()  # the other side has hung up


async def _body(reader: asyncio.StreamReader, size: int) -> tuple[bytes, int]:
    kept, left = b"", size
    while left:
        piece = await reader.read(min(left, PIECE_BYTES))
        kept += piece[: KEPT_BYTES - len(kept)]
        left -= len(piece)
    return kept, size


async def _reply(writer: asyncio.StreamWriter, body: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
    for start in range(0, len(body), PIECE_BYTES):
        writer.write(memoryview(body)[start : start + PIECE_BYTES])
        await writer.drain()


def _serve(pipe: "Pipe[int, None]", host: Callable[..., Answer], *arguments: object) -> None:
    async def serve() -> None:
        answer = host(*arguments)
        server = await asyncio.start_server(
            lambda reader, writer: _exchange(reader, writer, answer), "127.0.0.1", 0, limit=4 * PIECE_BYTES
        )
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def _serving(host: Callable[..., Answer], *arguments: object) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    serving = context.Process(target=_serve, args=(theirs, host, *arguments), daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        serving.kill()
        serving.join()
        serving.close()


# The stem host


def _files(size: int) -> Answer:
    wav = a_wav(size)

    async def answer(_target: str, _kept: bytes, _size: int) -> bytes:
        return wav

    return answer


def a_wav(size: int) -> bytes:
    """A loud tone, as a CD has it."""
    sound = size - 44
    head = b"RIFF" + (size - 8).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += b"".join(
        number.to_bytes(length, "little")
        for number, length in ((1, 2), (2, 2), (44_100, 4), (SECOND_BYTES, 4), (4, 2), (16, 2))
    )
    return head + b"data" + sound.to_bytes(4, "little") + (b"\x00\x40\x00\x40\x00\xc0\x00\xc0" * size)[:sound]


@contextmanager
def stem_host(size: int) -> Iterator[str]:
    """The address of a host on which every file is a WAV of so many bytes."""
    with _serving(_files, size) as url:
        yield url


# The Bot API, the upstream and the hand on both


class _World:
    def __init__(self, files: str) -> None:
        self._files, self._updates, self._seen, self._ids = files, [], Seen(), count(1001)
        self._changed = asyncio.Event()

    async def answer(self, target: str, kept: bytes, size: int) -> bytes:
        name = urlsplit(target).path.rsplit("/", 1)[1]
        if target.startswith("/control"):
            return json.dumps(await self._control(name, json.loads(kept))).encode()
        if target.startswith("/bot"):
            return json.dumps(
                {"ok": True, "result": await self._telegram(name, _fields(kept), size)}
            ).encode()
        return json.dumps({"code": 200, "msg": "success", "data": self._upstream(name)}).encode()

    async def _telegram(self, method: str, given: Json, size: int) -> object:
        if method == "getMe":
            return BOT
        if method == "getUpdates":
            return await self._poll(int(given.get("offset", 0)), float(given.get("timeout", 0)))
        result = self._done(method, given)
        self._seen.last = time.perf_counter()
        self._seen.sent = self._seen.last if method in SENDS else self._seen.sent
        self._seen.uploaded_bytes += size if size > KEPT_BYTES else 0
        is_last = method == "editMessageText" and "balance" in given["text"]
        self._seen.requests.append(LAST_FORM if is_last else method)
        self._touch()
        return result

    def _done(self, method: str, given: Json) -> object:
        match method:
            case "sendMessage" | "editMessageText":
                return self._message(given, text=given["text"])
            case "sendAudio" | "sendDocument":
                return self._message(given, document=self._file())
            case "sendMediaGroup":
                return [self._message(given, document=self._file()) for _ in json.loads(given["media"])]
            case _:
                return True

    async def _poll(self, offset: int, wait_s: float) -> list[Json]:
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        try:
            async with asyncio.timeout(wait_s):
                await self._until(lambda: self._updates)
        except TimeoutError:
            return []
        self._seen.first = self._seen.first or time.perf_counter()
        return self._updates

    def _message(self, given: Json, **content: object) -> Json:
        chat = {"id": int(given["chat_id"]), "type": "supergroup", "title": "Band"}
        return {"message_id": next(self._ids), "date": int(time.time()), "chat": chat, "from": BOT, **content}

    def _file(self) -> Json:
        number = next(self._ids)
        return {"file_id": f"file-{number}", "file_unique_id": f"unique-{number}"}

    def _upstream(self, name: str) -> object:
        match name:
            case "generate":
                return {"taskId": "task"}
            case "credit":
                return 100_000
            case _:
                self._seen.first = time.perf_counter()
                links = {f"{stem}Url": f"{self._files}/{stem}.wav" for stem in STEMS}
                return {"taskId": "task", "response": links, "successFlag": "SUCCESS"}

    async def _control(self, name: str, given: Json) -> object:
        if name == "say":
            self._updates, self._seen = given["updates"], Seen()
            self._touch()
        else:
            async with asyncio.timeout(WITHIN_S):
                await self._until(
                    lambda: all(self._seen.requests.count(one) >= n for one, n in given.items())
                )
        return asdict(self._seen)

    def _touch(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await self._changed.wait()


def _fields(kept: bytes) -> Json:
    """The fields of a body, as far as it was kept."""
    if not kept.startswith(b"--"):
        return {name: values[0] for name, values in parse_qs(kept.decode()).items()}
    found = re.findall(rb'name="(\w+)"\r\n\r\n(.*?)\r\n--', kept, re.DOTALL)
    return {name.decode(): value.decode() for name, value in found}


def _outside(files: str) -> Answer:
    return _World(files).answer


@dataclass(frozen=True, slots=True)
class Outside:
    """Telegram and the upstream, as a benchmark holds them."""

    url: str

    @property
    def bot_url(self) -> str:
        return f"{self.url}/bot{TOKEN}"

    def settings(self) -> dict[str, str]:
        """The environment of a bot that shall live there."""
        return {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.url,
            "SUNOAPI_ORG_URL": self.url,
            "SUNOAPI_ORG_API_KEY": "key-of-nobody",
            "ALLOW_PRIVATE_FILE_HOSTS": "true",
            "HTTP_PORT": "0",
        }

    def say(self, number: int, text: str) -> None:
        """In a group of its own; the numbers of updates increase. What came in before is forgotten."""
        person = {"id": 1001, "is_bot": False, "first_name": "Ann"}
        message = {
            "message_id": number,
            "date": int(time.time()),
            "chat": {"id": GROUP - number, "type": "supergroup", "title": "Band"},
            "from": person,
            "text": text,
            "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split(" ")[0])}],
        }
        self._post("say", {"updates": [{"update_id": number, "message": message}]})

    def seen(self, name: str, times: int = 1) -> Seen:
        """All that has come in once this was called so often."""
        return Seen(**self._post("seen", {name: times}))

    def _post(self, control: str, given: object) -> Any:
        request = urllib.request.Request(f"{self.url}/control/{control}", json.dumps(given).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=WITHIN_S + 10) as answer:
            return json.load(answer)


@contextmanager
def outside(files: str) -> Iterator[Outside]:
    """Telegram, and an upstream whose stems lie at this host."""
    with _serving(_outside, files) as url:
        yield Outside(url)
