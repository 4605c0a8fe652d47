"""What can go wrong with one exchange. A fault stands between the request and the stand-in's work: it may
answer in its place, let it work and spoil the answer, or cut the connection before or after."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

ABORT = "sandbox.abort"  # key of the ASGI scope: a function that resets the connection
Proceed = Callable[[], Awaitable[Response]]

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Place(StrEnum):
    SUBMIT = "submit"
    LOOK = "look"
    CREDITS = "credits"
    SONGS = "songs"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    play: Callable[[Proceed], Awaitable[Response]]


class Faults:
    """The faults that wait for their next exchange."""

    def __init__(self) -> None:
        self._waiting: defaultdict[Place, deque[Fault]] = defaultdict(deque)

    def add(self, fault: Fault, on: Place, times: int) -> None:
        self._waiting[on].extend([fault] * times)

    async def play(self, on: Place, proceed: Proceed) -> Response:
        waiting = self._waiting[on]
        return await (waiting.popleft().play(proceed) if waiting else proceed())


async def cut(scope: Scope, receive: Receive) -> None:
    """Reset the connection under the exchange; without a server there is none, so say what a client sees."""
    if ABORT not in scope:
        raise httpx.ReadError("the sandbox cut the connection")
    scope[ABORT]()
    while (await receive())["type"] != "http.disconnect":
        pass  # the rest of the request's body


class Cut(Response):
    """No answer at all."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's names
        await cut(scope, receive)


def code(number: int, msg: str = "made up by a test") -> Fault:
    """HTTP 200 with this ``code`` in the body, and nothing done."""
    return _instead("code", lambda: JSONResponse({"code": number, "msg": msg, "data": None}))


def http(status: int, body: object = "") -> Fault:
    """This HTTP status, nothing done; a text goes out as text, all else as JSON."""
    return _instead("http", lambda: _response(status, body))


def cdn_block() -> Fault:
    """What the content network in front of an upstream says to clients it does not like."""
    return _instead("cdn_block", lambda: PlainTextResponse("error code: 1010", 403))


def html_502() -> Fault:
    return _instead("html_502", lambda: HTMLResponse(BAD_GATEWAY, 502))


def reset_before() -> Fault:
    """The connection is cut, nothing is done."""
    return _instead("reset_before", Cut)


def reset_after() -> Fault:
    """The work is done (a task made and charged), then the connection is cut."""
    return _spoilt("reset_after", lambda _: Cut())


def slow(until: asyncio.Event | float) -> Fault:
    """The work starts when the event is set, or after so many seconds."""

    async def play(proceed: Proceed) -> Response:
        await (asyncio.sleep(until) if isinstance(until, int | float) else until.wait())
        return await proceed()

    return Fault("slow", play)


def not_json() -> Fault:
    """The work is done, its answer stops in the middle."""
    return _spoilt("not_json", lambda answer: _response(answer.status_code, bytes(answer.body)[:-4].decode()))


def no_task_id() -> Fault:
    """The work is done, the answer does not name the task."""
    return _edited("no_task_id", _without_task_id)


def data_null() -> Fault:
    """The work is done, the answer's ``data`` is null."""
    return _edited("data_null", lambda body: body | {"data": None} if "data" in body else body)


def data_absent() -> Fault:
    """The work is done, the answer has no ``data``."""
    return _edited(
        "data_absent",
        lambda body: {key: body[key] for key in body if key != "data"} if "data" in body else body,
    )


def data_list() -> Fault:
    """The work is done, the answer's ``data`` is wrapped in a list."""
    return _edited("data_list", lambda body: body | {"data": [body["data"]]} if "data" in body else [body])


def code_as_text() -> Fault:
    """The work is done, the answer's ``code`` is a text."""
    return _edited(
        "code_as_text", lambda body: body | {"code": str(body["code"])} if "code" in body else body
    )


FAULTS: dict[str, Callable[..., Fault]] = {
    make.__name__: make
    for make in (
        code, http, cdn_block, html_502, reset_before, reset_after,
        slow, not_json, no_task_id, data_null, data_absent, data_list, code_as_text,
    )
}  # fmt: skip


def _instead(name: str, answer: Callable[[], Response]) -> Fault:
    async def play(proceed: Proceed) -> Response:  # noqa: ARG001  the work is left undone on purpose
        return answer()

    return Fault(name, play)


def _spoilt(name: str, spoil: Callable[[Response], Response]) -> Fault:
    async def play(proceed: Proceed) -> Response:
        return spoil(await proceed())

    return Fault(name, play)


def _edited(name: str, edit: Callable[[Any], object]) -> Fault:
    """The work is done, its JSON answer is changed."""
    return _spoilt(
        name, lambda answer: JSONResponse(edit(json.loads(bytes(answer.body))), answer.status_code)
    )


def _without_task_id(body: Any) -> object:
    if isinstance(body, list):  # suno_api: the ids of clips are its task id
        return []
    return body | {"data": {}} if "data" in body else {key: body[key] for key in body if key != "task_id"}


def _response(status: int, body: object) -> Response:
    return PlainTextResponse(body, status) if isinstance(body, str) else JSONResponse(body, status)
