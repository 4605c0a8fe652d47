"""Hands on the stand-ins from another process.

    GET  /<upstream>              {"name", "balance", "charges", "looks", "submits": [...]}
    POST /<upstream>/balance      {"balance": 5}
    POST /<upstream>/finish       {"task_id": "..."}, or {} for every task
    POST /<upstream>/hold, /release
    POST /<upstream>/fail_next    {"fault": "code", "args": [430, "slow down"], "on": "submit", "times": 1}

Each answers with the state; 404 for an unknown upstream or action, 400 for a body that makes no sense.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.upstreams.base import Upstream
from sandbox.upstreams.faults import FAULTS, Place

Json = dict[str, Any]


def control_routes(upstreams: Mapping[str, Upstream]) -> list[BaseRoute]:
    async def state(request: Request) -> Response:
        return JSONResponse(state_of(_named(upstreams, request)))

    async def act(request: Request) -> Response:
        upstream = _named(upstreams, request)
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            raise HTTPException(404, f"known actions: {', '.join(ACTIONS)}")
        try:
            action(upstream, dict(json.loads(await request.body() or b"{}")))
        except (KeyError, TypeError, ValueError) as error:
            raise HTTPException(400, repr(error)) from error
        return JSONResponse(state_of(upstream))

    return [
        Route("/{upstream}", state, methods=["GET"]),
        Route("/{upstream}/{action}", act, methods=["POST"]),
    ]


def state_of(upstream: Upstream) -> Json:
    submits = [
        {
            "audio_id": submit.song.audio_id, "mode": submit.mode, "time": submit.time,
            "task_id": submit.task_id, "callback_url": submit.callback_url, "charged": submit.charged,
        }
        for submit in upstream.submits
    ]  # fmt: skip
    return {
        "name": upstream.name, "balance": upstream.balance, "charges": upstream.charges,
        "looks": upstream.looks, "submits": submits,
    }  # fmt: skip


def _named(upstreams: Mapping[str, Upstream], request: Request) -> Upstream:
    upstream = upstreams.get(request.path_params["upstream"])
    if upstream is None:
        raise HTTPException(404, f"known upstreams: {', '.join(upstreams)}")
    return upstream


def _balance(upstream: Upstream, body: Json) -> None:
    upstream.balance = float(body["balance"])


def _finish(upstream: Upstream, body: Json) -> None:
    upstream.finish(body.get("task_id"))


def _fail_next(upstream: Upstream, body: Json) -> None:
    fault = FAULTS[body["fault"]](*body.get("args", []))
    upstream.fail_next(fault, on=body.get("on", Place.SUBMIT), times=int(body.get("times", 1)))


ACTIONS: dict[str, Callable[[Upstream, Json], None]] = {
    "balance": _balance,
    "finish": _finish,
    "hold": lambda upstream, _: upstream.hold(),
    "release": lambda upstream, _: upstream.release(),
    "fail_next": _fail_next,
}
