"""copyMessage(s), forwardMessage(s): the same content again, albums stay albums.

https://core.telegram.org/bots/api#copymessages
"""

import secrets
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.entities import NO_TEXT
from sandbox.telegram.errors import bad_request
from sandbox.telegram.messages import Message
from sandbox.telegram.methods.base import Json, Method, Target, chat_of, message_of, one, target_of
from sandbox.telegram.methods.editing import message_ids_in
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.texts import caption_in, markup_in
from sandbox.telegram.world import World


async def copy_message(world: World, parameters: Parameters) -> Json:
    changes: Json = {"reply_markup": markup_in(parameters)}
    if parameters.has("caption"):
        changes["formatted"] = caption_in(parameters)
    source = chat_of(world, parameters, "from_chat_id")
    message = message_of(source, parameters, "message to copy")
    target = target_of(world, parameters)
    copied = replace(copy_of(world, target, message), **changes)
    return {"message_id": world.post(target.chat, copied).message_id}


async def copy_messages(world: World, parameters: Parameters) -> list[Json]:
    target, messages = several(world, parameters)
    without = parameters.boolean("remove_caption")
    copies = [copy_of(world, target, message) for message in messages]
    if without:
        copies = [replace(copy, formatted=NO_TEXT) if copy.attachment else copy for copy in copies]
    return post_all(world, target.chat, copies)


async def forward_message(world: World, parameters: Parameters) -> Json:
    source = chat_of(world, parameters, "from_chat_id")
    message = message_of(source, parameters, "message to forward")
    target = target_of(world, parameters)
    return world.post(target.chat, forward_of(world, target, message)).wire()


async def forward_messages(world: World, parameters: Parameters) -> list[Json]:
    target, messages = several(world, parameters)
    return post_all(world, target.chat, [forward_of(world, target, message) for message in messages])


def several(world: World, parameters: Parameters) -> tuple[Target, list[Message]]:
    """The messages that are there; ids must rise, and at least one must exist."""
    ids = message_ids_in(parameters)
    if any(later <= earlier for earlier, later in pairwise(ids)):
        raise bad_request("message identifiers must be in a strictly increasing order")
    source = chat_of(world, parameters, "from_chat_id")
    target = target_of(world, parameters)
    found = [source.messages[message_id] for message_id in ids if message_id in source.messages]
    if not found:
        raise bad_request("there are no messages to forward")
    return target, found


def copy_of(world: World, target: Target, message: Message) -> Message:
    """The content without its past: no sender, no buttons, no reply."""
    if message.service:
        raise bad_request("message can't be copied")
    return target.draft(
        world,
        formatted=message.formatted,
        attachment=resent(world, message),
        media_group_id=message.media_group_id,
    )


def forward_of(world: World, target: Target, message: Message) -> Message:
    if message.service:
        raise bad_request("message can't be forwarded")
    origin = {"type": "user", "date": message.date, "sender_user": message.sender}
    return replace(copy_of(world, target, message), forward_origin=origin)


def resent(world: World, message: Message) -> Any:
    if message.attachment is None:
        return None
    sent, content = world.files.known(message.attachment.file_id)
    return world.files.send(content, sent)


def post_all(world: World, chat: Chat, drafts: list[Message]) -> list[Json]:
    """Post with new album ids, one for each old one."""
    groups = {draft.media_group_id: str(secrets.randbits(53)) for draft in drafts if draft.media_group_id}
    posted = [
        world.post(chat, replace(draft, media_group_id=groups.get(draft.media_group_id or "")))
        for draft in drafts
    ]
    return [{"message_id": message.message_id} for message in posted]


def as_many(parameters: Parameters) -> int:
    """Several messages count singly."""
    ids = parameters.recorded().get("message_ids")
    return len(ids) if isinstance(ids, list) else 1


METHODS = [
    Method("copyMessage", copy_message, one),
    Method("copyMessages", copy_messages, as_many),
    Method("forwardMessage", forward_message, one),
    Method("forwardMessages", forward_messages, as_many),
]
