"""People and groups as a test moves them: they say, edit, press, block, and wait for what the bot does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sandbox.telegram.chats import ANONYMOUS_ADMIN, Chat, Kind, Standing, Topic, User
from sandbox.telegram.entities import Formatted, trimmed, units, with_found
from sandbox.telegram.messages import Attachment, Message
from sandbox.telegram.texts import TEXT_MAX
from sandbox.telegram.world import Answer, Query, World

T = TypeVar("T")
PRESENT = (Standing.MEMBER, Standing.ADMINISTRATOR)


@dataclass(frozen=True)
class Press:
    """A button that was pressed."""

    world: World = field(repr=False)
    query: Query
    update_id: int | None

    async def answer(self, within_s: float = 10) -> Answer:
        """What the bot answers; TimeoutError."""
        return await self.world.changes.until(lambda: self.query.answer, within_s)


@dataclass(frozen=True)
class Group:
    """A group with the bot in it."""

    world: World = field(repr=False)
    chat: Chat

    @property
    def chat_id(self) -> int:
        return self.chat.chat_id

    def thread(self, name: str) -> int:
        """Open a topic of a forum; its message_thread_id."""
        if not self.chat.is_forum:
            raise ValueError(f"{self.chat.title} is not a forum")
        opened = self._service({"forum_topic_created": {"name": name, "icon_color": 7322096}})
        self.chat.topics[opened.message_id] = Topic(opened.message_id, name)
        return opened.message_id

    def close_thread(self, thread_id: int) -> None:
        self.chat.topics[thread_id].closed = True
        self._service({"forum_topic_closed": {}}, thread_id)

    def delete_thread(self, thread_id: int) -> None:
        del self.chat.topics[thread_id]

    def add(self, person: "Person") -> None:
        self.world.join(self.chat, person.user)
        self._service({"new_chat_members": [person.user.wire()]})

    def make_admin(self, person: "Person") -> None:
        self.chat.admins.add(person.user_id)

    def promote_bot(self) -> None:
        self.world.set_standing(self.chat, Standing.ADMINISTRATOR, self._founder)

    def kick_bot(self) -> None:
        self.world.set_standing(self.chat, Standing.KICKED, self._founder)

    def add_bot(self) -> None:
        """Bring the bot back."""
        self.world.set_standing(self.chat, Standing.MEMBER, self._founder)

    def migrate(self) -> "Group":
        """Upgrade to a new supergroup, returned; this one answers ``migrate_to_chat_id`` from now on."""
        new = self.world.add_group(self.chat.title, Kind.SUPERGROUP)
        new.standing, new.other_bots = self.chat.standing, self.chat.other_bots
        new.members, new.admins = dict(self.chat.members), set(self.chat.admins)
        self._service({"migrate_to_chat_id": new.chat_id})
        self.chat.migrated_to = new.chat_id
        group = Group(self.world, new)
        group._service({"migrate_from_chat_id": self.chat_id})
        return group

    async def say_as_anonymous_admin(
        self, text: str, *, thread: int | None = None, reply_to: Message | None = None
    ) -> Message:
        """A message "from the group": the sender is Telegram's pseudo-user."""
        wire = self.chat.wire()
        return _said(self.world, self.chat, ANONYMOUS_ADMIN, text, thread, reply_to, sender_chat=wire)

    @property
    def _founder(self) -> User:
        return next(iter(self.chat.members.values()), ANONYMOUS_ADMIN)

    def _service(self, content: dict[str, object], thread_id: int | None = None) -> Message:
        message = Message(
            self.chat.wire(), self._founder.wire(), service=content, message_thread_id=thread_id
        )
        posted = self.world.post(self.chat, message)
        self.world.tell_bot("message", self.chat, posted)
        return posted


