"""Which step runs in which loop, in how many workers."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from bot.engine.alerts import notice_one, probe_one
from bot.engine.deliver import deliver_one, give_up_one
from bot.engine.lookups import lookup_one
from bot.engine.loops import Loop, NextDue
from bot.engine.status import status_one
from bot.engine.steps import expire_one, find_one, look_one, rescue_one, submit_one
from bot.engine.sweep import sweep_one
from bot.services import Services
from providers.base import Provider
from storage import jobs, lookups, notices, separations
from storage.database import Connection
from storage.states import SeparationState

S = SeparationState

DELIVERY_LIMIT_S = 3600.0
IDLE_ALONE_S = 5.0  # where no other process can make a row due
EXCHANGE_LIMIT_S = 400.0  # an upstream may take minutes to answer, and be asked twice


def loops(services: Services) -> list[Loop]:
    """Every loop of the engine. Each upstream has its own: a slow one holds up nobody else's work."""
    found = [
        Loop("status", partial(status_one, services), _due(services, jobs.next_status), 120, workers=16),
        Loop("notice", partial(notice_one, services), _due(services, notices.next_due), 120),
        Loop("rescue", partial(rescue_one, services), _never, 60, idle_s=5),
        Loop("expire", partial(expire_one, services), _never, 60, idle_s=5),
        Loop("overdue", partial(give_up_one, services), _never, 60, idle_s=5),
        Loop("sweep", partial(sweep_one, services), _never, 60, idle_s=600),
    ]
    for kind in ("task", "share"):
        step, next_due = partial(lookup_one, services, kind), partial(lookups.next_due, kind=kind)
        due = _due(services, next_due)
        found.append(Loop(f"lookup {kind}", step, due, EXCHANGE_LIMIT_S, workers=3, woken_by="lookup"))
    for provider in services.providers.values():
        found += _loops_of(services, provider)
    found.append(_delivery(services, None))
    if not services.database.embedded:
        return found
    return [replace(loop, idle_s=max(loop.idle_s, IDLE_ALONE_S)) for loop in found]


def _loops_of(services: Services, provider: Provider) -> list[Loop]:
    pace_s = services.upstreams[provider.name].pace_s
    steps = (
        ("submit", submit_one, S.QUEUED, 3, pace_s),
        ("look", look_one, S.RUNNING, 4, _at_once),
        ("find", find_one, S.UNCERTAIN, 1, _at_once),
    )
    probe = Loop(
        f"probe {provider.name}", partial(probe_one, services, provider), _never, EXCHANGE_LIMIT_S, idle_s=5
    )
    return [probe, _delivery(services, provider.name)] + [
        Loop(
            f"{name} {provider.name}",
            partial(step, services, provider),
            _due(services, partial(separations.next_due, states=[state], provider=provider.name), wait_s),
            EXCHANGE_LIMIT_S,
            workers=workers,
            woken_by=name,
        )
        for name, step, state, workers, wait_s in steps
    ]


def _delivery(services: Services, provider: str | None) -> Loop:
    """Of the stems of one upstream, because its files may be as slow as it is."""
    next_due = partial(jobs.next_delivery, provider=provider, but=services.providers.keys())
    return Loop(
        f"deliver {provider}" if provider else "deliver",
        partial(deliver_one, services, provider),
        _due(services, next_due),
        DELIVERY_LIMIT_S,
        workers=6 if provider else 1,
        woken_by="deliver",
    )


def _at_once() -> float:
    return 0.0


def _due(
    services: Services,
    query: Callable[[Connection], Awaitable[float | None]],
    wait_s: Callable[[], float] = _at_once,
) -> NextDue:
    """``wait_s`` is how long nothing can be done even if it is due."""

    async def next_due() -> float | None:
        async with services.database.reading() as db:
            due_at = await query(db)
        return None if due_at is None else max(due_at, services.now() + wait_s())

    return next_due


async def _never() -> float | None:
    return None
