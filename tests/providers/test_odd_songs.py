"""How the providers take what upstreams oddly do, over real HTTP with the stand-ins at the other end."""

import pytest

from providers.base import Failed, Mode, Progress, Running, SongRef, Succeeded
from providers.errors import (
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from providers.stems import Stem
from sandbox.songs import SONGS

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one server for all

CALLBACK = "https://bot.example/upstream/x/q3xN"  # elsewhere: the sandbox posts to loopback only
SONG = SongRef(SONGS[0].audio_id, SONGS[0].task_id)
BASIC = ["vocals", "instrumental"]
FULL = [stem.value for stem in Stem if stem not in (Stem.INSTRUMENTAL, Stem.PIANO)]
WITH_CALLBACKS = ("sunoapi_org", "kie", "apikley")


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", names, indirect=True)


def names(progress: Progress) -> list[str]:
    assert isinstance(progress, Succeeded)
    return [stem.name for stem in progress.stems]


@pytest.mark.parametrize("name", ["no_source", "key_revoked", "no_credits"])
async def test_a_refusal_is_not_charged(world, name):
    with pytest.raises((Rejected, Misconfigured)):
        await world.submit(world.odd(name))
    assert world.upstream.charges == 0


@pytest.mark.parametrize(
    "name", ["callback_exception", "code_as_text", "times_as_text", "times_as_null", "spaces"]
)
async def test_odd_answers_are_read(world, name):
    done = await world.finished(world.odd(name))
    assert names(done) == BASIC
    assert all(" " not in stem.url for stem in done.stems)


@pytest.mark.parametrize("name", ["success_without_links", "generation_failed", "error_with_link"])
async def test_an_end_without_one_link_is_a_failure(world, name):
    done = await world.finished(world.odd(name))
    assert isinstance(done, Failed)
    assert done.why
    assert "SECRET" not in done.why


@only("sunoapi_org", "kie", "apikley", "sunoapi_com")
async def test_an_instrument_nobody_documented_shows(world):
    assert names(await world.finished(world.odd("kazoo"), Mode.FULL)) == [*FULL, "Kazoo"]


@only("sunoapi_com")
async def test_two_sets_are_told_apart(world):
    done = await world.finished(world.odd("two_sets"), Mode.FULL)
    assert names(done) == FULL * 2
    assert [stem.set_number for stem in done.stems] == [1] * 12 + [2] * 12


@only("sunoapi_com", "suno_api")
async def test_clips_that_show_late_are_waited_for(world):
    upstream_task_id = await world.submit(world.odd("clips_late"))
    world.upstream.finish(upstream_task_id)
    for _ in range(2):
        assert isinstance(await world.provider.look(upstream_task_id), Running)
    assert names(await world.provider.look(upstream_task_id)) == BASIC


@only(*WITH_CALLBACKS)
@pytest.mark.parametrize("name", ["data_null", "data_absent"])
async def test_an_answer_without_data_may_be_charged(world, name):
    with pytest.raises(OutcomeUnknown):
        await world.submit(world.odd(name))
    assert world.upstream.charges == 1


@only("sunoapi_com", "suno_api")
async def test_one_failed_clip_leaves_the_others(world):
    assert names(await world.finished(world.odd("one_clip_failed"))) == ["vocals"]


@only("suno_api")
async def test_a_complete_clip_with_a_useless_link_is_waited_for(world):
    upstream_task_id = await world.submit(world.odd("useless_links"))
    world.upstream.finish(upstream_task_id)
    assert await world.provider.look(upstream_task_id) == Running()
    assert await world.provider.look(upstream_task_id) == Running()
    assert names(await world.provider.look(upstream_task_id)) == BASIC


async def test_a_task_that_shows_late_is_waited_for(world):
    upstream_task_id = await world.submit(world.odd("late_record"))
    for _ in range(2):
        with pytest.raises(Unavailable):
            await world.provider.look(upstream_task_id)
    assert await world.provider.look(upstream_task_id) == Running()


@only(*WITH_CALLBACKS)
async def test_an_uncertain_submit_is_found_by_a_callbacks_claim(world):
    with pytest.raises(OutcomeUnknown):
        await world.submit(world.odd("answer_lost"))
    task_id = world.upstream.submits[0].task_id
    assert world.provider.callback_task_id({"code": 200, "data": {"task_id": task_id}}) == task_id
    song, elsewhere = world.odd("answer_lost"), "https://bot.example/upstream/x/another"
    assert await world.provider.find(song, Mode.BASIC, CALLBACK, task_id) == task_id
    assert await world.provider.find(song, Mode.BASIC, elsewhere, task_id) is None
    assert await world.provider.find(song, Mode.BASIC, CALLBACK, None) is None
    assert world.upstream.charges == 1


@only("suno_api")
async def test_an_uncertain_submit_is_found_in_the_library(world):
    song = world.odd("answer_lost")
    assert await world.provider.find(song, Mode.BASIC, CALLBACK, None) is None
    with pytest.raises(OutcomeUnknown):
        await world.submit(song)
    task_id = world.upstream.submits[0].task_id
    assert await world.provider.find(song, Mode.BASIC, CALLBACK, None) == task_id
    assert await world.provider.find(SONG, Mode.BASIC, CALLBACK, None) is None


@only("sunoapi_com")
async def test_an_uncertain_submit_cannot_be_found_where_nothing_lists_tasks(world):
    with pytest.raises(OutcomeUnknown):
        await world.submit(world.odd("answer_lost"))
    assert await world.provider.find(world.odd("answer_lost"), Mode.BASIC, CALLBACK, None) is None
