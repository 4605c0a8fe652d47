"""``POST /telegram``: updates by webhook, stored before Telegram is told that they arrived.

https://core.telegram.org/bots/api#setwebhook
"""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.services import Services

HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_BYTES = 1_000_000


def secret(token: str) -> str:
    """What Telegram shows with every update: derived, so that all replicas know it."""
    return hmac.new(token.encode(), b"stembot webhook", hashlib.sha256).hexdigest()


def routes(services: Services, receive: Callable[[list[dict[str, Any]]], Awaitable[None]]) -> list[Route]:
    expected = secret(services.settings.telegram_token.get_secret_value())

    async def telegram(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), expected.encode()):
            return Response(status_code=404)
        update = parse_update(await request.body())
        if update is None:
            return Response(status_code=400)
        await receive([update])
        return Response()

    return [Route("/telegram", telegram, methods=["POST"])]


def parse_update(body: bytes) -> dict[str, Any] | None:
    if len(body) > MAX_BYTES:
        return None
    try:
        update = json.loads(body)
    except ValueError:
        return None
    is_update = isinstance(update, dict) and isinstance(update.get("update_id"), int)
    return update if is_update else None
