"""People, workers, failures, crashes and time in any order, against both state machines and the ledger.

What happens is what hypothesis makes up; what must hold after every step are the rules that must never break:
every hold ends once, no balance is below zero, no separation is ordered twice without a person's word, no
state moves but along ``MOVES``. At the end everything is let go on until nothing is left to do: then every
request has ended, and whoever asked was told.
"""

import asyncio
import itertools
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from bot import actions
from bot.actions import Asker, NotPossible
from bot.app import prepare
from providers.base import Failed, Mode, Running, SongRef
from providers.errors import OutcomeUnknown, ProviderError, Rejected, TooFast, Unavailable
from storage import audit, ledger
from storage.ledger import InsufficientCredits
from storage.states import MOVES, JobState, SeparationState
from tests.bot import telegram_stand_in as telegram
from tests.bot.mortal import Boundaries, Killed
from tests.bot.new_world import new_world
from tests.bot.telegram_stand_in import FakeTelegram
from tests.bot.upstream_stand_in import FakeProvider
from tests.conftest import Clock

EXAMPLES = {"sqlite": 14, "postgresql": 5}
STEPS = 30
DEADLINE_S = 300
PEOPLE = (1001, 1002, 1003)
SONGS = tuple(f"5f0c2a9e-8d13-4b7e-9a41-00000000000{number}" for number in range(3))
WORK = ("submit", "look", "find", "rescue", "expire", "status", "deliver", "overdue", "sweep")
SUBMITS = (Unavailable("down"), TooFast("too fast"), Rejected("no"), OutcomeUnknown("cut"))
LOOKS = (Running(), Failed("the song is too long"), Unavailable("down"))
SENDS = (telegram.TOO_FAST, telegram.GATEWAY, telegram.ANSWER_LOST, telegram.UNREACHABLE, telegram.BLOCKED)
JOBS = "SELECT id, state, chat_id, acknowledged_at, status_due_at FROM jobs ORDER BY id"
SEPARATIONS = "SELECT id, state FROM separations ORDER BY id"
BOOKS = "SELECT count(*), sum(amount), (SELECT count(*) FROM jobs) FROM entries"
OPEN = {*(old for old, _ in MOVES)}


@dataclass
class Upstream(FakeProvider):
    """Counts by callback address, so by separation, the orders that were charged or may have been."""

    orders: Counter[str] = field(default_factory=Counter)

    async def submit(self, song, mode, callback_url):
        self.orders[callback_url] += 1
        try:
            return await super().submit(song, mode, callback_url)
        except OutcomeUnknown:
            raise
        except ProviderError:
            self.orders[callback_url] -= 1  # it said that it took nothing
            raise


@cache
def ways(state):
    """All states that a row in this state can be in later."""
    found = {state}
    for _ in MOVES:
        found |= {new for old, new in MOVES if old in found}
    return found


