"""Checked downloads: a link that came from outside becomes a file of ours, of the wanted kind, or an error.

FetchError    no file; str() of it is safe to log and to show, it holds no link
├── Gone      the link works no longer
├── Broken    it did not work this time: try again later
│   └── Denied    the same, until it has been said often enough
├── Refused   the address, the size or the content is not allowed
└── DiskFull  the operator's disk has no room for it
"""

import asyncio
import errno
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from pathlib import Path
from typing import IO, Self

import httpx

from bot.delivery.public import NotPublic, PublicOnly, direct

PREFIX = "stembot-"  # names our files in the folder, so that sweep() takes nothing else
MAX_BYTES = 200_000_000
TOTAL_TIMEOUT_S = 600.0
KEEP_FREE_BYTES = 200_000_000  # the database may live on the same disk
RESUMES = 3
REDIRECTS = 3
PORT_MAX = 65_535
TIMEOUTS = httpx.Timeout(30, connect=10)
# identity: a compressed body could neither be resumed nor measured.
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "Mozilla/5.0 (compatible; Stembot/1)"}

# What hosts say of a signed link that has ended, and some of a good one in a bad minute.
DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
GONE = {
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
}
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

HEAD_BYTES = 16
AUDIO = re.compile(
    rb"ID3|fLaC|OggS|....ftyp"
    rb"|RIFF....WAVE"  # RIFF alone may be a picture, too
    # An MPEG frame of layer II or III; FF FE is not one, but how a UTF-16 text begins.
    rb"|\xff[\xe2-\xe5\xf2-\xf5\xfa-\xfd]",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of file, told by how it begins; ``max_bytes`` and ``within_s`` where less than usual will do."""

    name: str
    head: re.Pattern[bytes]
    max_bytes: float = inf
    within_s: float = inf


SOUND = Wanted("audio", AUDIO)


class FetchError(Exception):
    """No file came."""


class Gone(FetchError):
    """The link works no longer."""


class Broken(FetchError):
    """It did not work this time; later it may."""


class Denied(Broken):
    """The link has ended, or the host has a bad minute: if it says so again and again, the link has ended."""


class Refused(FetchError):
    """The address, the size or the content is not allowed: this link will never be fetched."""


class DiskFull(FetchError):
    """There is no room for the file here."""


@dataclass(frozen=True, slots=True)
class Download:
    """A finished file; whoever asked for it removes it."""

    path: Path
    size_bytes: int
    content_type: str


class Fetcher:
    """Downloads into ``folder``. ``allow_private`` also lets http, private addresses and any port through."""

    def __init__(
        self,
        folder: Path,
        *,
        allow_private: bool = False,
        max_bytes: int = MAX_BYTES,
        total_timeout_s: float = TOTAL_TIMEOUT_S,
        keep_free_bytes: int = KEEP_FREE_BYTES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._total_timeout_s, self._keep_free_bytes = total_timeout_s, keep_free_bytes
        if transport is None:
            transport = direct() if allow_private else PublicOnly(direct())
        self._client = httpx.AsyncClient(transport=transport, headers=HEADERS, timeout=TIMEOUTS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def fetch(self, url: str, wanted: Wanted = SOUND) -> Download:
        """The file behind a link, checked to be as ``wanted``. Raises FetchError, then leaves no file."""
        with _translated_errors():
            async with asyncio.timeout(min(self._total_timeout_s, wanted.within_s)):
                return await self._fetch(httpx.URL(url.strip()), wanted)

    async def _fetch(self, url: httpx.URL, wanted: Wanted) -> Download:
        with _new_file(self._folder) as (path, file):
            draft = _Draft(file, wanted, min(self._max_bytes, wanted.max_bytes))
            await self._fill(draft, url)
        return Download(path, draft.size_bytes, draft.content_type)

    async def _fill(self, draft: "_Draft", url: httpx.URL) -> None:
        for resumes_left in reversed(range(RESUMES + 1)):
            try:
                await self._pull(draft, url)
            except httpx.TransportError:
                if not (draft.size_bytes and resumes_left):
                    raise
            else:
                break
        if draft.size_bytes < HEAD_BYTES:
            raise Broken("the file is empty")

    async def _pull(self, draft: "_Draft", url: httpx.URL) -> None:
        async with self._opened(url, draft.wanted()) as response:
            _check_status(response)
            missing_bytes = draft.begin(response)
            if shutil.disk_usage(self._folder).free - missing_bytes < self._keep_free_bytes:
                raise DiskFull("no room left for the file")
            async for chunk in response.aiter_raw():
                # At most 64 kB into the page cache: cheaper than handing it to a thread.
                draft.add(chunk)

    @asynccontextmanager
    async def _opened(self, url: httpx.URL, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        """The answer at the end of the redirects. httpx would read the body of each of them, however long."""
        request = self._client.build_request("GET", url, headers=headers)
        for _ in range(1 + REDIRECTS):
            if (request.url.port or 0) > PORT_MAX:
                raise Refused("the link names an impossible port")
            response = await self._client.send(request, stream=True)
            try:
                if response.next_request is None:
                    yield response
                    return
            finally:
                await response.aclose()
            request = response.next_request
        raise Refused("the link redirects too often")


class _Draft:
    """The file while it fills, and what has to be asked for next."""

    def __init__(self, file: IO[bytes], wanted: Wanted, max_bytes: float) -> None:
        self._file, self._wanted, self._max_bytes = file, wanted, max_bytes
        self._validator: str | None = None
        self._head = b""
        self.size_bytes = 0
        self.content_type = ""

    def wanted(self) -> dict[str, str]:
        """Headers for the rest of the file; none, if all of it has to come (again)."""
        if not (self.size_bytes and self._validator):
            return {}
        # If-Range: a file that has changed comes whole, instead of as the end of another one.
        return {"Range": f"bytes={self.size_bytes}-", "If-Range": self._validator}

    def begin(self, response: httpx.Response) -> int:
        """Get ready for this answer's body; returns the bytes it announces, 0 if it announces none."""
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {self.size_bytes}-"):
                raise Broken(f"{response.url.host} sent another part of the file than the missing one")
        else:
            self._restart(response)
        announced_bytes = int(response.headers.get("Content-Length", 0))
        self._check_size(self.size_bytes + announced_bytes)
        return announced_bytes

    def _restart(self, response: httpx.Response) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.size_bytes, self._head = 0, b""
        self.content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        etag: str = response.headers.get("ETag", "")
        # A weak ETag says "means the same", not "the same bytes".
        strong = etag if not etag.startswith("W/") else ""
        self._validator = strong or response.headers.get("Last-Modified")

    def add(self, chunk: bytes) -> None:
        self._check_size(self.size_bytes + len(chunk))
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[:HEAD_BYTES]
            if len(self._head) >= HEAD_BYTES and not self._wanted.head.match(self._head):
                raise Refused(f"the link leads to something that is not {self._wanted.name}")
        self._file.write(chunk)
        self.size_bytes += len(chunk)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._max_bytes:
            raise Refused(f"the file is larger than {self._max_bytes / 1e6:.0f} MB")


def _check_status(response: httpx.Response) -> None:
    if response.status_code in GONE:
        raise Gone(f"{response.url.host} no longer has the file ({response.status_code})")
    if response.status_code in DENIED:
        raise Denied(f"{response.url.host} refused the link ({response.status_code})")
    if response.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        raise Broken(f"{response.url.host} answered {response.status_code}")


@contextmanager
def _new_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file of ours that does not outlive a failure of the block."""
    with ExitStack() as undo:
        with tempfile.NamedTemporaryFile(prefix=PREFIX, dir=folder, delete=False) as file:
            path = Path(file.name)
            undo.callback(path.unlink, missing_ok=True)
            yield path, file
        undo.pop_all()


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except NotPublic as error:
        raise Refused(str(error)) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Refused("the link is not a web address") from error
    except httpx.HTTPError as error:
        raise Broken(f"the connection failed ({type(error).__name__})") from error
    except TimeoutError as error:
        raise Broken("the download took too long") from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFull("no room left for the file") from error


def sweep(folder: Path) -> int:
    """Make the folder, or remove what an earlier run left in it; returns how many files."""
    folder.mkdir(parents=True, exist_ok=True)
    leftovers = list(folder.glob(f"{PREFIX}*"))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)
