"""The Telegram calls of a delivery: one part, one call."""

from collections.abc import Sequence
from contextlib import suppress
from html import escape
from typing import TypedDict

from telegram import InputMediaAudio, InputMediaDocument, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.delivery.items import Item
from bot.delivery.plan import Means
from bot.intake.budgets import Kind
from bot.intake.limiter import Dropped
from bot.services import Services
from storage.rows import Job, Stem

SLOWEST_BYTES_PER_S = 50_000
URL_MAX_BYTES = 20_000_000  # of what Telegram fetches by itself
ANSWER_S = 60.0  # Telegram works on an upload after its last byte came
LONGEST_ANSWER_S = 1800.0


class Addressed(TypedDict):
    """Where a job's messages go: its chat, its topic, in reply to what asked, even if that was deleted."""

    chat_id: int
    message_thread_id: int | None
    reply_parameters: ReplyParameters | None
    rate_limit_args: Kind


def addressed(job: Job) -> Addressed:
    reply = None
    if job.message_id is not None:
        reply = ReplyParameters(job.message_id, allow_sending_without_reply=True)
    return Addressed(
        chat_id=job.chat_id,
        message_thread_id=job.thread_id,
        reply_parameters=reply,
        rate_limit_args=Kind.RESULT,
    )


async def send_files(services: Services, job: Job, items: Sequence[Item], caption: str) -> Sequence[Message]:
    """One file alone, or 2 to 10 as an album; the caption goes to the first."""
    if len(items) == 1:
        return [await _send_single(services, job, items[0], caption)]
    media = [_media(item, caption if place == 0 else None) for place, item in enumerate(items)]
    return await services.bot.send_media_group(media=media, **addressed(job), **_timeouts(items))


async def show_uploading(services: Services, job: Job) -> None:
    """ "sending a file…" under the chat's name, for the seconds until something comes."""
    with suppress(TelegramError, Dropped):  # whatever is wrong, the send itself will meet it
        await services.bot.send_chat_action(
            job.chat_id,
            ChatAction.UPLOAD_DOCUMENT,
            message_thread_id=job.thread_id,
            rate_limit_args=Kind.STATUS,
        )


def may_be_fetched(stem: Stem) -> bool:
    """Whether Telegram may be given an upstream's link: only what is no file_id and no path of ours, and an
    MP3 that is not known to be larger than Telegram fetches.

    https://core.telegram.org/bots/api#sending-files
    """
    url = stem.url or ""
    is_mp3 = url.startswith("https://") and url.split("?")[0].lower().endswith(".mp3")
    return is_mp3 and (stem.size_bytes or 0) <= URL_MAX_BYTES


async def send_url(services: Services, job: Job, url: str, title: str) -> Sequence[Message]:
    """Let Telegram fetch a file; it tends to forget the title."""
    return [
        await services.bot.send_audio(
            audio=url, title=title, caption=escape(title), read_timeout=ANSWER_S, **addressed(job)
        )
    ]


async def send_links(services: Services, job: Job, text: str) -> Sequence[Message]:
    # Telegram would fetch a link to preview it.
    no_preview = LinkPreviewOptions(is_disabled=True)
    return [await services.bot.send_message(text=text, link_preview_options=no_preview, **addressed(job))]


async def _send_single(services: Services, job: Job, item: Item, caption: str) -> Message:
    if item.means is Means.DOCUMENT:
        return await services.bot.send_document(
            document=item.media,
            caption=caption,
            thumbnail=item.thumbnail,
            **addressed(job),
            **_timeouts([item]),
        )
    return await services.bot.send_audio(
        audio=item.media,
        caption=caption,
        title=item.title,
        performer=item.performer,
        duration=item.duration_s,
        thumbnail=item.thumbnail,
        **addressed(job),
        **_timeouts([item]),
    )


def _media(item: Item, caption: str | None) -> InputMediaAudio | InputMediaDocument:
    if item.means is Means.DOCUMENT:
        return InputMediaDocument(item.media, caption=caption, thumbnail=item.thumbnail)
    return InputMediaAudio(
        item.media,
        caption=caption,
        title=item.title,
        performer=item.performer,
        duration=item.duration_s,
        thumbnail=item.thumbnail,
    )


class Timeouts(TypedDict):
    read_timeout: float
    write_timeout: float


def _timeouts(items: Sequence[Item]) -> Timeouts:
    size = sum(item.size_bytes for item in items)
    answer_s = min(ANSWER_S + size / SLOWEST_BYTES_PER_S, LONGEST_ANSWER_S)
    return Timeouts(read_timeout=answer_s, write_timeout=ANSWER_S)