class Life(RuleBasedStateMachine):
    """``databases`` are of one engine; ``folder`` is for downloads."""

    def __init__(self, databases, folder):
        super().__init__()
        self.folder, self.clock, self.numbers = folder, Clock(), itertools.count(1)
        self.databases = databases.new()
        self.url = self.databases.__enter__()
        self.runner = asyncio.Runner()
        self.telegram, self.upstream = FakeTelegram(self.clock), Upstream()
        self.taken, self.states, self.granted, self.world = [], {}, set(), None

    def teardown(self):
        try:
            if self.world is not None:
                self.run(self.the_end())
        finally:
            if self.world is not None:
                self.run(self.world.stop())
            self.runner.close()
            self.databases.__exit__(None, None, None)

    def run(self, work):
        return self.runner.run(work)

    @initialize()
    def begin(self):
        self.run(self.start(Boundaries()))

    async def start(self, boundary):
        """A new process, with nothing but the database."""
        outside = {"telegram": self.telegram, "provider": self.upstream}
        more = {"job_deadline_seconds": DEADLINE_S, "public_url": "https://bot.example", "signup_credits": 35}
        self.world = new_world(self.url, self.folder, self.clock, boundary=boundary, **outside, **more)
        self.telegram, self.upstream = self.world.telegram, self.world.provider
        await prepare(self.world.database)
        await self.world.start()

    # what people do

    @rule(user_id=st.sampled_from(PEOPLE), song=st.sampled_from(SONGS), mode=st.sampled_from(Mode))
    def ask(self, user_id, song, mode):
        asked = SongRef(song, "task"), mode, asker(user_id, next(self.numbers))
        with suppress(InsufficientCredits):
            self.taken.append((asked, self.run(actions.start(self.world.services, *asked))))

    @rule(which=st.integers(0, 50))
    def telegram_repeats_itself(self, which):
        """What made a job makes no second one, and holds nothing more."""
        if self.taken:
            asked, job = self.taken[which % len(self.taken)]
            before = self.run(self.rows(BOOKS))
            assert self.run(actions.start(self.world.services, *asked)).id == job.id
            assert self.run(self.rows(BOOKS)) == before

    @rule(which=st.integers(0, 50))
    def cancel(self, which):
        if jobs := self.run(self.rows(JOBS)):
            with suppress(NotPossible):
                self.run(actions.cancel(self.world.services, jobs[which % len(jobs)].id))

    @rule(user_id=st.sampled_from(PEOPLE), amount=st.sampled_from((1, 20)), message=st.integers(1, 5))
    def grant(self, user_id, amount, message):
        """An operator's command, which may be an old one that Telegram repeats: it gives once."""
        operation = f"grant:{user_id}:{message}"
        is_new = self.run(self._grant(user_id, amount, operation))
        assert is_new is (operation not in self.granted)
        self.granted.add(operation)

    async def _grant(self, user_id, amount, operation):
        async with self.world.database.transaction() as db:
            account = await ledger.account_of(db, "user", user_id)
            wanted = {"operation": operation, "note": "a gift", "now": self.clock()}
            return await ledger.grant(db, account, amount, **wanted)

    @rule(which=st.integers(0, 50))
    def send_again(self, which):
        self.run(self._send_again(which))

    async def _send_again(self, which):
        jobs = [row for row in await self.rows(JOBS) if row.state == JobState.DELIVERED]
        if jobs:
            chosen = jobs[which % len(jobs)]
            again = asker(chosen.chat_id, next(self.numbers))
            with suppress(NotPossible):
                await actions.send_again(self.world.services, await self.world.job(chosen.id), again)

    # what the bot does

    @rule(name=st.sampled_from(WORK), times=st.integers(1, 3))
    def work(self, name, times):
        for _ in range(times):
            self.run(self.world.step(name))

    @rule()
    def everybody_works(self):
        for name in WORK:
            self.run(self.world.step(name))

    @rule(name=st.sampled_from(WORK), fatal=st.integers(1, 8))
    def die_at_work(self, name, fatal):
        """kill -9 at the n-th COMMIT or exchange of a step, before or after its effect; then a restart."""
        self.run(self._die(name, fatal))

    async def _die(self, name, fatal):
        boundary = self.world.boundary
        boundary.fatal = len(boundary.passed) + fatal
        with suppress(Killed):
            await self.world.step(name)
        boundary.dead = True
        await self.world.stop()
        await self.start(Boundaries())

    # what the world does

    @rule(outcome=st.sampled_from(SUBMITS))
    def the_next_order_goes_wrong(self, outcome):
        self.upstream.to_submit.append(outcome)

    @rule(outcome=st.sampled_from(LOOKS))
    def the_next_look_says(self, outcome):
        self.upstream.to_look.append(outcome)

    @rule(
        method=st.sampled_from(("sendMessage", "editMessageText", "sendMediaGroup")),
        fault=st.sampled_from(SENDS),
    )
    def telegram_fails(self, method, fault):
        self.telegram.fail(method, fault)

    @rule(seconds=st.sampled_from((0.5, 6, 31, DEADLINE_S, 4000, -40, -600)))
    def time_passes(self, seconds):
        self.clock.forward(seconds)

    # what must hold

    @invariant()
    def no_separation_is_ordered_twice(self):
        assert max(self.upstream.orders.values(), default=0) <= 1

    @invariant()
    def the_ledger_is_in_order_and_states_move_along_the_moves(self):
        if self.world is not None:
            self.run(self._look_at_everything())

    async def _look_at_everything(self):
        async with self.world.database.reading() as db:
            assert await audit.broken_rules(db) == []
            rows = [(SeparationState, row) for row in await db.execute(text(SEPARATIONS))]
            rows += [(JobState, row) for row in await db.execute(text(JOBS))]
        for kind, row in rows:
            now, before = kind(row.state), self.states.get((kind, row.id), kind(row.state))
            assert now in ways(before), f"{kind.__name__} {row.id}: {before} -> {now}"
            self.states[kind, row.id] = now

    async def rows(self, query):
        async with self.world.database.reading() as db:
            return list(await db.execute(text(query)))

    async def the_end(self):
        """Nothing fails any more, and time goes on until nothing is left to do."""
        self.telegram.faults.clear()
        self.upstream.to_submit.clear()
        self.upstream.to_look.clear()
        for _ in range(60):
            for name in WORK:
                for _ in range(20):
                    if not await self.world.step(name):
                        break
            jobs, separations = await self.rows(JOBS), await self.rows(SEPARATIONS)
            if not any(row.state in OPEN for row in separations) and not any(is_open(job) for job in jobs):
                break
            self.clock.forward(61)
        else:
            raise AssertionError(f"there is no end to it: {jobs} {separations}")
        await self._look_at_everything()
        assert max(self.upstream.orders.values(), default=0) <= 1


def is_open(job):
    return job.state in OPEN or job.status_due_at is not None or job.acknowledged_at is None


def asker(user_id, number):
    return Asker(
        user_id=user_id,
        name="Somebody",
        username=None,
        language="en",
        chat_id=user_id,
        chat_kind="private",
        chat_title=None,
        message_id=number,
        thread_id=None,
        request_key=f"{user_id}:{number}",
    )


@pytest.mark.parametrize("engine", EXAMPLES)
def test_no_rule_breaks_whatever_happens_in_whatever_order(engine, request, tmp_path):
    databases = request.getfixturevalue(f"{engine}_databases")
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    chosen = settings(
        max_examples=EXAMPLES[engine], stateful_step_count=STEPS, deadline=None, suppress_health_check=checks
    )
    run_state_machine_as_test(lambda: Life(databases, tmp_path), settings=chosen)
