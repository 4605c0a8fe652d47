"""Credits: an append-only list of entries; a balance is their sum, and the database keeps it that way.

A hold takes its price from the balance at once, a release gives it back whole, a capture takes nothing more.
Every entry has an operation key that is unique, so that the same thing cannot be written twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import and_, bindparam, func, insert, select, update

from storage import tables
from storage.database import Connection
from storage.queries import insert_once, many, one, one_or_none
from storage.rows import Account, Job, LedgerEntry
from storage.states import Entry

SETTLES = (Entry.CAPTURE, Entry.RELEASE)

WRITE = insert(tables.entries)
ACCOUNT = select(tables.accounts).where(
    tables.accounts.c.kind == bindparam("of_kind"), tables.accounts.c.owner_id == bindparam("owner")
)
# Locked, so that nobody else can spend in between what is seen here. Inserting a job shares its account's
# key: without ``key_share`` two who did that would each wait for the other.
BALANCE_LOCKED = (
    select(tables.accounts.c.balance)
    .where(tables.accounts.c.id == bindparam("account"))
    .with_for_update(key_share=True)
)


class InsufficientCredits(Exception):
    """A hold would take the balance below zero."""

    def __init__(self, price: int, balance: int) -> None:
        super().__init__(f"price {price}, balance {balance}")
        self.price, self.balance = price, balance


@dataclass(frozen=True, slots=True)
class JobNote:
    """What an entry's job was about, where that is known still, and how its hold ended, if it did."""

    title: str | None = None
    settled: Entry | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What an account holds: what can be spent, what is set aside and for which jobs, the newest entries
    first, and what their jobs were about."""

    balance: int
    held: int
    entries: tuple[LedgerEntry, ...]
    held_for: tuple[int, ...] = ()
    notes: Mapping[int, JobNote] = field(default_factory=dict)


async def account_of(db: Connection, kind: str, owner_id: int) -> Account:
    """The account of a user or a group, opened if there is none."""
    return await find_account(db, kind, owner_id) or await open_account(db, kind, owner_id)


async def open_account(db: Connection, kind: str, owner_id: int) -> Account:
    """The account of one who has none yet, unless somebody else is opening it right now."""
    await insert_once(db, tables.accounts, kind=kind, owner_id=owner_id)
    return await one(db, Account, ACCOUNT, {"of_kind": kind, "owner": owner_id})


async def find_account(db: Connection, kind: str, owner_id: int) -> Account | None:
    return await one_or_none(db, Account, ACCOUNT, {"of_kind": kind, "owner": owner_id})


async def balance(db: Connection, account_id: int) -> int:
    """What can be spent now; of a merged account, from the one that it was merged into."""
    accounts, its = tables.accounts, tables.accounts.alias()
    heir = select(func.coalesce(its.c.merged_into, its.c.id)).where(its.c.id == account_id)
    found = select(accounts.c.balance).where(accounts.c.id == heir.scalar_subquery())
    return int(await db.scalar(found) or 0)


async def grant(
    db: Connection, account: Account, amount: int, *, operation: str, note: str, now: float
) -> bool:
    """Give credits, once per operation; False if that operation was written before."""
    return await insert_once(
        db,
        tables.entries,
        account_id=account.id,
        kind=Entry.GRANT,
        amount=amount,
        operation=operation,
        note=note,
        created_at=now,
    )


async def hold(db: Connection, job: Job, *, now: float) -> None:
    """Set a job's price aside. Raises InsufficientCredits."""
    can_spend = int(await db.scalar(BALANCE_LOCKED, {"account": job.account_id}) or 0)
    if job.price > can_spend:
        raise InsufficientCredits(job.price, can_spend)
    await _write(db, Entry.HOLD, job, -job.price, now=now)


