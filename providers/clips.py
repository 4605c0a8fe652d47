"""Stems that come as clips, one task for each, as Suno itself makes them: sunoapi.com and suno-api.

What a clip is, only its title says: "Paper Lanterns (Vocals)". How many there are, nobody says:
two sets of the same twelve happen.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers import stems
from providers.base import Failed, Progress, Running, StemLink, Succeeded
from providers.http import safe

DONE = {"SUCCEEDED", "SUCCESS", "COMPLETE", "COMPLETED"}
STREAM_HOST = "audiopipe.suno.ai"  # a stream of what is not finished, gone soon
NO_FILE = "/None.mp3"  # a link that suno-api makes of nothing
BRACKET = re.compile(r"[(\[]([^()\[\]]+)[)\]]")


@dataclass(frozen=True, slots=True)
class Clip:
    """``status`` in the upstream's word, ``kind`` what it says the stem is, where it says so."""

    id: str | None
    status: str
    title: str = ""
    kind: str | None = None
    link: str | None = None
    duration_s: float | None = None
    error: str | None = None
    cover_url: str | None = None  # a stem has its song's

    @property
    def file(self) -> str | None:
        """The link to a finished file."""
        return self.link if self.status.upper() in DONE and not self._is_link_early else None

    @property
    def is_over(self) -> bool:
        """Done, or failed in whatever words. Others wait, also with a word that nobody documented."""
        word = self.status.upper()
        return (word in DONE and not self._is_link_early) or bool(re.search("FAIL|ERROR", word))

    @property
    def stem_name(self) -> str | None:
        """By the last bracket of the title or by ``kind``: rather by the one that names a stem we know."""
        names = [stems.name_of(text) for text in (*BRACKET.findall(self.title)[-1:], self.kind) if text]
        return next((name for name in names if name in set(stems.Stem)), next(iter(names), None))

    @property
    def song_title(self) -> str | None:
        """The title without its last bracket: "Paper Lanterns (Live) (Vocals)" -> "Paper Lanterns (Live)"."""
        brackets = list(BRACKET.finditer(self.title))
        return (self.title[: brackets[-1].start()].strip() or None) if brackets else None

    @property
    def _is_link_early(self) -> bool:
        """A done clip may show such a link for a while, then the right one."""
        parts = urlsplit(self.link or "")
        return parts.hostname == STREAM_HOST or parts.path.endswith(NO_FILE)


def progress_of(clips: Sequence[Clip], *, are_all: bool = True) -> Progress:
    """Done when every clip is over; those that failed are left out, unless all did."""
    done = _done(clips)
    if not clips or not are_all or not all(clip.is_over for clip in clips):
        return Running(done)
    reasons = (safe(clip.error) for clip in clips if clip.error)
    return done or Failed(next(reasons, "no stems came back"))


def _done(clips: Sequence[Clip]) -> Succeeded | None:
    if links := stem_links(clips):
        title = next((clip.song_title for clip in clips if clip.song_title), None)
        return Succeeded(links, title, next((clip.cover_url for clip in clips if clip.cover_url), None))
    return None


def stem_links(clips: Sequence[Clip]) -> tuple[StemLink, ...]:
    """The finished files; of equal names the second belongs to set 2, and so on."""
    found: dict[str, StemLink] = {}  # by link
    times: dict[str, int] = {}
    for position, clip in enumerate(clips, start=1):
        if clip.file is None or clip.file in found:
            continue
        name = clip.stem_name or f"Stem {position:0{len(str(len(clips)))}}"
        times[name] = times.get(name, 0) + 1
        found[clip.file] = StemLink(name, clip.file, clip.duration_s, times[name])
    return tuple(sorted(found.values(), key=lambda stem: (stem.set_number, stems.rank(stem.name))))
