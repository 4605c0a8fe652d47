"""Deliveries: a job's parts, each one Telegram send, recorded before and after."""

import json
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import func, select, update

from storage.database import Connection
from storage.queries import insert_if_new, many
from storage.rows import Job, Part
from storage.tables import parts


class PartState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"  # on its way; after a crash it is sent again
    SENT = "sent"
    UNKNOWN = "unknown"  # the answer was lost: probably there, not repeated without being asked
    REFUSED = "refused"


class PartKind(StrEnum):
    ALBUM = "album"
    SINGLE = "single"
    LINKS = "links"


async def add(
    db: Connection, job: Job, wanted: Sequence[tuple[PartKind, Sequence[int]]], *, now: float
) -> None:
    """Append parts, each a kind and the ids of its stems, behind those the job has."""
    first = int(await db.scalar(select(func.count()).where(parts.c.job_id == job.id)) or 0)
    rows = [
        {
            "job_id": job.id,
            "position": first + offset,
            "kind": kind,
            "state": PartState.PENDING,
            "stem_ids_json": json.dumps(list(stem_ids)),
            "changed_at": now,
        }
        for offset, (kind, stem_ids) in enumerate(wanted)
    ]
    await db.execute(insert_if_new(db, parts).values(rows))


async def parts_of(db: Connection, job_id: int) -> list[Part]:
    """In the order in which they are sent."""
    return await many(db, Part, select(parts).where(parts.c.job_id == job_id).order_by(parts.c.position))


async def mark(
    db: Connection,
    part: Part,
    state: PartState,
    *,
    now: float,
    message_ids: Sequence[int] = (),
    why: str | None = None,
) -> None:
    """Record what became of a part."""
    await db.execute(
        update(parts)
        .where(parts.c.id == part.id)
        .values(state=state, message_ids_json=json.dumps(list(message_ids)), why=why, changed_at=now)
    )
