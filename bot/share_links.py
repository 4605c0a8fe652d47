"""The song behind ``https://suno.com/s/<short>``: only suno.com knows, so it is asked, and nobody else."""

import asyncio
import logging
import re

import httpx

from bot.songs import SongRequest, reference_in

logger = logging.getLogger(__name__)

HOSTS = {"suno.com", "www.suno.com", "app.suno.com"}
HOPS = 3
TOTAL_TIMEOUT_S = 5.0
PAGE_MAX_BYTES = 300_000
SONG_PATH = re.compile(r"/song/[0-9a-f-]{36}")


class ShareLinks:
    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(transport=transport, timeout=TOTAL_TIMEOUT_S)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def resolve(self, short: str) -> str | None:
        """The song's audio_id; None where suno.com does not tell."""
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S):
                return await self._follow(httpx.URL("https://suno.com/s/").join(short))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            logger.warning("share link: %s", type(error).__name__)
            return None

    async def _follow(self, url: httpx.URL) -> str | None:
        for _ in range(HOPS + 1):
            if url.host not in HOSTS or url.scheme != "https":
                return None
            if found := _song_in(str(url)):
                return found
            async with self._client.stream("GET", url) as response:
                if not response.has_redirect_location:
                    return _song_in(await _page(response))
                url = url.join(response.headers["location"])
        return None


async def _page(response: httpx.Response) -> str:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > PAGE_MAX_BYTES:
            break
    return body.decode(errors="replace")


def _song_in(text: str) -> str | None:
    """The first song that an address or a page names."""
    path = SONG_PATH.search(text)
    found = reference_in(f"https://suno.com{path.group()}") if path else None
    return found.song.audio_id if isinstance(found, SongRequest) else None
