"""``POST /telegram``: updates by webhook, stored before Telegram is told that they arrived.

https://core.telegram.org/bots/api#setwebhook
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.services import Services
from bot.web.bodies import read_json

HEADER = "X-Telegram-Bot-Api-Secret-Token"


def secret(token: str) -> str:
    """What Telegram shows with every update: derived, so that all replicas know it."""
    return hmac.new(token.encode(), b"stembot webhook", hashlib.sha256).hexdigest()


def routes(services: Services, receive: Callable[[list[dict[str, Any]]], Awaitable[None]]) -> list[Route]:
    expected = secret(services.settings.telegram_token.get_secret_value())

    async def telegram(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), expected.encode()):
            return Response(status_code=404)
        update = as_update(await read_json(request))
        if update is None:
            return Response(status_code=400)
        await receive([update])
        return Response()

    return [Route("/telegram", telegram, methods=["POST"])]


def as_update(body: Any) -> dict[str, Any] | None:
    """What was posted, if it is an update."""
    is_update = isinstance(body, dict) and type(body.get("update_id")) is int
    return body if is_update else None
