"""Uploads through PTB and our connection over real sockets, to a server that cuts them off at some byte."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import InputFile
from telegram.error import TelegramError

from bot.connection import connect, new_request
from bot.outcomes import Outcome, outcome_of
from tests.bot.new_world import new_settings

SMALL = 3_000  # all of it leaves at once
LARGE = 32_000_000  # more than both sockets hold between them


class Cutter(asyncio.Protocol):
    """Takes so many bytes of a request, or all of it, and resets the connection."""

    def __init__(self, after: int) -> None:
        self._after, self._received = after, bytearray()
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._cut_in_time()

    def data_received(self, data: bytes) -> None:
        self._received += data[: self._after - len(self._received)]
        self._cut_in_time()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()

    def _cut_in_time(self) -> None:
        if len(self._received) == self._after or self.got_all:
            self._transport.abort()

    @property
    def got_all(self) -> bool:
        head, end, _ = bytes(self._received[: SMALL * 2]).partition(b"\r\n\r\n")
        return bool(end) and len(head) + len(end) + length_in(head) == len(self._received)


def length_in(head: bytes) -> int:
    lines = (line.partition(b": ") for line in head.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


@asynccontextmanager
async def cutting(after: int) -> AsyncIterator[tuple[Cutter, str]]:
    cutter, loop = Cutter(after), asyncio.get_running_loop()
    async with await loop.create_server(lambda: cutter, "127.0.0.1", 0) as server:
        yield cutter, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def upload(size: int, *, cut_after: int) -> tuple[Outcome, bool]:
    """What we take it for, and whether the other side had got all of it."""
    async with cutting(cut_after) as (cutter, url):
        bot = connect(new_settings("sqlite:///unused.db", telegram_api_url=url), new_request())
        file = InputFile(io.BytesIO(bytes(size)), filename="a.mp3", read_file_handle=False)
        try:
            await bot.send_audio(1, file)
        except TelegramError as error:
            await cutter.closed.wait()
            return outcome_of(error), cutter.got_all
        finally:
            await bot.request.shutdown()
    raise AssertionError("nobody answered it")


@given(st.integers(1, SMALL + 1500))
@settings(deadline=None, max_examples=40)
def test_what_is_taken_for_unsent_never_arrived_whole(cut_after):
    outcome, got_all = asyncio.run(upload(SMALL, cut_after=cut_after))
    assert outcome is Outcome.UNKNOWN or (outcome is Outcome.UNSENT and not got_all)


@pytest.mark.parametrize("cut_after", [0, 1, 200, 600, 1_000_000, 4_000_000], ids=lambda at: f"byte {at}")
async def test_an_upload_that_was_cut_while_it_left_may_be_sent_again(cut_after):
    assert await upload(LARGE, cut_after=cut_after) == (Outcome.UNSENT, False)
