"""What became of a Telegram call that raised, and what may be done next.

No send is idempotent, and a timeout does not mean failure: the message may be there, only the answer is not.
https://core.telegram.org/bots/api#making-requests
"""

from datetime import timedelta
from enum import StrEnum

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.intake.limiter import Dropped
from bot.sent_bodies import was_cut_short


class Outcome(StrEnum):
    UNSENT = "unsent"  # surely not sent: the same call may be made again
    UNKNOWN = "unknown"  # it may have been done: not repeated where that would show twice
    REFUSED = "refused"  # not done, and never will be
    TOO_BIG = "too_big"
    NO_FILES = "no_files"  # this chat does not let us send files; or texts, where it was one
    NO_CHAT = "no_chat"  # blocked, kicked, deleted: nothing can be said there
    CHANGED = "changed"  # the group has a new id, or the topic is closed: repeat it at the new place
    OURS = "ours"  # the token is wrong, or another process uses it


# PTB tells a request that never left from one whose answer was lost only by the cause it chains.
NEVER_LEFT = (httpx.PoolTimeout, httpx.ConnectTimeout, httpx.ConnectError)
CHAT_GONE = (
    "chat not found",
    "user is deactivated",
    "bot was kicked",
    "peer_id_invalid",
    "chat_write_forbidden",
    "have no rights to send a message",
    "user_is_blocked",
    "user_deactivated",
    "channel_private",
    "chat_restricted",
    "chat was deactivated",
)
BAD_FILE_ID = ("file", "media_")
NO_FILES = ("not enough rights to send", "chat_send_")
TOPIC_GONE = ("message thread not found", "topic_closed", "topic_deleted")


def outcome_of(error: TelegramError | Dropped) -> Outcome:
    match error:
        case Dropped() | RetryAfter():
            return Outcome.UNSENT
        case ChatMigrated():
            return Outcome.CHANGED
        case Forbidden() | BadRequest() if any(text in str(error).lower() for text in NO_FILES):
            return Outcome.NO_FILES
        case Forbidden():
            return Outcome.NO_CHAT
        case BadRequest() if any(text in str(error).lower() for text in CHAT_GONE):
            return Outcome.NO_CHAT
        case BadRequest() if any(text in str(error).lower() for text in TOPIC_GONE):
            return Outcome.CHANGED
        case BadRequest():  # before NetworkError: it is one, by PTB's class tree
            return Outcome.REFUSED
        case InvalidToken() | Conflict():
            return Outcome.OURS
        case TimedOut() | NetworkError() if isinstance(error.__cause__, NEVER_LEFT):
            return Outcome.UNSENT
        case TimedOut() | NetworkError() if was_cut_short(error.__cause__):
            return Outcome.UNSENT
        case NetworkError() if "Entity Too Large" in str(error):
            return Outcome.TOO_BIG
        case _:
            return Outcome.UNKNOWN


def is_about_file(why: str) -> bool:
    """Whether Telegram refused for the file itself, rather than for anything about the chat or the text."""
    return any(text in why.lower() for text in BAD_FILE_ID)


def is_new_place(error: TelegramError | Dropped, chat_id: int, thread_id: int | None) -> bool:
    """Whether a CHANGED chat leaves somewhere else to say it: else repeating it would have no end."""
    if isinstance(error, ChatMigrated):
        return error.new_chat_id != chat_id
    return thread_id is not None


def wait_s(error: TelegramError | Dropped) -> float | None:
    """How long Telegram, or our own limiter, asks to wait; None where nobody says."""
    if not isinstance(error, RetryAfter):
        return None
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
