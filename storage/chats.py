"""People and chats as Telegram names them."""

from collections.abc import Mapping

from sqlalchemy import Table, or_, select, update

from storage import ledger
from storage.database import Connection
from storage.queries import insert_once
from storage.rows import Account
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
) -> Account:
    """Note who speaks, and find their account; a new one gets the sign-up credits, once.

    ``name`` is empty where only the id is known.
    """
    who: dict[str, object] = {"name": name, "username": username, "language": language}
    is_new = await insert_once(db, users, id=user_id, **who, first_seen_at=now)
    if name and not is_new:
        await _rename(db, users, user_id, who)
    if not is_new:
        return await ledger.account_of(db, "user", user_id)
    account = await ledger.open_account(db, "user", user_id)
    if signup_credits:
        await ledger.grant(
            db, account, signup_credits, operation=f"signup:{user_id}", note="welcome credits", now=now
        )
    return account


async def is_known(db: Connection, owner_id: int) -> bool:
    """Whether this id can have an account: a user, or a group (negative) that has not moved."""
    user = select(users.c.id).where(users.c.id == owner_id)
    group = select(chats.c.id).where(chats.c.id == owner_id, chats.c.migrated_to.is_(None))
    return await db.scalar(group if owner_id < 0 else user) is not None


async def enter(db: Connection, chat_id: int, *, kind: str, title: str | None, now: float) -> None:
    """Note a chat that speaks to the bot: it is there (again).

    ``kind`` is empty where only the id is known.
    """
    what: dict[str, object] = {"gone_at": None}
    if kind:
        what |= {"kind": kind, "title": title}
    if not await insert_once(db, chats, id=chat_id, kind=kind, title=title, first_seen_at=now):
        await _rename(db, chats, chat_id, what)


async def _rename(db: Connection, table: Table, key: int, news: Mapping[str, object]) -> None:
    """Write what has changed; most people and chats are called as they were before."""
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in news.items()))
    await db.execute(update(table).where(table.c.id == key, differs).values(news))


async def migrate(db: Connection, old_id: int, new_id: int, *, now: float) -> None:
    """A group became a supergroup: its jobs, lookups and credits go with it."""
    await insert_once(db, chats, id=new_id, kind="supergroup", first_seen_at=now)
    await db.execute(update(chats).where(chats.c.id == old_id).values(migrated_to=new_id))
    await db.execute(update(lookups).where(lookups.c.chat_id == old_id).values(chat_id=new_id))
    # A supergroup counts its messages anew: the old numbers would name others there.
    no_messages = {"message_id": None, "status_message_id": None}
    await db.execute(update(jobs).where(jobs.c.chat_id == old_id).values(chat_id=new_id, **no_messages))
    if (old := await ledger.find_account(db, "group", old_id)) is None:
        return
    if (new := await ledger.find_account(db, "group", new_id)) is not None:
        # Somebody spoke in the supergroup before Telegram told of it.
        await ledger.merge(db, new, old, now=now)
    await db.execute(update(accounts).where(accounts.c.id == old.id).values(owner_id=new_id))


async def mark_gone(db: Connection, chat_id: int, *, now: float) -> None:
    """The bot can no longer write there."""
    await db.execute(update(chats).where(chats.c.id == chat_id).values(gone_at=now))
