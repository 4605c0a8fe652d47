"""Claim, move, postpone, renew: the only UPDATEs of a state or a lease."""

import uuid
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Table, and_, case, func, or_, select, update

from storage import ledger, tables
from storage.database import Connection
from storage.queries import one_or_none
from storage.rows import Job, Lookup, Notice, Separation
from storage.states import MOVES, OPEN_JOBS, JobState, LookupState, NoticeState, SeparationState

Row = TypeVar("Row", Separation, Job)
Claimable = TypeVar("Claimable", Separation, Job, Lookup, Notice)
Finishable = TypeVar("Finishable", Lookup, Notice)
AnyRow = Separation | Job | Lookup | Notice

TABLES: dict[type, Table] = {
    Separation: tables.separations,
    Job: tables.jobs,
    Lookup: tables.lookups,
    Notice: tables.notices,
}
FINAL_JOBS = frozenset(JobState) - frozenset(OPEN_JOBS)
FINAL_SEPARATIONS = frozenset({SeparationState.SUCCEEDED, SeparationState.FAILED, SeparationState.CANCELLED})


class IllegalMove(Exception):
    """No such move is in MOVES: a bug."""


class Stale(Exception):
    """The row was moved, or claimed by another, since it was read: drop what was done."""


async def claim(
    db: Connection,
    kind: type[Claimable],
    state: SeparationState | JobState | LookupState | NoticeState,
    *where: ColumnElement[bool],
    now: float,
    lease_s: float,
) -> Claimable | None:
    """Take the row in ``state`` that has been due longest, for ``lease_s`` seconds; None when none is due."""
    table = TABLES[kind]
    free = or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    due = (
        select(table.c.id)
        .where(table.c.state == state, table.c.due_at <= now, free, *where)
        .order_by(table.c.due_at, table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    taken = (
        update(table)
        .where(table.c.id == due.scalar_subquery())
        .values(lease=uuid.uuid4().hex, lease_until=now + lease_s)
        .returning(table)
    )
    return await one_or_none(db, kind, taken)


async def move(
    db: Connection, row: Row, to: SeparationState | JobState, *, now: float, **changes: object
) -> Row:
    """Make one legal move and write its ledger entry, in the caller's transaction. Ends the lease.

    Whoever waits is told: their status messages become due. Raises IllegalMove (a bug) or Stale (the row
    was moved, or claimed by another: drop what was done).
    """
    rule = MOVES.get((row.state, to))
    if rule is None:
        raise IllegalMove(f"{row.state} -> {to}")
    if to in FINAL_JOBS | FINAL_SEPARATIONS:
        changes = {"finished_at": now, "due_at": None, **changes}
    if isinstance(row, Job):
        changes = {"status_due_at": now, **changes}
    moved = await _write(db, row, {"state": to, **changes})
    if isinstance(moved, Separation):
        await _tell(db, moved, now=now)
    elif rule.entry:
        await ledger.settle(db, rule.entry, moved, now=now)
    return moved


async def postpone(db: Connection, row: Claimable, due_at: float, **changes: object) -> Claimable:
    """Look again later: ends the lease, moves nothing. Raises Stale."""
    return await _write(db, row, {"due_at": due_at, **changes})


async def finish(db: Connection, row: Finishable, to: LookupState | NoticeState) -> None:
    """The one move of what costs nothing. Raises Stale."""
    await _write(db, row, {"state": to, "due_at": None})


async def renew(db: Connection, row: AnyRow, *, until: float) -> None:
    """Keep a claim while work goes on, through moves that keep it. Raises Stale where it was lost."""
    table = TABLES[type(row)]
    ours = and_(table.c.id == row.id, table.c.lease == row.lease)
    kept = await db.execute(update(table).where(ours).values(lease_until=until))
    if kept.rowcount != 1:
        raise Stale(f"{table.name} {row.id} is no longer ours")


async def still_ours(db: Connection, row: AnyRow) -> None:
    """Keep the row as it is until the transaction ends. Raises Stale where it was moved, or the claim lost:
    then nothing else of the transaction is written either."""
    table = TABLES[type(row)]
    mine = select(table.c.id).where(_ours(table, row)).with_for_update(key_share=True)
    if await db.scalar(mine) is None:
        raise Stale(f"{table.name} {row.id} is no longer {row.state} and ours")


async def void_leases(db: Connection) -> None:
    """At the start of the only process: whoever held a lease is dead."""
    for table in (*TABLES.values(), tables.updates):
        await db.execute(update(table).where(table.c.lease.is_not(None)).values(lease=None, lease_until=None))


async def next_due(
    db: Connection, kind: type[Claimable], states: Sequence[str], *where: ColumnElement[bool]
) -> float | None:
    """When the next row in one of these states becomes due or its lease ends; None when there is none."""
    table = TABLES[kind]
    found = [await _next_due_of(db, table, table.c.state == state, *where) for state in states]
    return min((at for at in found if at is not None), default=None)


async def _next_due_of(db: Connection, table: Table, *where: ColumnElement[bool]) -> float | None:
    """Reads only the first rows of the index by due_at, however many rows there are."""
    due_at, lease_until = table.c.due_at, table.c.lease_until
    of_these = (due_at > 0, *where)  # not null, in words for which SQLite uses the index
    free = select(due_at).where(lease_until.is_(None), *of_these).order_by(due_at).limit(1)
    first = await db.scalar(free)
    # What is due before it is leased, and nothing else can come before it.
    before = () if first is None else (due_at < first,)
    free_at = case((lease_until > due_at, lease_until), else_=due_at)
    leased = select(func.min(free_at)).where(lease_until.is_not(None), *of_these, *before)
    return min((float(at) for at in (first, await db.scalar(leased)) if at is not None), default=None)


async def _write(db: Connection, row: Claimable, changes: dict[str, object]) -> Claimable:
    table = TABLES[type(row)]
    values = {"lease": None, "lease_until": None, **changes}
    written = update(table).where(_ours(table, row)).values(values).returning(table)
    if (found := await one_or_none(db, type(row), written)) is None:
        raise Stale(f"{table.name} {row.id} is no longer {row.state} and ours")
    return found


def _ours(table: Table, row: AnyRow) -> ColumnElement[bool]:
    lease = table.c.lease.is_(None) if row.lease is None else table.c.lease == row.lease
    return and_(table.c.id == row.id, table.c.state == row.state, lease)


async def _tell(db: Connection, separation: Separation, *, now: float) -> None:
    jobs = tables.jobs
    waiting = and_(jobs.c.separation_id == separation.id, jobs.c.state == JobState.WAITING)
    await db.execute(
        update(jobs).where(waiting, jobs.c.acknowledged_at.is_not(None)).values(status_due_at=now)
    )
