"""Posts callbacks, to loopback addresses only: a placeholder such as https://example.com/noop is skipped."""

import asyncio
import ipaddress
from dataclasses import dataclass

import httpx

ANSWER_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Posted:
    url: str
    body: object
    status: int | None  # None: no answer


class Callbacks:
    def __init__(self) -> None:
        self.posted: list[Posted] = []  # those that got an answer, or surely get none
        self._running: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def send(self, url: str | None, body: object) -> None:
        """Post in the background; nothing happens for an address elsewhere."""
        if url is None or not is_loopback(url):
            return
        running = asyncio.get_running_loop().create_task(self._post(url, body))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def sent(self) -> None:
        """Returns when every callback so far has been posted."""
        await asyncio.gather(*self._running)

    async def close(self) -> None:
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    async def _post(self, url: str, body: object) -> None:
        status = None
        try:
            if self._client is None:
                # Not before the first one: to make a client takes longer than to post.
                # trust_env: a proxy of the environment must not carry a loopback address away.
                self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False)
            status = (await self._client.post(url, json=body)).status_code
        except httpx.HTTPError:
            pass  # the receiver's trouble, as for the real ones
        self.posted.append(Posted(url, body, status))


def is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
