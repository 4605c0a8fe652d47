from dataclasses import fields

import pytest

from bot.engine.workflow import (
    NOT_CHARGED,
    NOT_FOUND,
    TOO_LATE,
    Move,
    Pace,
    Snooze,
    after_find,
    after_look,
    after_submit,
    before_look,
    before_submit,
    in_plain_words,
    overdue,
)
from providers.base import Failed, Running, StemLink, Succeeded
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    Rejected,
    SongUnknown,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from storage.rows import Separation
from storage.states import SeparationState as S

DEADLINE = 1800.0
PACE = Pace(look_first_s=15.0, look_every_s=10.0)
FOUND = Succeeded((StemLink("vocals", "https://files.example/1.mp3"),), "Paper Boats")


def separation(state=S.SUBMITTING, **changes):
    """What the decisions read of it; the rest is empty."""
    values = dict.fromkeys(field.name for field in fields(Separation))
    values |= {"id": 1, "audio_id": "a", "mode": "basic", "provider": "kie", "price": 10, "tried_json": "[]"}
    values |= {"state": state, "failures": 0, "created_at": 0.0, "deadline_at": DEADLINE}
    return Separation(**values | changes)


@pytest.mark.parametrize(
    ("now", "decision"),
    [
        pytest.param(0, Move(S.SUBMITTING), id="in time: it is ordered"),
        pytest.param(DEADLINE - 1, Move(S.SUBMITTING), id="at the last moment as well"),
        pytest.param(DEADLINE, Move(S.FAILED, TOO_LATE), id="waited past its deadline: not bought any more"),
    ],
)
def test_before_submit(now, decision):
    assert before_submit(separation(S.QUEUED), now=now) == decision


SUBMITS = [
    pytest.param("t1", 0, 0, Move(S.RUNNING, upstream_task_id="t1", due_in_s=15.0), id="accepted"),
    pytest.param("t1", DEADLINE, 0, Move(S.RUNNING, upstream_task_id="t1", due_in_s=15.0), id="just late"),
    pytest.param(
        OutcomeUnknown("cut"),
        0,
        0,
        Move(S.UNCERTAIN, "cut", due_in_s=10.0),
        id="maybe charged: not sent again",
    ),
    pytest.param(
        OutcomeUnknown("cut"),
        DEADLINE,
        0,
        Move(S.UNCERTAIN, "cut", due_in_s=10.0),
        id="cut, late: looked up once",
    ),
    pytest.param(Unavailable("down"), 0, 0, Move(S.QUEUED, "down", due_in_s=1.0), id="down: once more"),
    pytest.param(
        Unavailable("down"), 0, 3, Move(S.QUEUED, "down", due_in_s=8.0), id="down for long: waits longer"
    ),
    pytest.param(
        Unavailable("down"), 0, 50, Move(S.QUEUED, "down", due_in_s=60.0), id="but a minute at most"
    ),
    pytest.param(
        TooFast("slow", 20.0), 0, 0, Move(S.QUEUED, "slow", due_in_s=20.0), id="waits as it was asked to"
    ),
    pytest.param(
        TooFast("slow", 2.0), 0, 4, Move(S.QUEUED, "slow", due_in_s=16.0), id="and longer if that fails"
    ),
    pytest.param(TooFast("slow"), 0, 0, Move(S.QUEUED, "slow", due_in_s=1.0), id="too fast without a time"),
]


@pytest.mark.parametrize(("outcome", "now", "failures", "decision"), SUBMITS)
def test_after_submit(outcome, now, failures, decision):
    assert after_submit(separation(failures=failures), outcome, now=now, pace=PACE) == decision


REFUSALS = [Rejected("no"), SongUnknown("what?"), Misconfigured("key"), NoCredits("broke")]


