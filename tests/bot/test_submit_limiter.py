"""How fast an upstream is submitted to."""

import asyncio
import selectors

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.upstreams import submit_limiter
from providers import apikley, kie, sunoapi_org
from providers.base import Limits
from providers.suno_api import SunoApi
from providers.sunoapi_com import SunoApiCom


class Skipping(selectors.DefaultSelector):
    """Never waits: the time it is told to wait for has passed, and a little in any case."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0

    def select(self, timeout=None):
        self.passed_s += (timeout or 0.0) + 1e-6
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """Its time passes only by being waited for."""

    def __init__(self) -> None:
        self._skipping = Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.passed_s


async def submitted_at(limits: Limits, pauses_s: list[float]) -> list[float]:
    """When each submit passes: so many at once after each pause as would fill the table twice."""
    limiter, loop = submit_limiter(limits), asyncio.get_running_loop()
    passed: list[float] = []

    async def submit() -> None:
        await limiter.acquire()
        passed.append(loop.time())

    for pause_s in pauses_s:
        await asyncio.sleep(pause_s)
        await asyncio.gather(*(submit() for _ in range(2 * limits.submits)))
    return passed


TABLES = [sunoapi_org.BRAND.limits, kie.BRAND.limits, apikley.BRAND.limits, SunoApiCom.limits, SunoApi.limits]


@given(
    limits=st.one_of(
        st.sampled_from(TABLES),
        st.builds(Limits, st.integers(1, 40), st.floats(0.5, 60), look_every_s=st.just(10.0)),
    ),
    pauses_s=st.lists(st.floats(0, 40), min_size=1, max_size=5),
)
@settings(deadline=None, max_examples=60)
def test_no_more_than_allowed_pass_in_any_period(limits, pauses_s):
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        passed = runner.run(submitted_at(limits, pauses_s))
    for first, beyond in zip(passed, passed[limits.submits :], strict=False):
        assert beyond - first >= limits.per_s * (1 - 1e-6)


@pytest.mark.parametrize("limits", TABLES[:1])
def test_nearly_what_is_allowed_passes_in_the_long_run(limits):
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        passed = runner.run(submitted_at(limits, [0.0] * 5))
    assert len(passed) / passed[-1] > 0.45 * limits.submits / limits.per_s
