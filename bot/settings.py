"""Every setting, parsed once from the environment and ``.env``; nothing else reads the environment.

``Settings`` is a plain value that can also be built from keywords, without any environment. ``load`` fills it
for the commands; whatever is wrong becomes one line per setting, with its name and a right example.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticUseDefault
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.setting_values import (
    PROVIDERS,
    ChatIds,
    DatabaseUrl,
    Days,
    Flag,
    Key,
    LogFormat,
    LogLevel,
    Port,
    Price,
    ProviderNames,
    PublicUrl,
    Seconds,
    SelfHostedUrl,
    Token,
    Url,
    UserIds,
)

TELEGRAM = "https://api.telegram.org"
# What makes a provider usable; the others are there with a key.
ESSENTIAL = {name: f"{name}_api_key" for name in PROVIDERS} | {"suno_api": "suno_api_url"}


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What one upstream needs. Prices are in this bot's credits."""

    name: str
    url: str
    key: SecretStr | None
    cookie: SecretStr | None
    price_basic: int
    price_full: int


class Settings(BaseModel):
    """A field per setting: its name in small letters, its default, its meaning in the words of the README.
    ``telegram_token`` is empty only where nobody is served: see ``load``."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    telegram_token: Token = Field(SecretStr(""), description="the bot's token from @BotFather; required")
    telegram_api_url: Url = Field(
        TELEGRAM, description="another Bot API server", examples=["http://127.0.0.1:8081"]
    )
    telegram_local_mode: Flag = Field(
        False,
        description="that server is one of your own, run with `--local`: files up to 2000 MB, not 50 MB",
    )
    database_url: DatabaseUrl = Field(
        SecretStr("sqlite:///stembot.db"),
        description="a SQLite file, or `postgresql://user:password@host/database`",
    )
    providers: ProviderNames = Field(
        (),
        description="which upstreams, in order of preference, comma-separated: `sunoapi_org`, `kie`, "
        "`apikley`, `sunoapi_com`, `suno_api`; if not set, all that are configured, in this order",
    )
    sunoapi_org_api_key: Key = Field(None, description="key for sunoapi.org")
    sunoapi_org_url: Url = Field("https://api.sunoapi.org", description="address of sunoapi.org")
    kie_api_key: Key = Field(None, description="key for kie.ai")
    kie_url: Url = Field("https://api.kie.ai", description="address of kie.ai")
    apikley_api_key: Key = Field(None, description="key for apikley.ru")
    apikley_url: Url = Field("https://api.apikley.ru", description="address of apikley.ru")
    sunoapi_com_api_key: Key = Field(None, description="key for sunoapi.com")
    sunoapi_com_url: Url = Field("https://api.sunoapi.com", description="address of sunoapi.com")
    suno_api_url: SelfHostedUrl = Field(None, description="address of a self-hosted gcui-art/suno-api")
    suno_api_cookie: Key = Field(None, description="a Suno cookie for it, if it has none of its own")
    sunoapi_org_price_basic: Price = Field(10, description="credits for two stems from sunoapi.org")
    sunoapi_org_price_full: Price = Field(50, description="credits for the full set from sunoapi.org")
    kie_price_basic: Price = Field(10, description="credits for two stems from kie.ai")
    kie_price_full: Price = Field(50, description="credits for the full set from kie.ai")
    apikley_price_basic: Price = Field(10, description="credits for two stems from apikley.ru")
    apikley_price_full: Price = Field(50, description="credits for the full set from apikley.ru")
    sunoapi_com_price_basic: Price = Field(10, description="credits for two stems from sunoapi.com")
    sunoapi_com_price_full: Price = Field(50, description="credits for the full set from sunoapi.com")
    suno_api_price_basic: Price = Field(10, description="credits for two stems from suno-api")
    suno_api_price_full: Price = Field(50, description="credits for the full set from suno-api")
    repeat_price: Price = Field(
        0, description="credits for stems from the archive, or for joining running work"
    )
    signup_credits: Price = Field(100, description="credits granted once to a new user")
    admins: UserIds = Field(frozenset(), description="Telegram user ids of operators, comma-separated")
    allowed_users: UserIds = Field(frozenset(), description="if set, only these users are served (ids)")
    allowed_chats: ChatIds = Field(
        frozenset(), description="if set, only these chats are served (ids; a private chat has its user's id)"
    )
    look_first_seconds: Seconds = Field(15.0, description="when a running task is looked at first")
    look_every_seconds: Seconds = Field(
        10.0,
        description="and then how often; the wait grows towards 30 s. If not set, no more often than the "
        "upstream advises",
    )
    job_deadline_seconds: Seconds = Field(
        1800.0, description="a separation older than this fails, at no cost"
    )
    keep_updates_days: Days = Field(
        3.0, description="handled updates, answered lookups and operator messages are forgotten after this"
    )
    keep_jobs_days: Days = Field(
        365.0, description="jobs that ended are forgotten after this; what they cost stays in the ledger"
    )
    public_url: PublicUrl = Field(None, description="where the internet reaches the HTTP service (https)")
    http_host: str = Field("127.0.0.1", description="where the HTTP service listens")
    http_port: Port = Field(8080, description="its port; 0 takes any free one")
    telegram_webhook: Flag = Field(
        False, description="updates by webhook at `<PUBLIC_URL>/telegram` instead of long polling"
    )
    allow_private_file_hosts: Flag = Field(
        False, description="lets stem links be http or on private addresses; for the sandbox and tests only"
    )
    log_level: LogLevel = Field("INFO", description="`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`")
    log_format: LogFormat = Field("text", description="`text`, or `json` for one object per line")

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_not_set(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if not value.strip():
            raise PydanticUseDefault
        return value.strip()

    def provider(self, name: str) -> ProviderSettings:
        """The settings of one upstream, whether it is in use or not."""
        return ProviderSettings(
            name=name,
            url=self._of(name, "url") or "",
            key=self._of(name, "api_key"),
            cookie=self._of(name, "cookie"),
            price_basic=self.price(name, "basic"),
            price_full=self.price(name, "full"),
        )

    def providers_in_use(self) -> tuple[ProviderSettings, ...]:
        """In order of preference: those that PROVIDERS names, else all that are configured."""
        configured = (name for name, field in ESSENTIAL.items() if getattr(self, field) is not None)
        return tuple(map(self.provider, self.providers or configured))

    def price(self, provider_name: str, mode: str) -> int:
        """What a job of ``mode`` ("basic", "full") costs there, in this bot's credits."""
        price: int = self._of(provider_name, f"price_{mode}")
        return price

    def look_every_s(self, advised_s: float) -> float:
        """How often to look at an upstream that advises this: what is set wins."""
        is_set = "look_every_seconds" in self.model_fields_set
        return self.look_every_seconds if is_set else max(self.look_every_seconds, advised_s)

    def secrets(self) -> tuple[str, ...]:
        """Every text that no log line may hold."""
        values = [getattr(self, name) for name in Settings.model_fields if name != "database_url"]
        secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        passwords = re.findall(r"(?:://[^:/@]*:|[?&]password=)([^@&]+)", self.database_url.get_secret_value())
        return tuple(filter(None, [*secrets, *passwords, *map(unquote, passwords)]))

    def _of(self, provider_name: str, what: str) -> Any:
        return getattr(self, f"{provider_name}_{what}", None)


