"""Updates as Telegram sent them: kept before Telegram is told that they arrived, handled at least once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from storage.database import Connection
from storage.queries import insert_if_new, many
from storage.rows import StoredUpdate
from storage.tables import updates

STARTS = 10
TRIES = 3  # an update whose handler fails this often is given up


@dataclass(frozen=True, slots=True)
class Arrived:
    """An update on its way in; ``chat_id`` keeps the order within a chat."""

    update_id: int
    chat_id: int | None
    payload_json: str


async def store(
    db: Connection, arrived: Sequence[Arrived], *, now: float, lease: str, lease_s: float
) -> list[int]:
    """Keep the new ones, claimed by ``lease``; the ids of those that were not known yet."""
    claimed = {"received_at": now, "tries": 1, "lease": lease, "lease_until": now + lease_s}
    rows = [asdict(one) | claimed for one in arrived]
    new = (
        insert_if_new(db.dialect.name, updates)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(updates.c.update_id)
    )
    return sorted(await db.scalars(new))


async def held(db: Connection, update_ids: Sequence[int], *, lease: str) -> list[int]:
    """Of these, the unhandled ones that ``lease`` holds, in order."""
    ours = and_(updates.c.lease == lease, updates.c.handled_at.is_(None))
    theirs = select(updates.c.update_id).where(updates.c.update_id.in_(update_ids), ours)
    return sorted(await db.scalars(theirs))


async def take_abandoned(
    db: Connection, *, now: float, lease: str, lease_s: float, limit: int
) -> list[StoredUpdate]:
    """Unhandled ones nobody works on any more, oldest first, claimed by ``lease``."""
    wanted = (
        select(updates.c.update_id)
        .where(_abandoned(now, lease))
        .order_by(updates.c.update_id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    taken = (
        update(updates)
        .where(updates.c.update_id.in_(wanted))
        .values(lease=lease, lease_until=now + lease_s, tries=updates.c.tries + 1)
        .returning(updates)
    )
    return sorted(await many(db, StoredUpdate, taken), key=lambda one: one.update_id)


async def give_up(db: Connection, *, now: float, lease: str) -> list[StoredUpdate]:
    """Those with which the process died again and again: it would go on to do so."""
    given_up = (
        update(updates)
        .where(_abandoned(now, lease), updates.c.tries >= STARTS)
        .values(handled_at=now, why=f"given up: begun {STARTS} times and never ended")
        .returning(updates)
    )
    return await many(db, StoredUpdate, given_up)


def _abandoned(now: float, lease: str) -> ColumnElement[bool]:
    lapsed = or_(updates.c.lease_until.is_(None), updates.c.lease_until <= now)
    # What is ours is not abandoned.
    return and_(updates.c.handled_at.is_(None), lapsed, updates.c.lease.is_distinct_from(lease))


async def renew(db: Connection, lease: str, *, until: float) -> None:
    """Whoever holds ``lease`` is alive, even if some of its updates have to wait."""
    ours = and_(updates.c.lease == lease, updates.c.handled_at.is_(None))
    await db.execute(update(updates).where(ours).values(lease_until=until))


async def handled(db: Connection, update_ids: Sequence[int], *, now: float) -> None:
    """These need no further work."""
    await db.execute(
        update(updates)
        .where(updates.c.update_id.in_(update_ids))
        .values(handled_at=now, lease=None, lease_until=None)
    )


async def failed(
    db: Connection, update_id: int, why: str, *, now: float, retry_at: float, lease: str
) -> bool:
    """A handler failed: the update comes again, until it has had its tries. True if it was given up.

    Nothing changes where another than the holder of ``lease`` has taken it up meanwhile.
    """
    tries = int(await db.scalar(select(updates.c.tries).where(updates.c.update_id == update_id)) or TRIES)
    given_up = tries >= TRIES
    changes: dict[str, object] = {"why": why, "lease": None, "lease_until": retry_at}
    if given_up:
        changes = {"why": why, "handled_at": now, "lease": None, "lease_until": None}
    ours = and_(updates.c.update_id == update_id, updates.c.lease == lease)
    written = await db.execute(update(updates).where(ours).values(changes))
    return given_up and written.rowcount == 1


async def unhandled(db: Connection) -> int:
    return int(await db.scalar(select(func.count()).where(updates.c.handled_at.is_(None))) or 0)
