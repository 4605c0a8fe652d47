"""What Telegram itself may be asked to fetch."""

from dataclasses import fields

import pytest

from bot.delivery.calls import URL_MAX_BYTES, may_be_fetched
from storage.rows import Stem

LINK = "https://files.example/vocals.mp3"


def stem(url, size_bytes=None):
    unknown = dict.fromkeys(field.name for field in fields(Stem))
    return Stem(**unknown | {"url": url, "size_bytes": size_bytes})


@pytest.mark.parametrize(
    ("url", "size_bytes", "may"),
    [
        pytest.param(LINK, None, True, id="of unknown size"),
        pytest.param(f"{LINK}?signature=1", URL_MAX_BYTES, True, id="just small enough"),
        pytest.param(LINK, URL_MAX_BYTES + 1, False, id="too large"),
        pytest.param("https://files.example/vocals.wav", None, False, id="no MP3"),
        pytest.param("http://files.example/vocals.mp3", None, False, id="not https"),
        pytest.param("attach://vocals.mp3", None, False, id="no web address"),
        pytest.param(None, None, False, id="no link"),
    ],
)
def test_telegram_is_asked_to_fetch_only_what_it_can(url, size_bytes, may):
    assert may_be_fetched(stem(url, size_bytes)) is may
