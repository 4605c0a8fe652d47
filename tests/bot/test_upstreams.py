"""How an upstream's health follows from what it said."""

import pytest

from bot.upstreams import (
    FIRST_PROBE_S,
    LONGEST_PROBE_S,
    OPENS_AFTER,
    Breaker,
    Call,
    Health,
    Upstream,
    is_failure,
    upstream,
)
from providers.base import Running
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
from tests.bot.upstream_stand_in import FakeProvider

DOWN = Unavailable("maintenance")


@pytest.fixture
def health(clock) -> Upstream:
    return upstream(FakeProvider(), clock)


@pytest.fixture
def down(health, clock, caplog) -> Upstream:
    """Its breaker has just opened; what was logged of that is put aside."""
    for _ in range(OPENS_AFTER):
        health.note(DOWN, Call.LOOK)
    caplog.clear()
    return health


# What speaks against an upstream


@pytest.mark.parametrize("outcome", [DOWN, OutcomeUnknown("lost")])
def test_that_it_does_not_answer_speaks_against_it(outcome):
    assert is_failure(outcome)


@pytest.mark.parametrize(
    "outcome",
    [
        "task-1",
        Running(),
        TooFast("slow down"),
        TaskUnknown("not yet"),
        SongUnknown("?"),
        Rejected("no"),
        NoCredits("0"),
    ],
)
def test_what_it_says_of_one_song_or_of_our_account_does_not(outcome):
    assert not is_failure(outcome)


# The breaker


def test_it_opens_after_failures_in_a_row_and_says_so_once(health, caplog):
    for _ in range(OPENS_AFTER - 1):
        health.note(DOWN, Call.LOOK)
    assert health.health is Health.WELL
    for _ in range(3 * OPENS_AFTER):
        health.note(DOWN, Call.LOOK)
    assert health.health is Health.DOWN
    assert [record.getMessage() for record in caplog.records] == [
        "sunoapi.org is set aside for a while: maintenance"
    ]


def test_an_answer_in_between_starts_the_count_anew(health):
    for _ in range(OPENS_AFTER):
        health.note(DOWN, Call.LOOK)
        health.note(Running(), Call.LOOK)
    assert health.health is Health.WELL


def test_while_it_is_open_nothing_is_submitted_until_it_was_tried(down, clock):
    assert down.wait_s() == FIRST_PROBE_S
    clock.forward(10)
    assert down.wait_s() == FIRST_PROBE_S - 10


def test_a_failed_try_makes_the_next_wait_longer_up_to_a_limit(down, clock):
    waits = []
    for _ in range(10):
        clock.forward(down.wait_s())
        down.probed(DOWN)
        waits.append(down.wait_s())
    assert waits[0] == pytest.approx(2 * FIRST_PROBE_S, rel=0.11)
    assert waits[1] == pytest.approx(4 * FIRST_PROBE_S, rel=0.11)
    assert waits[-1] == pytest.approx(LONGEST_PROBE_S, rel=0.11)


@pytest.mark.parametrize("outcome", [NoCredits("0"), Misconfigured("key"), DOWN])
def test_whatever_a_try_ends_in_the_next_comes_later(down, clock, outcome):
    clock.forward(FIRST_PROBE_S)
    down.probed(outcome)
    assert down.health is not Health.DOWN or down.breaker.probe_at > clock()


def test_until_a_try_that_is_due_was_answered_nothing_is_submitted(down, clock):
    clock.forward(FIRST_PROBE_S)
    assert down.wait_s() > 0
    clock.forward(60)
    assert down.wait_s() > 0


def test_orders_that_fail_open_it_though_looks_are_answered(health):
    for _ in range(OPENS_AFTER):
        health.probed(240.0)
        health.note(OutcomeUnknown("code 500"), Call.SUBMIT)
        health.note(Running(), Call.LOOK)
    assert health.health is Health.DOWN
    health.note(Running(), Call.LOOK)
    assert health.health is Health.DOWN


