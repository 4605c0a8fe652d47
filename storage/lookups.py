"""Lookups: what only the outside can tell, asked in the background: a task's songs, a share link's song."""

from storage import moves
from storage.database import Connection
from storage.queries import insert_once
from storage.rows import Lookup
from storage.states import LookupState
from storage.tables import lookups


async def ask(db: Connection, *, now: float, **values: object) -> bool:
    """Queue one; False where the same message asked before."""
    return await insert_once(db, lookups, state=LookupState.ASKED, created_at=now, due_at=now, **values)


async def claim(db: Connection, *, now: float, lease_s: float) -> Lookup | None:
    return await moves.claim(db, Lookup, LookupState.ASKED, now=now, lease_s=lease_s)


async def next_due(db: Connection) -> float | None:
    return await moves.next_due(db, Lookup, (LookupState.ASKED,))


async def answered(db: Connection, lookup: Lookup) -> None:
    """Raises Stale where another worker answers it."""
    await moves.finish(db, lookup, LookupState.ANSWERED)
