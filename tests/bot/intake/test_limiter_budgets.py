import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram.error import RetryAfter

from bot.intake.limiter import Dropped, Kind
from tests.bot.intake.stand_ins import Clock, Telegram, finished

# The library warns about the type of its own retry_after.
pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")

ANN, BEN, BAND = 1001, 1002, -2001

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([ANN, BEN, BAND]),
        st.sampled_from(Kind),
        st.integers(1, 10),  # items
        st.floats(0, 30),  # seconds until the next one
    ),
    max_size=40,
)


@given(ACTIONS)
@settings(deadline=None, max_examples=50)
def test_whatever_is_asked_every_budget_holds_and_every_call_ends(actions):
    asyncio.run(check_budgets(actions))


async def check_budgets(actions):
    telegram = Telegram(clock := Clock())
    tasks = []
    for chat, kind, items, pause_s in actions:
        tasks.append(telegram.send(chat, kind, (chat, items), media=["file-id"] * items))
        await clock.pass_by(pause_s)
    await clock.pass_by(400)
    outcomes = await finished(*tasks)
    assert all(outcome is True or isinstance(outcome, (Dropped, RetryAfter)) for outcome in outcomes)
    assert spent_at_most(telegram, BAND, 60, 20)
    assert never_sent_in_debt(telegram, ANN, burst=4)


def never_sent_in_debt(telegram, chat, burst):
    """Whether a bucket that gains one a second had at least one left at each call; a call may cost more."""
    left, before = float(burst), 0.0
    for at, (to, items) in telegram.sent:
        if to == chat:
            left, before = min(burst, left + at - before), at
            if left < 0.99:
                return False
            left -= items
    return True


def spent_at_most(telegram, chat, period_s, limit):
    sent = [(at, items) for at, (to, items) in telegram.sent if to == chat]
    windows = [(start, start + period_s - 0.01) for start, _ in sent]
    return all(sum(items for at, items in sent if start <= at < end) <= limit for start, end in windows)
