"""How the upstreams are doing, for operators: what this process saw, and what the database remembers."""

import math
from collections.abc import Sequence

from bot.operator_texts import UpstreamReport
from bot.services import Services
from bot.upstreams import Health
from providers.base import Mode
from storage import separations
from storage.database import Connection

NEWEST = 100  # finished separations that the times are taken from
STATES = {
    Health.WELL: "working",
    Health.SHORT: "needs the operator",
    Health.DOWN: "set aside, tried again soon",
}


async def upstream_reports(services: Services) -> list[UpstreamReport]:
    async with services.database.reading() as db:
        counted = await separations.counts(db)
        times = {
            name: {
                mode: percentiles
                for mode in sorted(provider.modes)
                if (percentiles := await _times(db, name, mode))
            }
            for name, provider in services.providers.items()
        }
    return [
        UpstreamReport(
            title=one.title,
            state=STATES[one.health],
            credits=one.credits,
            open_separations=sum(count for provider, _, count in counted if provider == name),
            last_error=one.last_error,
            times=times[name],
        )
        for name, one in services.upstreams.items()
    ]


async def _times(db: Connection, provider: str, mode: Mode) -> tuple[float, float] | None:
    """Median and 90 % time in seconds; None where nothing has finished yet."""
    took = sorted(await separations.times(db, provider, mode, newest=NEWEST))
    return (percentile(took, 0.5), percentile(took, 0.9)) if took else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
