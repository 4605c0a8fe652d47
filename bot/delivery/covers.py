"""Songs' covers, from the address that an upstream named: nice to have, so no trouble with them matters."""

import asyncio
import logging
import re
from collections import OrderedDict

from bot.delivery import pictures
from bot.delivery.fetch import Fetcher, FetchError, Wanted
from bot.delivery.pictures import PictureError

logger = logging.getLogger(__name__)

PICTURE = Wanted(
    "a picture",
    re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL),
    max_bytes=5_000_000,
    within_s=10.0,
)
REMEMBERED = 64  # covers, of some kB each


class Covers:
    """Fetches each cover once for all of a song's stems, and remembers it, also that there is none."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._known: OrderedDict[str, bytes | None] = OrderedDict()

    async def of(self, url: str | None) -> bytes | None:
        """A small JPEG; None where there is no usable picture."""
        if url is None:
            return None
        if url not in self._known:
            self._known[url] = await self._fetched(url)
        self._known.move_to_end(url)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return self._known[url]

    async def _fetched(self, url: str) -> bytes | None:
        try:
            download = await self._fetcher.fetch(url, PICTURE)
        except FetchError as error:
            logger.info("no cover: %s", error)
            return None
        try:
            return await asyncio.to_thread(lambda: pictures.small(download.path.read_bytes()))
        except PictureError as error:
            logger.info("no cover: %s", error)
            return None
        finally:
            download.path.unlink(missing_ok=True)
