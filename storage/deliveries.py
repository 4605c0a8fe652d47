"""Deliveries: a job's parts, each one Telegram send, recorded before and after."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import delete, func, insert, select, update

from storage.database import Connection
from storage.queries import many
from storage.rows import Job, Part
from storage.tables import parts


class PartState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"  # on its way; after a crash it is sent again
    SENT = "sent"
    UNKNOWN = "unknown"  # the answer was lost: probably there, not repeated without being asked
    REFUSED = "refused"
    GONE = "gone"  # the upstream's link works no longer
    SILENT = "silent"  # there is nothing to hear in it


class PartKind(StrEnum):
    ALBUM = "album"
    SINGLE = "single"
    URL = "url"  # one file that Telegram fetches from the upstream itself
    LINKS = "links"


async def add(
    db: Connection,
    job: Job,
    wanted: Sequence[tuple[PartKind, Sequence[int]]],
    *,
    now: float,
    state: PartState = PartState.PENDING,
) -> None:
    """Append parts, each a kind and the ids of its stems, behind those the job has."""
    first = int(await db.scalar(select(func.count()).where(parts.c.job_id == job.id)) or 0)
    rows = [
        {
            "job_id": job.id,
            "position": first + offset,
            "kind": kind,
            "state": state,
            "stem_ids_json": json.dumps(list(stem_ids)),
            "changed_at": now,
        }
        for offset, (kind, stem_ids) in enumerate(wanted)
    ]
    if rows:
        await db.execute(insert(parts), rows)


async def replace(
    db: Connection,
    job: Job,
    part: Part,
    wanted: Sequence[tuple[PartKind, Sequence[int]]],
    *,
    closed: Mapping[int, PartState] = MappingProxyType({}),
    now: float,
) -> None:
    """Put other parts in a part's place, before those that come later.

    ``closed`` are the stems, by id, that will not be sent, and why.
    """
    later = [one for one in await parts_of(db, job.id) if one.position > part.position]
    await db.execute(delete(parts).where(parts.c.job_id == job.id, parts.c.position >= part.position))
    await add(db, job, wanted, now=now)
    for one in later:  # also those given up before: the person is told of them at the end
        planned = [(PartKind(one.kind), stem_ids(one))]
        await add(db, job, planned, now=one.changed_at, state=PartState(one.state))
    for stem_id, state in closed.items():
        await add(db, job, [(PartKind.SINGLE, [stem_id])], now=now, state=state)


async def refuse_rest(db: Connection, job: Job, *, now: float, why: str) -> None:
    """None of what is still to be sent can be."""
    unsent = (PartState.PENDING, PartState.SENDING)
    await db.execute(
        update(parts)
        .where(parts.c.job_id == job.id, parts.c.state.in_(unsent), parts.c.kind != PartKind.LINKS)
        .values(state=PartState.REFUSED, why=why, changed_at=now)
    )


async def parts_of(db: Connection, job_id: int) -> list[Part]:
    """In the order in which they are sent."""
    return await many(db, Part, select(parts).where(parts.c.job_id == job_id).order_by(parts.c.position))


def stem_ids(part: Part) -> list[int]:
    """In the order in which they go out."""
    return [int(stem_id) for stem_id in json.loads(part.stem_ids_json)]


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
