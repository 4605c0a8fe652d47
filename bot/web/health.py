"""``GET /healthz``: 200 while the database answers, intake is fresh and every loop is alive; else 503."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.services import Services
from storage.database import DatabaseError

DATABASE_TIMEOUT_S = 3.0


def routes(services: Services) -> list[Route]:
    async def healthz(_: Request) -> Response:
        wrong = [f"{name} has not been seen at work" for name in services.pulse.late(now=services.now())]
        if trouble := await _database_trouble(services):
            wrong.append(trouble)
        body = {"ok": not wrong, "wrong": wrong}
        return JSONResponse(body, status_code=503 if wrong else 200)

    return [Route("/healthz", healthz)]


async def _database_trouble(services: Services) -> str | None:
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_S):
            await services.database.ping()
    except (DatabaseError, TimeoutError):
        return "the database does not answer"
    return None
