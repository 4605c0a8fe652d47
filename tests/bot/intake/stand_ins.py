"""A time that tests turn, and a Telegram that only writes down what reached it."""

import asyncio
import heapq
from itertools import count

from telegram import InputMediaAudio

from bot.intake.limiter import Kind, Limiter


class Clock:
    """A time that only passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_s + seconds, next(self._numbers), woken))
        await woken

    async def settle(self) -> None:
        """Let everybody run until all of them wait."""
        for _ in range(100):
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        until = self.now_s + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.now_s, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await self.settle()
        self.now_s = until


class Telegram:
    """Sends through the limiter and writes down what went out, and at what second."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.limiter = Limiter(clock.now, clock.sleep)
        self.sent: list[tuple[float, object]] = []
        self.answers: list[Exception] = []

    async def _post(self, what: object) -> bool:
        self.sent.append((round(self.clock.now_s, 3), what))
        await asyncio.sleep(0)  # others go on while this one is under way
        if self.answers:
            raise self.answers.pop(0)
        return True

    def send(self, chat_id=None, kind=None, what=None, endpoint="sendMessage", **data) -> asyncio.Task:
        data = data if chat_id is None else {"chat_id": chat_id, **data}
        call = self.limiter.process_request(self._post, (what or kind,), {}, endpoint, data, kind)
        return asyncio.create_task(call)

    def album(self, chat_id, items, what="album") -> asyncio.Task:
        media = [InputMediaAudio("file-id")] * items
        return self.send(chat_id, Kind.RESULT, what, "sendMediaGroup", media=media)

    @property
    def seconds(self) -> list[float]:
        return [second for second, _ in self.sent]

    @property
    def whats(self) -> list[object]:
        return [what for _, what in self.sent]


async def finished(*tasks: asyncio.Task) -> list[object]:
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
