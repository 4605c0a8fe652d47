"""The stand-in as tests and the demo hold it: one bot, its people and groups, what they see, what fails."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from sandbox.telegram.calls import Call
from sandbox.telegram.changes import Subscription
from sandbox.telegram.chats import Chat, Kind, Standing, User
from sandbox.telegram.faults import Fault, When
from sandbox.telegram.files import Files
from sandbox.telegram.limits import Limits
from sandbox.telegram.messages import Message
from sandbox.telegram.people import Group, Person
from sandbox.telegram.server import Server, Sleep
from sandbox.telegram.world import World


class Telegram:
    """A Bot API server for one bot, on loopback. ``await close()`` before the HTTP server stops:
    it ends long polls, event streams and the webhook, which would keep it waiting.
    """

    def __init__(
        self,
        *,
        token: str,
        username: str,
        title: str,
        files_folder: Path,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        privacy: bool = True,
        allows_loopback: bool = True,
    ) -> None:
        bot = User(int(token.partition(":")[0]), title, username, is_bot=True)
        files, limits = Files(files_folder), limits or Limits()
        self.world = World(bot, files, limits, clock, privacy=privacy, allows_loopback=allows_loopback)
        self._server = Server(token, self.world, sleep)
        self.app = Starlette(routes=self.routes())

    def routes(self) -> list[Route]:
        """The Bot API's addresses."""
        answer, download = self._server.answer, self._server.download
        return [
            Route("/bot{token}/{method}", answer, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", download, methods=["GET"]),
        ]

    async def close(self) -> None:
        """End what waits: long polls, subscriptions, the webhook."""
        self.world.updates.stop()
        self.world.changes.end()
        await self.world.webhook.stop()

    # people and groups

    def person(self, first_name: str, *, username: str = "", language_code: str = "en") -> Person:
        """Somebody new. Until they write to it, the bot does not know their chat."""
        return Person(self.world, self.world.add_person(first_name, username, language_code))

    def group(
        self,
        title: str,
        *,
        members: Iterable[Person] = (),
        forum: bool = False,
        supergroup: bool = True,
        other_bots: bool = False,
    ) -> Group:
        """A group with the bot as a plain member. ``other_bots``: a bare command does not reach the bot."""
        chat = self.world.add_group(title, Kind.SUPERGROUP if supergroup else Kind.GROUP)
        chat.is_forum, chat.other_bots, chat.standing = forum, other_bots, Standing.MEMBER
        for member in members:
            self.world.join(chat, member.user)
        return Group(self.world, chat)

    # what there is to see

    def messages(self, chat: Person | Group | int) -> list[Message]:
        """What a chat shows now, in order."""
        return self._chat(chat).in_order()

    def _chat(self, chat: Person | Group | int) -> Chat:
        return self.world.chats[chat] if isinstance(chat, int) else chat.chat

    def bytes_of(self, file_id: str) -> bytes:
        """The content of a file; KeyError."""
        return self.world.files.sent(file_id)[1].path.read_bytes()

    def subscribe(self) -> Subscription:
        """The events from now on: messages new, edited and deleted, callback answers, chat actions."""
        return self.world.changes.subscribe()

    @property
    def calls(self) -> list[Call]:
        """What the bot called, oldest first."""
        return list(self._server.calls)

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self._server.calls if call.method.lower() == method.lower()]

    async def wait_for_calls(self, method: str, count: int, within_s: float = 10) -> list[Call]:
        """The bot's calls of a method, once that many have begun; TimeoutError."""
        return await self.world.changes.until(
            lambda: calls if len(calls := self.calls_of(method)) >= count else [], within_s
        )

    # what the bot hears, and what fails

    def update_of(self, message: Message) -> int:
        """The id of the newest update about a message; LookupError where the bot heard of none."""
        for update_id, update in reversed(self.world.updates.history.items()):
            about = update.payload
            same_chat = about.get("chat", {}).get("id") == message.chat_id
            if same_chat and about.get("message_id") == message.message_id:
                return update_id
        raise LookupError(f"no update about message {message.message_id}")

    async def redeliver(self, update_id: int) -> None:
        """Deliver the same update again, whatever was confirmed; KeyError."""
        self.world.updates.redeliver(update_id)

    def fail_next(self, method: str, fault: Fault, *, times: int = 1, when: When | None = None) -> Fault:
        """Let the next calls of a method ("*": of any) go wrong; ``when`` looks at the parameters."""
        self._server.faults.plan(method, fault, times, when)
        return fault

    def stop_failing(self) -> None:
        """Forget the faults that have not happened yet."""
        self._server.faults.clear()
