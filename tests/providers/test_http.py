import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Misconfigured, OutcomeUnknown, Unavailable
from providers.http import BODY_MAX_BYTES, TEXT_MAX, USER_AGENT, Line, Reply, retry_after_s, safe

URL = "https://upstream.example/prefix"
REQUEST = httpx.Request("POST", URL)


@asynccontextmanager
async def line(answer, **options) -> AsyncIterator[Line]:
    made = Line(URL, {"Authorization": "Bearer sk-123456"}, transport=httpx.MockTransport(answer), **options)
    try:
        yield made
    finally:
        await made.aclose()


def failing(error):
    def answer(request):
        raise error

    return answer


async def test_a_reply_has_status_json_and_a_safe_head():
    async with line(lambda _: httpx.Response(200, json={"code": 200})) as made:
        reply = await made.get("/look", taskId="a b")
    assert (reply.status, reply.json, reply.text_head) == (200, {"code": 200}, '{"code":200}')


async def test_requests_carry_key_agent_and_the_prefix_of_the_address():
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(200, json={})

    async with line(answer) as made:
        await made.get("/look", taskId="a b")
        await made.submit("/submit", {"type": "x"})
    assert [str(request.url) for request in seen] == [f"{URL}/look?taskId=a+b", f"{URL}/submit"]
    assert {request.headers["User-Agent"] for request in seen} == {USER_AGENT}
    assert {request.headers["Authorization"] for request in seen} == {"Bearer sk-123456"}
    assert seen[1].read() == b'{"type":"x"}'


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.PoolTimeout("full"),
        httpx.ProxyError("refused"),
        httpx.UnsupportedProtocol("ftp"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_surely_was_not_sent_is_unavailable(error):
    async with line(failing(error)) as made:
        with pytest.raises(Unavailable):
            await made.submit("/submit", {})
        with pytest.raises(Unavailable):
            await made.get("/look")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError("reset"),
        httpx.ReadTimeout("silence"),
        httpx.WriteError("reset"),
        httpx.WriteTimeout("stuck"),
        httpx.CloseError("reset"),
        httpx.RemoteProtocolError("not HTTP"),
        httpx.LocalProtocolError("odd"),
        httpx.DecodingError("not gzip"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_may_have_been_sent_is_unknown_for_a_submit_only(error):
    async with line(failing(error)) as made:
        with pytest.raises(OutcomeUnknown):
            await made.submit("/submit", {})
        with pytest.raises(Unavailable):
            await made.get("/look")


class Endless(httpx.AsyncByteStream):
    """Says something, then nothing for ever."""

    def __init__(self, first: bytes) -> None:
        self.first, self.closed = first, False

    async def __aiter__(self):
        yield self.first
        await asyncio.Event().wait()

    async def aclose(self):
        self.closed = True


async def test_a_body_that_never_ends_is_given_up():
    body = Endless(b'{"code": 200')
    async with line(lambda _: httpx.Response(200, stream=body), total_s=0.01) as made:
        with pytest.raises(OutcomeUnknown, match="no usable answer"):
            await made.submit("/submit", {})
    assert body.closed


async def test_a_body_that_is_too_large_is_not_read_to_its_end():
    body = Endless(b"x" * (BODY_MAX_BYTES + 1))
    async with line(lambda _: httpx.Response(200, stream=body)) as made:
        with pytest.raises(Unavailable, match="larger"):
            await made.get("/look")
    assert body.closed


async def test_a_redirect_is_not_followed():
    elsewhere = {"Location": "https://thief.example/"}
    async with line(lambda _: httpx.Response(302, headers=elsewhere)) as made:
        assert (await made.get("/look")).status == 302


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b"[" * 10_000, b"\xff", b'"\\ud800"', b"NaN", b"1" * 5000]
)
async def test_a_body_that_is_no_json_reads_as_none(body):
    async with line(lambda _: httpx.Response(200, content=body)) as made:
        assert (await made.get("/look")).json is None