class _FromEnvironment(BaseSettings, Settings):
    model_config = SettingsConfigDict(
        env_file_encoding="utf-8-sig",  # Windows editors put a byte order mark before the first name
        env_ignore_empty=True,
        extra="ignore",  # .env is shared with docker compose
        validate_default=False,
    )


@dataclass(frozen=True, slots=True)
class WrongSetting:
    """``example`` is a whole assignment. str() is the line the operator reads; no secret is in it."""

    name: str
    problem: str
    example: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}. Example: {self.example}"


class WrongSettings(Exception):
    """One setting is wrong, or several; str() has a line for each."""

    def __init__(self, *wrong: WrongSetting) -> None:
        super().__init__("\n".join(map(str, wrong)))
        self.wrong = wrong


def load(env_file: Path | None = Path(".env"), *, serving: bool = True) -> Settings:
    """The settings of the environment, which wins, and of ``env_file``, if there is one.

    ``serving`` is for those who talk to Telegram and to upstreams: it needs a token and a provider.
    Raises WrongSettings.
    """
    try:
        settings = _FromEnvironment(_env_file=env_file)
    except ValidationError as error:
        # Not chained, here and below: the cause holds what was typed, secrets too.
        raise WrongSettings(*map(_wrong, error.errors())) from None
    except (OSError, UnicodeDecodeError) as error:
        problem = f"cannot be read ({type(error).__name__})"
        raise WrongSettings(WrongSetting(str(env_file), problem, "cp .env.example .env")) from None
    if wrong := [*_contradictions(settings), *(_missing_to_serve(settings) if serving else ())]:
        raise WrongSettings(*wrong)
    return settings


