"""No token, key or cookie shows anywhere: not in the most talkative log, not in a repr, not in a chat."""

import json
import re

import pytest

from bot.settings import Settings
from sandbox.songs import ODD, SONGS
from sandbox.telegram import faults as telegram_faults
from sandbox.upstreams import faults
from tests.end_to_end.towns import Town, balance_of

TALKATIVE = {"LOG_LEVEL": "DEBUG", "PROVIDERS": "sunoapi_org,kie,apikley,sunoapi_com,suno_api"}
LOOKS_RIGHT = {
    "text": lambda line: re.match(r"\S+Z [A-Z]+ [\w.]+: ", line),
    "json": lambda line: {"time", "level", "logger", "message"} <= json.loads(line).keys(),
}


@pytest.fixture
def public(free_port):
    return {"HTTP_PORT": str(free_port), "PUBLIC_URL": f"http://127.0.0.1:{free_port}"}


def secrets_of(town: Town) -> list[str]:
    """The settings' secrets, the token's secret half, and the tokens that were made while it ran."""
    names = ("TOKEN", "API_KEY", "COOKIE")
    given = [value for name, value in town.home.settings.items() if name.endswith(names)]
    callbacks = [
        (submit.callback_url or "").rpartition("/")[2]
        for upstream in town.sandbox.upstreams.values()
        for submit in upstream.submits
    ]
    hooks = [call.parameters.get("secret_token", "") for call in town.telegram.calls_of("setWebhook")]
    own_half = town.sandbox.telegram_token.partition(":")[2]
    return [secret for secret in (*given, own_half, *callbacks, *hooks) if secret and secret != "no-callback"]


def leaks(town: Town, text: str) -> list[str]:
    return [line for line in text.splitlines() for secret in secrets_of(town) if secret in line]


def chats_of(town: Town) -> str:
    return "\n".join(
        message.html for chat in town.telegram.world.chats.values() for message in chat.in_order()
    )


@pytest.mark.parametrize("log_format", LOOKS_RIGHT)
async def test_a_whole_job_leaves_no_secret_in_the_log(town, public, log_format):
    ann = town.telegram.person("Ann")
    bot = await town.home.start(**TALKATIVE, **public, TELEGRAM_WEBHOOK="true", LOG_FORMAT=log_format)
    command = await ann.say(f"/stems {SONGS[0].task_id}:{SONGS[0].audio_id}")
    status = await ann.wait_for_text("balance 90", after=command)
    await ann.press(status, "Send again")
    await ann.wait_for_audios(4, after=command)
    await balance_of(ann)
    assert await bot.stop() == 0
    assert len(secrets_of(town)) == 9, "token, its half, four keys, the cookie, a callback's and a webhook's"
    assert all(map(LOOKS_RIGHT[log_format], bot.lines))
    assert leaks(town, bot.output) == []
    assert leaks(town, chats_of(town)) == []


@pytest.mark.parametrize("log_format", LOOKS_RIGHT)
async def test_upstreams_and_telegram_that_fail_leave_no_secret_in_the_log(town, public, log_format):
    ann = town.telegram.person("Ann")
    spoil(town)
    bot = await town.home.start(**TALKATIVE, **public, LOG_FORMAT=log_format)
    for odd in ("key_revoked", "answer_lost", "error_with_link"):
        await ann.say(f"/stems {ODD[odd].task_id}:{ODD[odd].audio_id}")
    await ann.wait_for_text("No stems", within_s=30)
    ben = town.telegram.person("Ben")
    command = await ben.say(f"/stems {SONGS[1].task_id}:{SONGS[1].audio_id}")
    await ben.wait_for_audios(2, within_s=30, after=command)
    assert await bot.stop() == 0
    assert leaks(town, bot.output) == []
    assert leaks(town, chats_of(town)) == []
    assert "SECRET" not in bot.output + chats_of(town)


def spoil(town: Town) -> None:
    """Let everything go wrong at first, with answers that quote what they should not."""
    told = f"bad key Bearer {town.upstream.key} for https://api.telegram.org/bot{town.sandbox.telegram_token}/getMe"
    for place, spoilt in (
        ("look", (faults.code(401, told), faults.reset_before())),
        ("songs", (faults.http(500, {"code": 500, "msg": told}), faults.html_502(), faults.cdn_block())),
    ):
        for fault in spoilt:
            town.upstream.fail_next(fault, on=place)
    quoting = telegram_faults.error(500, f"Internal Server Error: {town.sandbox.telegram_token}")
    for method, spoilt in (
        ("getUpdates", (telegram_faults.html(), quoting)),
        ("sendMessage", (telegram_faults.garbled(),)),
        ("editMessageText", (quoting,)),
        ("sendMediaGroup", (telegram_faults.retry_after(1), telegram_faults.reset_after())),
    ):
        for fault in spoilt:
            town.telegram.fail_next(method, fault)


def test_settings_show_no_secret(tmp_path):
    secrets = {
        "telegram_token": f"123456789:{'t' * 35}",
        "kie_api_key": "kie-key-0123456789",
        "suno_api_cookie": "__client=cookie-0123456789",
        "database_url": "postgresql://stembot:password-0123456789@localhost/stembot",
    }
    settings = Settings(**secrets)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.provider('kie')!r}"
    assert re.search("t{35}|0123456789", shown) is None
