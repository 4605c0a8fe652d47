"""Whether all of a request's body had left when its connection broke.

Only the last byte makes a request: while one of them is still here, nobody can have acted on it. httpx itself
does not tell; a connection that is cut during an upload looks like one that is cut before the answer.
"""

from collections.abc import AsyncIterator

import httpx


class Body(httpx.AsyncByteStream):
    """A body that knows how far it got."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream
        self.has_left = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk
        self.has_left = True  # asked for more: the last chunk was taken, too

    async def aclose(self) -> None:
        await self._stream.aclose()


async def watch(request: httpx.Request) -> None:
    """An event hook for requests: https://www.python-httpx.org/advanced/event-hooks/"""
    if isinstance(request.stream, httpx.AsyncByteStream):
        request.stream = Body(request.stream)


def was_cut_short(error: BaseException | None) -> bool:
    """Whether a watched request ended before all of its body had left."""
    if not isinstance(error, httpx.TransportError):
        return False
    try:
        stream = error.request.stream
    except RuntimeError:  # raised by hand, not by a client: it has no request
        return False
    return isinstance(stream, Body) and not stream.has_left
