"""What the text of a setting may be: one type per kind of value, with an example where the default is none.

A complaint never quotes a secret, nor a text that may hold one.
"""

import re
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

PROVIDERS = ("sunoapi_org", "kie", "apikley", "sunoapi_com", "suno_api")  # in order of preference


def _token(secret: SecretStr) -> SecretStr:
    # Not how long it is: a Bot API server of one's own may give others. `stembot check` finds wrong ones.
    if not re.fullmatch(r"\d+:[\w-]+", secret.get_secret_value(), re.ASCII):
        raise ValueError("does not look like a bot token (digits, a colon, letters and digits)")
    return secret


def _header_text(secret: SecretStr | None) -> SecretStr | None:
    # httpx would refuse it only when it is sent, in an error that quotes it.
    if secret and not re.fullmatch(r"[ -~]+", secret.get_secret_value()):
        raise ValueError("holds a character that cannot be sent in a header")
    return secret


def _url(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port == 0 or not re.fullmatch(r"https?://[!-~]+", url, re.IGNORECASE):
        raise ValueError("is not a web address")
    if re.search(r"[@?#]", url):
        raise ValueError("must be a plain address, without a password, ? or #")
    return url.rstrip("/")


def _public_url(url: str | None) -> str | None:
    if url and urlsplit(url).scheme == "http" and not _is_this_machine(urlsplit(url).hostname or ""):
        raise ValueError("must begin with https:// (http:// will do for this machine only)")
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _database_url(secret: SecretStr) -> SecretStr:
    kind, _, place = secret.get_secret_value().partition("://")
    if kind == "postgresql" and place:
        return secret
    # A database in memory is one connection, hence one transaction for all.
    if kind == "sqlite" and re.match(r"/[^?]", place) and ":memory:" not in place:
        return secret
    raise ValueError("is neither sqlite:///<file> nor postgresql://<user>:<password>@<host>/<database>")


def _items(text: object) -> object:
    return [item.strip() for item in text.split(",") if item.strip()] if isinstance(text, str) else text


def _known_providers(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := set(names).difference(PROVIDERS):
        raise ValueError(f'"{min(unknown)}" is not one of {", ".join(PROVIDERS)}')
    return tuple(dict.fromkeys(names))


def _upper(text: object) -> object:
    return text.upper() if isinstance(text, str) else text


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _example(text: str) -> Any:
    return Field(examples=[text])


Token = Annotated[
    SecretStr, AfterValidator(_token), _example("123456789:AAE-an_example_of_thirty-five_chars")
]
Key = Annotated[SecretStr | None, AfterValidator(_header_text), _example("the-key-from-your-account")]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url), _example("sqlite:///stembot.db")]

Url = Annotated[str, AfterValidator(_url)]
SelfHostedUrl = Annotated[str | None, AfterValidator(_url), _example("http://localhost:3000")]
PublicUrl = Annotated[
    str | None, AfterValidator(_url), AfterValidator(_public_url), _example("https://bot.example.com")
]
Port = Annotated[int, Field(ge=0, le=65_535)]

Price = Annotated[int, Field(ge=0, le=1_000_000)]
# Upstreams keep their files for 14 days: nothing here is usefully longer.
Seconds = Annotated[float, Field(gt=0, le=14 * 86_400, allow_inf_nan=False)]
Days = Annotated[float, Field(ge=2, le=36_500, allow_inf_nan=False)]  # Telegram repeats updates for one
Flag = Annotated[bool, _example("true")]

# NoDecode: plain lists with commas, where pydantic-settings would read JSON. Of several BeforeValidators
# the last one runs first.
UserIds = Annotated[
    frozenset[Annotated[int, Field(gt=0)]], NoDecode, BeforeValidator(_items), _example("123456789,987654321")
]
ChatIds = Annotated[frozenset[int], NoDecode, BeforeValidator(_items), _example("-1001234567890")]
ProviderNames = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(_items),
    BeforeValidator(_lower),
    AfterValidator(_known_providers),
    _example("kie,sunoapi_org"),
]

LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(_lower)]
