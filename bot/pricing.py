"""What a job costs, and which upstream gets it. Pure."""

from collections.abc import Callable, Collection, Mapping

from providers.base import Mode, Provider, SongRef
from storage.rows import Separation


class NoProvider(Exception):
    """No upstream in use can take this song reference or mode; str() is a sentence for the person.

    ``takes_basic``: the same reference would do for the two stems.
    """

    def __init__(self, why: str, *, takes_basic: bool = False) -> None:
        super().__init__(why)
        self.takes_basic = takes_basic


def usual(providers: Mapping[str, Provider], price: Callable[[str, str], int]) -> dict[Mode, int]:
    """What each mode costs at the first provider that offers it."""
    found: dict[Mode, int] = {}
    for name, provider in providers.items():
        for mode in Mode:
            if mode in provider.modes:
                found.setdefault(mode, price(name, mode))
    return found


def choose(
    providers: Mapping[str, Provider],
    song: SongRef,
    mode: Mode,
    *,
    tried: Collection[str] = (),
    health: Mapping[str, int] | None = None,
) -> Provider:
    """The first provider, the healthy ones before the others, that can take this song and mode.

    ``health`` ranks them by name: 0 is well, more is worse. Raises NoProvider with the first obstacle.
    """
    left = [provider for name, provider in providers.items() if name not in tried]
    takers = [provider for provider in left if provider.obstacle(song, mode) is None]
    if takers:
        return min(takers, key=lambda provider: (health or {}).get(provider.name, 0))
    obstacles = [provider.obstacle(song, mode) for provider in left]
    raise NoProvider(
        next(filter(None, obstacles), "No upstream is left to try."),
        takes_basic=any(provider.obstacle(song, Mode.BASIC) is None for provider in left),
    )


def other_mode(providers: Mapping[str, Provider], separation: Separation) -> Mode | None:
    """The mode that a button can lead to from this one; None where nobody takes the song in it."""
    song = SongRef(separation.audio_id, separation.task_id)
    other = Mode.FULL if separation.mode == Mode.BASIC else Mode.BASIC
    taken = any(provider.obstacle(song, other) is None for provider in providers.values())
    return other if taken else None
