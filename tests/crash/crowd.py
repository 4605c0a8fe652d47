"""People who ask for stems in private chats and in groups, join, repeat, cancel and press what is there."""

import re
from collections.abc import Awaitable, Callable
from random import Random

from sandbox.telegram import Group, Message, Person, Press
from tests.crash.driver import Driver
from tests.crash.songs import HOPELESS, ORDINARY, UNKNOWN, command_for
from tests.end_to_end.towns import balance_of

NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eva", "Finn")
GROUPS = ("Band", "Choir")
MOST_IN_A_GROUP = 3  # Telegram takes 20 messages a minute there, and everybody would only wait
GRANTED = 40
PAID = re.compile(r"(\d+) credits? paid")
BALANCE = re.compile(r"balance \d+")

Act = Callable[[], Awaitable[None]]


class Crowd:
    """Everybody acts by the same dice."""

    def __init__(self, driver: Driver, dice: Random) -> None:
        telegram = driver.town.telegram
        self._telegram, self._operator, self._dice = telegram, driver.operator, dice
        self._people = [telegram.person(name) for name in NAMES]
        self._groups = [telegram.group(title, members=self._people) for title in GROUPS]
        self._asked_in: dict[int, int] = {}
        self._granted: dict[int, int] = {}
        self._presses: list[Press] = []
        self.commands: list[Message] = []  # all that was said
        # What people do, the usual more often.
        self._acts: list[Act] = [
            *[self._ask] * 6,
            *[self._ask_in_a_group] * 3,
            *[self._repeat] * 5,
            *[self._ask_in_vain] * 1,
            *[self._look_at_credits] * 1,
            *[self._grant] * 1,
            *[lambda: self._press("Cancel")] * 3,
            *[lambda: self._press("Send again")] * 4,
            *[lambda: self._press("Full set")] * 1,
            *[lambda: self._press("Try again")] * 1,
        ]

    async def act(self, times: int) -> None:
        for _ in range(times):
            await self._dice.choice(self._acts)()

    async def complaints(self, signup: int) -> list[str]:
        """A sentence for everybody whose balance is not what the chats say, and for every idle button."""
        idle = [press for press in self._presses if press.query.answer is None]
        return [f"nobody answered {press}" for press in idle] + [
            f"{person.user.first_name} has {balance} credits, but was told to have {expected}"
            for person in self._people
            if any(command.sender_id == person.user_id for command in self.commands)
            if (balance := await balance_of(person)) != (expected := self._expected(person, signup))
        ]

    def _expected(self, person: Person, signup: int) -> int:
        return signup + self._granted.get(person.user_id, 0) - self._paid(person)

    def _paid(self, person: Person) -> int:
        """All that the status messages said; those of an acknowledgement that came twice say it once."""
        said = {
            (message.chat_id, message.reply_to.message_id, BALANCE.sub("", message.text or ""))
            for chat in (person, *self._groups)
            for message in self._telegram.messages(chat)
            if message.reply_to and message.reply_to.sender_id == person.user_id
        }
        return sum(int(paid) for _, _, text in said for paid in PAID.findall(text))

    # what people do

    async def _ask(self) -> None:
        song, mode = self._dice.choice(ORDINARY), self._dice.choice(("basic", "basic", "full"))
        await self._say(self._anybody(), command_for(song, mode))

    async def _ask_in_a_group(self) -> None:
        group = self._dice.choice(self._groups)
        await self._say_in(group, command_for(self._dice.choice(ORDINARY)))

    async def _repeat(self) -> None:
        """What somebody asked for before: to join it, or to have it from the archive."""
        asked = [message.text for message in self.commands if message.text.startswith("/stems")]
        if asked:
            await self._say(self._anybody(), self._dice.choice(asked[-5:]))

    async def _ask_in_vain(self) -> None:
        await self._say(self._anybody(), command_for(self._dice.choice((UNKNOWN, *HOPELESS))))

    async def _look_at_credits(self) -> None:
        await self._say(self._anybody(), "/credits")

    async def _grant(self) -> None:
        bot_id = self._telegram.world.bot.user_id
        known = [
            person.user_id
            for person in self._people
            if any(message.sender_id == bot_id for message in self._telegram.messages(person))
        ]
        if known:
            user_id = self._dice.choice(known)
            await self._say(self._operator, f"/grant {user_id} {GRANTED}")
            self._granted[user_id] = self._granted.get(user_id, 0) + GRANTED

    async def _press(self, button: str) -> None:
        """One's own, wherever there is one."""
        there = [
            (person, message)
            for person in self._people
            for message in self._telegram.messages(person)
            if any(each["text"] == button for each in message.buttons)
        ]
        if there:
            person, message = self._dice.choice(there)
            self._presses.append(await person.press(message, button))

    def _anybody(self) -> Person:
        return self._dice.choice(self._people)

    async def _say(self, person: Person, text: str) -> None:
        self.commands.append(await person.say(text))

    async def _say_in(self, group: Group, text: str) -> None:
        if self._asked_in.get(group.chat_id, 0) < MOST_IN_A_GROUP:
            self._asked_in[group.chat_id] = self._asked_in.get(group.chat_id, 0) + 1
            self.commands.append(await self._anybody().say(text, group))
