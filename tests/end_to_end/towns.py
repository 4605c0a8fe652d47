"""A sandbox with a place for bots in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.server import Sandbox
from sandbox.telegram import Message, Person, Telegram
from sandbox.upstreams import Upstream
from tests.end_to_end.processes import Home, Process

UPSTREAM = "sunoapi_org"


@dataclass(frozen=True)
class Town:
    sandbox: Sandbox
    home: Home

    @property
    def telegram(self) -> Telegram:
        return self.sandbox.telegram

    @property
    def upstream(self) -> Upstream:
        return self.sandbox.upstreams[UPSTREAM]

    def charged(self, audio_id: str) -> list[str]:
        """The modes in which the upstream separated a song, one for each charge."""
        return [submit.mode for submit in self.upstream.submits if submit.song.audio_id == audio_id]

    def replies(self, command: Message) -> list[Message]:
        """Everything that was said in reply to a message, as it looks now."""
        messages = self.telegram.messages(command.chat_id)
        return [message for message in messages if message.reply_to_message_id == command.message_id]

    def audios(self, command: Message) -> list[Message]:
        return [message for message in self.replies(command) if message.audio]


@dataclass(frozen=True)
class LivelyTown(Town):
    """With a bot at work in it."""

    bot: Process


@asynccontextmanager
async def a_town(folder: Path) -> AsyncIterator[Town]:
    async with Sandbox.running(folder=folder / "telegram", finish_after_s=0.2) as sandbox:
        home = Home(folder, sandbox.settings())
        try:
            yield Town(sandbox, home)
        finally:
            await home.close()


async def balance_of(person: Person) -> int:
    """What /credits tells."""
    asked = await person.say("/credits")
    said = await person.wait_for_text("You have", after=asked)
    return int(said.formatted.text.removeprefix("You have ").split()[0])
