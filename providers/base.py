"""What every upstream looks like to the rest of the bot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from pydantic import JsonValue

Json: TypeAlias = JsonValue  # whatever a JSON text can hold


class Mode(StrEnum):
    BASIC = "basic"  # vocals + instrumental
    FULL = "full"  # up to 12 stems


@dataclass(frozen=True, slots=True)
class SongRef:
    """What a person points at; ``task_id`` is the upstream's music-generation task, where known."""

    audio_id: str
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Song:
    """A song as an upstream describes it."""

    audio_id: str
    task_id: str | None = None
    title: str | None = None
    duration_s: float | None = None
    artist: str | None = None
    cover_url: str | None = None


@dataclass(frozen=True, slots=True)
class StemLink:
    """One separated part. ``name`` is a value of ``stems.Stem`` or, where the instrument is not a known
    one, its prettified name. ``set_number`` is 2 for the second of two equally named sets."""

    name: str
    url: str
    duration_s: float | None = None
    set_number: int = 1


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Every stem that came back, in the order of ``stems.Stem``; never empty."""

    stems: tuple[StemLink, ...]
    song_title: str | None = None
    cover_url: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """Not done yet; also for a status word nobody documented. ``so_far``: the stems that are done already."""

    so_far: Succeeded | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The upstream gave up. ``why`` is for people to read: no link and no secret in it."""

    why: str


Progress = Running | Succeeded | Failed


@dataclass(frozen=True, slots=True)
class Limits:
    """How an upstream wants to be used: at most ``submits`` in any ``per_s`` seconds and key; to look at a
    task every ``look_every_s`` is advised. Links stay good for ``link_life_days``, None: nobody says."""

    submits: int
    per_s: float
    look_every_s: float
    link_life_days: int | None = None


class Provider(Protocol):
    """An upstream. Methods raise ``errors.ProviderError`` and nothing else."""

    name: str  # "sunoapi_org": equal to the module, and in capitals the prefix of its settings
    title: str  # "sunoapi.org": what people and operators call it
    modes: frozenset[Mode]
    costs: Mapping[Mode, float]  # the lowest that were seen for each of its modes, in its own credits
    limits: Limits

    def obstacle(self, song: SongRef, mode: Mode) -> str | None:
        """Why this song or mode cannot be taken here, as a sentence for the person; None if it can."""

    async def submit(self, song: SongRef, mode: Mode, callback_url: str) -> str:
        """Start a separation, return its upstream_task_id. Every call is charged, a repeated one too."""

    async def look(self, upstream_task_id: str) -> Progress:
        """How far a separation is. Free."""

    async def songs(self, task_id: str) -> Sequence[Song]:
        """The songs of a music-generation task; raises SongUnknown where there is no such task."""

    async def credits(self) -> float:
        """The operator's balance at this upstream, in its own credits. Free."""

    def callback_task_id(self, body: Json) -> str | None:
        """The upstream_task_id that a callback's body claims; a hint for ``find``, never a proof."""

    async def find(self, song: SongRef, mode: Mode, callback_url: str, hint: str | None) -> str | None:
        """The task of an uncertain submit, if the upstream can still name it; ``hint`` is the task id
        that a callback claimed. Free."""

    async def aclose(self) -> None:
        """Close the connections."""
