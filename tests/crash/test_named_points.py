"""kill -9 at named points of a request's life. Each test leaves a bot at work, and the next one begins with
it; after each all rules are checked for everything that has happened so far.
"""

import pytest

from sandbox.telegram import faults
from sandbox.telegram.faults import Cut, Fault, Hold
from sandbox.upstreams.faults import Place
from tests.crash.checks import LEDGER_IN_ORDER, all_rules_hold, delivered, to
from tests.crash.moments import half_sent, unanswered, unheard
from tests.crash.songs import ORDINARY, command_for
from tests.end_to_end.towns import balance_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
HUNG_UP = 0  # the status of a call for whose answer nobody waited


async def test_after_the_update_is_stored(driver, ann, song):
    driver.hold_call("sendMessage", faults.slow(), to(ann))
    await ann.say("/credits")
    await ann.wait_for_text("You have 100 credits")
    # In one chat all is handled in order: this waits until the bot knows that its first answer is there.
    command = await ann.say(command_for(song))
    await driver.confirmed()
    left = await driver.restart()
    assert not left.jobs
    assert left.unhandled == 2
    await delivered(driver, ann, command, balance=90)


async def test_while_the_acknowledgement_is_on_its_way(driver, ann, song):
    driver.hold_call("sendMessage", faults.slow(), to(ann))
    driver.town.upstream.hold()
    command = await ann.say(command_for(song))
    await driver.separation_is("running", song.audio_id)
    await ann.wait_for_text("10 credits, set aside", after=command)
    await driver.kill()
    driver.town.upstream.release()
    await driver.start()
    await delivered(driver, ann, command, balance=90)


async def test_after_the_acknowledgement(driver, ann, song):
    ben = driver.town.telegram.person("Ben")
    driver.town.upstream.hold()
    first = await ann.say(command_for(song))
    await driver.separation_is("running", song.audio_id)
    second = await ben.say(command_for(song))
    await driver.until(lambda now: [job.acknowledged for job in now.jobs[-2:]] == [True, True])
    await driver.kill()
    driver.town.upstream.release()
    await driver.start()
    await delivered(driver, ann, first, balance=90)
    await delivered(driver, ben, second, balance=100)
    assert len(driver.town.replies(first)) == len(driver.town.replies(second)) == 3


async def test_before_the_submit_leaves(driver, ann):
    """Titles are asked for before an order: a kill then leaves nothing uncertain."""
    song = ORDINARY[-1]  # of a task whose songs are not known yet
    moment = driver.hold_upstream(Place.SONGS, unheard)
    command = await ann.say(command_for(song))
    await moment.reached()
    left = await driver.restart()
    assert [one.state for one in left.separations_of(song.audio_id)] == ["queued"]
    await delivered(driver, ann, command, balance=90)
    assert driver.town.charged(song.audio_id) == ["basic"]


async def test_while_it_is_pending(driver, ann, song):
    driver.town.upstream.hold()
    looks = driver.town.upstream.looks
    command = await ann.say(command_for(song))
    await driver.until(lambda _: driver.town.upstream.looks > looks)
    await driver.kill()
    driver.town.upstream.release()
    await driver.start()
    await delivered(driver, ann, command, balance=90)


async def test_while_success_is_on_its_way(driver, ann, song):
    driver.town.upstream.hold()
    command = await ann.say(command_for(song))
    await driver.separation_is("running", song.audio_id)
    moment = driver.hold_upstream(Place.LOOK, unanswered)
    driver.town.upstream.finish()
    await moment.reached()
    await driver.restart()
    await delivered(driver, ann, command, balance=90)


async def test_after_success_was_seen(driver, ann, song):
    driver.hold_call("sendMessage", faults.slow(), to(ann))  # nothing is delivered before it was acknowledged
    command = await ann.say(command_for(song))
    await driver.separation_is("succeeded", song.audio_id)
    left = await driver.restart()
    assert left.jobs[-1].state == "waiting"
    await delivered(driver, ann, command, balance=90)


async def test_in_the_middle_of_a_download(driver, ann, song):
    moment = driver.hold_upstream(Place.FILE, half_sent)
    command = await ann.say(command_for(song))
    await moment.reached()
    await driver.restart()
    await delivered(driver, ann, command, balance=90)
    downloads = driver.town.home.folder.glob("stembot-*/**/*")
    assert not [path for path in downloads if path.is_file()], "nothing is left of the half file"
    assert len(driver.town.audios(command)) == 2


async def test_in_the_middle_of_an_upload(driver, ann, song):
    await killed_during_upload(driver, ann, song, 0.5)


