"""editMessageText, -Caption, -ReplyMarkup, -Media, deleteMessage(s), setMessageReaction.

https://core.telegram.org/bots/api#updating-messages
"""

import time
from typing import Any

from sandbox.telegram.chats import Chat, Kind, Standing
from sandbox.telegram.errors import bad_request
from sandbox.telegram.fetch import FetchFailed
from sandbox.telegram.media import attachment
from sandbox.telegram.messages import Message
from sandbox.telegram.methods.albums import MIXED, item_of
from sandbox.telegram.methods.base import Json, Method, chat_of, message_of, one
from sandbox.telegram.methods.sending import shows_preview
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.texts import caption_in, markup_in, text_in
from sandbox.telegram.world import World

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
DELETABLE_S = 48 * 3600
REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔"
    "🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡"
)


def editable(world: World, parameters: Parameters) -> tuple[Chat, Message]:
    """The bot's own message; ApiError 400."""
    chat = chat_of(world, parameters)
    message = message_of(chat, parameters, "message to edit")
    if message.sender_id != world.bot.user_id or message.service or message.forward_origin:
        raise bad_request("message can't be edited")
    return chat, message


def edited(world: World, chat: Chat, message: Message, **changes: Any) -> Json:
    """Show the new content; ApiError 400 where nothing is new."""
    if all(getattr(message, name) == value for name, value in changes.items()):
        raise bad_request(NOT_MODIFIED)
    return world.change(chat, message, **changes).wire()


async def edit_message_text(world: World, parameters: Parameters) -> Json:
    """Without a ``reply_markup`` the buttons go."""
    formatted, markup = text_in(parameters), markup_in(parameters, inline_only=True)
    chat, message = editable(world, parameters)
    if message.attachment is not None:
        raise bad_request("There is no text in the message to edit")
    preview = shows_preview(parameters)
    return edited(world, chat, message, formatted=formatted, reply_markup=markup, shows_preview=preview)


async def edit_message_caption(world: World, parameters: Parameters) -> Json:
    formatted, markup = caption_in(parameters), markup_in(parameters, inline_only=True)
    chat, message = editable(world, parameters)
    if message.attachment is None:
        raise bad_request("There is no caption in the message to edit")
    return edited(world, chat, message, formatted=formatted, reply_markup=markup)


async def edit_message_reply_markup(world: World, parameters: Parameters) -> Json:
    markup = markup_in(parameters, inline_only=True)
    chat, message = editable(world, parameters)
    return edited(world, chat, message, reply_markup=markup)


async def edit_message_media(world: World, parameters: Parameters) -> Json:
    """In an album audio stays audio, documents stay documents."""
    parameters.required("media")
    item = item_of(parameters.json("media", "Can't parse input media JSON object"))
    markup = markup_in(parameters, inline_only=True)
    chat, message = editable(world, parameters)
    if message.media_group_id and message.attachment and message.attachment.kind != item.kind:
        raise bad_request(MIXED)
    try:
        sent = await attachment(world, parameters, item.kind, item.media, item.given)
    except FetchFailed as failure:
        raise failure.error() from failure
    return edited(world, chat, message, attachment=sent, formatted=item.formatted, reply_markup=markup)


async def delete_message(world: World, parameters: Parameters) -> bool:
    chat = chat_of(world, parameters)
    message = message_of(chat, parameters, "message to delete")
    if not may_delete(world, chat, message):
        raise bad_request("message can't be deleted")
    world.remove(chat, message.message_id)
    return True


async def delete_messages(world: World, parameters: Parameters) -> bool:
    """What is not there is passed over."""
    chat = chat_of(world, parameters)
    for message_id in message_ids_in(parameters):
        message = chat.messages.get(message_id)
        if message is not None and may_delete(world, chat, message):
            world.remove(chat, message_id)
    return True


def may_delete(world: World, chat: Chat, message: Message) -> bool:
    """Own messages and a private chat's for 48 hours; everything as a group's admin."""
    young = time.time() - message.date < DELETABLE_S
    own = message.sender_id == world.bot.user_id or chat.kind is Kind.PRIVATE
    return chat.standing is Standing.ADMINISTRATOR or (own and young)


def message_ids_in(parameters: Parameters) -> list[int]:
    """``message_ids``: 1-100 whole numbers; ApiError 400."""
    parameters.required("message_ids")
    ids = parameters.json("message_ids", "Can't parse message identifiers JSON object")
    if not isinstance(ids, list) or not all(isinstance(value, int) for value in ids):
        raise bad_request("Expected an Array of message identifiers")
    if not 1 <= len(ids) <= 100:
        raise bad_request(
            "Too many message identifiers specified" if ids else "Message identifiers are not specified"
        )
    return ids


async def set_message_reaction(world: World, parameters: Parameters) -> bool:
    """At most one emoji of Telegram's list; none takes it away."""
    chat = chat_of(world, parameters)
    message = message_of(chat, parameters, "message to react")
    reactions = parameters.json("reaction", "Can't parse reaction JSON object") or []
    if not isinstance(reactions, list) or not all(isinstance(reaction, dict) for reaction in reactions):
        raise bad_request("Expected an Array of ReactionType")
    emojis = [str(reaction.get("emoji", "")).removesuffix("\ufe0f") for reaction in reactions]
    if len(emojis) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if not REACTIONS.issuperset(emojis):
        raise bad_request("REACTION_INVALID")
    world.change(chat, message, edited=False, reactions=tuple(emojis))
    return True


METHODS = [
    Method("editMessageText", edit_message_text, one),
    Method("editMessageCaption", edit_message_caption, one),
    Method("editMessageReplyMarkup", edit_message_reply_markup, one),
    Method("editMessageMedia", edit_message_media, one),
    Method("deleteMessage", delete_message),
    Method("deleteMessages", delete_messages),
    Method("setMessageReaction", set_message_reaction),
]
