"""kill -9 around a submit: nobody knows then whether the upstream was asked, so it is not asked again until
a person wants it.
"""

import pytest

from sandbox.upstreams.faults import Place
from tests.crash.checks import LEDGER_IN_ORDER, all_rules_hold
from tests.crash.moments import unanswered, unheard
from tests.crash.songs import command_for
from tests.end_to_end.towns import balance_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
SETTINGS = {"JOB_DEADLINE_SECONDS": "4"}


async def test_after_the_upstream_accepted_but_before_its_answer_is_read(driver, ann, song):
    moment = driver.hold_upstream(Place.SUBMIT, unanswered)
    command = await ann.say(command_for(song))
    await moment.reached()
    await driver.restart()
    status = await failed(driver, ann, command)
    assert driver.town.charged(song.audio_id) == ["basic"]
    await ann.press(status, "Try again")
    await ann.wait_for_text("10 credits paid · balance 90", within_s=30, after=status)
    await all_rules_hold(driver)
    assert driver.town.charged(song.audio_id) == ["basic", "basic"], "the second one at a person's wish"


async def test_before_the_upstream_has_heard_of_it(driver, ann, song):
    moment = driver.hold_upstream(Place.SUBMIT, unheard)
    command = await ann.say(command_for(song))
    await moment.reached()
    left = await driver.restart()
    assert [one.state for one in left.separations_of(song.audio_id)] == ["submitting"]
    await failed(driver, ann, command)
    assert driver.town.charged(song.audio_id) == []


async def test_the_ledger_is_in_order_after_all_of_that(driver):
    assert await driver.ledger_verify() == (0, LEDGER_IN_ORDER)


async def failed(driver, person, command):
    """The person was told that nothing was charged, and may try again; the status message."""
    status = await person.wait_for_text("Nothing was charged · balance 100", within_s=30, after=command)
    await all_rules_hold(driver)
    assert await balance_of(person) == 100
    assert driver.town.audios(command) == []
    return status