async def settle(db: Connection, entry: Entry, job: Job, *, now: float) -> None:
    """Spend a job's hold or give it back; the database refuses a second time."""
    await _write(db, entry, job, job.price if entry is Entry.RELEASE else 0, now=now)
    if entry is Entry.RELEASE:
        await _pass_on(db, job.account_id, now=now)


async def merge(db: Connection, account: Account, into: Account, *, now: float) -> None:
    """All that an account holds is the other one's from now on, what its open holds give back included."""
    accounts = tables.accounts
    merged = {"kind": "merged", "merged_into": into.id}
    await db.execute(update(accounts).where(accounts.c.id == account.id).values(merged))
    await _pass_on(db, account.id, now=now)


async def _pass_on(db: Connection, account_id: int, *, now: float) -> None:
    """What a merged account has goes to its heir, in two entries."""
    accounts = tables.accounts
    merged = and_(accounts.c.id == account_id, accounts.c.merged_into.is_not(None), accounts.c.balance > 0)
    account = await one_or_none(db, Account, select(accounts).where(merged).with_for_update(key_share=True))
    if account is None:
        return
    number = await db.scalar(select(func.max(tables.entries.c.id)))  # makes the operation unique
    for sign, of in ((-1, account.id), (1, account.merged_into)):
        await db.execute(
            insert(tables.entries).values(
                account_id=of,
                kind=Entry.TRANSFER,
                amount=sign * account.balance,
                operation=f"transfer:{account.id}:{number}:{of}",
                created_at=now,
            )
        )


async def statement(db: Connection, account_id: int, *, limit: int, offset: int = 0) -> Statement:
    """The account as its owner sees it; entries that move no credits are left out."""
    entries = tables.entries
    shown = (
        select(entries)
        .where(entries.c.account_id == account_id, entries.c.amount != 0)
        .order_by(entries.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    found = await many(db, LedgerEntry, shown)
    held = await _held(db, account_id)
    return Statement(
        balance=await balance(db, account_id),
        held=sum(held.values()),
        entries=tuple(found),
        held_for=tuple(held),
        notes=await _notes(db, {entry.job_id for entry in found if entry.job_id is not None}),
    )


async def _held(db: Connection, account_id: int) -> dict[int, int]:
    """By job, what is set aside for it."""
    holds, settled = tables.entries, tables.entries.alias()
    is_settled = and_(settled.c.job_id == holds.c.job_id, settled.c.kind.in_(SETTLES))
    open_holds = select(holds.c.job_id, holds.c.amount).where(
        holds.c.account_id == account_id,
        holds.c.kind == Entry.HOLD,
        holds.c.amount != 0,
        ~select(settled.c.id).where(is_settled).exists(),
    )
    return {row.job_id: -row.amount for row in await db.execute(open_holds.order_by(holds.c.job_id))}


async def _notes(db: Connection, job_ids: set[int]) -> dict[int, JobNote]:
    """A job that was forgotten has no title any more."""
    entries, jobs, separations, songs = tables.entries, tables.jobs, tables.separations, tables.songs
    ends = await db.execute(
        select(entries.c.job_id, entries.c.kind).where(
            entries.c.job_id.in_(job_ids), entries.c.kind.in_(SETTLES)
        )
    )
    titles = await db.execute(
        select(jobs.c.id, songs.c.title)
        .join(separations, separations.c.id == jobs.c.separation_id)
        .join(songs, songs.c.audio_id == separations.c.audio_id)
        .where(jobs.c.id.in_(job_ids))
    )
    settled = {job_id: Entry(kind) for job_id, kind in ends}
    title_of = {row.id: row.title for row in titles}
    return {job_id: JobNote(title_of.get(job_id), settled.get(job_id)) for job_id in job_ids}


async def _write(db: Connection, kind: Entry, job: Job, amount: int, *, now: float) -> None:
    await db.execute(
        WRITE,
        {
            "account_id": job.account_id,
            "kind": kind,
            "amount": amount,
            "job_id": job.id,
            "operation": f"{kind}:{job.id}",
            "created_at": now,
        },
    )
