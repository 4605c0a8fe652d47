"""Files by URL, fetched as Telegram's data centres do: small, of the right type, remembered for days.

https://core.telegram.org/bots/api#sending-files
"""

import ipaddress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from urllib.parse import urlsplit

import httpx

from sandbox.telegram.errors import ApiError, bad_request
from sandbox.telegram.files import Content
from sandbox.telegram.world import World

TYPES = {
    "audio": {"audio/mpeg", "audio/mp3", "audio/mp4", "audio/x-m4a"},
    "document": {"application/pdf", "application/zip"},
    "photo": {"image/jpeg", "image/png", "image/webp"},
}
IN_MEMORY_BYTES = 1024 * 1024


class FetchFailed(Exception):
    """Why a URL was not sent; ``code`` is Telegram's raw word, albums quote it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    def error(self) -> ApiError:
        return bad_request(self.text)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL held."""

    content: Content
    mime_type: str
    file_name: str


def unreachable() -> FetchFailed:
    return FetchFailed("WEBPAGE_CURL_FAILED", "failed to get HTTP URL content")


def wrong_type() -> FetchFailed:
    return FetchFailed("WEBPAGE_MEDIA_EMPTY", "wrong type of the web page content")


async def fetch(world: World, url: str, kind: str) -> Fetched:
    """A URL's file; FetchFailed. What it was the first time it stays, failures too."""
    if url not in world.fetched:
        try:
            world.fetched[url] = await _fetch(world, url, kind)
        except FetchFailed as failure:
            world.fetched[url] = failure
            raise
    match world.fetched[url]:
        case Fetched() as fetched if fetched.mime_type in TYPES[kind]:
            return fetched
        case _:  # a remembered failure reads like this, whatever it was
            raise wrong_type()


async def _fetch(world: World, url: str, kind: str) -> Fetched:
    if not (world.allows_loopback or is_public(urlsplit(url).hostname or "")):
        raise unreachable()
    limits = world.limits
    timeout = httpx.Timeout(limits.fetch_timeout_s)
    headers = {"User-Agent": "TelegramBot (like TwitterBot)"}
    try:
        async with (
            httpx.AsyncClient(
                follow_redirects=True, timeout=timeout, headers=headers, trust_env=False
            ) as client,
            client.stream("GET", url) as response,
        ):
            return await _received(world, response, kind)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable() from error


async def _received(world: World, response: httpx.Response, kind: str) -> Fetched:
    if response.status_code != httpx.codes.OK:
        raise unreachable()
    mime_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if mime_type not in TYPES[kind]:
        raise wrong_type()
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as body:
        size = 0
        async for chunk in response.aiter_bytes():
            size += body.write(chunk)
            if size > world.limits.fetch_max_bytes:
                raise unreachable()
        if size == 0:
            raise wrong_type()
        body.seek(0)
        # A SpooledTemporaryFile is a BinaryIO in all but its type.
        content = await world.files.keep(body)  # type: ignore[arg-type]
    return Fetched(content, mime_type, response.url.path.rpartition("/")[2])


def is_public(host: str) -> bool:
    """Whether Telegram's data centres could reach this host."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".")
