"""The example of each upstream's own page on submitting: what we send and what we read, to the letter.

https://docs.sunoapi.org/suno-api/separate-vocals-from-music, https://docs.sunoapi.com (stems basic),
https://github.com/gcui-art/suno-api (generate_stems)
"""

import json

import httpx
import pytest

from providers import registry
from providers.base import Mode, SongRef

CALLBACK = "https://api.example.com/callback"
EXAMPLES = {
    "sunoapi_org": (
        "https://api.sunoapi.org/api/v1/vocal-removal/generate",
        SongRef("5c79****be8e", "5c79****be8e"),
        "5c79****be8e",
    ),
    "sunoapi_com": (
        "https://api.sunoapi.com/api/v1/suno/stems/basic",
        SongRef("8ce9770b-ec3b-4029-a3e3-4b8db20da7d1"),
        "af0b3e97-0905-4827-a3c9-a31976873120",
    ),
    "suno_api": (
        "http://localhost:3000/api/generate_stems",
        SongRef("c3d4e5f6-a7b8-9012-cdef-123456789012"),
        "d4e5f6a7-b8c9-0123-defa-234567890123,e5f6a7b8-c9d0-1234-efab-345678901234",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_the_documented_submit(sample, name):
    address, song, task_id = EXAMPLES[name]
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=sample(f"{name}/submitted").json)

    base = str(httpx.URL(address).join("/"))
    provider = registry.build(
        name, base, "the-key", cookie="__client=1", transport=httpx.MockTransport(answer)
    )
    assert await provider.submit(song, Mode.BASIC, CALLBACK) == task_id
    await provider.aclose()
    (request,) = sent
    assert (request.method, str(request.url)) == ("POST", address)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers.get("Authorization") == (None if name == "suno_api" else "Bearer the-key")
    assert json.loads(request.content) == sample(f"{name}/submit").json
