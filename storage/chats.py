"""People and chats as Telegram names them."""

from sqlalchemy import update

from storage import ledger
from storage.database import Connection
from storage.queries import insert_once
from storage.tables import chats, users


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


async def enter(db: Connection, chat_id: int, *, kind: str, title: str | None, now: float) -> None:
    """Note a chat that speaks to the bot: it is there (again)."""
    if not await insert_once(db, chats, id=chat_id, kind=kind, title=title, first_seen_at=now):
        await db.execute(
            update(chats).where(chats.c.id == chat_id, chats.c.gone_at.is_not(None)).values(gone_at=None)
        )


async def mark_gone(db: Connection, chat_id: int, *, now: float) -> None:
    """The bot can no longer write there."""
    await db.execute(update(chats).where(chats.c.id == chat_id).values(gone_at=now))
