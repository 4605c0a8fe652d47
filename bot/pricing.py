"""What a job costs, and which upstream gets it. Pure."""

from collections.abc import Callable, Mapping

from providers.base import Mode, Provider, SongRef
from storage.rows import Separation


class NoProvider(Exception):
    """No upstream in use can take this song reference or mode; str() is a sentence for the person."""


def usual(providers: Mapping[str, Provider], price: Callable[[str, str], int]) -> dict[Mode, int]:
    """What each mode costs at the first provider that offers it."""
    found: dict[Mode, int] = {}
    for name, provider in providers.items():
        for mode in Mode:
            if mode in provider.modes:
                found.setdefault(mode, price(name, mode))
    return found


def choose(providers: Mapping[str, Provider], song: SongRef, mode: Mode) -> Provider:
    """The first provider that can take this song and mode; raises NoProvider with the first obstacle."""
    obstacles = []
    for provider in providers.values():
        obstacle = provider.obstacle(song, mode)
        if obstacle is None:
            return provider
        obstacles.append(obstacle)
    raise NoProvider(obstacles[0] if obstacles else "No upstream is in use.")


def offers_full_set(providers: Mapping[str, Provider], separation: Separation) -> bool:
    """Whether a button can lead from the two stems of a song to all of them."""
    song = SongRef(separation.audio_id, separation.task_id)
    takers = [provider for provider in providers.values() if not provider.obstacle(song, Mode.FULL)]
    return separation.mode == Mode.BASIC and bool(takers)
