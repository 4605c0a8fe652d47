"""Handlers that do as they are told, and updates for them."""

import asyncio

from sqlalchemy import text

from tests.bot.world import ANN

HANDLED = text("SELECT update_id FROM updates WHERE handled_at IS NOT NULL ORDER BY update_id")
KEPT = text("SELECT update_id FROM updates ORDER BY update_id")


class Handlers:
    """Handles what it gets: at once, or when it is let; ``fails`` says how often each update fails first."""

    def __init__(self):
        self.begun, self.handled, self.sorry = [], [], []
        self.fails: dict[int, int] = {}
        self.gates: dict[int, asyncio.Event] = {}
        self.changed = asyncio.Condition()

    async def handle(self, raw):
        number = raw["update_id"]
        await self._note(self.begun, number)
        if gate := self.gates.get(number):
            await gate.wait()
        if self.fails.get(number, 0):
            self.fails[number] -= 1
            return ValueError("boom")
        await self._note(self.handled, number)
        return None

    async def apologise(self, raw):
        await self._note(self.sorry, raw["update_id"])

    def hold(self, *numbers):
        for number in numbers:
            self.gates[number] = asyncio.Event()

    def let(self, *numbers):
        for number in numbers:
            self.gates[number].set()

    async def until(self, is_so):
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(is_so)

    async def _note(self, where, number):
        where.append(number)
        async with self.changed:
            self.changed.notify_all()


def update(number, chat_id=ANN):
    chat = {"id": chat_id, "type": "private"}
    return {"update_id": number, "message": {"message_id": number, "date": 0, "chat": chat, "text": "hi"}}


async def settled(dispatcher, handlers, count):
    await handlers.until(lambda: len(handlers.handled) >= count)
    await dispatcher.flush()