@dataclass(frozen=True)
class Person:
    """Somebody with a private chat with the bot, whose id is the person's own."""

    world: World = field(repr=False)
    user: User

    @property
    def user_id(self) -> int:
        return self.user.user_id

    @property
    def chat_id(self) -> int:
        """Of the private chat."""
        return self.user.user_id

    @property
    def chat(self) -> Chat:
        return self.world.chats[self.user_id]

    async def say(
        self,
        text: str,
        chat: Group | None = None,
        thread: int | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a text, to the bot or into a group; ValueError where Telegram would not let one."""
        place = chat.chat if chat else self._private()
        if chat and self.user_id not in place.members:
            raise ValueError(f"{self.user.first_name} is not in {place.title}")
        return _said(self.world, place, self.user, text, thread, reply_to)

    def _private(self) -> Chat:
        """The private chat; writing in it starts the bot."""
        if self.chat.standing is Standing.BLOCKED:
            raise ValueError(f"{self.user.first_name} has blocked the bot")
        if self.chat.standing is not Standing.MEMBER:
            self.chat.standing = Standing.MEMBER
        return self.chat

    async def edit(self, message: Message, text: str) -> Message:
        """Change an own message."""
        chat = self.world.chats[message.chat_id]
        current = self._own(chat, message)
        changed = self.world.change(chat, current, formatted=typed(text))
        self.world.tell_bot("edited_message", chat, changed)
        return changed

    def delete(self, message: Message) -> None:
        """Take a message out of its chat; the bot hears nothing of it."""
        self.world.remove(self.world.chats[message.chat_id], message.message_id)

    def _own(self, chat: Chat, message: Message) -> Message:
        current = chat.messages[message.message_id]
        if current.sender_id != self.user_id:
            raise ValueError(f"{self.user.first_name} did not write this message")
        return current

    async def press(self, message: Message, button: str) -> Press:
        """Press the first button with this in its text; LookupError when there is none now."""
        current = self._current(message)
        for candidate in current.buttons:
            if button in candidate["text"] and "callback_data" in candidate:
                return self._pressed(current, candidate["callback_data"])
        shown = [candidate["text"] for candidate in current.buttons]
        raise LookupError(f"no button {button!r} to press, only {shown}")

    async def press_data(self, message: Message, data: str) -> Press:
        """Send callback data as a button would, a forged one too."""
        return self._pressed(self._current(message), data)

    def _current(self, message: Message) -> Message:
        messages = self.world.chats[message.chat_id].messages
        if message.message_id not in messages:
            raise LookupError(f"message {message.message_id} is no longer there")
        return messages[message.message_id]

    def _pressed(self, message: Message, data: str) -> Press:
        query, update_id = self.world.ask(self.user, message, data)
        return Press(self.world, query, update_id)

    async def block(self) -> None:
        """Stop the bot."""
        self.world.set_standing(self.chat, Standing.BLOCKED, self.user)

    async def unblock(self) -> None:
        self.world.set_standing(self.chat, Standing.MEMBER, self.user)

    def delete_account(self) -> None:
        """From now on: "user is deactivated"."""
        self.chat.standing = Standing.DEACTIVATED

    async def wait_for(
        self, condition: Callable[[list[Message]], T | None], within_s: float = 10, chat: Group | None = None
    ) -> T:
        """The first truthy value over the chat's messages; TimeoutError shows what the chat holds."""
        place = chat.chat if chat else self.chat
        try:
            return await self.world.changes.until(lambda: condition(place.in_order()), within_s)
        except TimeoutError as error:
            raise TimeoutError(f"not within {within_s} s; the chat holds:\n{shown(place)}") from error

    async def wait_for_text(
        self, text: str, within_s: float = 10, chat: Group | None = None, after: Message | None = None
    ) -> Message:
        """The bot's newest message with this in its text or caption."""

        def newest(messages: list[Message]) -> Message | None:
            own = self._from_bot(messages, after)
            return next((message for message in reversed(own) if text in message.formatted.text), None)

        return await self.wait_for(newest, within_s, chat)

    async def wait_for_audios(
        self, count: int, within_s: float = 10, chat: Group | None = None, after: Message | None = None
    ) -> list[Attachment]:
        """The bot's audios, once there are at least so many."""

        def enough(messages: list[Message]) -> Sequence[Attachment]:
            audios = [message.audio for message in self._from_bot(messages, after) if message.audio]
            return audios if len(audios) >= count else []

        return list(await self.wait_for(enough, within_s, chat))

    def _from_bot(self, messages: list[Message], after: Message | None) -> list[Message]:
        since = after.message_id if after else 0
        bot_id = self.world.bot.user_id
        return [message for message in messages if message.sender_id == bot_id and message.message_id > since]


def typed(text: str) -> Formatted:
    """A text as an app sends it; ValueError for one that it would not send."""
    formatted = with_found(trimmed(Formatted(text)))
    if not 1 <= units(formatted.text) <= TEXT_MAX:
        raise ValueError(f"a text has 1-{TEXT_MAX} UTF-16 units")
    return formatted


def _said(
    world: World,
    chat: Chat,
    sender: User,
    text: str,
    thread: int | None,
    reply_to: Message | None,
    sender_chat: dict[str, object] | None = None,
) -> Message:
    message = Message(
        chat=chat.wire(),
        sender=sender.wire(),
        sender_chat=sender_chat,
        formatted=typed(text),
        message_thread_id=thread,
        reply_to=replace(chat.messages[reply_to.message_id], reply_to=None) if reply_to else None,
    )
    posted = world.post(chat, message)
    world.tell_bot("message", chat, posted)
    return posted


def shown(chat: Chat) -> str:
    """A chat in words, a line for each message."""
    return "\n".join(_line(message) for message in chat.in_order()) or "(nothing)"


def _line(message: Message) -> str:
    attached = message.attachment
    file = f"[{attached.kind}: {attached.title or attached.file_name}] " if attached else ""
    buttons = "".join(f" ({button['text']})" for button in message.buttons)
    content = message.formatted.text or (str(message.service) if message.service else "")
    return f"{message.message_id:>5} {message.sender['first_name']}: {file}{content}{buttons}"
