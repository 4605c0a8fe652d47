"""When a queued separation goes to another upstream, and when it stays."""

import pytest

from bot.engine.workflow import (
    NO_MORE_NOW,
    PATIENCE_S,
    RETRIES,
    TOO_FAST_RETRIES,
    Move,
    Snooze,
    after_submit,
    before_submit,
    in_plain_words,
)
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    Rejected,
    SongUnknown,
    TooFast,
    Unavailable,
)
from storage.states import JobState as J
from storage.states import SeparationState as S
from tests.bot.engine.test_workflow import PACE, separation
from tests.bot.world import SONG, TASK


@pytest.mark.parametrize("outcome", [SongUnknown("what?"), Misconfigured("key"), NoCredits("broke")])
def test_what_one_upstream_cannot_do_another_may(outcome):
    decision = after_submit(separation(), outcome, now=0, pace=PACE, next_provider="other", title="kie.ai")
    why = in_plain_words(outcome, "kie.ai")
    assert decision == Move(S.QUEUED, why, due_in_s=0.0, provider="other")


@pytest.mark.parametrize(
    "outcome", ["t1", OutcomeUnknown("cut"), Rejected("no"), TooFast("slow"), Unavailable("down")]
)
def test_of_anything_else_it_stays_where_it_is(outcome):
    assert after_submit(separation(), outcome, now=0, pace=PACE, next_provider="other").provider is None


def test_one_that_stays_unavailable_is_left_for_another():
    outcome = Unavailable("down")
    decision = after_submit(separation(failures=RETRIES), outcome, now=0, pace=PACE, next_provider="other")
    assert (decision.to, decision.provider) == (S.QUEUED, "other")


@pytest.mark.parametrize(
    ("failures", "wait_s"),
    [(TOO_FAST_RETRIES, None), (0, PATIENCE_S + 1)],
    ids=["for long", "a long wait asked"],
)
def test_one_that_stays_too_fast_is_left_for_another(failures, wait_s):
    had, outcome = separation(failures=failures), TooFast("slow", wait_s)
    decision = after_submit(had, outcome, now=0, pace=PACE, next_provider="other", title="kie.ai")
    assert decision == Move(S.QUEUED, f"kie.ai {NO_MORE_NOW}", due_in_s=0.0, provider="other")
    alone = after_submit(had, outcome, now=0, pace=PACE)
    assert (alone.to, alone.provider) == (S.QUEUED, None)


def test_a_failure_tells_what_the_upstreams_before_said():
    had = separation(tried_json='[["kie", "kie.ai does not know this song"]]')
    decision = after_submit(had, Rejected("too short"), now=0, pace=PACE, title="sunoapi.org")
    assert "kie.ai does not know this song" in decision.why
    assert had.tried == {"kie": "kie.ai does not know this song"}


def test_one_that_is_down_is_left_for_another():
    decision = before_submit(separation(S.QUEUED), now=0, is_down=True, next_provider="other", title="kie.ai")
    assert decision == Snooze(0.0, provider="other", why="kie.ai is not working")


@pytest.mark.parametrize(
    ("wait_s", "decision"),
    [
        pytest.param(PATIENCE_S, Snooze(PATIENCE_S), id="not for long: it is waited for"),
        pytest.param(
            PATIENCE_S + 1, Snooze(0.0, provider="other", why=f"kie.ai {NO_MORE_NOW}"), id="for long: another"
        ),
    ],
)
def test_one_that_asked_to_be_left_alone_for_long_is_left_for_another(wait_s, decision):
    queued = separation(S.QUEUED)
    assert before_submit(queued, now=0, wait_s=wait_s, next_provider="other", title="kie.ai") == decision


# A pair of ids that was right once


async def test_a_song_whose_task_was_forgotten_upstream_is_ordered_by_its_own_id(world):
    await world.say(f"/stems {TASK}:{SONG}")
    await world.run_until_idle()
    world.provider.to_submit.append(SongUnknown("no such task"))
    await world.say(f"/stems {SONG} full")
    await world.run_until_idle()
    asked = [(song.task_id, str(mode)) for song, mode, _ in world.provider.calls("submit")]
    assert asked == [(TASK, "basic"), (TASK, "full"), (None, "full")]
    assert (await world.job(2)).state is J.DELIVERED


async def test_a_pair_that_nobody_ever_knew_is_not(world):
    world.provider.to_submit.append(SongUnknown("no such task"))
    await world.say(f"/stems {TASK}:{SONG}")
    await world.run_until_idle()
    assert len(world.provider.calls("submit")) == 1
    assert (await world.job()).state is J.FAILED
    assert await world.balance() == 100


async def test_without_its_task_too_it_is_ordered_once(world):
    await world.say(f"/stems {TASK}:{SONG}")
    await world.run_until_idle()
    world.provider.to_submit.extend([SongUnknown("no such task"), SongUnknown("no such song")])
    await world.say(f"/stems {SONG} full")
    await world.run_until_idle()
    assert len(world.provider.calls("submit")) == 3
    assert (await world.job(2)).state is J.FAILED
