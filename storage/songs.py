"""What is known of songs: titles, lengths, and which generation task they came from."""

from sqlalchemy import bindparam, or_, select, update

from storage.database import Connection
from storage.queries import insert_once, one
from storage.rows import Song
from storage.tables import songs

GET = select(songs).where(songs.c.audio_id == bindparam("song"))


async def ensure(db: Connection, audio_id: str, *, now: float) -> Song:
    """The song's row, made if nobody asked for it before."""
    await note(db, audio_id, now=now)
    return await get(db, audio_id)


async def note(db: Connection, audio_id: str, *, now: float) -> bool:
    """Make the song's row; False where somebody asked for it before."""
    return await insert_once(db, songs, audio_id=audio_id, learnt_at=now)


async def get(db: Connection, audio_id: str) -> Song:
    return await one(db, Song, GET, {"song": audio_id})


async def learn(
    db: Connection,
    audio_id: str,
    *,
    learnt_from: str,
    now: float,
    task_id: str | None = None,
    title: str | None = None,
    artist: str | None = None,
    cover_url: str | None = None,
    duration_s: float | None = None,
) -> None:
    """Remember what an upstream said of a song; what it left out stays as it was."""
    await note(db, audio_id, now=now)
    told = {
        "task_id": task_id,
        "title": title,
        "artist": artist,
        "cover_url": cover_url,
        "duration_s": duration_s,
    }
    news = {name: value for name, value in told.items() if value is not None}
    if not news:
        return
    differs = or_(*(songs.c[name].is_distinct_from(value) for name, value in news.items()))
    await db.execute(
        update(songs)
        .where(songs.c.audio_id == audio_id, differs)
        .values(learnt_from=learnt_from, learnt_at=now, **news)
    )
