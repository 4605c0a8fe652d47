"""One exchange with an upstream: bounded in size and time, its failures turned into ours."""

import asyncio
import re
import ssl
import unicodedata
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import version

import httpx
import pydantic_core

from providers.base import Json
from providers.errors import Misconfigured, OutcomeUnknown, ProviderError, Unavailable

# Without a User-Agent that looks like a browser's, the CDN before kie.ai answers 403 "error code: 1010".
USER_AGENT = f"Mozilla/5.0 (compatible; stembot/{version('stembot')})"
BODY_MAX_BYTES = 2_000_000
CONNECT_S, READ_S = 10.0, 60.0
TOTAL_S = 90.0  # a body that trickles in for ever ends here
RETRY_AFTER_MAX_S = 3600.0  # what asks for more is more likely to be nonsense
TEXT_MAX = 200
SECRET_MIN = 6  # a shorter secret is a placeholder, and taking it out would spoil innocent words

# Raised before the first byte of a request goes out.
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

_LINK = re.compile(r"[a-z][a-z0-9+.-]{0,20}://\S+|(?:[\w-]{1,63}\.){1,9}[a-z]{2,24}/\S*", re.IGNORECASE)
_KEY_LIKE = re.compile(r"\bbearer\s+\S+|\bsk-\S+|\b\d{6,}:[\w-]{20,}|[\w+/=-]{24,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``json``: None for a body that is not JSON. ``text_head``: its start, safe to show."""

    status: int
    json: Json = None
    text_head: str = ""
    headers: httpx.Headers = field(default_factory=httpx.Headers, repr=False)

    @property
    def wait_s(self) -> float | None:
        return retry_after_s(self.headers)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from ``Retry-After``, an hour at most. Of its form with a date, the reply's own ``Date`` is
    taken off: no clock of ours, which may be wrong. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
        return min(float(value), RETRY_AFTER_MAX_S)
    try:
        until, sent = (parsedate_to_datetime(text) for text in (value, headers.get("date", "")))
        return min(max(0.0, (until - sent).total_seconds()), RETRY_AFTER_MAX_S)
    except (ValueError, TypeError, OverflowError):  # no date, or only one of the two with a zone
        return None


def safe(text: str) -> str:
    """Foreign text, fit to be logged and shown: one short line without links, keys and control characters."""
    line = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text[:4000])
    line = _KEY_LIKE.sub("(hidden)", _LINK.sub("(link)", line))
    line = " ".join(line.split())
    return line if len(line) <= TEXT_MAX else line[: TEXT_MAX - 1].rstrip() + "…"


class Line:
    """The HTTP line to one upstream. ``secret`` is taken out of whatever comes back over it."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        secret: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        read_s: float = READ_S,
        total_s: float = TOTAL_S,
    ) -> None:
        self._secret = secret.encode() if secret and len(secret) >= SECRET_MIN else None
        self._total_s = total_s
        self._looks = _client(url, headers, transport, read_s, keepalive=8)
        # A kept connection may have been closed over there a moment ago. A look is then simply asked again,
        # but of a submit nobody would know whether it arrived: each one gets a connection of its own.
        self._submits = _client(url, headers, transport, read_s, keepalive=0)

    async def get(self, path: str, **params: str) -> Reply:
        """Ask for what is free to ask. Raises Unavailable if no answer comes."""
        request = self._looks.build_request("GET", path, params=params or None)
        return await self._exchange(self._looks, request, Unavailable)

    async def submit(self, path: str, body: Mapping[str, str]) -> Reply:
        """Send what may be charged. Raises Unavailable if it surely did not go out, else OutcomeUnknown."""
        request = self._submits.build_request("POST", path, json=dict(body))
        return await self._exchange(self._submits, request, OutcomeUnknown)

    async def aclose(self) -> None:
        await self._looks.aclose()
        await self._submits.aclose()

    async def _exchange(
        self, client: httpx.AsyncClient, request: httpx.Request, lost: type[ProviderError]
    ) -> Reply:
        async with _our_errors(lost), asyncio.timeout(self._total_s):
            response = await client.send(request, stream=True)
            try:
                body = await _capped(response, lost)
            finally:
                await response.aclose()
        # Some upstreams quote the key in what they say about it.
        return reply_of(response, body.replace(self._secret, b"(hidden)") if self._secret else body)


def reply_of(response: httpx.Response, body: bytes) -> Reply:
    """Of a response whose body was read: any bytes at all."""
    head = safe(body[:4000].decode(errors="replace"))
    return Reply(response.status_code, _json_in(body), head, response.headers)


# A proxy of the environment is for the internet, never for a server on this machine.
NO_PROXY = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}


def _client(
    url: str,
    headers: Mapping[str, str],
    transport: httpx.AsyncBaseTransport | None,
    read_s: float,
    *,
    keepalive: int,
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=_checked(url, headers),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json", **headers},
        transport=transport,
        mounts=NO_PROXY,
        timeout=httpx.Timeout(read_s, connect=CONNECT_S, pool=CONNECT_S),
        verify=_tls(),
        limits=httpx.Limits(max_keepalive_connections=keepalive),
        follow_redirects=False,  # a key must not travel to another host
    )


@cache
def _tls() -> ssl.SSLContext:
    """One for all: reading the certificates takes longer than anything else at the start."""
    return httpx.create_ssl_context()


def _checked(url: str, headers: Mapping[str, str]) -> httpx.URL:
    """What would fail at every request fails here. Without a cause: its text could hold the key."""
    if not all(
        value.isascii() and value.isprintable() and value == value.strip() for value in headers.values()
    ):
        raise Misconfigured("its key or cookie holds characters that cannot be sent")
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise Misconfigured("its address cannot be read") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise Misconfigured("its address is not an http or https URL")
    return address


@asynccontextmanager
async def _our_errors(lost: type[ProviderError]) -> AsyncIterator[None]:
    try:
        yield
    except NEVER_SENT as error:
        raise Unavailable(f"it cannot be reached ({type(error).__name__})") from error
    except (httpx.RequestError, TimeoutError) as error:
        raise lost(f"no usable answer came ({type(error).__name__})") from error


async def _capped(response: httpx.Response, lost: type[ProviderError]) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise lost(f"the answer is larger than {BODY_MAX_BYTES:,} bytes")
    return bytes(body)


def _json_in(body: bytes) -> Json:
    try:
        value: Json = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError:  # also too deep, not UTF-8, or with half a surrogate pair that no database takes
        return None
    return value
