"""Texts as Telegram counts and marks them: UTF-16 units, entities found in plain text, entities as HTML.

https://core.telegram.org/api/entities
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from urllib.parse import urlsplit

URL_TLDS = "com|org|net|io|ai|me|dev|app|ru|de|fm|gg|co|info|link|audio|music"
FOUND: dict[str, re.Pattern[str]] = {
    "bot_command": re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])"),
    "url": re.compile(
        rf"(?<![\w@])(?:https?://[^\s<>\"]+|(?:[\w-]+\.)+(?:{URL_TLDS})(?![\w.-])(?:[/?#][^\s<>\"]*)?)", re.I
    ),
    "mention": re.compile(r"(?<![\w@/.])@[A-Za-z][A-Za-z0-9_]{2,31}(?!\w)"),
    "hashtag": re.compile(r"(?<![\w#&/])#\w*[^\W\d]\w*"),
}
URL_END = ".,;:!?'\")]}…"
SILENCING = {"code", "pre", "text_link", "text_mention"}  # nothing is looked for inside of these
TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "spoiler": "tg-spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
    "text_link": "a",
    "custom_emoji": "tg-emoji",
}
TYPES = [*TAGS, *FOUND, "text_mention", "email", "phone_number", "cashtag", "date_time"]


@dataclass(frozen=True, slots=True)
class Entity:
    """A marked range of a text; offset and length in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str = ""
    language: str = ""
    custom_emoji_id: str = ""

    @property
    def end(self) -> int:
        return self.offset + self.length

    def wire(self) -> dict[str, Any]:
        extras = {"url": self.url, "language": self.language, "custom_emoji_id": self.custom_emoji_id}
        given = {name: value for name, value in extras.items() if value}
        return {"type": self.type, "offset": self.offset, "length": self.length, **given}


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text and its entities."""

    text: str = ""
    entities: tuple[Entity, ...] = ()

    @property
    def html(self) -> str:
        return to_html(self)


NO_TEXT = Formatted()


def units(text: str) -> int:
    """The length of a text as Telegram counts it, in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def ordered(entities: Sequence[Entity]) -> tuple[Entity, ...]:
    """Outer entities before inner ones, as Telegram lists them."""
    return tuple(sorted(entities, key=lambda e: (e.offset, -e.length, TYPES.index(e.type))))


def found_in(text: str) -> Iterator[Entity]:
    """Commands, links, mentions and hashtags, which Telegram marks by itself."""
    taken: list[tuple[int, int]] = []
    for kind in ("url", "bot_command", "mention", "hashtag"):
        for match in FOUND[kind].finditer(text):
            start, end = match.span()
            if kind == "url":
                end = start + len(match[0].rstrip(URL_END))
            if all(end <= before or start >= after for before, after in taken):
                taken.append((start, end))
                yield Entity(kind, units(text[:start]), units(text[start:end]))


def with_found(formatted: Formatted) -> Formatted:
    """The text with what Telegram finds by itself, outside of code and links."""
    silent = [e for e in formatted.entities if e.type in SILENCING]
    news = [
        e for e in found_in(formatted.text) if all(e.end <= s.offset or e.offset >= s.end for s in silent)
    ]
    return Formatted(formatted.text, ordered([*formatted.entities, *news]))


def trimmed(formatted: Formatted) -> Formatted:
    """Without white space at both ends, entities moved and cut to fit."""
    left = formatted.text.lstrip()
    shift, text = units(formatted.text) - units(left), left.rstrip()
    end = units(text)
    cut = (_cut(entity, shift, end) for entity in formatted.entities)
    return Formatted(text, tuple(entity for entity in cut if entity.length > 0))


def _cut(entity: Entity, shift: int, end: int) -> Entity:
    start = max(0, entity.offset - shift)
    return replace(entity, offset=start, length=min(end, entity.end - shift) - start)


def to_html(formatted: Formatted) -> str:
    """The text in Telegram's HTML, for pages and for tests that read markup."""
    raw = formatted.text.encode("utf-16-le")
    marks = [e for e in ordered(formatted.entities) if e.type in TAGS]
    edges = sorted({0, len(raw) // 2, *(e.offset for e in marks), *(e.end for e in marks)})
    pieces: list[str] = []
    for start, end in zip(edges, [*edges[1:], None], strict=True):
        pieces += [_closing(e) for e in reversed(marks) if e.end == start]
        pieces += [_opening(e) for e in marks if e.offset == start]
        if end is not None:
            pieces.append(escape(raw[start * 2 : end * 2].decode("utf-16-le"), quote=False))
    return "".join(pieces)


def _opening(entity: Entity) -> str:
    attributes = {
        "text_link": f' href="{escape(entity.url)}"',
        "custom_emoji": f' emoji-id="{escape(entity.custom_emoji_id)}"',
        "expandable_blockquote": " expandable",
    }
    code = f'<code class="language-{escape(entity.language)}">' if entity.language else ""
    return f"<{TAGS[entity.type]}{attributes.get(entity.type, '')}>{code}"


def _closing(entity: Entity) -> str:
    return f"{'</code>' if entity.language else ''}</{TAGS[entity.type]}>"


def checked_url(url: str) -> str | None:
    """The link as Telegram keeps it, or None where it refuses it: a host needs a dot, so no localhost."""
    candidate = url.strip()
    if candidate.lower().startswith(("tg:", "ton:")):
        return candidate
    if "://" not in candidate:
        candidate = f"http://{candidate}"
    try:
        parts = urlsplit(candidate)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "." not in host.strip(".") or re.search(r"\s", candidate):
        return None
    bare = not (parts.path or parts.query or parts.fragment)
    return f"{candidate}/" if bare else candidate
