"""What a person typed -> the song they want, and a song in the few bytes that a button holds. Pure.

Understood are a song's UUID, ``<task_id>:<audio_id>``, a bare task id (32 hex digits), links to a song on
suno.com (also app.suno.ai and its file hosts) and share links, whose song only suno.com knows.
"""

import base64
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from providers.base import Mode, SongRef


@dataclass(frozen=True, slots=True)
class SongRequest:
    song: SongRef
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A whole music-generation task: the person still has to pick one of its songs."""

    task_id: str
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """``https://suno.com/s/<short>``: suno.com has to be asked which song that is."""

    short: str
    mode: Mode | None = None


Request = SongRequest | TaskRequest | ShareRequest


class ProblemKind(StrEnum):
    EMPTY = "empty"  # nothing that names a song; fine in a reply to a message that does
    NOT_AN_ID = "not_an_id"
    UNKNOWN_WORD = "unknown_word"  # a song, and beside it a word that is no mode
    TOO_MANY = "too_many"  # several songs, or both modes


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is no request. ``word`` is the piece at fault, ``mode`` what was understood all the same."""

    kind: ProblemKind
    word: str = ""
    mode: Mode | None = None


_UUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_TASK = "[0-9a-f]{32}"
_REFERENCE = re.compile(
    rf"""
    (?<![\w./=-])                                   # not within a longer word or another site's link
    (?: (?:https?://)?
        (?: (?:(?:www|app)\.)?suno\.(?:com|ai)/(?:song|embed)/(?P<song>{_UUID})
          | cdn\d?\.suno\.ai/(?P<file>{_UUID})\.\w+
          | audiopipe\.suno\.ai/\?item_id=(?P<stream>{_UUID})
          | (?:(?:www|app)\.)?suno\.(?:com|ai)/s/(?P<short>\w[\w-]{{1,63}})
        )
        (?:[/?&\#]\S*)?
      | (?P<task>{_UUID}|{_TASK}):(?P<audio>{_UUID})
      | (?P<bare>{_UUID})
      | (?P<bare_task>{_TASK})
    )
    (?![\w-])
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_AROUND = "<>()[]{}\"'`*«»“”‘’„.,;:!?…"
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_WORD_MAX = 60
_MODES = {mode.value: mode for mode in Mode}


def parse(argument_text: str) -> Request | Problem:
    """The text after ``/stems``: one reference and at most one mode, in any order."""
    references: list[Request] = []
    modes: set[Mode] = set()
    unknown: list[str] = []
    for word in _words(argument_text):
        if found := _reference(word):
            references.append(found)
        elif mode := _MODES.get(word.lower()):
            modes.add(mode)
        else:
            unknown.append(word)
    return _request(references, modes, unknown)


def _request(references: list[Request], modes: set[Mode], unknown: list[str]) -> Request | Problem:
    if len(set(references)) > 1 or len(modes) > 1:
        return Problem(ProblemKind.TOO_MANY)
    mode = next(iter(modes), None)
    if unknown:
        kind = ProblemKind.UNKNOWN_WORD if references else ProblemKind.NOT_AN_ID
        return Problem(kind, unknown[0][:_WORD_MAX], mode)
    if not references:
        return Problem(ProblemKind.EMPTY, mode=mode)
    return with_mode(references[0], mode)


def with_mode(request: Request, mode: Mode | None) -> Request:
    match request:
        case SongRequest(song):
            return SongRequest(song, mode)
        case TaskRequest(task_id):
            return TaskRequest(task_id, mode)
        case ShareRequest(short):
            return ShareRequest(short, mode)


def link_in(text: str) -> Request | None:
    """What a message points at that holds a link or an id and nothing else; None for any other message."""
    words = list(_words(text))
    return _reference(words[0]) if len(words) == 1 else None


def reference_in(message_text: str) -> Request | None:
    """The first reference anywhere in a message."""
    found = _REFERENCE.search(message_text.translate(_INVISIBLE))
    return _found(found) if found else None


def _words(text: str) -> Iterator[str]:
    return filter(None, (word.strip(_AROUND) for word in text.translate(_INVISIBLE).split()))


def _reference(word: str) -> Request | None:
    found = _REFERENCE.fullmatch(word)
    return _found(found) if found else None


def _found(match: re.Match[str]) -> Request:
    ids = {name: value for name, value in match.groupdict().items() if value}
    match ids:
        case {"short": short}:
            return ShareRequest(short)  # the only part whose letter case counts
        case {"bare_task": task_id}:
            return TaskRequest(task_id.lower())
        case {"task": task_id, "audio": audio_id}:
            return SongRequest(SongRef(audio_id.lower(), task_id.lower()))
        case _:
            (audio_id,) = ids.values()
            return SongRequest(SongRef(audio_id.lower()))


# What tells a task that is written as a UUID from one that is 32 hex digits: the bytes are the same.
_UUID_TASK_MARK = "."


def is_audio_id(text: str) -> bool:
    """Whether an upstream's id is one that buttons and commands can carry."""
    return re.fullmatch(_UUID, text) is not None


def pack(song: SongRef) -> str:
    """A song in 22, 43 or 44 ASCII characters, for callback data.

    Raises ValueError for ids that are not what ``parse`` gives (lower-case UUIDs, tasks of 32 hex digits).
    """
    text = _packed(song)
    if _unpacked(text) != song:
        raise ValueError("ids that cannot be packed without loss")
    return text


def unpack(text: str) -> SongRef:
    """The song that ``pack`` made the text from; raises ValueError for any other text."""
    song = _unpacked(text)
    if _packed(song) != text:
        raise ValueError("not a packed song")
    return song


def _packed(song: SongRef) -> str:
    raw = uuid.UUID(song.audio_id).bytes + (uuid.UUID(song.task_id).bytes if song.task_id else b"")
    mark = _UUID_TASK_MARK if song.task_id and "-" in song.task_id else ""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=") + mark


def _unpacked(text: str) -> SongRef:
    raw = base64.urlsafe_b64decode(text.removesuffix(_UUID_TASK_MARK) + "==")
    audio_id = str(uuid.UUID(bytes=raw[:16]))
    if not raw[16:]:
        return SongRef(audio_id)
    task = uuid.UUID(bytes=raw[16:])
    return SongRef(audio_id, str(task) if text.endswith(_UUID_TASK_MARK) else task.hex)
