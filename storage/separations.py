"""Separations: the work at one upstream for one (song, mode), shared by every job that asks for the same."""

import json
import secrets
from collections.abc import Collection, Sequence

from sqlalchemy import and_, bindparam, func, insert, or_, select, true, update

from storage import moves
from storage.database import Connection
from storage.queries import many, one, one_or_none
from storage.rows import Separation, Stem
from storage.states import OPEN_SEPARATIONS, SeparationState
from storage.tables import separations, stems, telegram_files

# Without a task yet, so that a callback's claim of one is worth keeping.
HINTED = (SeparationState.SUBMITTING, SeparationState.UNCERTAIN)

SILENT_DBFS = -60.0  # what never gets louder than this is left out of what is sent

ASKING = 2  # the first of the two numbers of an advisory lock

CREATE = insert(separations).returning(separations)
_OF_SONG = select(separations).where(
    separations.c.audio_id == bindparam("song"), separations.c.mode == bindparam("in_mode")
)
UNDER_WAY = _OF_SONG.where(separations.c.state.in_(OPEN_SEPARATIONS))
OPEN = UNDER_WAY.with_for_update(key_share=True)
_SENT = select(telegram_files.c.stem_id).where(
    telegram_files.c.stem_id == stems.c.id, telegram_files.c.bot_id == bindparam("bot")
)
# Of what people get by asking for the song; the rest, where it is lost, costs nobody the song.
_LOST = select(stems.c.id).where(
    stems.c.separation_id == separations.c.id,
    stems.c.set_number == 1,
    or_(stems.c.peak_dbfs.is_(None), stems.c.peak_dbfs >= SILENT_DBFS),
    ~_SENT.exists(),
    stems.c.expires_at <= bindparam("at"),
)
ARCHIVED = (
    _OF_SONG.where(separations.c.state == SeparationState.SUCCEEDED, ~_LOST.exists())
    .order_by(separations.c.id.desc())
    .limit(1)
)


async def create(
    db: Connection,
    *,
    audio_id: str,
    task_id: str | None,
    mode: str,
    provider: str,
    price: int,
    now: float,
    deadline_at: float,
    due_at: float | None = None,
) -> Separation:
    """Queue one, due at once if nothing else is said; an open one for the same song and mode makes the
    database refuse."""
    return await one(
        db,
        Separation,
        CREATE,
        {
            "audio_id": audio_id,
            "task_id": task_id,
            "mode": mode,
            "provider": provider,
            "price": price,
            "state": SeparationState.QUEUED,
            "callback_token": secrets.token_urlsafe(24),
            "created_at": now,
            "deadline_at": deadline_at,
            "due_at": now if due_at is None else due_at,
        },
    )


async def get(db: Connection, separation_id: int, *, lock: bool = False) -> Separation:
    """``lock`` keeps it as it is until the transaction ends."""
    wanted = select(separations).where(separations.c.id == separation_id)
    return await one(db, Separation, wanted.with_for_update(key_share=True) if lock else wanted)


async def open_for(db: Connection, audio_id: str, mode: str) -> Separation | None:
    """The work under way for this song and mode; locked, so that it cannot end before it is joined.

    Whoever finds none may create it before anybody else can ask.
    """
    if db.dialect.name == "postgresql":
        # Of two who ask at once neither would see what the other is about to create.
        await db.execute(select(func.pg_advisory_xact_lock(ASKING, func.hashtext(f"{audio_id}:{mode}"))))
    return await one_or_none(
        db,
        Separation,
        OPEN,
        {"song": audio_id, "in_mode": mode},
    )


async def archived_for(
    db: Connection, audio_id: str, mode: str, *, bot_id: int, now: float
) -> Separation | None:
    """The newest finished one that this bot can still send, stem by stem: by file_id, or by a live link.

    Second sets and silent stems are sent on request only, and do not count.
    """
    wanted = {"song": audio_id, "in_mode": mode, "bot": bot_id, "at": now}
    return await one_or_none(db, Separation, ARCHIVED, wanted)


async def there_for(
    db: Connection, audio_id: str, mode: str, *, bot_id: int, now: float
) -> Separation | None:
    """What whoever asks now would get, only looked at: the work under way, else what is archived."""
    running = await one_or_none(db, Separation, UNDER_WAY, {"song": audio_id, "in_mode": mode})
    return running or await archived_for(db, audio_id, mode, bot_id=bot_id, now=now)


async def made_before(db: Connection, separation: Separation) -> bool:
    """Whether the same was made already: then its files are lost."""
    return await was_made(db, separation.audio_id, separation.mode, before_id=separation.id)


async def was_made(db: Connection, audio_id: str, mode: str, *, before_id: int | None = None) -> bool:
    same = and_(
        separations.c.audio_id == audio_id,
        separations.c.mode == mode,
        separations.c.state == SeparationState.SUCCEEDED,
    )
    older = separations.c.id < before_id if before_id is not None else true()
    return bool(await db.scalar(select(select(separations.c.id).where(same, older).exists())))


async def let_begin(db: Connection, separation_id: int, *, now: float) -> None:
    """What had to be said before it is ordered was said; one that failed before keeps its pause."""
    waits = and_(separations.c.state == SeparationState.QUEUED, separations.c.failures == 0)
    await db.execute(
        update(separations)
        .where(separations.c.id == separation_id, waits, separations.c.due_at > now)
        .values(due_at=now)
    )


async def by_token(db: Connection, provider: str, token: str) -> Separation | None:
    """The one whose callback address ends in this token."""
    named = select(separations).where(
        separations.c.callback_token == token, separations.c.provider == provider
    )
    return await one_or_none(db, Separation, named)


