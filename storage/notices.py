"""Words to operators: said once per trouble to each of them, and kept until they were said."""

from collections.abc import Iterable

from sqlalchemy import delete, select

from storage import moves
from storage.database import Connection
from storage.queries import insert_once
from storage.rows import Notice
from storage.states import NoticeState
from storage.tables import alerts, notices


async def raise_alert(
    db: Connection, key: str, text: str, operator_ids: Iterable[int], *, now: float
) -> bool:
    """Tell every operator, unless this trouble is known already; True where it is new."""
    if not await insert_once(db, alerts, key=key, since=now):
        return False
    for operator_id in operator_ids:
        await insert_once(
            db,
            notices,
            operation=f"{key}:{now:.3f}:{operator_id}",
            chat_id=operator_id,
            text=text,
            state=NoticeState.UNSAID,
            due_at=now,
        )
    return True


async def end_alert(db: Connection, key: str) -> None:
    """It is over: the next time it is told again."""
    await db.execute(delete(alerts).where(alerts.c.key == key))


async def standing(db: Connection) -> set[str]:
    """The keys of all that is wrong now."""
    return set(await db.scalars(select(alerts.c.key)))


async def claim(db: Connection, *, now: float, lease_s: float) -> Notice | None:
    return await moves.claim(db, Notice, NoticeState.UNSAID, now=now, lease_s=lease_s)


async def next_due(db: Connection) -> float | None:
    return await moves.next_due(db, Notice, (NoticeState.UNSAID,))


async def said(db: Connection, notice: Notice) -> None:
    """It arrived, or never will. Raises Stale."""
    await moves.finish(db, notice, NoticeState.SAID)
