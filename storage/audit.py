"""Every rule of the ledger, computed anew from its entries and the states of the jobs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from storage.database import Connection
from storage.states import MOVES, OPEN_JOBS, Entry, JobState, SeparationState
from storage.tables import accounts, entries, jobs, separations

SETTLES = (Entry.CAPTURE, Entry.RELEASE)
GIVES = (Entry.GRANT, Entry.PURCHASE, Entry.REFUND)
OF_JOBS = (Entry.HOLD, *SETTLES, Entry.REFUND)
# A separation that has ended so leaves no job in these states.
LEFT_BEHIND = {
    SeparationState.FAILED: (JobState.WAITING, JobState.LEAVING, JobState.DELIVERING),
    SeparationState.CANCELLED: (JobState.WAITING, JobState.LEAVING, JobState.DELIVERING),
    SeparationState.SUCCEEDED: (JobState.LEAVING,),
}
# What each end of a job writes: taken from the moves, so that there is one truth.
END_OF: dict[JobState, Entry] = {
    to: rule.entry for (_, to), rule in MOVES.items() if isinstance(to, JobState) and rule.entry
}


@dataclass(slots=True)
class _Life:
    """What the ledger holds of one job."""

    accounts: set[int] = field(default_factory=set)
    amounts: dict[Entry, list[int]] = field(default_factory=dict)

    def count(self, *kinds: Entry) -> int:
        return sum(len(self.amounts.get(kind, ())) for kind in kinds)

    def total(self, kind: Entry) -> int:
        return sum(self.amounts.get(kind, ()))


@dataclass(slots=True)
class _Books:
    """What all entries say, taken in one after the other."""

    sums: dict[int, int] = field(default_factory=dict)  # by account
    lives: dict[int, _Life] = field(default_factory=dict)  # by job
    transfers: dict[str, int] = field(default_factory=dict)  # by operation, without its last part

    def take(self, row: Any) -> Iterator[str]:
        """Count an entry; what is wrong with it by itself."""
        kind, account_id, job_id = Entry(row.kind), row.account_id, row.job_id
        self.sums[account_id] = self.sums.get(account_id, 0) + row.amount
        if self.sums[account_id] < 0 and row.amount < 0:
            yield f"entry {row.id}: takes account {account_id} below zero, to {self.sums[account_id]}"
        if kind in GIVES and row.amount <= 0:
            yield f"entry {row.id}: a {kind} of {row.amount}"
        if (kind in OF_JOBS) != (job_id is not None):
            yield f"entry {row.id}: a {kind} for job {job_id}"
        if kind is Entry.TRANSFER:
            transfer = row.operation.rpartition(":")[0]
            self.transfers[transfer] = self.transfers.get(transfer, 0) + row.amount
        if job_id is not None:
            life = self.lives.setdefault(job_id, _Life())
            life.accounts.add(account_id)
            life.amounts.setdefault(kind, []).append(row.amount)


async def broken_rules(db: Connection) -> list[str]:
    """A sentence for every row that breaks a rule; empty where all is well. Reads everything."""
    books = _Books()
    found: list[str] = []
    # By id no account was ever below zero: whoever takes credits holds its row when the id is given.
    async for row in await db.stream(select(entries).order_by(entries.c.id)):
        found += books.take(row)
    found += [f"{name}: is out by {amount}" for name, amount in books.transfers.items() if amount]
    return [*found, *await _accounts(db, books.sums), *await _jobs(db, books.lives)]


async def _accounts(db: Connection, sums: Mapping[int, int]) -> list[str]:
    found: list[str] = []
    known: set[int] = set()
    async for row in await db.stream(select(accounts).order_by(accounts.c.id)):
        known.add(row.id)
        found += _account(row, sums.get(row.id, 0))
    gone = sorted(sums.keys() - known)
    return [*found, *(f"account {one}: is gone, its entries sum up to {sums[one]}" for one in gone)]


def _account(row: Any, total: int) -> Iterator[str]:
    if row.balance != total:
        yield f"account {row.id}: balance {row.balance}, its entries sum up to {total}"
    if row.balance < 0:
        yield f"account {row.id}: balance {row.balance} is below zero"
    if row.merged_into is not None and row.balance:
        yield f"account {row.id}: was merged into {row.merged_into}, and has {row.balance} left"


async def _jobs(db: Connection, lives: Mapping[int, _Life]) -> list[str]:
    found: list[str] = []
    known: set[int] = set()
    theirs = separations.c.id == jobs.c.separation_id
    columns = (jobs.c.id, jobs.c.state, jobs.c.price, jobs.c.account_id, separations.c.state.label("work"))
    async for row in await db.stream(select(*columns).join(separations, theirs).order_by(jobs.c.id)):
        known.add(row.id)
        found += _job(row, lives.get(row.id, _Life()))
    for job_id in sorted(lives.keys() - known):
        found += _forgotten_job(job_id, lives[job_id])
    return found


def _job(row: Any, life: _Life) -> Iterator[str]:
    job_id, state, price, account_id = row.id, JobState(row.state), row.price, row.account_id
    if life.count(Entry.HOLD) != 1 or life.total(Entry.HOLD) != -price:
        yield f"job {job_id}: price {price}, held {life.amounts.get(Entry.HOLD, [])}"
    if life.accounts - {account_id}:
        yield f"job {job_id}: account {account_id} asked, others paid: {sorted(life.accounts)}"
    if state in LEFT_BEHIND.get(SeparationState(row.work), ()):
        yield f"job {job_id}: is {state}, but its separation {row.work}"
    if state in OPEN_JOBS and life.count(*SETTLES):
        yield f"job {job_id}: is {state}, but settled already"
    if state not in OPEN_JOBS and life.count(END_OF[state]) != 1:
        yield f"job {job_id}: is {state}, but has {life.count(END_OF[state])} {END_OF[state]} entries"
    yield from _settled(job_id, life)


def _forgotten_job(job_id: int, life: _Life) -> Iterator[str]:
    """A job that was swept away must have ended before."""
    if life.count(Entry.HOLD) != 1 or life.count(*SETTLES) != 1:
        yield f"job {job_id}: is gone, with {life.count(Entry.HOLD)} holds and {life.count(*SETTLES)} settled"
    yield from _settled(job_id, life)


def _settled(job_id: int, life: _Life) -> Iterator[str]:
    if life.count(*SETTLES) > 1:
        yield f"job {job_id}: settled {life.count(*SETTLES)} times"
    if life.total(Entry.CAPTURE):
        yield f"job {job_id}: its capture took {-life.total(Entry.CAPTURE)} once more"
    if life.count(Entry.RELEASE) and life.total(Entry.RELEASE) != -life.total(Entry.HOLD):
        yield f"job {job_id}: held {-life.total(Entry.HOLD)}, released {life.total(Entry.RELEASE)}"
    if life.count(Entry.REFUND) > 1:
        yield f"job {job_id}: refunded {life.count(Entry.REFUND)} times"
    if life.count(Entry.REFUND) and (
        life.count(Entry.CAPTURE) != 1 or life.total(Entry.REFUND) > -life.total(Entry.HOLD)
    ):
        yield f"job {job_id}: refunded {life.total(Entry.REFUND)} of {-life.total(Entry.HOLD)} captured"
