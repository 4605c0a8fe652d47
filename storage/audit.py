"""Every rule of the ledger, computed anew from its entries and the states of the jobs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from storage.database import Connection
from storage.states import MOVES, OPEN_JOBS, Entry, JobState
from storage.tables import accounts, entries, jobs

SETTLES = (Entry.CAPTURE, Entry.RELEASE)
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


async def broken_rules(db: Connection) -> list[str]:
    """A sentence for every row that breaks a rule; empty where all is well. Reads everything."""
    sums: dict[int, int] = {}
    lives: dict[int, _Life] = {}
    async for row in await db.stream(select(entries).order_by(entries.c.id)):
        sums[row.account_id] = sums.get(row.account_id, 0) + row.amount
        if row.job_id is not None:
            life = lives.setdefault(row.job_id, _Life())
            life.accounts.add(row.account_id)
            life.amounts.setdefault(Entry(row.kind), []).append(row.amount)
    found = [sentence async for row in await db.stream(select(accounts)) for sentence in _account(row, sums)]
    there = set(await db.scalars(select(accounts.c.id)))
    found += [
        f"account {gone}: is gone, its entries sum up to {sums[gone]}" for gone in sorted(sums.keys() - there)
    ]
    known = set()
    async for row in await db.stream(select(jobs.c.id, jobs.c.state, jobs.c.price, jobs.c.account_id)):
        known.add(row.id)
        found += _job(row, lives.get(row.id, _Life()))
    for job_id in sorted(lives.keys() - known):
        found += _forgotten_job(job_id, lives[job_id])
    return found


def _account(row: Any, sums: Mapping[int, int]) -> Iterator[str]:
    account_id, balance = row.id, row.balance
    if balance != sums.get(account_id, 0):
        yield f"account {account_id}: balance {balance}, its entries sum up to {sums.get(account_id, 0)}"
    if balance < 0:
        yield f"account {account_id}: balance {balance} is below zero"


def _job(row: Any, life: _Life) -> Iterator[str]:
    job_id, state, price, account_id = row.id, JobState(row.state), row.price, row.account_id
    if life.count(Entry.HOLD) != 1 or life.total(Entry.HOLD) != -price:
        yield f"job {job_id}: price {price}, held {life.amounts.get(Entry.HOLD, [])}"
    if life.accounts - {account_id}:
        yield f"job {job_id}: account {account_id} asked, others paid: {sorted(life.accounts)}"
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
    if life.count(Entry.REFUND) and (
        life.count(Entry.CAPTURE) != 1 or life.total(Entry.REFUND) > -life.total(Entry.HOLD)
    ):
        yield f"job {job_id}: refunded {life.total(Entry.REFUND)} of {-life.total(Entry.HOLD)} captured"
