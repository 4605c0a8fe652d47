"""Submit, look, find, rescue, expire: what each writes, and what it means for the jobs that wait."""

from contextlib import suppress

import pytest
from sqlalchemy import text

from providers.base import Failed, Running, Song
from providers.errors import OutcomeUnknown, Rejected, TooFast, Unavailable
from storage import songs
from storage.database import Database
from storage.moves import Stale
from storage.states import JobState as J
from storage.states import SeparationState as S
from tests.bot.mortal import Killed
from tests.bot.upstream_stand_in import nothing
from tests.bot.world import ANN, BOB, OTHER_SONG, SONG, TASK

STATE_ON_DISK = text("SELECT state FROM separations")
KEPT_STEMS = text("SELECT name, expires_at FROM stems ORDER BY position")


@pytest.fixture
async def asked(world):
    """Ann has asked for two stems and was told so."""
    await world.say(f"/stems {SONG}")
    await world.step("status")
    return world


async def test_it_is_on_disk_that_it_is_being_ordered_before_it_is_ordered(asked):
    states = []

    async def look_at_the_disk():
        database = Database(str(asked.database.url))
        async with database.reading() as db:
            states.extend(await db.scalars(STATE_ON_DISK))
        await database.close()

    asked.provider.during = look_at_the_disk
    await asked.step("submit")
    assert states == ["submitting"]


async def test_an_accepted_submit_runs_and_is_looked_at_when_it_is_time(asked, clock):
    await asked.steps("submit")
    separation = await asked.separation()
    assert (separation.state, separation.upstream_task_id) == (S.RUNNING, "task-1")
    assert not await asked.step("look")
    clock.forward(15)
    await asked.steps("look")
    assert (await asked.separation()).state is S.SUCCEEDED


async def test_a_submit_asks_for_the_song_the_mode_and_a_callback_that_nobody_can_guess(worlds):
    async with worlds(public_url="https://bot.example") as world:
        await world.say(f"/stems {TASK}:{SONG} full")
        await world.steps("submit")
        ((song, mode, callback),) = world.provider.calls("submit")
        assert (song.audio_id, song.task_id, mode) == (SONG, TASK, "full")
        token = callback.removeprefix("https://bot.example/upstream/sunoapi_org/")
        assert len(token) >= 32


async def test_a_lost_answer_is_uncertain_and_never_ordered_again(asked):
    asked.provider.to_submit.append(OutcomeUnknown("the connection was cut"))
    await asked.steps("submit")
    assert (await asked.separation()).state is S.UNCERTAIN
    await asked.run_until_idle()
    assert len(asked.provider.calls("submit")) == 1
    assert (await asked.job()).state is J.FAILED
    assert await asked.balance() == 100


async def test_an_uncertain_order_that_turns_up_is_delivered(asked):
    asked.provider.to_submit.append(OutcomeUnknown("the connection was cut"))
    asked.provider.to_find.extend([None, Unavailable("down"), "task-1"])
    await asked.run_until_idle()
    assert (await asked.job()).state is J.DELIVERED
    assert len(asked.provider.calls("submit")) == 1
    assert await asked.balance() == 90


async def test_a_second_order_that_is_answered_with_the_task_of_the_first_is_delivered_too(asked):
    asked.provider.to_submit.extend(["task-1", "task-1"])
    await asked.run_until_idle()
    await asked.say(f"/stems {OTHER_SONG}")
    await asked.run_until_idle()
    assert [job.state for job in await asked.jobs_of()] == [J.DELIVERED, J.DELIVERED]


async def test_an_uncertain_order_does_not_take_the_task_of_another_for_its_own(asked):
    await asked.run_until_idle()
    asked.provider.to_submit.append(OutcomeUnknown("the connection was cut"))
    asked.provider.to_find.append("task-1")
    await asked.say(f"/stems {OTHER_SONG}")
    await asked.run_until_idle()
    assert [job.state for job in await asked.jobs_of()] == [J.DELIVERED, J.FAILED]
    assert await asked.balance() == 90


async def test_what_was_surely_not_taken_is_ordered_again_later_and_not_before(asked, clock):
    asked.provider.to_submit.append(TooFast("slow down", wait_s=20.0))
    await asked.steps("submit")
    assert (await asked.separation()).state is S.QUEUED
    clock.forward(19)
    assert not await asked.step("submit")
    clock.forward(1)
    await asked.steps("submit")
    assert (await asked.separation()).state is S.RUNNING


async def test_a_refused_order_gives_the_hold_back_and_says_why(asked):
    asked.provider.to_submit.append(Rejected("this song is too short"))
    await asked.run_until_idle()
    assert (await asked.job()).state is J.FAILED
    assert await asked.balance() == 100
    assert "this song is too short" in asked.status_text()


async def test_an_upstream_that_stays_away_until_the_deadline_costs_nothing(worlds):
    async with worlds(job_deadline_seconds=200) as world:
        world.provider.to_submit.extend([Unavailable("down")] * 100)
        world.provider.balance = Unavailable("down")
        await world.say(f"/stems {SONG}")
        await world.run_until_idle()
        assert (await world.job()).state is J.FAILED
        assert (world.provider.charges, await world.balance()) == (0, 100)
        assert 3 <= len(world.provider.calls("submit")) <= 30


async def test_what_waited_past_its_deadline_is_not_bought(asked, clock):
    clock.forward(1800)
    await asked.run_until_idle()
    assert asked.provider.calls("submit") == []
    assert (await asked.job()).state is J.FAILED