@pytest.mark.parametrize("outcome", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_refused_submit_fails_with_a_reason_for_people(outcome):
    decision = after_submit(separation(), outcome, now=0, pace=PACE)
    assert decision == Move(S.FAILED, in_plain_words(outcome, "the upstream"))


def test_what_stays_unavailable_until_the_deadline_fails():
    decision = after_submit(separation(), Unavailable("down"), now=DEADLINE, pace=PACE)
    assert decision.to is S.FAILED


LOOKS = [
    pytest.param(FOUND, 0, 0, Move(S.SUCCEEDED, found=FOUND), id="stems are there"),
    pytest.param(
        FOUND, DEADLINE + 9, 0, Move(S.SUCCEEDED, found=FOUND), id="stems past the deadline are stems"
    ),
    pytest.param(Running(), 0, 0, Snooze(10.0), id="still at it"),
    pytest.param(Running(), 100, 0, Snooze(20.0), id="the longer it runs the longer the wait"),
    pytest.param(Running(), 1000, 0, Snooze(30.0), id="half a minute at most"),
    pytest.param(Running(), DEADLINE - 4, 0, Snooze(4.0), id="the last look is at the deadline"),
    pytest.param(Running(), DEADLINE, 0, Move(S.FAILED, TOO_LATE), id="then it is too late"),
    pytest.param(Running(FOUND), DEADLINE - 4, 0, Snooze(4.0), id="the rest may still come"),
    pytest.param(
        Running(FOUND), DEADLINE, 0, Move(S.SUCCEEDED, found=FOUND), id="what is done by then is delivered"
    ),
    pytest.param(Running(), DEADLINE + 99, 0, Move(S.FAILED, TOO_LATE), id="long since"),
    pytest.param(Unavailable("down"), 0, 0, Snooze(1.0, failed=True), id="could not look: soon again"),
    pytest.param(Unavailable("down"), 0, 9, Snooze(60.0, failed=True), id="could not look nine times"),
    pytest.param(
        Unavailable("down"), DEADLINE, 9, Move(S.FAILED, TOO_LATE), id="could not look till the end"
    ),
    pytest.param(TooFast("slow", 45.0), 0, 0, Snooze(45.0, failed=True), id="looked too often"),
    pytest.param(TaskUnknown("what?"), 0, 0, Snooze(1.0, failed=True), id="usual right after the submit"),
    pytest.param(
        TaskUnknown("what?"),
        0,
        5,
        Move(S.FAILED, "the upstream knows nothing of this order any more"),
        id="still unknown: it is final",
    ),
    pytest.param(Misconfigured("key"), 0, 0, Snooze(1.0, failed=True), id="a wrong key may be mended"),
    pytest.param(OutcomeUnknown("cut"), 0, 0, Snooze(1.0, failed=True), id="a look costs nothing"),
]


@pytest.mark.parametrize(
    ("pause_s", "now", "decision"),
    [
        pytest.param(0, 0, None, id="it may be looked at"),
        pytest.param(20, 0, Snooze(20), id="it asked to be left alone"),
        pytest.param(20, DEADLINE - 5, Snooze(5), id="the last look is at the deadline"),
        pytest.param(20, DEADLINE, None, id="and does not wait"),
    ],
)
def test_before_look(pause_s, now, decision):
    assert before_look(separation(S.RUNNING), now=now, pause_s=pause_s) == decision


@pytest.mark.parametrize(("outcome", "now", "failures", "decision"), LOOKS)
def test_after_look(outcome, now, failures, decision):
    assert after_look(separation(S.RUNNING, failures=failures), outcome, now=now, pace=PACE) == decision


@pytest.mark.parametrize("now", [0, DEADLINE])
def test_a_failed_task_fails_with_the_upstreams_own_reason(now):
    decision = after_look(separation(S.RUNNING), Failed("no luck."), now=now, pace=PACE, title="kie.ai")
    assert decision.to is S.FAILED
    assert "kie.ai" in decision.why
    assert "no luck" in decision.why


FINDS = [
    pytest.param("t1", 0, Move(S.RUNNING, upstream_task_id="t1", due_in_s=0.0), id="found: looked at now"),
    pytest.param("t1", DEADLINE, Move(S.RUNNING, upstream_task_id="t1", due_in_s=0.0), id="found at the end"),
    pytest.param(None, 0, Snooze(10.0), id="no trace yet"),
    pytest.param(None, 100, Snooze(20.0), id="asked less and less often"),
    pytest.param(None, DEADLINE - 1, Snooze(1.0), id="the last try is at the deadline"),
    pytest.param(None, DEADLINE, Move(S.FAILED, NOT_FOUND), id="no trace: given up, never ordered again"),
    pytest.param(Unavailable("down"), 0, Snooze(10.0), id="could not ask"),
    pytest.param(Unavailable("down"), DEADLINE, Move(S.FAILED, NOT_FOUND), id="could not ask till the end"),
]


@pytest.mark.parametrize(("outcome", "now", "decision"), FINDS)
def test_after_find(outcome, now, decision):
    assert after_find(separation(S.UNCERTAIN), outcome, now=now, pace=PACE) == decision


@pytest.mark.parametrize(
    ("credits_now", "decision"),
    [
        pytest.param(1000.0, Move(S.FAILED, NOT_CHARGED), id="unchanged: nothing was charged"),
        pytest.param(990.0, Snooze(10.0), id="changed: perhaps by this order"),
        pytest.param(None, Snooze(10.0), id="no proof"),
    ],
)
def test_the_credits_there_may_prove_that_nothing_was_charged(credits_now, decision):
    uncertain = separation(S.UNCERTAIN, credits_before=1000.0)
    assert after_find(uncertain, None, now=0, pace=PACE, credits_now=credits_now) == decision


def test_without_the_credits_of_before_there_is_no_proof():
    assert after_find(separation(S.UNCERTAIN), None, now=0, pace=PACE, credits_now=None) == Snooze(10.0)


@pytest.mark.parametrize(
    ("asked", "decision"),
    [
        pytest.param({"wait_s": 7.0}, Snooze(7.0), id="it is not its turn yet"),
        pytest.param({"wait_s": 1e9}, Snooze(DEADLINE), id="never past the deadline"),
        pytest.param({"is_down": True}, Move(S.SUBMITTING), id="down, and there is no other"),
        pytest.param({"is_down": True, "wait_s": 7.0}, Snooze(7.0), id="down: until it is tried again"),
    ],
)
def test_before_submit_the_upstream_may_have_to_be_waited_for(asked, decision):
    assert before_submit(separation(S.QUEUED), now=0, **asked) == decision


@pytest.mark.parametrize("outcome", ["t1", None, Unavailable("down"), Rejected("no")])
@pytest.mark.parametrize("now", [0, DEADLINE])
def test_an_uncertain_submit_never_leads_to_another_submit(outcome, now):
    decision = after_find(separation(S.UNCERTAIN), outcome, now=now, pace=PACE)
    assert not isinstance(decision, Move) or decision.to in {S.RUNNING, S.FAILED}


@pytest.mark.parametrize(
    ("state", "why"), [(S.QUEUED, TOO_LATE), (S.RUNNING, TOO_LATE), (S.UNCERTAIN, NOT_FOUND)]
)
def test_what_nobody_looked_at_in_time_ends_for_its_own_reason(state, why):
    assert overdue(separation(state)) == Move(S.FAILED, why)


def test_who_wants_to_look_seldom_is_not_made_to_look_more_often():
    assert Pace(look_every_s=120.0).look_again_s(0) == 120.0
    assert Pace(look_every_s=120.0).look_again_s(10_000) == 120.0


PLAIN = [*REFUSALS, TooFast("slow"), Unavailable("connect failed"), OutcomeUnknown("x")]


@pytest.mark.parametrize("error", PLAIN, ids=lambda error: type(error).__name__)
def test_every_refusal_has_words(error):
    assert in_plain_words(error, "kie.ai").startswith(("kie.ai", "this bot's own credits at kie.ai"))
