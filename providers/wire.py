"""Tolerant reading of what an upstream sends: nothing here raises, an odd value reads as None."""

import math
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict

from providers.base import Json

CODE_MAX = 10_000  # more is no code
TEXT_MAX = 4000  # what is longer is cut: no id, no title and no link is


def text_in(value: object) -> str | None:
    """Text without its outer blanks; a number as text, because ids and flags come as either.

    Without its NULs, too: PostgreSQL refuses them.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).replace("\0", "").strip()[:TEXT_MAX].rstrip() or None


def number_in(value: object) -> float | None:
    """A finite number, also from text: ``"104.88"``."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def code_in(value: object) -> int | None:
    """A body's status code, also from text: ``"200"``."""
    number = number_in(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < CODE_MAX else None


def link_in(value: object) -> str | None:
    """An absolute http(s) link as it was given, with its spaces percent-encoded."""
    if not isinstance(value, str):
        return None
    link = value.strip()
    try:
        parts = urlsplit(link)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # "http://[", "http://host:port"
        return None
    return link.replace(" ", "%20") if usable and link.isprintable() else None


def records_in(value: Json) -> list[dict[str, Json]]:
    """The objects of a list; an object alone counts as a list of one, because some answers drop the list."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def record_in(value: Json) -> dict[str, Json]:
    """The first object, empty if there is none."""
    return next(iter(records_in(value)), {})


# What Suno, and whoever passes its answers on, calls the one who made a song, and the song's picture.
ARTIST = AliasChoices("display_name", "displayName", "artist")
COVER = AliasChoices("image_url", "imageUrl", "image_large_url", "imageLargeUrl")

Text = Annotated[str | None, BeforeValidator(text_in)]
Number = Annotated[float | None, BeforeValidator(number_in)]
Code = Annotated[int | None, BeforeValidator(code_in)]
Link = Annotated[str | None, BeforeValidator(link_in)]
Anything = Annotated[Any, "read further by hand"]


class Wire(BaseModel):
    """A part of an answer. Every field has a default, and a type that takes anything."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def read(cls, value: Json) -> Self:
        """From a JSON object. null and "" mean absent, so that the other spelling of a name gets its turn."""
        record = value if isinstance(value, dict) else {}
        return cls.model_validate({key: item for key, item in record.items() if item not in (None, "")})
