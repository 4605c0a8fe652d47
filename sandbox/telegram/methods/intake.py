"""getMe, getUpdates, webhooks, logOut, close.

https://core.telegram.org/bots/api#getting-updates
"""

import ipaddress
import re
from urllib.parse import urlsplit

from sandbox.telegram.errors import bad_request
from sandbox.telegram.methods.base import Json, Method
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.updates import WEBHOOK_SET
from sandbox.telegram.webhook import Hook
from sandbox.telegram.world import World

POLL_MAX_S, LIMIT_MAX = 50, 100
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")
PORTS = {443, 80, 88, 8443}


async def get_me(world: World, _: Parameters) -> Json:
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return world.bot.wire() | abilities


async def get_updates(world: World, parameters: Parameters) -> list[Json]:
    return await world.updates.poll(
        offset=parameters.integer("offset"),
        limit=min(max(parameters.integer("limit", LIMIT_MAX), 1), LIMIT_MAX),
        timeout_s=min(max(parameters.integer("timeout"), 0), POLL_MAX_S),
        allowed=allowed_in(parameters),
    )


def allowed_in(parameters: Parameters) -> list[str] | None:
    """``allowed_updates``; None leaves what was asked for before, an empty list restores the default."""
    allowed = parameters.json("allowed_updates", "Can't parse allowed updates JSON object")
    if allowed is None and "allowed_updates" not in parameters.values:
        return None
    if not isinstance(allowed or [], list):
        raise bad_request("Expected an Array of String as allowed updates")
    return [str(kind) for kind in allowed or []]


async def set_webhook(world: World, parameters: Parameters) -> bool:
    """An empty ``url`` takes the webhook away."""
    url = parameters.text("url")
    if not url:
        return await delete_webhook(world, parameters)
    check_url(world, url)
    secret = parameters.text("secret_token")
    if secret and not SECRET.match(secret):
        raise bad_request("secret token contains unallowed characters")
    allowed = allowed_in(parameters)
    if allowed is not None:
        world.updates.allowed = tuple(allowed)
    if parameters.boolean("drop_pending_updates"):
        world.updates.drop_pending()
    world.updates.end_turn(WEBHOOK_SET)
    world.webhook.start(Hook(url, secret, parameters.integer("max_connections", 40)))
    return True


def check_url(world: World, url: str) -> None:
    """https on one of four ports; plain http only to this machine, where the stand-in allows it."""
    parts = urlsplit(url)
    if world.allows_loopback and is_loopback(parts.hostname or ""):
        return
    if parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def delete_webhook(world: World, parameters: Parameters) -> bool:
    await world.webhook.stop()
    if parameters.boolean("drop_pending_updates"):
        world.updates.drop_pending()
    return True


async def get_webhook_info(world: World, _: Parameters) -> Json:
    pending = {"has_custom_certificate": False, "pending_update_count": len(world.updates.pending())}
    allowed = {"allowed_updates": list(world.updates.allowed)} if world.updates.allowed else {}
    return world.webhook.wire() | pending | allowed


async def leave_server(_: World, __: Parameters) -> bool:
    """logOut and close: there is no other server to go to."""
    return True


METHODS = [
    Method("getMe", get_me, free=True),
    Method("getUpdates", get_updates, free=True, waits=True),
    Method("setWebhook", set_webhook, free=True),
    Method("deleteWebhook", delete_webhook, free=True),
    Method("getWebhookInfo", get_webhook_info, free=True),
    Method("logOut", leave_server, free=True),
    Method("close", leave_server, free=True),
]
