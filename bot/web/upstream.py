"""``POST /upstream/<provider>/<token>``: an upstream's callback. It wakes a look and is never believed:
the token only names the separation. Anything wrong is 404, and nothing happens."""

import json
import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.services import Services
from storage import separations

logger = logging.getLogger(__name__)

MAX_BYTES = 1_000_000


def routes(services: Services) -> list[Route]:
    async def callback(request: Request) -> Response:
        provider, token = request.path_params["provider"], request.path_params["token"]
        hint = await _hint(services, provider, request)
        async with services.database.transaction() as db:
            separation = await separations.by_token(db, provider, token)
            if separation is None:
                return Response(status_code=404)
            woken = await separations.wake(db, separation, hinted_task_id=hint, now=services.now())
        logger.info("separation %s: callback%s", separation.id, "" if woken else ", nothing waits for it")
        services.wakes.wake("look", "find")
        return Response()

    return [Route("/upstream/{provider}/{token}", callback, methods=["POST"])]


async def _hint(services: Services, provider: str, request: Request) -> str | None:
    """The task that the body claims to be about: worth a look, nothing more."""
    size = request.headers.get("content-length", "0")
    if provider not in services.providers or not size.isdigit() or int(size) > MAX_BYTES:
        return None
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    return services.providers[provider].callback_task_id(body)
