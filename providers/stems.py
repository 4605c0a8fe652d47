"""The stems we know, the order they are shown in, and how a foreign name becomes a readable one."""

import re
from enum import StrEnum


class Stem(StrEnum):
    """In the order people get them: the voice first, then the band from the rhythm up."""

    VOCALS = "vocals"
    INSTRUMENTAL = "instrumental"
    BACKING_VOCALS = "backing_vocals"
    DRUMS = "drums"
    BASS = "bass"
    GUITAR = "guitar"
    PIANO = "piano"
    KEYBOARD = "keyboard"
    PERCUSSION = "percussion"
    STRINGS = "strings"
    SYNTH = "synth"
    FX = "fx"
    BRASS = "brass"
    WOODWINDS = "woodwinds"


FAMILIES: dict[str, tuple[Stem, ...]] = {
    "Voice": (Stem.VOCALS, Stem.BACKING_VOCALS),
    "Backing": (Stem.INSTRUMENTAL,),
    "Rhythm": (Stem.DRUMS, Stem.PERCUSSION, Stem.BASS),
    "Band": (Stem.GUITAR, Stem.PIANO, Stem.KEYBOARD, Stem.SYNTH),
    "Orchestra": (Stem.STRINGS, Stem.BRASS, Stem.WOODWINDS),
    "Other": (Stem.FX,),
}

# What upstreams call them, where lower case with underscores is not yet our word.
ALIASES: dict[str, Stem] = {
    "vocal": Stem.VOCALS,
    "lead_vocal": Stem.VOCALS,
    "lead_vocals": Stem.VOCALS,
    "backing_vocal": Stem.BACKING_VOCALS,
    "instrument": Stem.INSTRUMENTAL,
    "drum": Stem.DRUMS,
    "drum_kit": Stem.DRUMS,
    "keys": Stem.KEYBOARD,
    "keyboards": Stem.KEYBOARD,
    "synthesizer": Stem.SYNTH,
    "effects": Stem.FX,
    "fx_other": Stem.FX,
    "string": Stem.STRINGS,
    "woodwind": Stem.WOODWINDS,
}

_ORDER = {stem.value: position for position, stem in enumerate(Stem)}


def name_of(foreign: str) -> str:
    """Our name for theirs: "Backing_Vocals" -> "backing_vocals", "kazooSolo" -> "Kazoo Solo"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", foreign)
    words = re.findall(r"[^\W_]+", spaced)
    key = "_".join(words).casefold()
    if key in ALIASES:
        return ALIASES[key].value
    if key in _ORDER:
        return key
    return " ".join(word[0].upper() + word[1:] for word in words)[:60] or "Stem"


def label(name: str) -> str:
    """What people read: ``"backing_vocals"`` -> ``"Backing Vocals"``, ``"fx"`` -> ``"FX"``."""
    if name == Stem.FX:
        return "FX"
    return name.replace("_", " ").title() if name in _ORDER else name


def rank(name: str) -> tuple[int, str]:
    """The sort key of the order of ``Stem``; unknown instruments come last, by name."""
    return (_ORDER.get(name, len(_ORDER)), name)


def family(name: str) -> str:
    """The group of ``FAMILIES`` a stem is shown under."""
    return next((title for title, members in FAMILIES.items() if name in members), "Other")
