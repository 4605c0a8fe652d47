"""How fast upstreams are asked: never faster than they allow, not at all while they are down."""

import asyncio
import logging
import selectors
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from sandbox.songs import ODD, SONGS, Refusal
from sandbox.upstreams import Upstream, faults
from sandbox.upstreams.base import UNLIMITED
from sandbox.upstreams.faults import Fault, Place, Proceed
from storage import separations
from storage.states import SeparationState
from tests.end_to_end.in_process import Bot, Clock, a_bot, a_sandbox, as_answer, command_for

S = SeparationState
FOREVER = 1000


# Too fast


@pytest.mark.parametrize(("name", "code"), [("sunoapi_org", 430), ("kie", 429)])
async def test_it_waits_for_as_long_as_the_upstream_asks_and_asks_nobody_else(tmp_path, name, code):
    async with a_bot(tmp_path, f"{name},apikley") as bot:
        ann, refused_at = bot.person(), []
        bot.upstream(name).fail_next(too_fast(code, refused_at, bot.clock, retry_after_s=20), times=1)
        command = await ann.say(command_for(SONGS[0]))
        queued = await bot.until(lambda: put_back(bot))
        assert queued.due_at == pytest.approx(refused_at[0] + 20, abs=1)
        bot.later(15)
        other = await bot.person("Ben").say(command_for(SONGS[1]))  # nobody else's order goes there either
        await bot.until(lambda: bot.job(2))
        assert bot.charges() == {}
        bot.later(6)
        assert "10 credits paid" in await bot.ending(ann, command)
        await bot.ended(2)
        assert len(bot.titles(other)) == 2
        assert bot.charges() == {name: 2}
        assert len(refused_at) == 1


def too_fast(code: int, refused_at: list[float], clock: Clock, retry_after_s: int) -> Fault:
    async def play(_: Proceed) -> Response:
        refused_at.append(clock())
        body = {"code": code, "msg": "Your call frequency is too high.", "data": None}
        return JSONResponse(body, headers={"Retry-After": str(retry_after_s)})

    return Fault("too_fast", play)


async def put_back(bot: Bot):
    separation = await bot.separation()
    return separation if separation and separation.failures and separation.state is S.QUEUED else None


# Down


@dataclass
class Outage:
    """While it is on, every exchange ends in a web page."""

    is_on: bool = True
    met: int = 0

    def strikes(self, upstream: Upstream, *places: Place) -> None:
        for place in places:
            upstream.fail_next(Fault("outage", self._play), on=place, times=FOREVER)

    async def _play(self, proceed: Proceed) -> Response:
        if not self.is_on:
            return await proceed()
        self.met += 1
        return await faults.html_502().play(proceed)