@given(st.binary())
def test_any_bytes_make_a_reply(body):
    async def ask():
        async with line(lambda _: httpx.Response(200, content=body)) as made:
            return await made.get("/look")

    assert isinstance(asyncio.run(ask()), Reply)


async def test_a_key_that_is_quoted_back_is_taken_out():
    async with line(lambda _: httpx.Response(200, json={"msg": "bad key ann's"}), secret="ann's") as made:
        assert (await made.get("/look")).json == {"msg": "bad key ann's"}  # too short to be one
    async with line(lambda _: httpx.Response(200, json={"msg": "bad key my-key"}), secret="my-key") as made:
        assert (await made.get("/look")).json == {"msg": "bad key (hidden)"}


@pytest.mark.parametrize("key", ["ключ-ключ", "key-with\nnewline", "key-with-blank "])
def test_a_key_that_cannot_be_sent_is_the_operators_to_mend_and_is_not_repeated(key):
    with pytest.raises(Misconfigured) as caught:
        Line(URL, {"Authorization": f"Bearer {key}"})
    assert key not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["", "api.kie.ai", "ftp://api.kie.ai", "https://", "https://host:port"])
def test_an_address_that_cannot_work_is_the_operators_to_mend(url):
    with pytest.raises(Misconfigured):
        Line(url, {})


class Server:
    """Answers every request with {} over connections that it keeps, and counts those."""

    def __init__(self) -> None:
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (int(row[15:]) for row in head.splitlines() if row.startswith(b"Content-Length")), 0
                )
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass  # the client hung up
        finally:
            writer.close()


@pytest.mark.parametrize(("ask", "connections"), [("look", 1), ("submit", 3)])
async def test_looks_share_a_connection_and_submits_never_do(ask, connections):
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        made = Line(f"http://{host}:{port}", {})
        for _ in range(3):
            await (made.get("/look") if ask == "look" else made.submit("/submit", {"a": "b"}))
        await made.aclose()
    assert server.connections == connections


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Fri, 20 Nov 2026 09:00:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 -0000"}, None),
        ({"Retry-After": "999999999"}, 3600.0),
    ],
)
def test_retry_after(headers, wait_s):
    assert retry_after_s(httpx.Headers(headers)) == wait_s
    assert Reply(429, headers=httpx.Headers(headers)).wait_s == wait_s


@given(st.text(), st.text())
def test_any_retry_after_is_read(value, date):
    wait_s = retry_after_s({"retry-after": value, "date": date})
    assert wait_s is None or wait_s >= 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Credits insufficient", "Credits insufficient"),
        ("  two\r\nlines\x00\u202e ", "two lines"),
        ("see https://a.example/b?c=d now", "see (link) now"),
        ("got api.telegram.org/file/bot12:AA/x.mp3", "got (link)"),
        ("key sk-abcdef is bad", "key (hidden) is bad"),
        ("Authorization: Bearer abc.def", "Authorization: (hidden)"),
        ("bot 123456789:AAbbccddeeffgghhiijjkk", "bot (hidden)"),
        ("key 0123456789abcdef0123456789abcdef is bad", "key (hidden) is bad"),
        ("a risk-free task-force", "a risk-free task-force"),
        ("word " * 100, ("word " * 100)[: TEXT_MAX - 1] + "…"),
    ],
)
def test_foreign_text_is_made_safe(text, shown):
    assert safe(text) == shown


@given(st.text(max_size=6000))
def test_any_text_becomes_one_short_line(text):
    line = safe(text)
    assert len(line) <= TEXT_MAX
    assert "://" not in line or not any(part.isascii() and part.isalnum() for part in line.split("://")[1:])
    assert not any(char in line for char in "\r\n\0\x1b")


def test_a_reply_keeps_its_headers_out_of_its_repr():
    assert "session=1" not in repr(Reply(200, headers=httpx.Headers({"Set-Cookie": "session=1"})))
