"""sendMediaGroup: 2-10 items of one kind, all or nothing.

https://core.telegram.org/bots/api#sendmediagroup
"""

import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.entities import Formatted
from sandbox.telegram.errors import ApiError, bad_request
from sandbox.telegram.fetch import FetchFailed
from sandbox.telegram.media import Given, attachment
from sandbox.telegram.messages import Attachment
from sandbox.telegram.methods.base import Json, Method, target_of
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.texts import caption
from sandbox.telegram.world import World

ITEMS_MIN, ITEMS_MAX = 2, 10
KINDS = ("audio", "document", "photo")
MIXED = "Can't use the media of the specified type in the album"


@dataclass(frozen=True)
class Item:
    """One InputMedia, checked."""

    kind: str
    media: str
    formatted: Formatted
    given: Given


async def send_media_group(world: World, parameters: Parameters) -> list[Json]:
    """A ``reply_markup`` is passed over, as Telegram does."""
    items = items_in(parameters)
    target = target_of(world, parameters)
    attachments = [await _attached(world, parameters, item, n) for n, item in enumerate(items, 1)]
    if len({sent.kind for sent in attachments}) > 1:
        raise bad_request(MIXED)
    group_id = str(secrets.randbits(53))
    drafts = [
        target.draft(world, formatted=item.formatted, attachment=sent, media_group_id=group_id)
        for item, sent in zip(items, attachments, strict=True)
    ]
    return [world.post(target.chat, draft).wire() for draft in drafts]


async def _attached(world: World, parameters: Parameters, item: Item, number: int) -> Attachment:
    try:
        return await attachment(world, parameters, item.kind, item.media, item.given)
    except FetchFailed as failure:
        raise _failed(number, failure.code) from failure


def _failed(number: int, code: str) -> ApiError:
    return bad_request(f'failed to send message #{number} with the error message "{code}"')


def items_in(parameters: Parameters) -> list[Item]:
    """``media``, checked; ApiError 400."""
    parameters.required("media")
    media = parameters.json("media", "Can't parse media JSON object")
    if not isinstance(media, list):
        raise bad_request("Expected an Array of InputMedia")
    items = [item_of(value) for value in media]
    if len(items) > ITEMS_MAX:
        raise bad_request("Too many messages to send as an album")
    if len(items) < ITEMS_MIN:
        # The server lets one pass; the documentation demands two.
        raise bad_request("There are not enough messages to send as an album")
    if len({"visual" if item.kind == "photo" else item.kind for item in items}) > 1:
        raise bad_request(MIXED)
    return items


def item_of(value: Any) -> Item:
    """One InputMedia; ApiError 400."""
    if not isinstance(value, dict):
        raise bad_request("Can't parse InputMedia: expected an Object")
    kind = value.get("type")
    if kind not in KINDS:
        raise bad_request(f'type "{kind}" is unsupported')
    formatted = caption(
        str(value.get("caption") or ""), str(value.get("parse_mode") or ""), value.get("caption_entities")
    )
    given = Given(
        title=str(value.get("title") or ""),
        performer=str(value.get("performer") or ""),
        duration=whole(value.get("duration")),
        thumbnail=str(value.get("thumbnail") or ""),
    )
    return Item(kind, str(value.get("media") or ""), formatted, given)


def whole(value: Any) -> int:
    """A whole number of JSON; ApiError 400 for anything else."""
    if value is None:
        return 0
    if not isinstance(value, int):
        raise bad_request('Field "duration" must be of type Number')
    return value


def items(parameters: Parameters) -> int:
    """An album counts as its items."""
    media = parameters.recorded().get("media")
    return len(media) if isinstance(media, list) else 1


METHODS = [Method("sendMediaGroup", send_media_group, items)]