async def test_one_that_is_down_is_left_alone_until_its_credits_call_answers(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    async with a_bot(tmp_path, "kie,apikley") as bot:
        ann, ben, cid = (bot.person(name) for name in ("Ann", "Ben", "Cid"))
        outage = Outage()
        outage.strikes(bot.upstream("kie"), Place.LOOK, Place.CREDITS)
        bot.upstream("kie").hold()
        command = await ann.say(command_for(SONGS[0]))
        await bot.passes_until(lambda: is_logged(caplog, "kie.ai is set aside for a while"))
        await ben.say(command_for(SONGS[1]))
        await bot.ended(2)
        assert bot.charges() == {"kie": 1, "apikley": 1}
        for _ in range(20):
            bot.later(3)
            await asyncio.sleep(0)
        assert logged(caplog, "is set aside") == 1
        assert logged(caplog, "is back") == 0
        outage.is_on = False
        await bot.passes_until(lambda: is_logged(caplog, "kie.ai is back"))
        bot.upstream("kie").release()
        await bot.passes_until(lambda: as_answer(bot.titles(command)))
        await cid.say(command_for(SONGS[2]))
        await bot.ended(3)
        assert bot.charges() == {"kie": 2, "apikley": 1}
        assert [logged(caplog, text) for text in ("is set aside", "is back")] == [1, 1]


def logged(caplog: pytest.LogCaptureFixture, text: str) -> int:
    return sum(text in record.getMessage() for record in caplog.records)


async def is_logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return logged(caplog, text) > 0


async def test_alone_it_is_waited_for_and_nothing_is_sent_meanwhile(tmp_path, caplog):
    async with a_bot(tmp_path, "kie") as bot:
        ann = bot.person()
        outage = Outage()
        outage.strikes(bot.upstream("kie"), Place.CREDITS)
        refused_at = bot.refuses("kie", Refusal.MAINTENANCE, times=5)
        command = await ann.say(command_for(SONGS[0]))
        await bot.passes_until(lambda: is_logged(caplog, "kie.ai is set aside for a while"))
        assert len(refused_at) == 5
        outage.is_on = False
        await bot.passes_until(lambda: is_logged(caplog, "kie.ai is back"))
        await bot.all_end()
        assert "10 credits paid" in await bot.ending(ann, command)


# The rate of submits


SPEED = 5
TAKEN = [
    known
    for known in (*SONGS, *ODD.values())
    if not (known.quirks.refusal or known.quirks.submit_fault or known.quirks.first_looks)
]


class Hasty(selectors.DefaultSelector):
    """Waits for a part of what it is told to."""

    def select(self, timeout=None):
        return super().select(None if timeout is None else timeout / SPEED)


class HastyLoop(asyncio.SelectorEventLoop):
    """Time passes so much faster, for everything that the loop waits for."""

    def __init__(self) -> None:
        super().__init__(Hasty())

    def time(self) -> float:
        return super().time() * SPEED


# A little more than its table allows, so that a machine that stops for a moment fails nothing.
@pytest.mark.parametrize(
    ("name", "orders", "most", "per_s"), [("sunoapi_org", 30, 20, 10.0), ("sunoapi_com", 4, 3, 9.0)]
)
def test_many_orders_at_once_are_submitted_no_faster_than_the_upstream_allows(
    tmp_path, name, orders, most, per_s
):
    with asyncio.Runner(loop_factory=HastyLoop) as runner:
        times = runner.run(submit_many(tmp_path, name, orders))
    assert len(times) == orders
    assert all(beyond - first >= per_s for first, beyond in zip(times, times[most:], strict=False))


def test_what_is_asked_before_an_order_does_not_bring_orders_too_close_together(tmp_path):
    with asyncio.Runner(loop_factory=HastyLoop) as runner:
        first, second = runner.run(submit_many(tmp_path, "sunoapi_com", 2, credits_take_s=4.0))
    assert second - first >= 2.0


async def submit_many(folder: Path, name: str, orders: int, credits_take_s: float = 0.0) -> list[float]:
    """All at once, after a pause; when each came, by the hasty clock."""
    hasty = asyncio.get_running_loop().time
    async with a_sandbox(folder, name) as bot:
        bot.clock.source = lambda: 1_800_000_000 + hasty()
        upstream = bot.upstream(name)
        upstream.clock, upstream.balance, upstream.rate = hasty, 100_000, UNLIMITED
        upstream.hold()
        async with bot.at_work():
            await bot.probed(name)
            health = bot.app.services.upstreams[name]
            health.paused_until = bot.clock() + 500
            for number in range(orders):
                await bot.person(f"Person {number}").say(command_for(TAKEN[number]))
            await bot.until(lambda: bot.job(orders), within_s=100)
            upstream.fail_next(faults.slow(credits_take_s), on=Place.CREDITS)
            health.paused_until = 0.0
            bot.later(500)  # less than what lies between two probes
            await bot.until(are_submitted(bot), within_s=100)
        return [submit.time for submit in upstream.submits]


def are_submitted(bot: Bot) -> Callable[[], Awaitable[bool]]:
    async def none_waits() -> bool:
        async with bot.app.services.database.reading() as db:
            return {state for _, state, _ in await separations.counts(db)} == {S.RUNNING}

    return none_waits
