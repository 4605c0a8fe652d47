"""kill -9 at random times, while a crowd asks for all kinds of things; then every rule is checked.

30 kills by default; ``make crash N=500 SEED=7`` for a long run. The seed fixes what people do and how long
each process lives, not what falls together: a run that failed once may have to be repeated more than once.
"""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.crash.checks import LEDGER_IN_ORDER
from tests.crash.crowd import Crowd
from tests.crash.driver import Driver, a_driver
from tests.crash.figures import Figures, figures_of
from tests.crash.rules import Evidence, broken_rules

KILLS = int(os.environ.get("CRASH_KILLS", "30"))
FIRST_SEED = int(os.environ.get("CRASH_SEED", "1"))
KILLS_EACH = 10
TOWNS_AT_ONCE = 3
LIVES_FOR_S = 1.5
STARTS_FOR_S = 2.0
SIGNUP = 300
SETTINGS = {"SIGNUP_CREDITS": str(SIGNUP), "JOB_DEADLINE_SECONDS": "15"}

SEEDS = range(FIRST_SEED, FIRST_SEED - (-KILLS // KILLS_EACH))
BATCHES = [SEEDS[first : first + TOWNS_AT_ONCE] for first in range(0, len(SEEDS), TOWNS_AT_ONCE)]


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"seeds {seeds[0]} to {seeds[-1]}")
async def test_no_rule_breaks_when_the_bot_is_killed_at_random_times(seeds, tmp_path, record_property):
    begun_at = time.monotonic()
    async with asyncio.TaskGroup() as group:
        towns = [group.create_task(one_town(tmp_path / str(seed), seed)) for seed in seeds]
    together = sum((town.result() for town in towns), Figures())
    took_s = time.monotonic() - begun_at
    told = f"random kills, seeds {seeds[0]} to {seeds[-1]}, {took_s:.0f} s: {together}"
    record_property("figures", told)


async def one_town(folder: Path, seed: int) -> Figures:
    dice = Random(seed)
    async with a_driver(folder, **SETTINGS) as driver:
        driver.town.upstream.balance = 1_000_000
        driver.town.upstream.tasks.finish_after_s = 0.5
        crowd = Crowd(driver, dice)
        try:
            for _ in range(KILLS_EACH):
                await crowd.act(dice.randint(1, 3))
                await one_life(driver, crowd, dice)
            await crowd.act(2)
            await driver.start()
            return await the_end(driver, crowd)
        except (AssertionError, TimeoutError) as error:
            error.add_note(f"repeat it with: make crash N={KILLS_EACH} SEED={seed}")
            raise


async def one_life(driver: Driver, crowd: Crowd, dice: Random) -> None:
    """Most are killed at work, some while they start; half of them just when something happens."""
    if dice.random() < 0.15:
        bot, lives_for_s = await driver.launch(), dice.uniform(0, STARTS_FOR_S)
    else:
        bot, lives_for_s = await driver.start(), dice.uniform(0, LIVES_FOR_S)
        await crowd.act(dice.randint(0, 2))
    with suppress(TimeoutError):
        status = await bot.ended(lives_for_s)
        raise AssertionError(f"it ended by itself with {status}:\n{bot.output}")
    if dice.random() < 0.5:
        await driver.next_event(within_s=0.5)
    await driver.kill()


async def the_end(driver: Driver, crowd: Crowd) -> Figures:
    """Wait for quiet, then check everything."""
    now = await driver.quiet(within_s=150)
    status, said = await driver.ledger_verify()
    evidence = Evidence(driver.town, now, driver.doubts, crowd.commands)
    assert broken_rules(evidence) + await crowd.complaints(SIGNUP) == []
    assert (status, said) == (0, LEDGER_IN_ORDER)
    return figures_of(driver, evidence, ledger_in_order=True)
