"""A short song of our own, as the upstreams would deliver it: the mix, two stems, twelve stems.

``render.py`` composes and renders the MP3s; they are stored, so that nothing here needs numpy at run time.
"""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

STEMS: Final[tuple[str, ...]] = (
    "vocals",
    "backing_vocals",
    "drums",
    "bass",
    "guitar",
    "keyboard",
    "percussion",
    "strings",
    "synth",
    "fx",
    "brass",
    "woodwinds",
)

FILES: Final[tuple[str, ...]] = ("mix", "basic_vocals", "basic_instrumental", *STEMS)

DURATION_S: Final = 39.5


def path(name: str) -> Path:
    """Where the MP3 of one of ``FILES`` lies; ValueError for any other name."""
    if name not in FILES:
        raise ValueError(f"the song has no file {name!r}")
    return FOLDER / f"{name}.mp3"
