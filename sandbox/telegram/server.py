"""The HTTP side: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``, with faults, rates and a record.

https://core.telegram.org/bots/api#making-requests
"""

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.telegram.calls import Calls
from sandbox.telegram.errors import ApiError
from sandbox.telegram.faults import Cut, Fault, Faults, Page, ok
from sandbox.telegram.limits import Rates
from sandbox.telegram.methods import METHODS
from sandbox.telegram.methods.base import Method
from sandbox.telegram.parameters import Parameters, read_parameters
from sandbox.telegram.world import World

TOKEN = re.compile(r"\d+:[\w-]{35}\Z")
NOT_FOUND = ApiError(404, "Not Found")
NO_METHOD = ApiError(404, "Not Found: method not found")
UNAUTHORIZED = ApiError(401, "Unauthorized")
NO_ANSWER = 0
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Reply:
    """Status and JSON body of an answer."""

    status: int
    body: dict[str, Any]

    def response(self) -> Response:
        wait = self.body.get("parameters", {}).get("retry_after")
        headers = {"Retry-After": str(wait)} if wait is not None else None
        return JSONResponse(self.body, self.status, headers)


UNPROCESSED = Reply(500, {"ok": False, "error_code": 500, "description": "Internal Server Error"})
HUNG_UP = Reply(NO_ANSWER, {})


@dataclass
class Server:
    """Answers the bot's requests out of a World."""

    token: str = field(repr=False)
    world: World
    sleep: Sleep
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(init=False)
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(self.world.clock, self.world.changes.touch)
        self.rates = Rates(self.world.limits)

    def refusal(self, token: str) -> ApiError | None:
        """Why this token does not open the door."""
        if not TOKEN.match(token):
            return NOT_FOUND
        return None if hmac.compare_digest(token.encode(), self.token.encode()) else UNAUTHORIZED

    async def answer(self, request: Request) -> Response:
        """One method call."""
        if refusal := self.refusal(request.path_params["token"]):
            return failed(refusal).response()
        method = METHODS.get(request.path_params["method"].lower())
        if method is None:
            return failed(NO_METHOD).response()
        try:
            parameters = await read_parameters(request, upload_max_bytes=self.world.limits.upload_max_bytes)
        except ApiError as error:
            self.calls.begin(method.name, {}).end(error.code, error.description)
            return failed(error).response()
        try:
            return await self._handle(method, parameters, request)
        finally:
            await parameters.close()

    async def _handle(self, method: Method, parameters: Parameters, request: Request) -> Response:
        entry = self.calls.begin(method.name, parameters.recorded())
        fault = self.faults.take(method.name, entry.call.parameters) or ok()
        reply = UNPROCESSED
        if fault.processed:
            work = self.process(method, parameters)
            reply = await (unless(hung_up(request), work) if method.waits else work)
        if fault.hold is not None:
            await fault.hold.wait()
        response, status, description = answered(fault, reply)
        entry.end(status, description)
        return response

    async def process(self, method: Method, parameters: Parameters) -> Reply:
        """Limits, then the method itself."""
        try:
            await self._admit(method, parameters)
            return Reply(200, {"ok": True, "result": await method.run(self.world, parameters)})
        except ApiError as error:
            return failed(error)

    async def _admit(self, method: Method, parameters: Parameters) -> None:
        """Wait where Telegram makes one wait; ApiError 429."""
        if method.free:
            return
        chat = self.world.chats.get(parameters.integer("chat_id"))
        if refusal := self.rates.refusal(chat, method.weight(parameters), self.world.clock()):
            raise refusal
        try:
            wait_s = self.rates.upload_wait_s(parameters.upload_bytes, self.world.clock())
        except ApiError:
            await self.sleep(self.world.limits.refusal_delay_s)
            raise
        if wait_s > 0:
            await self.sleep(wait_s)

    async def download(self, request: Request) -> Response:
        """A file by the path that getFile named."""
        if refusal := self.refusal(request.path_params["token"]):
            return failed(refusal).response()
        path = self.world.files.by_wire_path(request.path_params["path"])
        return FileResponse(path) if path else failed(NOT_FOUND).response()


def failed(error: ApiError) -> Reply:
    return Reply(error.code, error.wire())


def answered(fault: Fault, reply: Reply) -> tuple[Response, int, str]:
    """What the bot gets, its status and description."""
    match fault.answer:
        case ApiError() as error:
            return failed(error).response(), error.code, error.description
        case Page() as page:
            return Response(page.body, page.status, media_type=page.media_type), page.status, ""
        case Cut():
            return Severed(), NO_ANSWER, ""
        case None if reply is HUNG_UP:
            return Response(), NO_ANSWER, ""  # nobody is there to read it
        case None:
            return reply.response(), reply.status, reply.body.get("description", "")


async def hung_up(request: Request) -> None:
    """Ends when the bot closes the connection. An idle poll of a dead bot must not eat its updates."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def unless(end: Coroutine[Any, Any, None], work: Coroutine[Any, Any, Reply]) -> Reply:
    """What the work gives, or HUNG_UP where the end comes first."""
    tasks = ending, working = asyncio.create_task(end), asyncio.create_task(work)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else HUNG_UP
    finally:
        ending.cancel()
        working.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Severed(Response):
    """No answer: the connection is cut. Without a socket (ASGI in process) it raises ConnectionResetError."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        # uvicorn hands out a bound method of its request cycle; ASGI has no word for cutting a connection.
        transport: asyncio.Transport | None = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("the stand-in cut the connection")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
