"""One open separation per song and mode, and which finished ones can be served again."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from storage import archive, moves, separations
from storage.rows import TelegramFile
from storage.states import OPEN_SEPARATIONS, SeparationState

S = SeparationState
BOT, OTHER_BOT = 700, 800
STEMS = [
    {"name": "vocals", "set_number": 1, "url": "https://cdn.example/v.mp3", "duration_s": 61.5},
    {"name": "instrumental", "set_number": 1, "url": "https://cdn.example/i.mp3", "duration_s": None},
]
ENDED = sorted(set(S) - set(OPEN_SEPARATIONS))


@pytest.mark.parametrize("state", OPEN_SEPARATIONS)
async def test_a_second_open_one_for_the_same_song_and_mode_is_refused(given, state):
    await given.separation("song", state=state)
    with pytest.raises(IntegrityError):
        await given.separation("song", provider="kie")


@pytest.mark.parametrize("state", ENDED)
async def test_after_the_end_of_one_the_next_may_begin(given, do, state):
    ended = await given.separation("song", state=state)
    again = await given.separation("song")
    assert again.id != ended.id
    assert await do(separations.open_for, "song", "basic") == again


async def test_each_mode_has_its_own(given, do):
    basic, full = await given.separation("song"), await given.separation("song", mode="full")
    assert await do(separations.open_for, "song", "basic") == basic
    assert await do(separations.open_for, "song", "full") == full


async def test_of_many_who_begin_the_same_at_once_one_does(given, processes, do, clock):
    await given.separation("song", state=S.FAILED)
    wanted = {"audio_id": "song", "task_id": None, "mode": "basic", "provider": "kie", "price": 10}

    async def begin(database):
        async with database.transaction() as db:
            return await separations.create(db, **wanted, now=clock(), deadline_at=clock() + 1)

    outcomes = await asyncio.gather(*(begin(one) for one in processes * 2), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IntegrityError"] * 7 + ["Separation"]


async def test_a_new_one_waits_to_be_submitted_at_once(given, do, clock):
    new = await given.separation("song", task_id="suno-task", price=7)
    assert (new.state, new.due_at, new.deadline_at) == (S.QUEUED, clock(), clock() + 1800)
    assert (new.task_id, new.price, new.failures) == ("suno-task", 7, 0)
    assert await do(separations.get, new.id) == new


async def test_a_callback_address_names_its_separation_and_cannot_be_guessed(given, do):
    one, other = await given.separation(), await given.separation()
    assert len(one.callback_token) >= 32
    assert one.callback_token != other.callback_token
    assert await do(separations.by_token, one.provider, one.callback_token) == one
    assert await do(separations.by_token, "kie", one.callback_token) is None
    assert await do(separations.by_token, one.provider, "guess") is None


@pytest.mark.parametrize("state", S)
async def test_a_callback_wakes_only_what_is_at_an_upstream(given, do, clock, state):
    separation = await given.separation(state=state)
    waits = state in {S.SUBMITTING, S.RUNNING, S.UNCERTAIN}
    woken = await do(separations.wake, separation, hinted_task_id="claimed", now=clock.forward(5))
    found = await do(separations.get, separation.id)
    assert woken is waits
    assert found.due_at == (clock() if waits else separation.due_at)
    assert found.hinted_task_id == ("claimed" if waits and state is not S.RUNNING else None)
    assert (found.state, found.upstream_task_id) == (separation.state, separation.upstream_task_id)


async def test_a_callback_without_a_task_leaves_an_earlier_hint(given, do, clock):
    separation = await given.separation(state=S.UNCERTAIN)
    await do(separations.wake, separation, hinted_task_id="claimed", now=clock())
    await do(separations.wake, separation, hinted_task_id=None, now=clock())
    assert (await do(separations.get, separation.id)).hinted_task_id == "claimed"


async def test_of_many_who_ask_at_once_one_creates_and_the_others_find_it(given, processes, clock):
    await given.separation("song", state=S.FAILED)
    wanted = {"task_id": None, "mode": "basic", "provider": "kie", "price": 10}
    times = {"now": clock(), "deadline_at": clock() + 1800}

    async def ask(database):
        async with database.transaction() as db:
            found = await separations.open_for(db, "song", "basic")
            return found or await separations.create(db, audio_id="song", **wanted, **times)

    asked = await asyncio.gather(*(ask(database) for database in processes * 4))
    assert len({separation.id for separation in asked}) == 1


async def test_two_separations_may_run_as_one_task(given, do, clock):
    """Where an upstream answers the second order with the task it has already."""
    running = await given.separation(state=S.RUNNING)
    task = running.upstream_task_id
    assert await do(separations.has_task, running.provider, task)
    assert not await do(separations.has_task, "another", task)
    other = await given.separation(state=S.SUBMITTING)
    moved = await do(moves.move, other, S.RUNNING, now=clock(), upstream_task_id=task)
    assert moved.upstream_task_id == task


async def test_open_ones_are_counted_by_provider_and_state(given, do):
    await given.separation(provider="kie")
    await given.separation(provider="kie")
    await given.separation(state=S.RUNNING)
    await given.separation(state=S.SUCCEEDED)
    assert sorted(await do(separations.counts)) == [("kie", "queued", 2), ("sunoapi_org", "running", 1)]


@pytest.fixture
def finished(given, do, clock):
    """A succeeded separation with two stems, whose links work for ten minutes."""

    async def make(audio_id="song", *, expires_in=600, **values):
        separation = await given.separation(audio_id, state=S.SUCCEEDED, **values)
        expires_at = None if expires_in is None else clock() + expires_in
        await do(separations.save_stems, separation, STEMS, expires_at=expires_at)
        return separation

    return make


@pytest.fixture
def keep(do, clock):
    """Remember that a stem was sent."""

    async def store(stem, *, bot_id=BOT, kind="audio", file_id="file"):
        unique = f"unique-{file_id}"
        await do(archive.keep, TelegramFile(stem.id, bot_id, kind, file_id, unique, 1000, clock()))

    return store


@pytest.fixture
def archived(do, clock):
    async def find(mode="basic", bot_id=BOT):
        return await do(separations.archived_for, "song", mode, bot_id=bot_id, now=clock())

    return find


async def test_stems_are_kept_as_they_came_in_their_order(finished, do, clock):
    separation = await finished()
    kept = await do(separations.stems_of, separation.id)
    assert [(stem.position, stem.name, stem.url, stem.duration_s, stem.expires_at) for stem in kept] == [
        (0, "vocals", "https://cdn.example/v.mp3", 61.5, clock() + 600),
        (1, "instrumental", "https://cdn.example/i.mp3", None, clock() + 600),
    ]


async def test_the_same_stem_twice_is_refused(finished, do):
    separation = await finished()
    with pytest.raises(IntegrityError):
        await do(separations.save_stems, separation, STEMS, expires_at=None)


@pytest.mark.parametrize("state", sorted(set(S) - {S.SUCCEEDED}))
async def test_only_what_succeeded_is_archived(given, archived, state):
    await given.separation("song", state=state)
    assert await archived() is None


async def test_what_has_live_links_is_archived_until_they_expire(finished, archived, clock):
    separation = await finished()
    clock.forward(599)
    assert await archived() == separation
    clock.forward(1)
    assert await archived() is None


async def test_links_without_an_end_do_not_expire(finished, archived, clock):
    separation = await finished(expires_in=None)
    clock.forward(1e9)
    assert await archived() == separation


async def test_what_was_sent_whole_is_archived_for_ever(finished, archived, do, keep, clock):
    separation = await finished()
    first, second = await do(separations.stems_of, separation.id)
    clock.forward(1e6)
    await keep(first)
    assert await archived() is None
    await keep(second, kind="document")
    assert await archived() == separation


async def test_what_another_bot_sent_does_not_count(finished, archived, do, keep, clock):
    separation = await finished()
    for stem in await do(separations.stems_of, separation.id):
        await keep(stem, bot_id=OTHER_BOT)
    clock.forward(1e6)
    assert await archived() is None
    assert await archived(bot_id=OTHER_BOT) == separation


async def test_a_refused_file_id_takes_it_out_of_the_archive(finished, archived, do, keep, clock):
    first, second = await do(separations.stems_of, (await finished()).id)
    await keep(first)
    await keep(second)
    clock.forward(1e6)
    await do(archive.forget, first.id, bot_id=BOT)
    assert await archived() is None


async def test_of_several_the_newest_is_served_that_can_be_sent(finished, archived, clock):
    oldest = await finished(expires_in=900)
    newest = await finished(expires_in=600)
    assert await archived() == newest
    clock.forward(700)
    assert await archived() == oldest


async def test_the_archive_is_of_one_song_and_mode(finished, archived):
    await finished("other song")
    await finished("song", mode="full")
    assert await archived() is None
    assert (await archived(mode="full")).mode == "full"


async def test_the_newest_file_id_of_a_stem_is_kept_for_each_bot_and_kind(finished, do, keep):
    separation = await finished()
    stem, _ = await do(separations.stems_of, separation.id)
    await keep(stem, file_id="old")
    await keep(stem, file_id="new")
    await keep(stem, bot_id=OTHER_BOT, file_id="theirs")
    await keep(stem, kind=archive.FITTED, file_id="smaller")
    ours = await do(archive.files_of, separation.id, bot_id=BOT)
    assert {file.kind: file.file_id for file in ours} == {"audio": "new", "fitted": "smaller"}
    assert [file.file_id for file in await do(archive.files_of, separation.id, bot_id=OTHER_BOT)] == [
        "theirs"
    ]


async def test_forgetting_is_of_one_stem_and_one_bot(finished, do, keep):
    separation = await finished()
    first, second = await do(separations.stems_of, separation.id)
    for stem, bot_id in ((first, BOT), (second, BOT), (first, OTHER_BOT)):
        await keep(stem, bot_id=bot_id)
    await do(archive.forget, first.id, bot_id=BOT)
    kept = {bot_id: await do(archive.files_of, separation.id, bot_id=bot_id) for bot_id in (BOT, OTHER_BOT)}
    assert [file.stem_id for file in kept[BOT]] == [second.id]
    assert [file.stem_id for file in kept[OTHER_BOT]] == [first.id]
