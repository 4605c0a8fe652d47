from datetime import timedelta

import httpx
import pytest
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
from bot.outcomes import Outcome, outcome_of, wait_s
from tests.bot import telegram_stand_in as faults
from tests.bot.world import ANN

# The library warns about the type of its own retry_after.
pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")


def caused(error, cause):
    error.__cause__ = cause
    return error


CASES = [
    (Dropped("no room"), Outcome.UNSENT),
    (RetryAfter(7), Outcome.UNSENT),
    (caused(TimedOut(), httpx.PoolTimeout("")), Outcome.UNSENT),
    (caused(TimedOut(), httpx.ConnectTimeout("")), Outcome.UNSENT),
    (caused(NetworkError("x"), httpx.ConnectError("")), Outcome.UNSENT),
    (caused(TimedOut(), httpx.ReadTimeout("")), Outcome.UNKNOWN),
    (caused(TimedOut(), httpx.WriteTimeout("")), Outcome.UNKNOWN),
    (caused(NetworkError("x"), httpx.ReadError("")), Outcome.UNKNOWN),
    (caused(NetworkError("x"), httpx.RemoteProtocolError("")), Outcome.UNKNOWN),
    (TimedOut(), Outcome.UNKNOWN),
    (NetworkError("Bad Gateway (502)"), Outcome.UNKNOWN),
    (TelegramError("Invalid server response"), Outcome.UNKNOWN),
    (BadRequest("Wrong file identifier/HTTP URL specified"), Outcome.REFUSED),
    (BadRequest("Message is not modified"), Outcome.REFUSED),
    (NetworkError("Request Entity Too Large (413)"), Outcome.TOO_BIG),
    (Forbidden("bot was blocked by the user"), Outcome.NO_CHAT),
    (BadRequest("Chat not found"), Outcome.NO_CHAT),
    (BadRequest("PEER_ID_INVALID"), Outcome.NO_CHAT),
    (BadRequest("CHAT_WRITE_FORBIDDEN"), Outcome.NO_CHAT),
    (ChatMigrated(-1009), Outcome.CHANGED),
    (BadRequest("Message thread not found"), Outcome.CHANGED),
    (BadRequest("TOPIC_CLOSED"), Outcome.CHANGED),
    (BadRequest("TOPIC_DELETED"), Outcome.CHANGED),
    (InvalidToken("Unauthorized"), Outcome.OURS),
    (Conflict("another poller"), Outcome.OURS),
]


def name_of(value):
    if isinstance(value, Outcome):
        return value.value
    return f"{type(value).__name__} {type(value.__cause__).__name__} {value}"[:60]


@pytest.mark.parametrize(("error", "outcome"), CASES, ids=name_of)
def test_what_an_error_means(error, outcome):
    assert outcome_of(error) is outcome


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RetryAfter(7), 7.0),
        (RetryAfter(timedelta(seconds=1.5)), 1.5),
        (TimedOut(), None),
        (Dropped("no room"), None),
    ],
)
def test_how_long_to_wait(error, seconds):
    assert wait_s(error) == seconds


# What the real library makes of what comes over the wire

WIRE = [
    (faults.TOO_FAST, Outcome.UNSENT),
    (faults.UNREACHABLE, Outcome.UNSENT),
    (faults.ANSWER_LOST, Outcome.UNKNOWN),
    (faults.GATEWAY, Outcome.UNKNOWN),
    (faults.GARBLED, Outcome.UNKNOWN),
    (faults.TOO_BIG, Outcome.TOO_BIG),
    (faults.BLOCKED, Outcome.NO_CHAT),
    (faults.KICKED, Outcome.NO_CHAT),
    (faults.CHAT_NOT_FOUND, Outcome.NO_CHAT),
    (faults.moved_to(-1009), Outcome.CHANGED),
    (faults.NO_THREAD, Outcome.CHANGED),
    (faults.TOPIC_CLOSED, Outcome.CHANGED),
    (faults.NO_AUDIO_HERE, Outcome.NO_FILES),
    (faults.refusal(403, "Forbidden: not enough rights to send audios to the chat"), Outcome.NO_FILES),
    (faults.refusal(400, "Bad Request: have no rights to send a message"), Outcome.NO_CHAT),
    (faults.refusal(400, "Bad Request: USER_IS_BLOCKED"), Outcome.NO_CHAT),
    (faults.refusal(400, "Bad Request: INPUT_USER_DEACTIVATED"), Outcome.NO_CHAT),
    (faults.refusal(400, "Bad Request: CHANNEL_PRIVATE"), Outcome.NO_CHAT),
    (faults.BAD_FILE_ID, Outcome.REFUSED),
    (faults.BAD_ALBUM, Outcome.REFUSED),
    (faults.NOT_MODIFIED, Outcome.REFUSED),
    (faults.UNAUTHORIZED, Outcome.OURS),
    (faults.CONFLICT, Outcome.OURS),
]


@pytest.mark.parametrize(("fault", "outcome"), WIRE)
async def test_what_an_answer_means(world, fault, outcome):
    world.telegram.fail("sendMessage", *[fault] * 3)  # a 429 is tried again by the limiter
    with pytest.raises(TelegramError) as raised:
        await world.services.bot.send_message(ANN, "hello")
    assert outcome_of(raised.value) is outcome
