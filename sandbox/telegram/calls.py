"""The record of what the bot called and was answered."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

CALLS_MAX = 20_000


@dataclass(frozen=True)
class Call:
    """One call. ``status`` is what it was answered: None until then, 0 where no answer went out."""

    method: str
    parameters: dict[str, Any]
    at: float
    status: int | None = None
    description: str = ""


class Calls:
    """The newest calls, in the order in which they began."""

    def __init__(self, clock: Callable[[], float], changed: Callable[[], None]) -> None:
        self._clock, self._changed = clock, changed
        self._calls: deque[list[Call]] = deque(maxlen=CALLS_MAX)

    def __iter__(self) -> Iterator[Call]:
        return iter([entry[0] for entry in self._calls])

    def begin(self, method: str, parameters: dict[str, Any]) -> "Entry":
        """Write down a call that came."""
        entry = [Call(method, parameters, self._clock())]
        self._calls.append(entry)
        self._changed()
        return Entry(entry, self._changed)


@dataclass(frozen=True)
class Entry:
    """A call in the record that is still open."""

    place: list[Call]
    changed: Callable[[], None]

    @property
    def call(self) -> Call:
        return self.place[0]

    def end(self, status: int, description: str = "") -> None:
        """Write down how it was answered."""
        self.place[0] = replace(self.call, status=status, description=description)
        self.changed()
