"""Whatever comes back, each parse function returns or raises one of ours."""

import json
from contextlib import suppress

import httpx
from hypothesis import given
from hypothesis import strategies as st

from providers import apikley, kie, suno_api, sunoapi_com, sunoapi_org
from providers import vocal_removal_answers as vocal_removal
from providers.base import Failed, Running, Succeeded
from providers.errors import ProviderError
from providers.http import Reply, reply_of, safe

NAMES = """
    code msg message error data taskId task_id response successFlag errorCode errorMessage originUrl
    originData origin_data vocalUrl drums_url callbackUrl audioId sunoData id title duration audio_url
    extract clip_id state status stem_type stem_type_group_name type credits extra_credits credits_left
    metadata stem_from_id
"""
KEYS = st.sampled_from(NAMES.split())
WORDS = st.sampled_from(
    ["SUCCESS", "PENDING", "succeeded", "complete", "failed", "200", "429", "https://f.example/a.mp3", "http://[",
     "A (Vocals)", "((", "session cookie", "Infinity"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
LEAVES |= st.sampled_from([0, 1, 200, 400, 404, 405, 409, 429, 500, 10**400])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=30,
)
# Half of them with a body that gets past the first door.
BODIES = JSON | st.fixed_dictionaries({"code": st.just(200), "data": JSON})
STATUSES = st.integers(100, 599) | st.just(200)
REPLIES = st.builds(Reply, STATUSES, BODIES, st.text(max_size=300).map(safe))
# As they come over the line: any bytes, and JSON of which a part is lost or changed.
CUT = st.builds(lambda body, end: json.dumps(body).encode()[:end], BODIES, st.integers(0, 400))
REPLIES |= st.builds(lambda status, body: reply_of(httpx.Response(status), body), STATUSES, st.binary() | CUT)
TABLES = st.sampled_from([sunoapi_org.CODES, kie.CODES, apikley.CODES])


def shown(result):
    """Safe to show, and whole: nothing half read."""
    assert isinstance(result, Running | Failed | Succeeded)
    if isinstance(result, Succeeded):
        assert result.stems
        assert all(
            stem.name and stem.url.lower().startswith(("http://", "https://")) for stem in result.stems
        )
    if isinstance(result, Failed):
        assert result.why
        assert "://" not in result.why


@given(REPLIES, TABLES)
def test_vocal_removal(reply, codes):
    with suppress(ProviderError):
        assert vocal_removal.parse_submitted(reply, codes)
    with suppress(ProviderError):
        shown(vocal_removal.parse_record(reply, codes))
    with suppress(ProviderError):
        assert all(song.audio_id for song in vocal_removal.parse_songs(reply, codes, "7c1f"))
    with suppress(ProviderError):
        assert isinstance(vocal_removal.parse_credits(reply, codes), float)
    with suppress(ProviderError):
        assert vocal_removal.is_ours(reply, codes, "https://bot.example/cb", "5f0c") in (True, False)
    assert vocal_removal.claimed_task_id(reply.json) != ""
    assert isinstance(vocal_removal.stems_in(reply.json), tuple)


@given(REPLIES)
def test_sunoapi_com(reply):
    with suppress(ProviderError):
        assert sunoapi_com.parse_submitted(reply)
    with suppress(ProviderError):
        shown(sunoapi_com.parse_task(reply))
    with suppress(ProviderError):
        assert all(song.audio_id for song in sunoapi_com.parse_songs(reply, "7c1f"))
    with suppress(ProviderError):
        assert isinstance(sunoapi_com.parse_credits(reply), float)


@given(REPLIES, st.text(max_size=10))
def test_suno_api(reply, task_id):
    with suppress(ProviderError):
        assert suno_api.parse_submitted(reply)
    with suppress(ProviderError):
        shown(suno_api.parse_clips(reply, task_id))
    with suppress(ProviderError):
        assert isinstance(suno_api.parse_credits(reply), float)
    with suppress(ProviderError):
        assert all(suno_api.stem_ids_in(reply))
    assert suno_api.is_stem_of(reply, "5f0c") in (True, False)