async def wake(db: Connection, separation: Separation, *, hinted_task_id: str | None, now: float) -> bool:
    """Let the next look come at once; False where nothing waits for a look.

    One that is being submitted keeps the hint: its answer may still get lost.
    """
    changes: dict[str, object] = {"due_at": now}
    if separation.state in HINTED and hinted_task_id:
        changes["hinted_task_id"] = hinted_task_id
    woken = await db.execute(
        update(separations)
        .where(
            separations.c.id == separation.id,
            separations.c.state.in_((SeparationState.RUNNING, *HINTED)),
        )
        .values(changes)
    )
    return woken.rowcount == 1


async def claim(
    db: Connection, state: SeparationState, provider: str, *, now: float, lease_s: float
) -> Separation | None:
    """The longest due one at this provider, so that a slow upstream holds up nobody else's work."""
    at_provider = separations.c.provider == provider
    return await moves.claim(db, Separation, state, at_provider, now=now, lease_s=lease_s)


async def next_due(db: Connection, states: Sequence[SeparationState], provider: str) -> float | None:
    return await moves.next_due(db, Separation, states, separations.c.provider == provider)


async def claim_abandoned(db: Connection, *, now: float, lease_s: float) -> Separation | None:
    """One whose worker died while it was submitting."""
    return await moves.claim(db, Separation, SeparationState.SUBMITTING, now=now, lease_s=lease_s)


async def claim_overdue(
    db: Connection, *, overdue_since: float, now: float, lease_s: float
) -> Separation | None:
    """One that should have ended by then, whichever upstream it is at."""
    overdue = separations.c.deadline_at <= overdue_since
    for state in (SeparationState.QUEUED, SeparationState.RUNNING, SeparationState.UNCERTAIN):
        if found := await moves.claim(db, Separation, state, overdue, now=now, lease_s=lease_s):
            return found
    return None


async def others_at_work(db: Connection, separation: Separation, *, since: float) -> bool:
    """Whether anything else of ours was submitted at its provider since then, or was not over by then:
    the one may have been charged meanwhile, the other refunded."""
    other = select(separations.c.id).where(
        separations.c.provider == separation.provider,
        separations.c.id != separation.id,
        separations.c.submitted_at.is_not(None),
        or_(separations.c.finished_at.is_(None), separations.c.finished_at >= since),
    )
    return bool(await db.scalar(select(other.exists())))


async def has_task(db: Connection, provider: str, upstream_task_id: str) -> bool:
    """Whether a separation runs, or ran, as this task."""
    one = select(separations.c.id).where(
        separations.c.provider == provider, separations.c.upstream_task_id == upstream_task_id
    )
    return bool(await db.scalar(select(one.exists())))


async def times(db: Connection, provider: str, mode: str, *, newest: int) -> list[float]:
    """How many seconds the newest finished ones took at this provider, from submit to links."""
    took = (
        select(separations.c.finished_at - separations.c.submitted_at)
        .where(
            separations.c.provider == provider,
            separations.c.mode == mode,
            separations.c.state == SeparationState.SUCCEEDED,
        )
        .order_by(separations.c.id.desc())
        .limit(newest)
    )
    return [float(seconds) for seconds in await db.scalars(took) if seconds is not None]


async def counts(db: Connection) -> list[tuple[str, str, int]]:
    """How many open ones each provider has: provider, state, number."""
    by = (separations.c.provider, separations.c.state)
    rows = await db.execute(
        select(*by, func.count()).where(separations.c.state.in_(OPEN_SEPARATIONS)).group_by(*by)
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def last_failure(db: Connection, provider: str) -> Separation | None:
    """The newest that failed at this provider, or was passed on from it to another."""
    failed = and_(separations.c.provider == provider, separations.c.state == SeparationState.FAILED)
    passed_on = separations.c.tried_json.contains(json.dumps([provider])[:-1], autoescape=True)
    newest = select(separations).where(or_(failed, passed_on)).order_by(separations.c.id.desc()).limit(1)
    return await one_or_none(db, Separation, newest)


async def save_stems(
    db: Connection, separation: Separation, found: Sequence[dict[str, object]], *, expires_at: float | None
) -> None:
    """Keep what came back, in its order. Each: name, set_number, url, duration_s."""
    rows = [
        {"separation_id": separation.id, "position": position, "expires_at": expires_at, **stem}
        for position, stem in enumerate(found)
    ]
    await db.execute(insert(stems), rows)


async def heard(
    db: Connection, stem_id: int, *, peak_dbfs: float | None, duration_s: float | None, size_bytes: int | None
) -> None:
    """What a download told of a stem; what it did not tell stays as it was."""
    told = {"peak_dbfs": peak_dbfs, "duration_s": duration_s, "size_bytes": size_bytes}
    news = {name: value for name, value in told.items() if value is not None}
    if news:
        await db.execute(update(stems).where(stems.c.id == stem_id).values(news))


async def lose_links(db: Connection, stem_ids: Collection[int], *, now: float) -> None:
    """These links work no longer, whatever was promised: the archive shall not count on them."""
    await db.execute(update(stems).where(stems.c.id.in_(stem_ids)).values(url=None, expires_at=now))


async def stems_of(db: Connection, separation_id: int) -> tuple[Stem, ...]:
    in_order = select(stems).where(stems.c.separation_id == separation_id).order_by(stems.c.position)
    return tuple(await many(db, Stem, in_order))
