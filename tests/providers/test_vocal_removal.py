"""What the three send, and where the second of two exchanges decides."""

import json

import httpx
import pytest

from providers import apikley, kie, sunoapi_org
from providers.base import Mode, SongRef
from providers.errors import NoCredits, Rejected, TooFast
from providers.vocal_removal import VocalRemoval

AUDIO = "5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034"
PAIR, ALONE = SongRef(AUDIO, "7c1f0e9ab2d34c56a8f0917be2d4c361"), SongRef(AUDIO)
CALLBACK = "https://bot.example/upstream/kie/q3xN"


class Scripted:
    def __init__(self, brand, *bodies):
        self.bodies, self.sent = list(bodies), []
        self.provider = VocalRemoval(
            brand, "https://u.example", "k", transport=httpx.MockTransport(self.answer)
        )

    def answer(self, request):
        content = request.read()
        self.sent.append((request.url.raw_path.decode(), json.loads(content) if content else None))
        return httpx.Response(200, json=self.bodies.pop(0))

    async def submit(self, song=PAIR, mode=Mode.BASIC):
        try:
            return await self.provider.submit(song, mode, CALLBACK)
        finally:
            await self.provider.aclose()


ACCEPTED = {"code": 200, "data": {"taskId": "t1"}}
VAGUE = {"code": 429, "msg": "made up"}


@pytest.mark.parametrize(
    ("song", "mode", "sent"),
    [
        (PAIR, Mode.BASIC, {"taskId": PAIR.task_id, "audioId": AUDIO, "type": "separate_vocal"}),
        (PAIR, Mode.FULL, {"taskId": PAIR.task_id, "audioId": AUDIO, "type": "split_stem"}),
        (ALONE, Mode.BASIC, {"audioUrl": f"https://cdn1.suno.ai/{AUDIO}.mp3", "type": "separate_vocal"}),
    ],
    ids=["basic", "full", "by link"],
)
async def test_a_submit_names_the_song_by_ids_or_by_link(song, mode, sent):
    upstream = Scripted(kie.BRAND, ACCEPTED)
    assert await upstream.submit(song, mode) == "t1"
    assert upstream.sent == [("/api/v1/vocal-removal/generate", sent | {"callBackUrl": CALLBACK})]


@pytest.mark.parametrize("brand", [sunoapi_org.BRAND, kie.BRAND, apikley.BRAND], ids=lambda brand: brand.name)
@pytest.mark.parametrize(
    ("balance", "mode", "means"),
    [
        (5, Mode.BASIC, NoCredits),
        (10, Mode.BASIC, TooFast),
        (10, Mode.FULL, NoCredits),
        (50, Mode.FULL, TooFast),
    ],
)
async def test_the_balance_tells_what_a_vague_429_means(brand, balance, mode, means):
    upstream = Scripted(brand, VAGUE, {"code": 200, "data": balance})
    with pytest.raises(means, match="made up"):
        await upstream.submit(PAIR, mode)
    assert upstream.sent[1] == (brand.credits_path, None)


@pytest.mark.parametrize(("brand", "means"), [(sunoapi_org.BRAND, NoCredits), (kie.BRAND, TooFast)])
async def test_without_a_balance_a_vague_429_means_what_the_brand_documents(brand, means):
    with pytest.raises(means, match="made up"):
        await Scripted(brand, VAGUE, {"code": 455}).submit()


async def test_a_clear_429_asks_nothing_more():
    upstream = Scripted(sunoapi_org.BRAND, {"code": 429, "msg": "Call frequency too high"})
    with pytest.raises(TooFast):
        await upstream.submit()
    assert len(upstream.sent) == 1


@pytest.mark.parametrize(
    ("brand", "song", "taken"),
    [
        (sunoapi_org.BRAND, PAIR, True),
        (sunoapi_org.BRAND, ALONE, True),
        (kie.BRAND, ALONE, True),
        (apikley.BRAND, PAIR, True),
        (apikley.BRAND, ALONE, False),
        (kie.BRAND, SongRef("not-a-uuid"), False),
        (kie.BRAND, SongRef(f"../{AUDIO}"), False),
    ],
)
async def test_which_songs_are_taken(brand, song, taken):
    upstream = Scripted(brand)
    for mode in Mode:
        obstacle = upstream.provider.obstacle(song, mode)
        assert (obstacle is None) is taken
        assert taken or "needs the song's task id too" in obstacle
    if not taken:
        with pytest.raises(Rejected):
            await upstream.provider.submit(song, Mode.BASIC, CALLBACK)
        assert upstream.sent == []
    await upstream.provider.aclose()


def looks(fields):
    return {"code": 200, "data": fields}


@pytest.mark.parametrize(
    ("song", "hint", "record", "found"),
    [
        (PAIR, "t1", {"callbackUrl": CALLBACK, "audioId": AUDIO}, "t1"),
        (PAIR, "t1", {"callbackUrl": CALLBACK, "audioId": "another"}, None),
        (PAIR, "t1", {"callbackUrl": "https://other.example", "audioId": AUDIO}, None),
        (ALONE, "t1", {"callbackUrl": CALLBACK, "audioId": "one of its own"}, "t1"),
        (PAIR, None, None, None),
    ],
    ids=["ours", "another song", "another's callback", "by link", "no hint"],
)
async def test_an_uncertain_submit_is_found_by_a_hint_that_proves_true(song, hint, record, found):
    upstream = Scripted(kie.BRAND, looks(record))
    assert await upstream.provider.find(song, Mode.BASIC, CALLBACK, hint) == found
    assert len(upstream.sent) == (hint is not None)
    await upstream.provider.aclose()
