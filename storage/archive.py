"""The archive: what Telegram keeps of our stems, so that a repeat moves not one byte."""

from sqlalchemy import delete, select

from storage.database import Connection
from storage.queries import insert_if_new, many
from storage.rows import TelegramFile
from storage.tables import stems, telegram_files

FITTED = "fitted"  # a kind of its own: a smaller audio, made of a stem that is larger than what can be sent


async def files_of(db: Connection, separation_id: int, *, bot_id: int) -> list[TelegramFile]:
    """What this bot can send again; of a stem there may be several kinds."""
    kept = (
        select(telegram_files)
        .join(stems, stems.c.id == telegram_files.c.stem_id)
        .where(stems.c.separation_id == separation_id, telegram_files.c.bot_id == bot_id)
    )
    return await many(db, TelegramFile, kept)


async def keep(db: Connection, file: TelegramFile) -> None:
    """Remember the newest file_id of a stem."""
    values = {name: getattr(file, name) for name in TelegramFile.__slots__}
    insert = insert_if_new(db.dialect.name, telegram_files).values(values)
    keys = ("stem_id", "bot_id", "kind")
    await db.execute(
        insert.on_conflict_do_update(
            index_elements=keys, set_={name: value for name, value in values.items() if name not in keys}
        )
    )


async def forget(db: Connection, stem_id: int, *, bot_id: int) -> None:
    """Telegram refused the file_id: the next send has to upload again."""
    await db.execute(
        delete(telegram_files).where(telegram_files.c.stem_id == stem_id, telegram_files.c.bot_id == bot_id)
    )
