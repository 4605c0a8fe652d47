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


async def claim(db: Connection, kind: str | None = None, *, now: float, lease_s: float) -> Lookup | None:
    """The one that has been due longest; of one kind, so that a slow upstream holds up no share link."""
    of_kind = () if kind is None else (lookups.c.kind == kind,)
    return await moves.claim(db, Lookup, LookupState.ASKED, *of_kind, now=now, lease_s=lease_s)


async def next_due(db: Connection, kind: str | None = None) -> float | None:
    of_kind = () if kind is None else (lookups.c.kind == kind,)
    return await moves.next_due(db, Lookup, (LookupState.ASKED,), *of_kind)


async def answered(db: Connection, lookup: Lookup) -> None:
    """Raises Stale where another worker answers it."""
    await moves.finish(db, lookup, LookupState.ANSWERED)
