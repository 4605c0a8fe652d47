"""Reading what a client sends, strictly."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from sandbox.songs import Refusal
from sandbox.upstreams.base import Refused

Json = dict[str, Any]


async def json_body(request: Request) -> Json:
    """The object in the body; raises Refused."""
    if request.headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
        raise Refused(Refusal.BAD_BODY, "Content-Type must be application/json")
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Refused(Refusal.BAD_BODY) from error
    if not isinstance(body, dict):
        raise Refused(Refusal.BAD_BODY)
    return body


def required(values: Mapping[str, Any], name: str) -> str:
    """A text that must be there; raises Refused."""
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(Refusal.INVALID, f"{name} cannot be empty")
    return value