async def test_after_telegram_got_the_album_but_before_the_answer(driver, ann, song):
    driver.hold_call("sendMediaGroup", faults.slow(), to(ann))
    command = await ann.say(command_for(song))
    await ann.wait_for_audios(2, after=command)
    await driver.restart()
    await delivered(driver, ann, command, balance=90)
    assert len(driver.town.audios(command)) == 4, "the one case in which an album comes twice"


async def test_between_two_albums(driver, ann, song):
    driver.town.telegram.fail_next("sendMediaGroup", faults.ok(), when=to(ann))
    driver.hold_call("sendMediaGroup", Fault(processed=False, answer=Cut(), hold=Hold(None)), to(ann))
    command = await ann.say(command_for(song, "full"))
    await driver.until(lambda _: len(albums_to(driver, ann)) == 2)
    await driver.restart()
    await delivered(driver, ann, command, balance=50)
    assert len(driver.town.audios(command)) == 12, "the first album is not sent again"
    assert len(albums_to(driver, ann)) == 3


async def test_after_a_cancel_is_stored(driver, ann, song):
    driver.town.upstream.hold()
    command = await ann.say(command_for(song))
    status = await ann.wait_for_text("10 credits, set aside", after=command)
    await driver.separation_is("running", song.audio_id)
    driver.hold_call("sendMessage", faults.slow(), to(ann))
    await ann.say("/credits")
    await ann.wait_for_text("You have 90 credits")
    press = await ann.press(status, "Cancel")
    await driver.confirmed()
    left = await driver.restart()
    assert left.jobs[-1].state == "waiting"
    await cancelled(driver, ann, command, press)


async def test_in_the_middle_of_a_cancel(driver, ann, song):
    driver.town.upstream.hold()
    command = await ann.say(command_for(song))
    status = await ann.wait_for_text("10 credits, set aside", after=command)
    await driver.separation_is("running", song.audio_id)
    driver.hold_call("answerCallbackQuery", Fault(processed=False, answer=Cut(), hold=Hold(None)))
    press = await ann.press(status, "Cancel")
    await driver.until(lambda now: now.jobs[-1].state == "cancelled")
    await driver.restart()
    await cancelled(driver, ann, command, press)


async def test_in_the_middle_of_a_grant(driver, ann):
    await ann.say("/start")
    await ann.wait_for_text("You have 100 credits")
    driver.hold_call("sendMessage", faults.slow(), to(driver.operator))
    grant = await driver.operator.say(f"/grant {ann.user_id} 25")
    await driver.operator.wait_for_text("25", after=grant)
    left = await driver.restart()
    assert left.unhandled == 1
    await all_rules_hold(driver)
    assert await balance_of(ann) == 125, "granted once"
    assert len(driver.town.telegram.messages(driver.operator)) >= 3, "and answered again"


async def test_in_the_middle_of_a_shutdown(driver, ann, song):
    driver.hold_call("sendMediaGroup", faults.slow(), to(ann))
    command = await ann.say(command_for(song))
    await ann.wait_for_audios(2, after=command)
    driver.bot.terminate()
    await driver.until(lambda _: driver.town.telegram.calls_of("getUpdates")[-1].status == HUNG_UP)
    await driver.restart()
    await delivered(driver, ann, command, balance=90)


async def test_in_the_middle_of_the_next_start(driver, ann, song):
    driver.town.upstream.hold()
    command = await ann.say(command_for(song))
    await driver.separation_is("running", song.audio_id)
    await driver.kill()
    driver.town.upstream.release()
    logins = len(driver.town.telegram.calls_of("getMe"))
    await driver.launch()
    await driver.town.telegram.wait_for_calls("getMe", logins + 1, within_s=20)
    await driver.restart()
    await delivered(driver, ann, command, balance=90)


@pytest.mark.parametrize("share", [0, 1], ids=["head", "last byte"])
async def test_at_either_end_of_an_upload(driver, ann, song, share):
    await killed_during_upload(driver, ann, song, share)


async def test_the_ledger_is_in_order_after_all_of_that(driver):
    assert await driver.ledger_verify() == (0, LEDGER_IN_ORDER)


async def killed_during_upload(driver, ann, song, share) -> None:
    moment = driver.hold_upload(share)
    command = await ann.say(command_for(song))
    await moment.reached()
    await driver.restart()
    await delivered(driver, ann, command, balance=90)
    assert len(driver.town.audios(command)) == 2, "Telegram had not got it"


def albums_to(driver, person):
    return [call for call in driver.town.telegram.calls_of("sendMediaGroup") if to(person)(call.parameters)]


async def cancelled(driver, person, command, press) -> None:
    await person.wait_for_text("Cancelled, nothing was charged · balance 100", within_s=30, after=command)
    await press.answer(within_s=30)
    driver.town.upstream.release()
    (job,) = (await all_rules_hold(driver)).jobs_of(command.chat_id, command.message_id)
    assert job.state == "cancelled"
    assert not driver.town.audios(command)