async def test_a_running_task_is_looked_at_again(asked, clock):
    asked.provider.to_look.extend([Running(), Unavailable("down"), Running()])
    await asked.run_until_idle()
    assert len(asked.provider.calls("look")) == 4
    assert (await asked.job()).state is J.DELIVERED


async def test_a_task_that_fails_gives_the_hold_back(asked):
    asked.provider.to_look.append(Failed("the song could not be split"))
    await asked.run_until_idle()
    assert (await asked.job()).state is J.FAILED
    assert [entry.kind for entry in await asked.entries()] == ["grant", "hold", "release"]
    assert "the song could not be split" in asked.status_text()


async def test_a_task_that_never_ends_is_given_up_at_the_deadline(worlds, clock):
    async with worlds(job_deadline_seconds=100) as world:
        world.provider.to_look.extend([Running()] * 50)
        await world.say(f"/stems {SONG}")
        started = clock()
        await world.run_until_idle()
        assert (await world.job()).state is J.FAILED
        assert (await world.separation()).finished_at == pytest.approx(started + 100, abs=1)


async def test_two_jobs_on_one_song_fail_together_and_both_get_their_credits_back(asked):
    await asked.say(f"/stems {SONG}", by=BOB)
    asked.provider.to_look.append(Failed("no luck"))
    await asked.run_until_idle()
    assert [job.state for job in await asked.jobs_of(BOB)] == [J.FAILED]
    assert (await asked.balance(ANN), await asked.balance(BOB)) == (100, 100)
    assert "no luck" in asked.status_text(BOB)


async def test_stems_are_kept_with_the_day_their_links_end(asked, clock):
    await asked.steps("submit")
    clock.forward(15)
    await asked.steps("look")
    async with asked.database.reading() as db:
        kept = [tuple(row) for row in await db.execute(KEPT_STEMS)]
    assert [name for name, _ in kept] == ["vocals", "instrumental"]
    assert {expires - clock() for _, expires in kept} == {14 * 86400}


async def test_the_upstreams_title_is_learnt_before_the_order(world):
    world.provider.listed = [Song(SONG, TASK, "Paper Boats", 180.0)]
    await world.say(f"/stems {TASK}:{SONG}")
    await world.steps("submit")
    assert [call[0] for call in world.provider.asked] == ["songs", "submit"]
    async with world.database.reading() as db:
        assert (await songs.get(db, SONG)).title == "Paper Boats"


async def test_an_unreadable_title_stops_nothing(world):
    world.provider.listed = Unavailable("down")
    await world.say(f"/stems {TASK}:{SONG}")
    await world.steps("submit")
    assert (await world.separation()).state is S.RUNNING


# A worker that dies, or is overtaken


async def dying(world):
    async def die():
        raise Killed

    world.provider.during = die
    with suppress(Killed):
        await world.step("submit")
    world.provider.during = nothing


async def test_an_order_whose_worker_died_is_uncertain(asked, clock):
    await dying(asked)
    assert (await asked.separation()).state is S.SUBMITTING
    clock.forward(30)
    await asked.steps("rescue")
    assert (await asked.separation()).state is S.UNCERTAIN
    clock.forward(1800)
    await asked.run_until_idle()
    assert len(asked.provider.calls("submit")) == 1
    assert await asked.balance() == 100


async def test_what_a_worker_that_was_taken_for_dead_hears_in_the_end_is_a_hint(asked, clock):
    async def suspended():
        asked.provider.during = nothing
        clock.forward(100)
        await asked.steps("rescue")

    asked.provider.during = suspended
    with pytest.raises(Stale):
        await asked.step("submit")
    assert (await asked.separation()).state is S.UNCERTAIN
    await asked.steps("find")
    *_, hint = asked.provider.calls("find")[-1]
    assert hint == "task-1"


async def test_an_order_under_way_is_not_rescued(asked):
    rescued = []

    async def rescue():
        rescued.append(await asked.step("rescue"))

    asked.provider.during = rescue
    await asked.steps("submit")
    assert rescued == [False]


async def test_nobody_looks_at_what_somebody_looks_at(asked, clock):
    await asked.steps("submit")
    clock.forward(15)
    seconds = []

    async def look_as_well():
        seconds.append(await asked.step("look"))

    asked.provider.during = look_as_well
    await asked.steps("look")
    assert seconds == [False]


async def test_who_lost_the_lease_writes_nothing(asked, clock):
    await asked.steps("submit")
    clock.forward(15)
    asked.provider.to_look.extend([Running(), Failed("too late to matter")])

    async def overtaken():
        asked.provider.during = nothing
        clock.forward(100)  # the first worker hangs, its lease ends
        await asked.steps("look")
        asked.provider.to_look.reverse()

    asked.provider.during = overtaken
    with pytest.raises(Stale):
        await asked.step("look")
    assert (await asked.separation()).state is S.RUNNING


async def test_what_no_provider_looks_at_ends_a_minute_after_its_deadline(worlds, sqlite_databases, clock):
    async with worlds() as world:
        await world.say(f"/stems {SONG}")
        await world.steps("status", "submit")
        world.loops = [one for one in world.loops if not one.name.endswith("sunoapi_org")]  # taken out of use
        clock.forward(1859)
        assert not await world.step("expire")
        clock.forward(1)
        await world.steps("expire", "status")
        assert (await world.job()).state is J.FAILED
        assert await world.balance() == 100
