"""What every provider does, over real HTTP, with the stand-in of its upstream at the other end."""

import pytest

from providers import registry
from providers.base import Mode, Progress, Running, SongRef, Succeeded
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    Rejected,
    SongUnknown,
    TooFast,
    Unavailable,
)
from providers.stems import Stem
from sandbox.songs import SONGS
from sandbox.upstreams import faults

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one server for all

CALLBACK = "https://bot.example/upstream/x/q3xN"  # elsewhere: the sandbox posts to loopback only
SONG = SongRef(SONGS[0].audio_id, SONGS[0].task_id)
NOBODYS = SongRef("00000000-1111-4222-8333-444444444444", "f" * 32)
BASIC = ["vocals", "instrumental"]
FULL = [stem.value for stem in Stem if stem not in (Stem.INSTRUMENTAL, Stem.PIANO)]
OFFERING_FULL = tuple(name for name in registry.names if name != "suno_api")


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", names, indirect=True)


def names(progress: Progress) -> list[str]:
    assert isinstance(progress, Succeeded)
    return [stem.name for stem in progress.stems]


async def test_it_submits_and_is_charged_once(world):
    assert world.provider.obstacle(SONG, Mode.BASIC) is None
    assert await world.submit()
    assert world.upstream.charges == 1
    assert world.upstream.submits[0].song.audio_id == SONG.audio_id


async def test_it_runs_and_then_names_its_stems(world):
    upstream_task_id = await world.submit()
    for _ in range(3):
        assert await world.provider.look(upstream_task_id) == Running()
    world.upstream.finish(upstream_task_id)
    done = await world.provider.look(upstream_task_id)
    assert names(done) == BASIC
    assert len({stem.url for stem in done.stems}) == 2
    assert world.upstream.charges == 1


@only(*OFFERING_FULL)
async def test_it_names_every_stem_of_the_full_set(world):
    assert world.provider.obstacle(SONG, Mode.FULL) is None
    assert names(await world.finished(mode=Mode.FULL)) == FULL


@only("suno_api")
async def test_without_a_full_set_it_says_so(world):
    assert world.provider.obstacle(SONG, Mode.FULL)
    with pytest.raises(Rejected):
        await world.submit(mode=Mode.FULL)
    assert world.upstream.charges == 0


@only("sunoapi_org", "kie")
async def test_it_takes_a_song_without_its_task(world):
    alone = SongRef(SONG.audio_id)
    assert world.provider.obstacle(alone, Mode.BASIC) is None
    assert names(await world.finished(alone)) == BASIC


async def test_its_credits_are_a_number_that_a_submit_lowers(world):
    before = await world.provider.credits()
    await world.submit()
    assert before - await world.provider.credits() == 10


@only("sunoapi_org", "kie", "apikley", "sunoapi_com")
async def test_it_lists_the_songs_of_a_generation_task(world):
    songs = await world.provider.songs(SONG.task_id)
    assert [(song.audio_id, song.title) for song in songs] == [
        (song.audio_id, song.title) for song in SONGS if song.task_id == SONG.task_id
    ]
    assert {song.task_id for song in songs} == {SONG.task_id}
    assert all(song.duration_s for song in songs)


async def test_it_knows_no_songs_of_an_unknown_task(world):
    with pytest.raises(SongUnknown):
        await world.provider.songs("f" * 32)


async def test_an_unknown_song_is_unknown_and_not_charged(world):
    with pytest.raises(SongUnknown):
        await world.submit(NOBODYS)
    assert world.upstream.charges == 0


async def test_a_wrong_key_is_the_operators(world):
    wrong_key = "__client=a-wrong-key"
    wrong = registry.build(world.provider.name, world.url, wrong_key, cookie=wrong_key)
    with pytest.raises(Misconfigured) as caught:
        await wrong.submit(SONG, Mode.BASIC, CALLBACK)
    assert "a-wrong-key" not in str(caught.value)
    assert not isinstance(caught.value, NoCredits)
    with pytest.raises(Misconfigured):
        await wrong.credits()
    with pytest.raises(Misconfigured):
        await wrong.look("t1")
    await wrong.aclose()


@pytest.mark.parametrize("left", [0, 9])
async def test_out_of_credits_is_the_operators(world, left):
    world.upstream.balance = left
    with pytest.raises(NoCredits):
        await world.submit()


async def test_too_fast_may_go_out_again(world):
    with pytest.raises(TooFast):
        await world.submit(world.odd("too_fast"))


@only(*OFFERING_FULL)
async def test_as_many_submits_as_its_limits_say_are_taken(world):
    world.upstream.balance = 10_000
    for _ in range(world.provider.limits.submits):
        await world.submit()
    assert world.upstream.charges == world.provider.limits.submits


async def test_a_refused_connection_surely_took_nothing(world):
    nobody_there = registry.build(world.provider.name, "http://127.0.0.1:1", "some-key")
    with pytest.raises(Unavailable):
        await nobody_there.submit(SONG, Mode.BASIC, CALLBACK)
    await nobody_there.aclose()


@pytest.mark.parametrize(
    ("fault", "charges"),
    [
        (faults.reset_before(), 0),
        (faults.reset_after(), 1),
        (faults.not_json(), 1),
        (faults.no_task_id(), 1),
        (faults.html_502(), 0),
        (faults.http(500, {"message": "made up"}), 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_without_a_usable_answer_a_submit_may_be_charged(world, fault, charges):
    world.upstream.fail_next(fault)
    with pytest.raises(OutcomeUnknown):
        await world.submit()
    assert world.upstream.charges == charges


@pytest.mark.parametrize(
    "fault",
    [faults.reset_before(), faults.html_502(), faults.cdn_block(), faults.http(500, {}), faults.not_json()],
    ids=lambda fault: fault.name,
)
async def test_a_look_that_fails_ends_nothing(world, fault):
    upstream_task_id = await world.submit()
    world.upstream.fail_next(fault, on="look")
    with pytest.raises(Unavailable):
        await world.provider.look(upstream_task_id)
    assert await world.provider.look(upstream_task_id) == Running()


async def test_a_cdn_that_blocks_us_is_named_to_the_operator(world):
    world.upstream.fail_next(faults.cdn_block())
    with pytest.raises(Misconfigured, match="CDN"):
        await world.submit()
    world.upstream.fail_next(faults.cdn_block(), on="credits")
    with pytest.raises(Misconfigured, match="CDN"):
        await world.provider.credits()


async def test_an_unknown_code_may_be_charged(world):
    with pytest.raises(OutcomeUnknown):
        await world.submit(world.odd("unknown_code"))
