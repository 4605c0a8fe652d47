"""Every upstream there is, in the order of preference; the only list."""

from collections.abc import Callable

import httpx

from providers import apikley, kie, sunoapi_org
from providers.base import Provider
from providers.suno_api import SunoApi
from providers.sunoapi_com import SunoApiCom
from providers.vocal_removal import Brand, VocalRemoval

Transport = httpx.AsyncBaseTransport | None
Builder = Callable[[str, str, str | None, Transport], Provider]  # url, key, cookie, transport


def _of(brand: Brand) -> Builder:
    return lambda url, key, _, transport: VocalRemoval(brand, url, key, transport=transport)


BUILDERS: dict[str, Builder] = {
    "sunoapi_org": _of(sunoapi_org.BRAND),
    "kie": _of(kie.BRAND),
    "apikley": _of(apikley.BRAND),
    "sunoapi_com": lambda url, key, _, transport: SunoApiCom(url, key, transport=transport),
    "suno_api": lambda url, _, cookie, transport: SunoApi(url, cookie, transport=transport),
}
names: tuple[str, ...] = tuple(BUILDERS)


def build(
    name: str, url: str, key: str = "", cookie: str | None = None, transport: Transport = None
) -> Provider:
    """The provider of this name (KeyError: there is none). ``key`` and ``cookie`` only where it has such.
    Raises Misconfigured for what cannot be sent. To be closed with ``aclose()``."""
    return BUILDERS[name](url, key, cookie, transport)
