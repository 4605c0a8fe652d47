"""People over HTTP, for a page and for tests in another process: say, press, see messages, events, files."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.telegram.changes import Subscription
from sandbox.telegram.chats import Chat, Kind
from sandbox.telegram.messages import Message
from sandbox.telegram.people import Group, Person
from sandbox.telegram.telegram import Telegram

KEEP_ALIVE_S = 15.0
Endpoint = Callable[[Request], Awaitable[Response]]


class Wrong(Exception):
    """The request cannot be done: an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Control:
    """The routes' work over one stand-in."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram, self._world = telegram, telegram.world

    async def chats(self, _: Request) -> Response:
        return JSONResponse([chat_wire(chat) for chat in self._world.chats.values()])

    async def messages(self, request: Request) -> Response:
        return JSONResponse([message_wire(message) for message in self._chat(request).in_order()])

    async def say(self, request: Request) -> Response:
        """``{person_id, text, reply_to?, thread?}`` -> the message."""
        body, chat = await body_of(request), self._chat(request)
        reply_to = self._message(chat, body["reply_to"]) if body.get("reply_to") else None
        group = None if chat.kind is Kind.PRIVATE else Group(self._world, chat)
        said = await self._person(body).say(text_of(body, "text"), group, body.get("thread"), reply_to)
        return JSONResponse(message_wire(said), 201)

    async def press(self, request: Request) -> Response:
        """``{person_id, message_id, data}`` -> the id of the update."""
        body, chat = await body_of(request), self._chat(request)
        message = self._message(chat, body.get("message_id"))
        press = await self._person(body).press_data(message, text_of(body, "data"))
        return JSONResponse({"query_id": press.query.query_id, "update_id": press.update_id}, 201)

    async def add_person(self, request: Request) -> Response:
        """``{name, username?, language_code?}`` -> the chat with that person."""
        body = await body_of(request)
        person = self._telegram.person(
            text_of(body, "name"),
            username=str(body.get("username") or ""),
            language_code=str(body.get("language_code") or "en"),
        )
        return JSONResponse({"person_id": person.user_id, **chat_wire(person.chat)}, 201)

    async def add_group(self, request: Request) -> Response:
        """``{title, person_ids, forum?}`` -> the chat."""
        body = await body_of(request)
        people = [self._person({"person_id": person_id}) for person_id in body.get("person_ids") or []]
        group = self._telegram.group(text_of(body, "title"), members=people, forum=bool(body.get("forum")))
        return JSONResponse(chat_wire(group.chat), 201)

    async def events(self, _: Request) -> Response:
        """Server-sent events from now on."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = event_stream(self._telegram.subscribe(), KEEP_ALIVE_S)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def file(self, request: Request) -> Response:
        """A file's bytes, in ranges if asked for."""
        try:
            sent, content = self._world.files.sent(request.path_params["file_id"])
        except KeyError as error:
            raise Wrong(404, "no such file") from error
        name = sent.file_name or None
        return FileResponse(
            content.path, media_type=sent.mime_type, filename=name, content_disposition_type="inline"
        )

    def _chat(self, request: Request) -> Chat:
        name = request.path_params["chat_id"]  # Starlette's int takes no minus, which groups have
        chat = self._world.chats.get(int(name)) if name.removeprefix("-").isdecimal() else None
        if chat is None:
            raise Wrong(404, "no such chat")
        return chat

    def _person(self, body: Mapping[str, Any]) -> Person:
        person_id = body.get("person_id")
        user = self._world.people.get(person_id) if isinstance(person_id, int) else None
        if user is None:
            raise Wrong(404, "no such person")
        return Person(self._world, user)

    def _message(self, chat: Chat, message_id: Any) -> Message:
        if not isinstance(message_id, int) or message_id not in chat.messages:
            raise Wrong(404, "no such message")
        return chat.messages[message_id]


def control_routes(telegram: Telegram) -> list[Route]:
    """Routes to mount where the page expects them, such as ``/chat-api``."""
    control = Control(telegram)
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "/chats", control.chats),
        ("GET", "/chats/{chat_id}/messages", control.messages),
        ("POST", "/chats/{chat_id}/say", control.say),
        ("POST", "/chats/{chat_id}/press", control.press),
        ("POST", "/persons", control.add_person),
        ("POST", "/groups", control.add_group),
        ("GET", "/events", control.events),
        ("GET", "/files/{file_id}", control.file),
    ]
    return [Route(path, guarded(endpoint), methods=[method]) for method, path, endpoint in table]


def guarded(endpoint: Endpoint) -> Endpoint:
    """Wrong requests become JSON answers."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Wrong as wrong:
            return JSONResponse({"error": str(wrong)}, wrong.status)
        except ValueError as error:  # what Telegram would not let a person do
            return JSONResponse({"error": str(error)}, 409)

    return answer


async def body_of(request: Request) -> Mapping[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise Wrong(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Wrong(400, "the body is not an object")
    return body


def text_of(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Wrong(400, f"{name} is missing")
    return value


def chat_wire(chat: Chat) -> dict[str, Any]:
    """A chat and who is in it."""
    people = [chat.person] if chat.person else list(chat.members.values())
    return {**chat.wire(), "people": [person.wire() for person in people], "standing": str(chat.standing)}


def message_wire(message: Message) -> dict[str, Any]:
    return {**message.wire(), "html": message.html}


async def event_stream(subscription: Subscription, keep_alive_s: float) -> AsyncIterator[str]:
    """Events as SSE, with comments where nothing happens for a while."""
    yield ": connected\n\n"
    with subscription:
        while True:
            try:
                event = await asyncio.wait_for(subscription.get(), keep_alive_s)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event is None:
                return
            yield f"data: {json.dumps(event.wire())}\n\n"
