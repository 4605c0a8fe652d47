"""What a method is, and where a message goes: chat, topic, reply.

https://core.telegram.org/bots/api#available-methods
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import bad_request
from sandbox.telegram.messages import Message
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.world import World

Json = dict[str, Any]
Run = Callable[[World, Parameters], Awaitable[Any]]


def nothing(_: Parameters) -> int:
    return 0


def one(_: Parameters) -> int:
    return 1


@dataclass(frozen=True)
class Method:
    """A method's name, what it does, and for how many messages it counts in its chat's rate."""

    name: str
    run: Run
    weight: Callable[[Parameters], int] = nothing
    free: bool = False  # not even part of the overall rate
    waits: bool = False  # ends when the bot hangs up


@dataclass(frozen=True)
class Target:
    """Where a message goes."""

    chat: Chat
    thread_id: int | None
    reply_to: Message | None

    def draft(self, world: World, **content: Any) -> Message:
        """The bot's message to this place."""
        return Message(
            chat=self.chat.wire(),
            sender=world.bot.wire(),
            message_thread_id=self.thread_id,
            reply_to=self.reply_to,
            **content,
        )


def chat_of(world: World, parameters: Parameters, name: str = "chat_id") -> Chat:
    """The chat that a parameter names, open to the bot; ApiError 400 or 403."""
    text = parameters.text(name).strip()
    if not text:
        raise bad_request(f"{name} is empty")
    if text.startswith("@"):
        raise bad_request("chat not found")
    try:
        return world.open_chat(int(text))
    except ValueError as error:
        raise bad_request("chat not found") from error


def target_of(world: World, parameters: Parameters) -> Target:
    """Chat, topic and reply of a send; ApiError for each that is wrong."""
    chat = chat_of(world, parameters)
    reply_to = reply_of(chat, parameters)
    thread_id = parameters.integer("message_thread_id") or (reply_to and reply_to.message_thread_id) or None
    if thread_id is not None:
        check_topic(chat, thread_id)
    return Target(chat, thread_id, reply_to)


def reply_of(chat: Chat, parameters: Parameters) -> Message | None:
    """``reply_parameters``, or their older form of two parameters."""
    reply = parameters.json("reply_parameters", "Can't parse reply parameters JSON object")
    if reply is None:
        message_id = parameters.integer("reply_to_message_id")
        lenient = parameters.boolean("allow_sending_without_reply")
    elif isinstance(reply, dict):
        message_id, lenient = reply.get("message_id", 0), bool(reply.get("allow_sending_without_reply"))
        if str(reply.get("chat_id") or chat.chat_id) != str(chat.chat_id):
            raise bad_request("message to be replied not found")  # replies across chats are not played here
    else:
        raise bad_request("Object expected as reply parameters")
    if not message_id:
        return None
    if isinstance(message_id, int) and message_id in chat.messages:
        return replace(chat.messages[message_id], reply_to=None)
    if lenient:
        return None
    raise bad_request("message to be replied not found")


def check_topic(chat: Chat, thread_id: int) -> None:
    if thread_id not in chat.topics:
        raise bad_request("message thread not found")
    if chat.topics[thread_id].closed:
        raise bad_request("TOPIC_CLOSED")


def message_of(chat: Chat, parameters: Parameters, purpose: str) -> Message:
    """The message that ``message_id`` names; ApiError 400 "message to edit not found" and the like."""
    message_id = parameters.integer("message_id")
    if not message_id:
        raise bad_request("Message identifier is not specified")
    if message_id not in chat.messages:
        raise bad_request(f"{purpose} not found")
    return chat.messages[message_id]
