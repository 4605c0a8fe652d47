"""The server's files: bytes on disk by their hash, ``file_id``s by send, and audio read for its tags.

https://core.telegram.org/bots/api#sending-files
"""

import asyncio
import base64
import hashlib
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

import av

from sandbox.telegram.errors import ApiError, bad_request
from sandbox.telegram.messages import Attachment

CHUNK_BYTES = 256 * 1024
MIME_TYPES = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".wav": "audio/x-wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".zip": "application/zip",
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".json": "application/json",
}
PLAYABLE = {
    "audio/mpeg",
    "audio/mp4",
}  # what the music player takes; sendAudio of the rest ends as a document
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF")
FOLDERS = {"audio": "music", "document": "documents", "photo": "photos"}
WRONG_FILE = "wrong file identifier/HTTP URL specified"


@dataclass(frozen=True, slots=True)
class Tags:
    """What the file itself says; zero and empty where it says nothing."""

    duration: int = 0
    title: str = ""
    performer: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that are on disk."""

    path: Path
    size: int
    unique_id: str
    tags: Tags
    is_picture: bool


class Files:
    """Everything that was uploaded or fetched; ids belong to this bot only."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._contents: dict[str, Content] = {}
        self._sent: dict[str, tuple[Attachment, Content]] = {}

    async def keep(self, source: BinaryIO) -> Content:
        """Stream a file to disk; ApiError 400 for an empty one."""
        return await asyncio.to_thread(self._keep, source)

    def _keep(self, source: BinaryIO) -> Content:
        digest, size, head = hashlib.sha256(), 0, b""
        with NamedTemporaryFile(dir=self._folder, delete=False) as target:
            while chunk := source.read(CHUNK_BYTES):
                head = head or chunk[:4]
                digest.update(chunk)
                size += target.write(chunk)
        if size == 0:
            Path(target.name).unlink()
            raise bad_request("file must be non-empty")
        path = Path(target.name).rename(self._folder / digest.hexdigest())
        unique_id = "AgAD" + base64.urlsafe_b64encode(digest.digest()[:9]).decode()
        is_picture = head.startswith(PICTURES)
        content = Content(path, size, unique_id, Tags() if is_picture else tags_of(path), is_picture)
        return self._contents.setdefault(unique_id, content)

    def send(self, content: Content, made: Attachment) -> Attachment:
        """Give an attachment an id of its own for this send."""
        file_id = f"CQAC{secrets.token_urlsafe(40)}"
        sent = replace(made, file_id=file_id)
        self._sent[file_id] = (sent, content)
        return sent

    def known(self, file_id: str) -> tuple[Attachment, Content]:
        """What a ``file_id`` stands for; ApiError 400 for one that is not this bot's."""
        try:
            return self.sent(file_id)
        except KeyError as error:
            raise bad_request(WRONG_FILE) from error

    def sent(self, file_id: str) -> tuple[Attachment, Content]:
        """What was sent under this id; KeyError."""
        return self._sent[file_id]

    def wire_path(self, file_id: str) -> str:
        """``file_path`` of getFile."""
        sent, content = self.known(file_id)
        suffix = Path(sent.file_name).suffix
        return f"{FOLDERS[sent.kind]}/{content.unique_id}{suffix}"

    def by_wire_path(self, wire_path: str) -> Path | None:
        content = self._contents.get(Path(wire_path).stem)
        return content.path if content else None


def mime_type(file_name: str) -> str:
    """The type that Telegram guesses from a name."""
    return MIME_TYPES.get(Path(file_name).suffix.lower(), "application/octet-stream")


def tags_of(path: Path) -> Tags:
    """Duration (whole seconds), title and performer as the file tells them."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return Tags()
            seconds = (container.duration or 0) // av.time_base
            names = {key.lower(): value for key, value in container.metadata.items()}
            return Tags(seconds, names.get("title", ""), names.get("artist", ""))
    except (av.FFmpegError, ValueError):
        return Tags()  # not media: Telegram takes it all the same


def wrong_kind(sent: Attachment, kind: str) -> ApiError:
    """A ``file_id`` keeps its type."""
    return bad_request(f"can't use file of type {sent.kind.capitalize()} as {kind.capitalize()}")
