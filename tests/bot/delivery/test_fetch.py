import asyncio
import contextlib
import os
import re
import resource
import time
from collections.abc import Callable

import pytest

from bot.delivery import fetch
from bot.delivery.fetch import Broken, Denied, DiskFull, Fetcher, Gone, Refused

AUDIO = b"ID3\x04\x00" + bytes(range(256)) * 400
Answer = Callable[["Asked"], bytes]


class Asked:
    """One request as it arrived."""

    def __init__(self, head: bytes) -> None:
        first, *lines = head.decode().splitlines()
        self.target = first.split()[1]
        self.headers = dict(line.lower().split(": ", 1) for line in lines if line)
        self.start = int((re.findall(r"bytes=(\d+)-", self.headers.get("range", "")) or [0])[0])


class Host:
    """A web server that answers each request with the raw bytes of its script, then hangs up."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: list[Answer] = []
        self.was_asked, self.closing = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(asked := Asked(await reader.readuntil(b"\r\n\r\n")))
        self.was_asked.set()
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        with contextlib.suppress(ConnectionError):
            writer.write(answer(asked))
            await writer.drain()
            if answer is never_ends:
                await self.closing.wait()
            writer.close()
            await writer.wait_closed()


def reply(body: bytes = AUDIO, status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    headers = {"Content_Length": str(len(body) if length is None else length), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def whole(asked: Asked) -> bytes:
    return reply(Content_Type="audio/mpeg; x=y")


def cut(at: int, **headers: str) -> Answer:
    """All that was asked for is announced, but after ``at`` bytes of the file the connection breaks."""

    def answer(asked: Asked) -> bytes:
        rest = AUDIO[asked.start :]
        if asked.start:
            span = f"bytes {asked.start}-{len(AUDIO) - 1}/{len(AUDIO)}"
            return reply(AUDIO[asked.start : at], "206 Partial", len(rest), Content_Range=span, **headers)
        return reply(AUDIO[:at], length=len(AUDIO), **headers)

    return answer


def never_ends(asked: Asked) -> bytes:
    return reply(AUDIO[:1000], length=len(AUDIO))


@pytest.fixture
async def host():
    host = Host()
    async with await asyncio.start_server(host.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        host.url = f"http://127.0.0.1:{port}/stem.mp3"
        yield host
        host.closing.set()


@pytest.fixture
async def fetcher(tmp_path):
    async with Fetcher(tmp_path, allow_private=True) as fetcher:
        yield fetcher


async def test_a_download_is_the_file_with_its_size_and_type(host, fetcher, tmp_path):
    host.script = [whole]
    download = await fetcher.fetch(host.url)
    assert download.path.parent == tmp_path
    assert download.path.read_bytes() == AUDIO
    assert (download.size_bytes, download.content_type) == (len(AUDIO), "audio/mpeg")


async def test_spaces_in_a_link_are_encoded_and_escapes_kept(host, fetcher):
    host.script = [whole]
    await fetcher.fetch(f" {host.url}/x_Backing Vocals%20.mp3?a=b%2Fc ")
    assert host.asked[0].target == "/stem.mp3/x_Backing%20Vocals%20.mp3?a=b%2Fc"


async def test_a_body_without_a_length_is_taken_to_its_end(host, fetcher):
    host.script = [lambda _: reply(Content_Length="")]
    assert (await fetcher.fetch(host.url)).size_bytes == len(AUDIO)


async def test_a_broken_download_goes_on_where_it_stopped(host, fetcher):
    host.script = [cut(at, ETag='"v1"') for at in (10_000, 50_000, 60_000, len(AUDIO))]
    download = await fetcher.fetch(host.url)
    assert download.path.read_bytes() == AUDIO
    assert [asked.start for asked in host.asked] == [0, 10_000, 50_000, 60_000]
    assert [asked.headers.get("if-range") for asked in host.asked] == [None, '"v1"', '"v1"', '"v1"']


async def test_a_date_serves_where_there_is_no_strong_etag(host, fetcher):
    stamps = {"ETag": 'W/"weak"', "Last_Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}
    host.script = [cut(5_000, **stamps), cut(len(AUDIO), **stamps)]
    assert (await fetcher.fetch(host.url)).path.read_bytes() == AUDIO
    assert host.asked[1].headers["if-range"] == "mon, 02 nov 2026 10:00:00 gmt"


async def test_a_file_that_cannot_be_identified_is_fetched_again_from_its_start(host, fetcher):
    host.script = [cut(10_000), whole]
    assert (await fetcher.fetch(host.url)).path.read_bytes() == AUDIO
    assert host.asked[1].start == 0


async def test_a_file_that_changed_meanwhile_replaces_the_first_part(host, fetcher):
    other = b"OggS" + b"x" * 300
    host.script = [cut(10_000, ETag='"v1"'), lambda _: reply(other, ETag='"v2"')]
    assert (await fetcher.fetch(host.url)).path.read_bytes() == other


async def test_a_connection_that_keeps_breaking_is_given_up_after_three_resumes(host, fetcher, tmp_path):
    host.script = [cut(at, ETag='"v1"') for at in (10, 20, 30, 40)]
    with pytest.raises(Broken):
        await fetcher.fetch(host.url)
    assert len(host.asked) == 4
    assert list(tmp_path.iterdir()) == []


def wrong_part(_: Asked) -> bytes:
    return reply(AUDIO[50:], "206 Partial", Content_Range=f"bytes 50-{len(AUDIO) - 1}/{len(AUDIO)}")


def endless_redirect(_: Asked) -> bytes:
    return reply(b"moved", "302 Found", Location="/again")


FAILURES = [
    pytest.param([lambda _: reply(b"", "404 Not Found")], Gone, id="not found"),
    pytest.param([lambda _: reply(b"<Error>", "403 Forbidden")], Denied, id="expired signature"),
    pytest.param([lambda _: reply(b"", "410 Gone")], Gone, id="gone"),
    pytest.param([lambda _: reply(b"", "503 Busy")], Broken, id="busy"),
    pytest.param([lambda _: reply(b"", "429 Slow down")], Broken, id="too fast"),
    pytest.param([lambda _: b"HTTP/9 what\r\n\r\n"], Broken, id="no HTTP"),
    pytest.param([lambda _: b""], Broken, id="hangs up at once"),
    pytest.param([lambda _: reply(b"")], Broken, id="empty"),
    pytest.param([lambda _: reply(b"ID3")], Broken, id="next to nothing"),
    pytest.param([cut(10_000, ETag='"v1"'), wrong_part], Broken, id="another part than asked for"),
    pytest.param([lambda _: reply(b"<!DOCTYPE html><p>expired")], Refused, id="HTML"),
    pytest.param([lambda _: reply(b'{"code": 404, "msg": "no"}')], Refused, id="JSON"),
    pytest.param([lambda _: reply(b"RIFF\x00\x00\x00\x00WEBPVP8 ....")], Refused, id="a picture"),
    pytest.param([lambda _: reply("<html> expired".encode("utf-16"))], Refused, id="HTML in UTF-16"),
    pytest.param([lambda _: reply(length=200_000_001)], Refused, id="announced as too large"),
    pytest.param([endless_redirect], Refused, id="redirects for ever"),
    pytest.param(
        [lambda _: reply(b"", "302 Found", Location="ftp://127.0.0.1/x")], Refused, id="to another scheme"
    ),
]


@pytest.mark.parametrize(("script", "error"), FAILURES)
async def test_every_failure_has_its_class_and_leaves_no_file(host, fetcher, tmp_path, script, error):
    host.script = script
    with pytest.raises(error) as raised:
        await fetcher.fetch(host.url)
    assert list(tmp_path.iterdir()) == []
    assert "stem.mp3" not in str(raised.value)


async def test_a_body_that_grows_past_the_cap_is_cut_off(host, tmp_path):
    host.script = [lambda _: reply(Content_Length="")]
    async with Fetcher(tmp_path, allow_private=True, max_bytes=len(AUDIO) - 1) as fetcher:
        with pytest.raises(Refused):
            await fetcher.fetch(host.url)
    assert list(tmp_path.iterdir()) == []


async def test_a_download_takes_no_longer_than_its_time(host, tmp_path):
    host.script = [never_ends]
    async with Fetcher(tmp_path, allow_private=True, total_timeout_s=0.05) as fetcher:
        with pytest.raises(Broken, match="too long"):
            await fetcher.fetch(host.url)
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_download_leaves_no_file(host, fetcher, tmp_path):
    host.script = [never_ends]
    task = asyncio.create_task(fetcher.fetch(host.url))
    await host.was_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_a_dead_host_is_broken_and_nonsense_is_refused(fetcher, unused_port):
    with pytest.raises(Broken):
        await fetcher.fetch(f"http://127.0.0.1:{unused_port}/x")
    for link in ("", "stem.mp3", "file:///etc/passwd", "http://127.0.0.1:99999/", "http://a/\x07"):
        with pytest.raises(Refused):
            await fetcher.fetch(link)


@pytest.fixture
async def unused_port():
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        return server.sockets[0].getsockname()[1]


async def test_a_download_leaves_room_on_the_disk(host, tmp_path):
    host.script = [whole]
    async with Fetcher(tmp_path, allow_private=True, keep_free_bytes=1 << 60) as fetcher:
        with pytest.raises(DiskFull):
            await fetcher.fetch(host.url)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def files_end_at_4_kb():
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_is_full_in_the_middle_is_told_apart(host, fetcher, tmp_path, files_end_at_4_kb):
    host.script = [whole]
    with pytest.raises(DiskFull):
        await fetcher.fetch(host.url)
    assert list(tmp_path.iterdir()) == []


async def test_a_large_download_keeps_the_loop_and_the_memory_free(host, fetcher):
    body = b"ID3" + os.urandom(1 << 20) * 40
    host.script = [lambda _: reply(body)]
    stalls = asyncio.create_task(longest_stall_s())
    download = await fetcher.fetch(host.url)
    stalls.cancel()
    assert download.size_bytes == len(body)
    assert await stalls < 0.5


async def longest_stall_s() -> float:
    longest_s, before = 0.0, time.perf_counter()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest_s, before = max(longest_s, now - before), now
    return longest_s


def test_sweeping_takes_our_leftovers_and_nothing_else(tmp_path):
    folder = tmp_path / "downloads"
    assert fetch.sweep(folder) == 0
    (folder / f"{fetch.PREFIX}abc").touch()
    (folder / "stembot.db").touch()
    assert fetch.sweep(folder) == 1
    assert [path.name for path in folder.iterdir()] == ["stembot.db"]
