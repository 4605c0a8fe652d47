"""The HTTP service: health, metrics, Telegram's webhook, the upstreams' callbacks."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from bot.services import Services
from bot.web import health, metrics, telegram, upstream

Receive = Callable[[list[dict[str, Any]]], Awaitable[None]]


def create_app(services: Services, receive: Receive) -> Starlette:
    """``receive`` stores updates; only in webhook mode is there a place for Telegram to put them."""
    routes: list[Route] = [*health.routes(services), *metrics.routes(services), *upstream.routes(services)]
    if services.settings.telegram_webhook:
        routes += telegram.routes(services, receive)
    return Starlette(routes=routes)