def typos(env_file: Path = Path(".env")) -> list[str]:
    """A line for each name in ``env_file`` that is no setting, but nearly one."""
    known = [name.upper() for name in Settings.model_fields]
    unknown = sorted(
        {name.upper() for name in dotenv_values(env_file, encoding="utf-8-sig")}.difference(known)
    )
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.85) for name in unknown}
    return [
        f"{name} in {env_file} is not a setting. Is {meant[0]} meant?"
        for name, meant in near.items()
        if meant
    ]


# pydantic's kinds of error, said for people who do not know pydantic.
PROBLEMS = {
    "int_parsing": '"{input}" is not a whole number',
    "int_parsing_size": "is too large a number",
    "float_parsing": '"{input}" is not a number',
    "finite_number": '"{input}" is not a number',
    "bool_parsing": '"{input}" is neither true nor false',
    "greater_than": '"{input}" is not more than {gt:g}',
    "greater_than_equal": '"{input}" is less than {ge}',
    "less_than_equal": '"{input}" is more than {le}',
    "literal_error": '"{input}" is not one of {expected}',
    "value_error": "{error}",
}


def _wrong(error: ErrorDetails) -> WrongSetting:
    name = str(error["loc"][0]).upper()
    typed = " ".join(str(error["input"]).split())[:60]
    problem = PROBLEMS.get(error["type"], "cannot be used").format(input=typed, **error.get("ctx", {}))
    return WrongSetting(name, problem, _example(name))


def _example(name: str) -> str:
    field = Settings.model_fields[name.lower()]
    value = field.examples[0] if field.examples else str(field.default).removesuffix(".0")
    return f"{name}={value}"


def _contradictions(settings: Settings) -> Iterator[WrongSetting]:
    for name in settings.providers:
        field = ESSENTIAL[name]
        if getattr(settings, field) is None:
            yield WrongSetting(
                field.upper(), f"is not set, but PROVIDERS names {name}", _example(field.upper())
            )
    if settings.telegram_webhook and settings.public_url is None:
        yield WrongSetting("PUBLIC_URL", "is not set, but TELEGRAM_WEBHOOK needs it", _example("PUBLIC_URL"))
    if settings.telegram_local_mode and settings.telegram_api_url == TELEGRAM:
        problem = "is Telegram's own, but TELEGRAM_LOCAL_MODE needs a server of yours"
        yield WrongSetting("TELEGRAM_API_URL", problem, _example("TELEGRAM_API_URL"))


def _missing_to_serve(settings: Settings) -> Iterator[WrongSetting]:
    if not settings.telegram_token.get_secret_value():
        yield WrongSetting(
            "TELEGRAM_TOKEN", "is not set; @BotFather gives you one", _example("TELEGRAM_TOKEN")
        )
    if not settings.providers_in_use():
        problem = "no upstream has a key; one is enough"
        yield WrongSetting("PROVIDERS", problem, _example("KIE_API_KEY"))
