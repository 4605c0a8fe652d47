"""What the bot attaches: an upload, a ``file_id`` or a URL, made into an attachment.

https://core.telegram.org/bots/api#sending-files
"""

import re
from dataclasses import dataclass, replace

from starlette.datastructures import UploadFile

from sandbox.telegram.errors import bad_request
from sandbox.telegram.fetch import fetch
from sandbox.telegram.files import PLAYABLE, WRONG_FILE, Content, mime_type, wrong_kind
from sandbox.telegram.messages import Attachment
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.world import World

DURATION_MAX_S = 24 * 3600
THUMBNAIL_MAX_BYTES = 200_000
ATTACH = "attach://"
HTTP_URL = re.compile(r"https?://\S+\Z", re.I)


@dataclass(frozen=True, slots=True)
class Given:
    """What the bot says about a file."""

    title: str = ""
    performer: str = ""
    duration: int = 0
    thumbnail: str = ""


async def attachment(
    world: World, parameters: Parameters, kind: str, source: str, given: Given, *, part: str = ""
) -> Attachment:
    """The file named by ``source`` or uploaded as ``part``. ApiError, or FetchFailed for a URL."""
    if upload := uploaded(parameters, source, part):
        return await _from_upload(world, parameters, kind, upload, given)
    if source.startswith(ATTACH) or not source:
        raise bad_request(f"There is no {kind} in the request" if part else "media not found")
    if HTTP_URL.match(source):
        return await _from_url(world, kind, source)
    return from_file_id(world, kind, source)


def uploaded(parameters: Parameters, source: str, part: str) -> UploadFile | None:
    if source.startswith(ATTACH):
        return parameters.uploads.get(source.removeprefix(ATTACH))
    return parameters.uploads.get(part) if part and not source else None


def from_file_id(world: World, kind: str, file_id: str) -> Attachment:
    """The same file again: what it said about itself the first time stays."""
    sent, content = world.files.known(file_id)
    if sent.kind != kind:
        raise wrong_kind(sent, kind)
    return world.files.send(content, sent)


async def _from_upload(
    world: World, parameters: Parameters, kind: str, upload: UploadFile, given: Given
) -> Attachment:
    content = await world.files.keep(upload.file)
    thumbnail = await _thumbnail(world, parameters, given.thumbnail)
    made = described(kind, content, upload.filename or "file", mime_type(upload.filename or ""), given)
    return world.files.send(content, replace(made, thumbnail_file_id=thumbnail))


async def _from_url(world: World, kind: str, url: str) -> Attachment:
    """Title, performer, duration and thumbnail of the request are not used for URLs."""
    if kind not in ("audio", "document", "photo"):
        raise bad_request(WRONG_FILE)
    fetched = await fetch(world, url, kind)
    made = described(kind, fetched.content, fetched.file_name, fetched.mime_type, Given())
    return world.files.send(fetched.content, made)


def described(kind: str, content: Content, file_name: str, mime: str, given: Given) -> Attachment:
    """The attachment that Telegram makes of a file; what its player cannot play becomes a document."""
    if kind == "photo" and not content.is_picture:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if kind == "audio" and mime.replace("x-m4a", "mp4").replace("mp3", "mpeg") not in PLAYABLE:
        kind = "document"
    attached = Attachment(kind, "", content.unique_id, content.size, file_name, mime)
    if kind != "audio":
        return attached
    return replace(
        attached,
        duration=min(max(given.duration or content.tags.duration, 0), DURATION_MAX_S),
        title=given.title or content.tags.title,
        performer=given.performer or content.tags.performer,
    )


async def _thumbnail(world: World, parameters: Parameters, source: str) -> str:
    """Only an uploaded small JPEG counts; anything else is passed over without a word."""
    upload = uploaded(parameters, source, "thumbnail")
    if upload is None or not 0 < (upload.size or 0) <= THUMBNAIL_MAX_BYTES:
        return ""
    content = await world.files.keep(upload.file)
    made = Attachment("photo", "", content.unique_id, content.size, "thumbnail.jpg", "image/jpeg")
    return world.files.send(content, made).file_id
