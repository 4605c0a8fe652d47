"""Requests that can only leave for the public internet, whatever a link, a redirect or a name server says."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

import httpx

ADDRESSES_TRIED = 3
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class NotPublic(Exception):
    """The link leads elsewhere than to the public internet over https. The text names only the host."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, best first; never empty. Raises socket.gaierror, UnicodeError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PublicOnly(httpx.AsyncBaseTransport):
    """Lets requests go only over https, on the usual ports, to public addresses; else raises NotPublic.

    The name is resolved here and the connection made to the address that was checked, so a name server that
    answers differently the second time changes nothing. Host header, SNI and certificate keep the name.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, resolve: Resolve = resolve) -> None:
        self._inner, self._resolve = inner, resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _check_url(request.url)
        *others, last = (await self._addresses(request.url))[:ADDRESSES_TRIED]
        for address in others:
            try:
                return await self._inner.handle_async_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # such as an IPv6 address where there is no IPv6
        return await self._inner.handle_async_request(_pinned(request, last))

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        try:
            addresses = await self._resolve(url.raw_host.decode(), url.port or 443)
        except socket.gaierror as error:
            raise httpx.ConnectError(f"the name {url.host} was not found") from error
        except UnicodeError as error:
            raise NotPublic("the link names an impossible host") from error
        if not all(is_public(address) for address in addresses):
            raise NotPublic(f"{url.host} is not on the public internet")
        return addresses

    async def aclose(self) -> None:
        await self._inner.aclose()


def direct() -> httpx.AsyncHTTPTransport:
    """A plain transport, no proxies. It keeps no connections: a kept one knows its address, not its name."""
    return httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def _pinned(request: httpx.Request, address: str) -> httpx.Request:
    # https://www.python-httpx.org/advanced/extensions/#sni_hostname
    extensions = {**request.extensions, "sni_hostname": request.url.raw_host.decode()}
    url = request.url.copy_with(host=address)
    return httpx.Request(
        request.method, url, headers=request.headers, stream=request.stream, extensions=extensions
    )


def _check_url(url: httpx.URL) -> None:
    if url.scheme != "https" or not url.host or url.userinfo:
        raise NotPublic("only https links without a password are fetched")
    if url.port not in {None, 80}:  # None: 443
        raise NotPublic(f"links with port {url.port} are not fetched")


def is_public(text: str) -> bool:
    """Whether an address belongs to the open internet. Where IPv6 carries an IPv4 address, it counts."""
    address = _carried(ipaddress.ip_address(text))
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
