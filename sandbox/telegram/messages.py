"""A message as it is now, and its form on the wire. An edit makes a new value.

https://core.telegram.org/bots/api#message
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.entities import NO_TEXT, Formatted

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a message; ``kind`` is the message's field: audio, document or photo."""

    kind: str
    file_id: str
    file_unique_id: str
    file_size: int
    file_name: str = ""
    mime_type: str = ""
    duration: int = 0
    title: str = ""
    performer: str = ""
    thumbnail_file_id: str = ""

    def wire(self) -> Any:
        if self.kind == "photo":
            return [{**self._file(), "width": 320, "height": 320}]
        named = {"file_name": self.file_name, "mime_type": self.mime_type}
        if self.kind == "audio":
            named |= {"title": self.title, "performer": self.performer}
        known = {name: value for name, value in named.items() if value}
        duration = {"duration": self.duration} if self.kind == "audio" else {}
        return {**self._file(), **known, **duration, **self._thumbnail()}

    def _file(self) -> Json:
        return {"file_id": self.file_id, "file_unique_id": self.file_unique_id, "file_size": self.file_size}

    def _thumbnail(self) -> Json:
        if not self.thumbnail_file_id:
            return {}
        unique = f"t{self.file_unique_id}"
        size = {"width": 320, "height": 320}
        return {"thumbnail": {"file_id": self.thumbnail_file_id, "file_unique_id": unique, **size}}


@dataclass(frozen=True, slots=True)
class Message:
    """What one message shows. ``message_id`` is 0 until it is in a chat."""

    chat: Mapping[str, Any]
    sender: Mapping[str, Any]
    message_id: int = 0
    date: int = 0
    sender_chat: Mapping[str, Any] | None = None
    formatted: Formatted = NO_TEXT  # the text, or the caption where there is an attachment
    attachment: Attachment | None = None
    reply_markup: Json | None = None
    media_group_id: str | None = None
    message_thread_id: int | None = None
    reply_to: "Message | None" = None
    edit_date: int | None = None
    forward_origin: Json | None = None
    service: Json = field(default_factory=dict)
    shows_preview: bool = True
    reactions: tuple[str, ...] = ()

    @property
    def chat_id(self) -> int:
        return int(self.chat["id"])

    @property
    def sender_id(self) -> int:
        return int(self.sender["id"])

    @property
    def text(self) -> str | None:
        return None if self.attachment or self.service else self.formatted.text

    @property
    def caption(self) -> str | None:
        return (self.formatted.text or None) if self.attachment else None

    @property
    def html(self) -> str:
        """Text or caption in Telegram's HTML."""
        return self.formatted.html

    @property
    def audio(self) -> Attachment | None:
        return self._attached("audio")

    @property
    def document(self) -> Attachment | None:
        return self._attached("document")

    @property
    def photo(self) -> Attachment | None:
        return self._attached("photo")

    @property
    def reply_to_message_id(self) -> int | None:
        return self.reply_to.message_id if self.reply_to else None

    @property
    def buttons(self) -> list[Json]:
        """The inline buttons, row after row."""
        rows = (self.reply_markup or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    def _attached(self, kind: str) -> Attachment | None:
        return self.attachment if self.attachment and self.attachment.kind == kind else None

    def wire(self, *, nested: bool = False) -> Json:
        """The Bot API's Message; a nested one shows no reply of its own."""
        optional = {
            "sender_chat": self.sender_chat,
            "message_thread_id": self.message_thread_id,
            "is_topic_message": True if self.message_thread_id else None,
            "edit_date": self.edit_date,
            "media_group_id": self.media_group_id,
            "forward_origin": self.forward_origin,
            "reply_to_message": self.reply_to.wire(nested=True) if self.reply_to and not nested else None,
            "reply_markup": self.reply_markup if self.buttons else None,
        }
        given = {name: value for name, value in optional.items() if value is not None}
        identity = {"message_id": self.message_id, "from": self.sender, "chat": self.chat, "date": self.date}
        return {**identity, **given, **self._content(), **self.service}

    def _content(self) -> Json:
        field_name, marks = ("caption", "caption_entities") if self.attachment else ("text", "entities")
        content: Json = {self.attachment.kind: self.attachment.wire()} if self.attachment else {}
        if self.formatted.text:
            content[field_name] = self.formatted.text
        if self.formatted.entities:
            content[marks] = [entity.wire() for entity in self.formatted.entities]
        return content
