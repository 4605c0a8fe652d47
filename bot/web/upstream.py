"""``POST /upstream/<provider>/<token>``: an upstream's callback. It wakes a look and is never believed:
the token only names the separation. Anything wrong is 404, and nothing happens."""

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.services import Services
from bot.web.bodies import NOTHING, read_json
from storage import separations

logger = logging.getLogger(__name__)


def routes(services: Services) -> list[Route]:
    async def callback(request: Request) -> Response:
        provider, token = request.path_params["provider"], request.path_params["token"]
        async with services.database.reading() as db:
            separation = await separations.by_token(db, provider, token)
        if separation is None or provider not in services.providers:
            return Response(status_code=404)
        body = await read_json(request)
        hint = None if body is NOTHING else services.providers[provider].callback_task_id(body)
        async with services.database.transaction() as db:
            woken = await separations.wake(db, separation, hinted_task_id=hint, now=services.now())
        logger.info("separation %s: callback%s", separation.id, "" if woken else ", nothing waits for it")
        services.wakes.wake("look", "find")
        return Response()

    return [Route("/upstream/{provider}/{token}", callback, methods=["POST"])]
