"""What can go wrong with the bot's next calls, for tests to choose."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.errors import ApiError, too_many_requests
from sandbox.telegram.errors import too_large as too_large_error

BAD_GATEWAY_PAGE = (
    "<html>\r\n<head><title>{status} Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>{status} Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
EVERY_METHOD = "*"
When = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Page:
    """A raw answer instead of the Bot API's."""

    status: int
    media_type: str
    body: str


@dataclass(frozen=True)
class Cut:
    """The connection ends without an answer."""


@dataclass(frozen=True)
class Hold:
    """The answer waits for ``released``, at most ``seconds``."""

    seconds: float | None
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.released.wait(), self.seconds)


@dataclass(frozen=True)
class Fault:
    """``processed``: the call takes effect. ``answer``: what comes instead of its answer."""

    processed: bool
    answer: ApiError | Page | Cut | None = None
    hold: Hold | None = None

    def release(self) -> None:
        """Let the held answers go."""
        if self.hold is not None:
            self.hold.released.set()


def ok() -> Fault:
    """Nothing wrong: lets one call pass before the next fault."""
    return Fault(processed=True)


def error(code: int, description: str, parameters: Mapping[str, Any] | None = None) -> Fault:
    """An error of the Bot API, with its full description."""
    return Fault(processed=False, answer=ApiError(code, description, parameters))


def retry_after(seconds: int) -> Fault:
    """429."""
    return Fault(processed=False, answer=too_many_requests(seconds))


def too_large() -> Fault:
    """413."""
    return Fault(processed=False, answer=too_large_error())


def html(status: int = 502, *, processed: bool = False) -> Fault:
    """A page of a gateway."""
    return Fault(processed, Page(status, "text/html", BAD_GATEWAY_PAGE.format(status=status)))


def garbled() -> Fault:
    """HTTP 200 with broken JSON; the call took effect."""
    return Fault(processed=True, answer=Page(200, "application/json", '{"ok":true,"result":{"mess'))


def reset_before() -> Fault:
    """The connection is cut, nothing happened."""
    return Fault(processed=False, answer=Cut())


def reset_after() -> Fault:
    """The call took effect, then the connection is cut."""
    return Fault(processed=True, answer=Cut())


def slow(seconds: float | None = None) -> Fault:
    """The call takes effect at once; its answer comes after ``seconds``, or when ``release()`` is called."""
    return Fault(processed=True, hold=Hold(seconds))


class Faults:
    """The faults to come, per method, in the order they were asked for."""

    def __init__(self) -> None:
        self._coming: dict[str, list[tuple[Fault, When | None]]] = defaultdict(list)

    def plan(self, method: str, fault: Fault, times: int, when: When | None) -> None:
        self._coming[method.lower()].extend([(fault, when)] * times)

    def take(self, method: str, parameters: Mapping[str, Any]) -> Fault | None:
        """The fault of this call, used up; None when there is none."""
        for key in (method.lower(), EVERY_METHOD):
            coming = self._coming[key]
            for planned in coming:
                if planned[1] is None or planned[1](parameters):
                    coming.remove(planned)
                    return planned[0]
        return None

    def clear(self) -> None:
        self._coming.clear()
