"""People and chats as Telegram names them."""

from sqlalchemy import select, update

from storage import ledger
from storage.database import Connection
from storage.queries import insert_once
from storage.tables import accounts, chats, jobs, lookups, users


async def meet(
    db: Connection,
    user_id: int,
    *,
    name: str,
    username: str | None,
    language: str | None,
    signup_credits: int,
    now: float,
) -> bool:
    """Note who speaks; a new one gets the sign-up credits, once. True for a new one."""
    is_new = await insert_once(
        db, users, id=user_id, name=name, username=username, language=language, first_seen_at=now
    )
    if is_new and signup_credits:
        account = await ledger.account_of(db, "user", user_id)
        await ledger.grant(
            db, account, signup_credits, operation=f"signup:{user_id}", note="welcome credits", now=now
        )
    return is_new


async def is_known(db: Connection, user_id: int) -> bool:
    return await db.scalar(select(users.c.id).where(users.c.id == user_id)) is not None


async def enter(db: Connection, chat_id: int, *, kind: str, title: str | None, now: float) -> None:
    """Note a chat that speaks to the bot: it is there (again)."""
    if not await insert_once(db, chats, id=chat_id, kind=kind, title=title, first_seen_at=now):
        await db.execute(
            update(chats).where(chats.c.id == chat_id, chats.c.gone_at.is_not(None)).values(gone_at=None)
        )


async def migrate(db: Connection, old_id: int, new_id: int, *, now: float) -> None:
    """A group became a supergroup: its jobs, lookups and credits go with it."""
    await insert_once(db, chats, id=new_id, kind="supergroup", first_seen_at=now)
    await db.execute(update(chats).where(chats.c.id == old_id).values(migrated_to=new_id))
    for table in (jobs, lookups):
        await db.execute(update(table).where(table.c.chat_id == old_id).values(chat_id=new_id))
    if (old := await ledger.find_account(db, "group", old_id)) is None:
        return
    if (new := await ledger.find_account(db, "group", new_id)) is not None:
        # Somebody spoke in the supergroup before Telegram told of it.
        await ledger.merge(db, new, old, now=now)
    await db.execute(update(accounts).where(accounts.c.id == old.id).values(owner_id=new_id))


async def mark_gone(db: Connection, chat_id: int, *, now: float) -> None:
    """The bot can no longer write there."""
    await db.execute(update(chats).where(chats.c.id == chat_id).values(gone_at=now))