def test_after_a_try_that_shows_nothing_of_orders_the_next_that_fails_opens_it_again_for_longer(health):
    for _ in range(OPENS_AFTER):
        health.note(OutcomeUnknown("code 500"), Call.SUBMIT)
    health.probed(240.0)
    health.note(Running(), Call.LOOK)
    assert health.health is Health.WELL
    health.note(OutcomeUnknown("code 500"), Call.SUBMIT)
    assert (health.health, health.wait_s()) == (Health.DOWN, 2 * FIRST_PROBE_S)


def test_an_order_that_is_taken_starts_the_count_anew(health):
    for outcome in (*[DOWN] * (OPENS_AFTER - 1), "task-1", *[DOWN] * (OPENS_AFTER - 1)):
        health.note(outcome, Call.SUBMIT)
    assert health.health is Health.WELL


async def test_the_credits_call_closes_it_and_that_is_said_once(down, caplog):
    down.probed(240.0)
    down.probed(240.0)
    assert (down.health, down.credits, down.wait_s()) == (Health.WELL, 240.0, 0.0)
    assert [record.getMessage() for record in caplog.records] == ["sunoapi.org is back"]


def test_so_does_a_look_that_is_answered(down, caplog):
    down.note(Running(), Call.LOOK)
    assert down.health is Health.WELL
    assert "sunoapi.org is back" in caplog.text


def test_after_it_was_back_it_opens_only_after_as_many_failures_again(down, clock):
    down.probed(240.0)
    for _ in range(OPENS_AFTER - 1):
        down.note(DOWN, Call.LOOK)
    assert down.health is Health.WELL
    down.note(DOWN, Call.LOOK)
    assert down.wait_s() == 2 * FIRST_PROBE_S  # for longer than the first time


def test_replicas_do_not_try_in_step():
    breakers = [Breaker(is_open=True) for _ in range(20)]
    for breaker in breakers:
        breaker.probe_failed(now=0.0)
    assert len({breaker.probe_at for breaker in breakers}) > 1


# What only the operator can mend


@pytest.mark.parametrize("trouble", [NoCredits("0"), Misconfigured("key")])
def test_a_submit_refused_for_our_account_makes_it_short_and_an_accepted_one_ends_that(health, trouble):
    health.note(trouble, Call.SUBMIT)
    assert health.health is Health.SHORT
    health.note(Running(), Call.LOOK)  # a look needs no credits
    assert health.health is Health.SHORT
    health.note("task-1", Call.SUBMIT)
    assert health.health is Health.WELL


def test_a_key_is_mended_when_it_is_taken_again(health):
    health.probed(Misconfigured("key"))
    assert health.health is Health.SHORT
    health.probed(0.0)
    assert health.health is Health.WELL


def test_credits_are_mended_when_there_are_more_than_there_were(health):
    health.note(NoCredits("0"), Call.SUBMIT)
    for balance in (45.0, 45.0, 40.0):  # enough for a basic job perhaps, not for the one that was refused
        health.probed(balance)
        assert health.health is Health.SHORT
    health.probed(1000.0)
    assert health.health is Health.WELL


def test_credits_that_were_topped_up_before_anybody_asked_are_mended(health):
    health.probed(45.0)
    health.note(NoCredits("0"), Call.SUBMIT)
    health.probed(1000.0)
    assert health.health is Health.WELL


def test_its_last_error_is_kept(health):
    health.note(DOWN, Call.LOOK)
    health.note("task-1", Call.SUBMIT)
    health.probed(5.0)
    assert health.last_error == "maintenance"


# How fast


async def test_it_pauses_for_as_long_as_it_is_asked_to(health, clock):
    health.note(TooFast("slow down", wait_s=20), Call.LOOK)
    assert health.wait_s() == 20
    health.note(TooFast("slow down", wait_s=5), Call.LOOK)  # asked earlier, answered later
    assert health.wait_s() == 20
    clock.forward(20)
    assert health.wait_s() == 0.0
