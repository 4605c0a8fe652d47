"""``parse_mode=HTML``, parsed and refused as the Bot API does it.

https://core.telegram.org/bots/api#html-style
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sandbox.telegram.entities import Entity, Formatted, checked_url, ordered
from sandbox.telegram.errors import ApiError, bad_request

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
CHARACTER = re.compile(r"&(?:#x(?P<hex>[0-9a-fA-F]+);?|#(?P<dec>\d+);?|(?P<name>lt|gt|amp|quot);?)")
START_NAME = re.compile(r"<([^\s>]*)")
END_TAG = re.compile(r"</([^\s>]*)\s*")
ATTRIBUTE_NAME = re.compile(r"\s*([^\s=>/\"']*)\s*")
TOKEN = re.compile(r"[A-Za-z0-9.-]*")
UNMATCHED_SURROGATES = (
    "Text contains invalid Unicode characters after decoding HTML entities, "
    "check for unmatched surrogate code units"
)


@dataclass(frozen=True)
class Open:
    """A start tag that waits for its end."""

    tag: str
    attributes: Mapping[str, str]
    offset: int


@dataclass
class Parser:
    """One pass over the markup; ``at`` is the position in it, ``done`` the text so far."""

    markup: str
    at: int = 0
    done: list[str] = field(default_factory=list)
    length: int = 0
    nested: list[Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def parse(self) -> Formatted:
        while self.at < len(self.markup):
            if self.markup.startswith("</", self.at):
                self.end_tag()
            elif self.markup[self.at] == "<":
                self.start_tag()
            else:
                self.plain()
        if self.nested:
            raise unparsable(f'Can\'t find end tag corresponding to start tag "{self.nested[-1].tag}"')
        return Formatted(checked("".join(self.done)), ordered(merged(self.entities)))

    def plain(self) -> None:
        end = self.markup.find("<", self.at)
        end = len(self.markup) if end < 0 else end
        text = decoded(self.markup[self.at : end])
        self.done.append(text)
        self.length += len(text.encode("utf-16-le", "surrogatepass")) // 2
        self.at = end

    def byte_offset(self, position: int) -> int:
        return len(self.markup[:position].encode())

    def start_tag(self) -> None:
        begin = self.byte_offset(self.at)
        name = START_NAME.match(self.markup, self.at)
        if name is None or name.end() == len(self.markup):
            raise unparsable(f"Unclosed start tag at byte offset {begin}")
        tag = name[1].lower()
        if tag not in TAGS:
            raise unparsable(f'Unsupported start tag "{tag}" at byte offset {begin}')
        self.at = name.end()
        attributes = self.attributes(tag, begin)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.nested.append(Open(tag, attributes, self.length))

    def attributes(self, tag: str, begin: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while self.skip_space() != ">":
            name = ATTRIBUTE_NAME.match(self.markup, self.at)
            if name is None or not name[1]:
                raise unparsable(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
            self.at = name.end()
            found[name[1].lower()] = self.attribute_value(tag, begin)
        self.at += 1
        return found

    def attribute_value(self, tag: str, begin: int) -> str:
        follower = self.markup[self.at : self.at + 1]
        if follower == "=":
            self.at += 1
            follower = self.skip_space()
            if follower in ("'", '"'):
                return self.quoted(follower, begin)
            if follower:
                return self.token()
        if not follower:
            raise unparsable(f'Unclosed start tag "{tag}" at byte offset {begin}')
        return ""  # an attribute without a value, like "expandable"

    def skip_space(self) -> str:
        """The next character that is no space, "" at the end."""
        while self.markup[self.at : self.at + 1].isspace():
            self.at += 1
        return self.markup[self.at : self.at + 1]

    def quoted(self, quote: str, begin: int) -> str:
        end = self.markup.find(quote, self.at + 1)
        if end < 0:
            raise unparsable(f"Unclosed start tag at byte offset {begin}")
        value, self.at = self.markup[self.at + 1 : end], end + 1
        return decoded(value)

    def token(self) -> str:
        begin = self.byte_offset(self.at)
        token = TOKEN.match(self.markup, self.at)
        end = token.end() if token else self.at
        if not (self.markup[end : end + 1].isspace() or self.markup[end : end + 1] == ">"):
            raise unparsable(f"Unexpected end of name token at byte offset {begin}")
        value, self.at = self.markup[self.at : end].lower(), end
        return value

    def end_tag(self) -> None:
        begin = self.byte_offset(self.at)
        if not self.nested:
            raise unparsable(f"Unexpected end tag at byte offset {begin}")
        name = END_TAG.match(self.markup, self.at)
        if name is None or self.markup[name.end() : name.end() + 1] != ">":
            raise unparsable(f"Unclosed end tag at byte offset {begin}")
        opened, found = self.nested.pop(), name[1].lower()
        if found not in ("", opened.tag):
            expected = f'expected "</{opened.tag}>", found "</{found}>"'
            raise unparsable(f"Unmatched end tag at byte offset {begin}, {expected}")
        self.at = name.end() + 1
        self.entities += entity_of(opened, self.length - opened.offset, "".join(self.done))


def parse_html(markup: str) -> Formatted:
    """Markup to text and entities; ApiError 400 "can't parse entities: ..." with Telegram's reason."""
    return Parser(markup).parse()


def unparsable(reason: str) -> ApiError:
    return bad_request(f"Can't parse entities: {reason}")


def decoded(text: str) -> str:
    return CHARACTER.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    if match["name"]:
        return NAMED[match["name"]]
    code = int(match["hex"], 16) if match["hex"] else int(match["dec"])
    return chr(code) if 0 < code <= 0x10FFFF else match[0]


def checked(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise bad_request(UNMATCHED_SURROGATES) from error
    return text


def entity_of(opened: Open, length: int, text: str) -> list[Entity]:
    """The entity that a closed tag makes; none for an empty range or a link that leads nowhere."""
    if length <= 0:
        return []
    entity = Entity(TAGS[opened.tag], opened.offset, length)
    if opened.tag == "a":
        content = text.encode("utf-16-le", "surrogatepass")[opened.offset * 2 :].decode("utf-16-le", "ignore")
        url = checked_url(opened.attributes.get("href") or content)
        return [replace(entity, url=url)] if url else []
    if opened.tag == "tg-emoji":
        return [replace(entity, custom_emoji_id=emoji_id(opened.attributes.get("emoji-id", "")))]
    if opened.tag == "blockquote" and "expandable" in opened.attributes:
        return [replace(entity, type="expandable_blockquote")]
    language = opened.attributes.get("class", "").partition("language-")[2] if opened.tag == "code" else ""
    return [replace(entity, language=language)]


def emoji_id(text: str) -> str:
    if not text.isdecimal():
        raise bad_request("Can't parse entities: Invalid custom emoji identifier specified")
    return text


def merged(entities: list[Entity]) -> list[Entity]:
    """``<pre><code class="language-x">`` over one range is a single ``pre`` with a language."""
    ranges = {(e.offset, e.length) for e in entities if e.type == "pre"}
    languages = {(e.offset, e.length): e.language for e in entities if e.type == "code" and e.language}
    kept: list[Entity] = []
    for entity in entities:
        span = (entity.offset, entity.length)
        if entity.type == "pre":
            kept.append(replace(entity, language=languages.get(span, "")))
        elif entity.type == "code" and entity.language:
            kept += [] if span in ranges else [replace(entity, language="")]
        else:
            kept.append(entity)
    return kept
