"""Moments of an exchange in which the other side stops, so that a test can kill the bot right there."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.telegram import Telegram
from sandbox.upstreams.faults import Fault, Proceed, cut

WITHIN_S = 20.0


@dataclass(frozen=True)
class Moment:
    """The exchange ``came`` here, and goes on when it is ``released``."""

    came: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self) -> None:
        """The other side's part: say that it is reached, and stay."""
        self.came.set()
        await self.released.wait()

    async def reached(self) -> None:
        """The test's part; TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            await self.came.wait()

    def release(self) -> None:
        self.released.set()


def unheard(moment: Moment) -> Fault:
    """The request has arrived, nothing is done about it yet."""

    async def play(proceed: Proceed) -> Response:
        await moment.hold()
        return await proceed()

    return Fault("unheard", play)


def unanswered(moment: Moment) -> Fault:
    """The work is done, the answer has not left."""

    async def play(proceed: Proceed) -> Response:
        answer = await proceed()
        await moment.hold()
        return answer

    return Fault("unanswered", play)


def half_sent(moment: Moment) -> Fault:
    """Half of a file is on its way, under the length of the whole."""

    async def play(proceed: Proceed) -> Response:
        answer = await proceed()
        assert isinstance(answer, FileResponse)
        body = Path(answer.path).read_bytes()  # noqa: ASYNC240  a small file on a local disk
        headers = {"Content-Length": str(len(body))}
        return StreamingResponse(_halves(body, moment), media_type=answer.media_type, headers=headers)

    return Fault("half_sent", play)


async def _halves(body: bytes, moment: Moment) -> AsyncIterator[bytes]:
    half = len(body) // 2
    yield body[:half]
    await moment.hold()
    yield body[half:]


@dataclass(frozen=True)
class Interruption:
    """Comes when this ``share`` of an upload's body is there: of 0 the head alone, of 1 all of it."""

    share: float
    moment: Moment | None  # at which it stops; None: the connection is cut


class Uploads:
    """Stands before Telegram, which reads the whole of a request before it looks at it."""

    def __init__(self) -> None:
        self._coming: deque[Interruption] = deque()

    def watch(self, telegram: Telegram) -> None:
        """Before anything has called it."""
        telegram.app.add_middleware(self._middleware)

    def hold_next(self, share: float) -> Moment:
        """So much of the next album has come, and no more is read; its moment."""
        moment = Moment()
        self._coming.append(Interruption(share, moment))
        return moment

    def cut_next(self, share: float) -> None:
        """So much of the next album has come, and its connection is cut."""
        self._coming.append(Interruption(share, None))

    def _middleware(self, app: ASGIApp) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if self._coming and scope["path"].endswith("/sendMediaGroup"):
                await _interrupt(self._coming.popleft(), scope, receive)
            else:
                await app(scope, receive, send)

        return watched


async def _interrupt(interruption: Interruption, scope: Scope, receive: Receive) -> None:
    wanted = interruption.share * int(Headers(scope=scope)["content-length"])
    while wanted > 0:
        wanted -= len((await receive())["body"])
    if interruption.moment is None:
        await cut(scope, receive)
        return
    await interruption.moment.hold()
    while (await receive())["type"] != "http.disconnect":
        pass  # the bot is dead: what it had sent before leads nowhere
