"""Reading what strangers post: never without end."""

import json
from typing import Any

from starlette.requests import Request

MAX_BYTES = 1_000_000
NOTHING = object()  # no JSON, or too much of it


async def read_json(request: Request) -> Any:
    """The body as JSON, or NOTHING."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return NOTHING
    return parse_json(bytes(body))


def parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # brackets in brackets, thousands deep
        return NOTHING
