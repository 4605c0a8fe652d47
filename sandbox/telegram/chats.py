"""Who is there: users, chats, and how the bot stands in each of them.

https://core.telegram.org/bots/api#user https://core.telegram.org/bots/api#chat
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.telegram.errors import ApiError, bad_request, forbidden
from sandbox.telegram.messages import Message

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A person, a bot or one of Telegram's pseudo-users."""

    user_id: int
    first_name: str
    username: str = ""
    language_code: str = ""
    is_bot: bool = False

    def wire(self) -> Json:
        given = {"username": self.username, "language_code": self.language_code}
        named = {name: value for name, value in given.items() if value}
        return {"id": self.user_id, "is_bot": self.is_bot, "first_name": self.first_name, **named}


ANONYMOUS_ADMIN = User(1087968824, "Group", username="GroupAnonymousBot", is_bot=True)


class Kind(StrEnum):
    """What kind of chat; the words stand in refusals, too."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"


class Standing(StrEnum):
    """The bot in a chat; the value is ChatMember.status where Telegram has one."""

    UNKNOWN = "unknown"  # the bot has never met this chat
    STRANGER = "stranger"  # a person whom the bot has only met in a group
    MEMBER = "member"
    ADMINISTRATOR = "administrator"
    LEFT = "left"
    KICKED = "kicked"
    BLOCKED = "blocked"  # on the wire: kicked
    DEACTIVATED = "deactivated"


REFUSALS = {
    Standing.STRANGER: "bot can't initiate conversation with a user",
    Standing.LEFT: "bot is not a member of the {kind} chat",
    Standing.KICKED: "bot was kicked from the {kind} chat",
    Standing.BLOCKED: "bot was blocked by the user",
    Standing.DEACTIVATED: "user is deactivated",
}


@dataclass
class Topic:
    """A topic of a forum; its id is that of the service message that opened it."""

    thread_id: int
    name: str
    closed: bool = False


@dataclass
class Chat:
    """A chat with everything in it; ``messages`` holds what is there now, by id."""

    chat_id: int
    kind: Kind
    title: str = ""
    person: User | None = None
    standing: Standing = Standing.UNKNOWN
    is_forum: bool = False
    other_bots: bool = False
    members: dict[int, User] = field(default_factory=dict)
    admins: set[int] = field(default_factory=set)
    topics: dict[int, Topic] = field(default_factory=dict)
    migrated_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)

    def wire(self) -> Json:
        if self.person is not None:
            return {"id": self.chat_id, "type": "private"} | {
                key: value
                for key, value in self.person.wire().items()
                if key in ("first_name", "last_name", "username")
            }
        forum = {"is_forum": True} if self.is_forum else {}
        return {"id": self.chat_id, "title": self.title, "type": str(self.kind), **forum}

    def refusal(self) -> ApiError | None:
        """Why the bot may not do anything here, or None."""
        if self.migrated_to is not None:
            text = "group chat was upgraded to a supergroup chat"
            return bad_request(text, {"migrate_to_chat_id": self.migrated_to})
        if self.standing is Standing.UNKNOWN:
            return bad_request("chat not found")
        text = REFUSALS.get(self.standing, "")
        return forbidden(text.format(kind=self.kind)) if text else None

    def status_of(self, user: User) -> str:
        """ChatMember.status of a person."""
        if user.user_id in self.admins:
            return "administrator"
        return "member" if user.user_id in self.members else "left"

    def in_order(self) -> list[Message]:
        return [self.messages[message_id] for message_id in sorted(self.messages)]
