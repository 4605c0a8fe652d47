import asyncio
import json

import pytest
from telegram import InputMediaAudio
from telegram.ext import ApplicationBuilder
from telegram.request import BaseRequest

from bot.intake.limiter import Dropped, Kind, Limiter
from tests.bot.intake.stand_ins import Clock

# The library warns about the type of its own retry_after.
pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")

ANN, BAND = 1001, -2001
MESSAGE = {"message_id": 5, "date": 0, "chat": {"id": ANN, "type": "private"}}
RESULTS = {"getMe": {"id": 1, "is_bot": True, "first_name": "Stembot"}, "sendMediaGroup": [MESSAGE]}


class FakeTelegram(BaseRequest):
    """Answers one sendMessage with 429, all else well."""

    read_timeout = 5.0

    def __init__(self) -> None:
        self.refusals = 1
        self.calls: list[str] = []

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(self, url, *_, **__):
        self.calls.append(call := url.rsplit("/", 1)[1])
        if call == "sendMessage" and self.refusals:
            self.refusals -= 1
            refusal = {"ok": False, "error_code": 429, "parameters": {"retry_after": 7}}
            return 429, json.dumps(refusal | {"description": "Too Many Requests: retry after 7"}).encode()
        return 200, json.dumps({"ok": True, "result": RESULTS.get(call, MESSAGE)}).encode()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def bot(clock):
    fake = FakeTelegram()
    builder = ApplicationBuilder().token("1:a").request(fake).get_updates_request(fake).updater(None)
    async with builder.rate_limiter(Limiter(clock.now, clock.sleep)).build() as application:
        application.bot_data["fake"] = fake
        yield application


async def test_in_the_real_library_a_refused_message_waits_and_arrives(bot, clock):
    task = asyncio.create_task(bot.bot.send_message(ANN, "hi", rate_limit_args=Kind.ACK))
    await clock.pass_by(6)
    assert not task.done()
    await clock.pass_by(1)
    assert (await task).message_id == 5
    assert bot.bot_data["fake"].calls == ["getMe", "sendMessage", "sendMessage"]


async def test_in_the_real_library_albums_are_counted_and_statuses_dropped(bot, clock):
    bot.bot_data["fake"].refusals = 0
    await bot.bot.send_media_group(BAND, [InputMediaAudio("file-id")] * 10, rate_limit_args=Kind.RESULT)
    with pytest.raises(Dropped):
        await bot.bot.edit_message_text("60 %", BAND, 5, rate_limit_args=Kind.STATUS)
