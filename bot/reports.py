"""How the upstreams are doing, for operators: what this process saw, and what the database remembers."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.operator_texts import UpstreamReport
from bot.services import Services
from bot.upstreams import DOWN, KEY, USED_UP, Health
from providers.base import Mode, Provider
from storage import notices, separations
from storage.database import Connection

NEWEST = 100  # finished separations that the times are taken from
STATES = {
    Health.WELL: "working",
    Health.SHORT: "needs the operator",
    Health.DOWN: "set aside, tried again soon",
}

NO_ANSWER = "gave no usable answer last time"


@dataclass(frozen=True, slots=True)
class History:
    """What the database remembers of one upstream. ``times``: per mode, median and 90 % time in seconds."""

    state: str
    open_separations: int
    last_failure: str | None
    times: Mapping[Mode, tuple[float, float]]


async def upstream_reports(services: Services) -> list[UpstreamReport]:
    async with services.database.reading() as db:
        remembered = await histories(db, services.providers.values())
    return [
        UpstreamReport(
            title=one.title,
            state=STATES[one.health] if one.answers or one.health is Health.DOWN else NO_ANSWER,
            credits=one.credits,
            open_separations=remembered[name].open_separations,
            last_error=one.last_error or remembered[name].last_failure,
            times=remembered[name].times,
        )
        for name, one in services.upstreams.items()
    ]


async def histories(db: Connection, providers: Iterable[Provider]) -> dict[str, History]:
    """By the provider's name."""
    counted, standing = await separations.counts(db), await notices.standing(db)
    return {
        provider.name: History(
            state=STATES[_health(provider.name, standing)],
            open_separations=sum(count for name, _, count in counted if name == provider.name),
            last_failure=await _last_failure(db, provider.name),
            times={
                mode: found
                for mode in sorted(provider.modes)
                if (found := await _times(db, provider.name, mode))
            },
        )
        for provider in providers
    }


def _health(provider: str, standing: Collection[str]) -> Health:
    """As the running bot wrote it down."""
    if f"{provider}:{DOWN}" in standing:
        return Health.DOWN
    needs_operator = {f"{provider}:{KEY}", f"{provider}:{USED_UP}"}
    return Health.SHORT if needs_operator.intersection(standing) else Health.WELL


async def _last_failure(db: Connection, provider: str) -> str | None:
    """Why the newest separation that failed there did so."""
    failed = await separations.last_failure(db, provider)
    if failed is None:
        return None
    return failed.tried.get(provider) or failed.why


async def _times(db: Connection, provider: str, mode: Mode) -> tuple[float, float] | None:
    """Median and 90 % time in seconds; None where nothing has finished yet."""
    took = sorted(await separations.times(db, provider, mode, newest=NEWEST))
    return (percentile(took, 0.5), percentile(took, 0.9)) if took else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
