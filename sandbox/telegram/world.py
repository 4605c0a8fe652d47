"""The server's state and the few things that change it. Methods and people both act through here."""

import itertools
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.telegram.changes import Changes, Event
from sandbox.telegram.chats import Chat, Kind, Standing, User
from sandbox.telegram.errors import bad_request
from sandbox.telegram.files import Files
from sandbox.telegram.limits import Limits
from sandbox.telegram.messages import Message
from sandbox.telegram.privacy import bot_sees
from sandbox.telegram.updates import Updates
from sandbox.telegram.webhook import Webhook

Json = dict[str, Any]
FIRST_PERSON_ID = 6_100_000_001  # above 32 bits, as today's new users
FIRST_GROUP_ID = -4_200_000_001
FIRST_SUPERGROUP_ID = -1_002_300_000_001


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot said to a pressed button."""

    text: str = ""
    show_alert: bool = False
    url: str = ""


@dataclass
class Query:
    """A pressed button that waits for its answer."""

    query_id: str
    person: User
    chat_id: int
    expires_at: float
    answer: Answer | None = None


@dataclass
class World:
    """Everything that the Bot API server knows."""

    bot: User
    files: Files
    limits: Limits
    clock: Callable[[], float]
    privacy: bool = True
    allows_loopback: bool = True
    chats: dict[int, Chat] = field(default_factory=dict)
    people: dict[int, User] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    settings: dict[str, Json] = field(default_factory=lambda: defaultdict(dict))
    changes: Changes = field(default_factory=Changes)
    fetched: dict[str, Any] = field(default_factory=dict)
    updates: Updates = field(init=False)
    webhook: Webhook = field(init=False)
    _private_ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _group_ids: dict[int, Iterator[int]] = field(
        default_factory=lambda: defaultdict(lambda: itertools.count(1))
    )
    _person_ids: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_PERSON_ID))
    _basic_ids: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_GROUP_ID, -1))
    _supergroup_ids: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_SUPERGROUP_ID, -1))

    def __post_init__(self) -> None:
        self.updates = Updates(self.clock)
        self.webhook = Webhook(self.updates, retry_s=self.limits.webhook_retry_s)

    # people and chats

    def add_person(self, first_name: str, username: str, language_code: str) -> User:
        person = User(next(self._person_ids), first_name, username, language_code)
        self.people[person.user_id] = person
        self.chats[person.user_id] = Chat(person.user_id, Kind.PRIVATE, person=person)
        return person

    def add_group(self, title: str, kind: Kind) -> Chat:
        chat_id = next(self._basic_ids if kind is Kind.GROUP else self._supergroup_ids)
        chat = self.chats[chat_id] = Chat(chat_id, kind, title)
        return chat

    def join(self, chat: Chat, person: User) -> None:
        """Put a person into a group; whom the bot meets there, it may still not write to."""
        chat.members[person.user_id] = person
        private = self.chats[person.user_id]
        if private.standing is Standing.UNKNOWN:
            private.standing = Standing.STRANGER

    def chat(self, chat_id: int) -> Chat:
        """ApiError 400 for a chat that is not there."""
        if chat_id not in self.chats:
            raise bad_request("chat not found")
        return self.chats[chat_id]

    def open_chat(self, chat_id: int) -> Chat:
        """A chat that the bot may write to; else the ApiError that says why not."""
        chat = self.chat(chat_id)
        if refusal := chat.refusal():
            raise refusal
        return chat

    # messages

    def post(self, chat: Chat, message: Message) -> Message:
        """Give a message its id and date, and show it."""
        ids = self._private_ids if chat.kind is Kind.PRIVATE else self._group_ids[chat.chat_id]
        posted = replace(message, message_id=next(ids), date=int(time.time()))
        chat.messages[posted.message_id] = posted
        self.changes.announce(Event("new", chat.chat_id, posted))
        return posted

    def change(self, chat: Chat, message: Message, *, edited: bool = True, **changes: Any) -> Message:
        """Show a message differently; ``edited`` marks it so."""
        if edited:
            changes["edit_date"] = int(time.time())
        changed = replace(message, **changes)
        chat.messages[changed.message_id] = changed
        self.changes.announce(Event("edited", chat.chat_id, changed))
        return changed

    def remove(self, chat: Chat, message_id: int) -> None:
        gone = chat.messages.pop(message_id)
        self.changes.announce(Event("deleted", chat.chat_id, gone))

    # what the bot hears

    def tell_bot(self, kind: str, chat: Chat, message: Message) -> int | None:
        """Send a message as an update, if the bot gets to see it."""
        if not bot_sees(chat, message, self.bot, privacy=self.privacy):
            return None
        return self.updates.put(kind, message.wire())

    def ask(self, person: User, message: Message, data: str) -> tuple[Query, int | None]:
        """A press on a button, as an update."""
        query_id = str(secrets.randbits(62))
        expires_at = self.clock() + self.limits.callback_expires_s
        query = self.queries[query_id] = Query(query_id, person, message.chat_id, expires_at)
        update = {"id": query_id, "from": person.wire(), "message": message.wire(), "data": data}
        chat_instance = str(abs(message.chat_id) * 31 + 7)
        return query, self.updates.put("callback_query", update | {"chat_instance": chat_instance})

    def set_standing(self, chat: Chat, standing: Standing, by: User) -> None:
        """Change how the bot stands in a chat, and tell it by my_chat_member."""
        old, chat.standing = chat.standing, standing
        statuses = {"old_chat_member": self.membership(old), "new_chat_member": self.membership(standing)}
        moment = {"chat": chat.wire(), "from": by.wire(), "date": int(time.time())}
        self.updates.put("my_chat_member", moment | statuses)

    def membership(self, standing: Standing) -> Json:
        """The bot's ChatMember."""
        if standing in (Standing.BLOCKED, Standing.KICKED):
            return {"user": self.bot.wire(), "status": "kicked", "until_date": 0}
        if standing is Standing.ADMINISTRATOR:
            return {"user": self.bot.wire(), "status": "administrator", **ADMIN_RIGHTS}
        known = standing if standing in (Standing.MEMBER, Standing.LEFT) else Standing.LEFT
        return {"user": self.bot.wire(), "status": str(known)}


ADMIN_RIGHTS: Json = {
    "can_be_edited": False,
    "is_anonymous": False,
    "can_manage_chat": True,
    "can_delete_messages": True,
    "can_manage_video_chats": False,
    "can_restrict_members": True,
    "can_promote_members": False,
    "can_change_info": True,
    "can_invite_users": True,
    "can_post_stories": False,
    "can_edit_stories": False,
    "can_delete_stories": False,
}
