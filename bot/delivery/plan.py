"""How stems go into a chat: their order, their albums, their names. Pure.

Albums hold 2 to 10 files of one kind: music files, or documents. https://core.telegram.org/bots/api#sendmediagroup
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from providers.stems import label, rank

ALBUM_MAX = 10
UPLOAD_MAX_BYTES = 49_000_000  # of one request: Telegram takes 50 MB, form fields included
# What a Bot API server of one's own takes: https://core.telegram.org/bots/api#using-a-local-bot-api-server
LOCAL_UPLOAD_MAX_BYTES = 1_990_000_000
MUSIC_KINDS = {"mp3", "m4a"}  # what Telegram's player plays

SONG_TITLE_MAX = 100
ARTIST_MAX = 64
FILE_NAME_MAX_BYTES = 120
STEM_LABEL_MAX_BYTES = 60


class Means(StrEnum):
    AUDIO = "audio"
    DOCUMENT = "document"
    LINK = "link"  # for files that are too big to be sent


@dataclass(frozen=True, slots=True)
class PlanStem:
    """``size_bytes`` is None where it is not known or does not count, as for a ``file_id``."""

    name: str
    set_number: int = 1
    size_bytes: int | None = None
    kind: str = "mp3"


@dataclass(frozen=True, slots=True)
class Part:
    """One send: 1 stem, or 2 to 10 as an album; for links as many as there are."""

    means: Means
    stems: tuple[PlanStem, ...]

    @property
    def too_big(self) -> bool:
        return self.means is Means.LINK


def plan(stems: Sequence[PlanStem], max_bytes: int = UPLOAD_MAX_BYTES) -> tuple[Part, ...]:
    """All sends of a delivery: music first, then documents, then what can only be linked."""
    ordered = sorted(stems, key=lambda stem: (stem.set_number, rank(stem.name)))
    by_means: dict[Means, list[PlanStem]] = {means: [] for means in Means}
    for stem in ordered:
        by_means[means_of(stem, max_bytes)].append(stem)
    parts = [
        Part(means, album)
        for means in (Means.AUDIO, Means.DOCUMENT)
        for album in _albums(by_means[means], max_bytes)
    ]
    if linked := tuple(by_means[Means.LINK]):
        parts.append(Part(Means.LINK, linked))
    return tuple(parts)


def means_of(stem: PlanStem, max_bytes: int = UPLOAD_MAX_BYTES) -> Means:
    if is_too_big(stem.size_bytes, max_bytes):
        return Means.LINK
    return Means.AUDIO if stem.kind in MUSIC_KINDS else Means.DOCUMENT


def is_too_big(size_bytes: int | None, max_bytes: int) -> bool:
    """Whether a file cannot be sent even alone; one whose size is not known might be."""
    return size_bytes is not None and size_bytes >= max_bytes


def _albums(stems: Sequence[PlanStem], max_bytes: int) -> list[tuple[PlanStem, ...]]:
    """As few near-equal albums as the limits on items and bytes allow."""
    fewest = len(halves(len(stems)))
    cuts = (_cut(stems, count) for count in range(fewest, len(stems) + 1))
    return next(albums for albums in cuts if all(_fits(album, max_bytes) for album in albums))


def _fits(album: Sequence[PlanStem], max_bytes: int) -> bool:
    return sum(stem.size_bytes or 0 for stem in album) < max_bytes


def _cut(stems: Sequence[PlanStem], count: int) -> list[tuple[PlanStem, ...]]:
    rest = iter(stems)
    return [tuple(next(rest) for _ in range(size)) for size in _near_equal(len(stems), count)]


def halves(count: int) -> list[int]:
    """Sizes of as few albums as possible, near-equal, larger first: 12 -> [6, 6], 13 -> [7, 6], 0 -> []."""
    return _near_equal(count, -(-count // ALBUM_MAX))


def _near_equal(count: int, parts: int) -> list[int]:
    return [(count + parts - 1 - place) // parts for place in range(parts)]


def song_name(title: str | None, audio_id: str) -> str:
    """The song's title on one line and of readable length; without one, "Song" and the begin of its id."""
    return _readable(title or "")[:SONG_TITLE_MAX].strip() or f"Song {audio_id[:8]}"


def artist_name(artist: str | None) -> str | None:
    """On one line and of readable length; None where nobody is named."""
    return _readable(artist or "")[:ARTIST_MAX].strip() or None


def stem_label(name: str, set_number: int = 1) -> str:
    """What people read: ``"drums"`` -> ``"Drums"``, of the second set ``"Drums 2"``."""
    return label(name) if set_number == 1 else f"{label(name)} {set_number}"


def title_of(song_title: str, stem_name: str, set_number: int = 1) -> str:
    """``"Paper Boats (Drums)"``"""
    return f"{song_title} ({stem_label(stem_name, set_number)})"


# What Windows, Android's SD cards or iOS do not take in a name, as the closest that they do.
_FORBIDDEN = str.maketrans({**dict.fromkeys("/\\|", "-"), **dict.fromkeys("<>?*", "_"), ":": " -", '"': "'"})
# Control and format characters, halves of others, line breaks; only what joins letters and emoji may stay.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"


def file_name_of(song_title: str, stem_name: str, set_number: int = 1, kind: str = "mp3") -> str:
    """``"Paper Boats (Drums).mp3"``: a name every phone accepts, at most 120 bytes, the stem's name kept."""
    stem = _cut_bytes(_safe(stem_label(stem_name, set_number)), STEM_LABEL_MAX_BYTES) or "Stem"
    ending = f" ({stem}).{kind}"
    room = FILE_NAME_MAX_BYTES - len(ending.encode())
    return (_cut_bytes(_safe(song_title), room) or "Song") + ending


def _safe(text: str) -> str:
    return _readable(_readable(text).translate(_FORBIDDEN)).lstrip(". ")


def _readable(text: str) -> str:
    """NFC, one line, single spaces, nothing invisible."""
    seen = "".join(" " if character.isspace() else character for character in text if _is_seen(character))
    return " ".join(unicodedata.normalize("NFC", seen).split()).strip(_JOINERS + " ")


def _is_seen(character: str) -> bool:
    return character.isspace() or character in _JOINERS or unicodedata.category(character) not in _UNSEEN


def _cut_bytes(text: str, limit: int) -> str:
    """As much of the text's begin as fits into ``limit`` bytes, no character split."""
    return text.encode()[:limit].decode(errors="ignore").rstrip(_JOINERS + " ")
