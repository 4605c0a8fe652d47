"""Whatever people and workers do in whatever order, the books agree with a model of a few lines."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from storage import jobs, ledger, moves
from storage.ledger import InsufficientCredits
from storage.moves import IllegalMove, Stale
from storage.states import MOVES, Entry, JobState
from storage.tables import entries

NOW = 1_800_000_000.0
ANN, START = 11, 60
DONE = type(None)


@dataclass(frozen=True)
class Grant:
    amount: int
    operation: int


@dataclass(frozen=True)
class Ask:
    price: int


@dataclass(frozen=True)
class Move:
    job: int
    to: JobState
    read_before: bool  # by a worker that read the job when it was new, and has not looked since


STEPS = st.one_of(
    st.builds(Grant, st.integers(1, 50), st.integers(1, 3)),
    st.builds(Ask, st.integers(0, 60)),
    st.builds(Move, st.integers(0, 3), st.sampled_from(JobState), st.booleans()),
)


@dataclass
class Model:
    """What should be so, in plain values: each job's price, state, and how often it was settled."""

    balance: int = START
    granted: set[int] = field(default_factory=set)
    prices: list[int] = field(default_factory=list)
    states: list[JobState] = field(default_factory=list)
    settled: list[Entry | None] = field(default_factory=list)

    def after(self, step):
        """Take the step; the exception that it should raise, or DONE."""
        match step:
            case Grant(amount, operation):
                self.balance += amount * (operation not in self.granted)
                self.granted.add(operation)
            case Ask(price) if price > self.balance:
                return InsufficientCredits
            case Ask(price):
                self.balance -= price
                self.prices.append(price)
                self.states.append(JobState.WAITING)
                self.settled.append(None)
            case Move(job) if job < len(self.states):
                return self._after_move(step)
        return DONE

    def _after_move(self, step):
        seen = JobState.WAITING if step.read_before else self.states[step.job]
        if (rule := MOVES.get((seen, step.to))) is None:
            return IllegalMove
        if seen is not self.states[step.job]:
            return Stale
        self.states[step.job] = step.to
        if rule.entry:
            assert self.settled[step.job] is None
            self.settled[step.job] = rule.entry
            self.balance += self.prices[step.job] * (rule.entry is Entry.RELEASE)
        return DONE

    @property
    def held(self):
        return sum(price for price, settled in zip(self.prices, self.settled, strict=True) if settled is None)


class Books:
    """The same steps on a database."""

    def __init__(self, world):
        self.world, self.jobs, self.new = world, [], []

    async def after(self, step):
        try:
            await self._take(step)
        except (InsufficientCredits, IllegalMove, Stale) as error:
            return type(error)
        return DONE

    async def _take(self, step):
        match step:
            case Grant(amount, operation):
                account = await self.world.person(ANN)
                words = {"operation": f"grant:{operation}", "note": "a gift", "now": NOW}
                await self.world.do(ledger.grant, account, amount, **words)
            case Ask(price):
                job = await self.world.job(user_id=ANN, price=price)
                self.jobs.append(job)
                self.new.append(job)
            case Move(job, to, read_before) if job < len(self.jobs):
                row = (self.new if read_before else self.jobs)[job]
                self.jobs[job] = await self.world.do(moves.move, row, to, now=NOW)

    async def read(self):
        """Balance, sum of entries, what is held, the jobs' states, and how each was settled."""
        account = await self.world.do(ledger.account_of, "user", ANN)
        seen = await self.world.do(ledger.statement, account.id, limit=1)
        states = [(await self.world.do(jobs.find, job.id)).state for job in self.jobs]
        return seen.balance, await self.world.do(total), seen.held, states, await self.world.do(settlements)


async def total(db):
    return await db.scalar(select(func.coalesce(func.sum(entries.c.amount), 0)))


async def settlements(db):
    kinds = (Entry.CAPTURE, Entry.RELEASE)
    rows = await db.execute(select(entries.c.job_id, entries.c.kind).where(entries.c.kind.in_(kinds)))
    return sorted((job_id, Entry(kind)) for job_id, kind in rows)


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
async def test_the_books_agree_with_the_model_after_every_step(new_world, steps):
    async with new_world(lambda: NOW) as world:
        await world.person(ANN, credits=START)
        model, books = Model(), Books(world)
        for step in steps:
            assert await books.after(step) is model.after(step)
            ids = [job.id for job in books.jobs]
            settled = [(job_id, kind) for job_id, kind in zip(ids, model.settled, strict=True) if kind]
            expected = model.balance, model.balance, model.held, model.states, settled
            assert await books.read() == expected
            assert model.balance >= 0
