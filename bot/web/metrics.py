"""``GET /metrics``, in Prometheus' text format."""

from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import Metric
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.metrics import gauge
from bot.services import Services
from storage import inbox, jobs, separations


def routes(services: Services) -> list[Route]:
    async def metrics(_: Request) -> Response:
        return Response(services.metrics.text(await _gauges(services)), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


async def _gauges(services: Services) -> list[Metric]:
    now, pulse = services.now(), services.pulse
    async with services.database.reading() as db:
        open_jobs = await jobs.counts(db)
        open_separations = await separations.counts(db)
        waiting = await inbox.unhandled(db)
    ages = [((name,), pulse.age_s(name, now=now)) for name in pulse.beats]
    return [
        gauge("jobs_open", "Jobs under way", ["state"], [((state,), n) for state, n in open_jobs]),
        gauge(
            "separations_open",
            "Separations under way",
            ["provider", "state"],
            [((provider, state), n) for provider, state, n in open_separations],
        ),
        gauge("updates_unhandled", "Updates stored and not handled yet", [], [((), waiting)]),
        gauge("seen_seconds_ago", "Since a part of the bot was seen at work", ["part"], ages),
    ]
