"""Tasks of one upstream: made by a submit, done after a while, or when a test says so."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.songs import Song

Mode = Literal["basic", "full"]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Submit:
    """A submit that was accepted, and so charged. ``time`` in UTC epoch seconds, ``charged`` in credits."""

    song: Song
    mode: Mode
    time: float
    task_id: str
    callback_url: str | None
    charged: float


@dataclass(slots=True)
class Task:
    id: str
    song: Song
    mode: Mode
    callback_url: str | None
    created_at: float
    due_at: float
    done_at: float | None = None
    looks: int = 0

    @property
    def failed(self) -> bool:
        quirks = self.song.quirks
        return self.done_at is not None and bool(quirks.done_word) and not quirks.links


class Tasks:
    """``on_done`` is called once per task, when somebody first could see that it is done."""

    def __init__(self, finish_after_s: float, clock: Clock, on_done: Callable[[Task], None]) -> None:
        self.finish_after_s = finish_after_s
        self._clock, self._on_done = clock, on_done
        self._tasks: dict[str, Task] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._held = False

    def add(self, task_id: str, song: Song, mode: Mode, callback_url: str | None) -> Task:
        now = self._clock()
        task = Task(task_id, song, mode, callback_url, now, now + self.finish_after_s)
        self._tasks[task_id] = task
        self._call_when_due(task)
        return task

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def get(self, task_id: str) -> Task | None:
        """The task as it is by now."""
        task = self._tasks.get(task_id)
        if task is not None and self._clock() >= task.due_at:
            self._settle(task)
        return task

    def finish(self, task_id: str | None = None) -> None:
        """Finish now, even while held; without an id every task that ever finishes."""
        if task_id is not None:
            self._complete(self._tasks[task_id])
            return
        for task in self._tasks.values():
            if not task.song.quirks.never:
                self._complete(task)

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        self._held = False
        for task_id in list(self._tasks):
            self.get(task_id)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _call_when_due(self, task: Task) -> None:
        def ring() -> None:
            self._timers.discard(timer)
            self._settle(task)

        timer = asyncio.get_running_loop().call_later(self.finish_after_s, ring)
        self._timers.add(timer)

    def _settle(self, task: Task) -> None:
        if not self._held and not task.song.quirks.never:
            self._complete(task)

    def _complete(self, task: Task) -> None:
        if task.done_at is None:
            task.done_at = self._clock()
            self._on_done(task)
