import asyncio
from datetime import timedelta

import pytest
from telegram import InputFile, InputMediaAudio
from telegram.error import BadRequest, RetryAfter, TimedOut

from bot.intake import limiter
from bot.intake.limiter import Dropped, Kind
from tests.bot.intake.stand_ins import Clock, Telegram, finished

# The library warns about the type of its own retry_after, which is what seconds_of() is for.
pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")

ANN, BEN, BAND = 1001, 1002, -2001
A_FILE = InputFile(b"ID3", filename="a.mp3")


@pytest.fixture
def telegram():
    return Telegram(Clock())


@pytest.fixture
def clock(telegram):
    return telegram.clock


async def test_a_person_gets_a_short_burst_and_then_one_message_a_second(telegram, clock):
    tasks = [telegram.send(ANN, Kind.ACK) for _ in range(7)]
    await clock.pass_by(10)
    assert telegram.seconds == [0, 0, 0, 0, 1, 2, 3]
    await finished(*tasks)


async def test_a_group_gets_twenty_a_minute(telegram, clock):
    tasks = [telegram.send(BAND, Kind.ACK) for _ in range(21)]
    await clock.pass_by(59)
    assert len(telegram.sent) == 20
    await clock.pass_by(1)
    assert telegram.seconds[20] == 60
    await finished(*tasks)


async def test_an_album_costs_as_much_as_its_items(telegram, clock):
    tasks = [telegram.album(BAND, 6), telegram.album(BAND, 6), telegram.album(BAND, 6)]
    await clock.pass_by(60)
    assert telegram.seconds == [0, 0, 60]
    await finished(*tasks)


async def test_an_acknowledgement_passes_an_album_that_waits(telegram, clock):
    albums = [telegram.album(BAND, 8), telegram.album(BAND, 8), telegram.album(BAND, 8)]
    await clock.pass_by(1)
    acks = [telegram.send(BAND, Kind.ACK) for _ in range(4)]
    await clock.pass_by(1)
    assert telegram.whats == ["album", "album", *[Kind.ACK] * 4]
    await clock.pass_by(60)
    assert telegram.whats[6:] == ["album"]
    await finished(*albums, *acks)


async def test_even_under_a_flood_of_acknowledgements_an_album_gets_its_turn(telegram, clock):
    tasks = [telegram.album(BAND, 10, "first")]
    await clock.settle()
    tasks += [telegram.album(BAND, 10, "second")]
    for _ in range(65):
        tasks.append(telegram.send(BAND, Kind.ACK))
        await clock.pass_by(2)
    assert "second" in telegram.whats
    await clock.pass_by(200)
    await finished(*tasks)


async def test_all_chats_together_get_thirty_a_second_the_most_urgent_first(telegram, clock):
    results = [telegram.send(chat, Kind.RESULT) for chat in range(1, 41)]
    await clock.settle()
    acks = [telegram.send(chat, Kind.ACK) for chat in range(101, 109)]
    answers = [telegram.send(endpoint="answerCallbackQuery", what=Kind.ANSWER) for _ in range(2)]
    await clock.pass_by(2)
    assert telegram.whats[:25] == [Kind.RESULT] * 25
    assert telegram.whats[25:30] == [Kind.ACK] * 5
    assert telegram.whats[30:35] == [Kind.ANSWER] * 2 + [Kind.ACK] * 3
    assert telegram.seconds == [0] * 30 + [1] * 20
    await finished(*results, *acks, *answers)


async def test_a_status_is_dropped_where_others_would_have_to_wait_for_it(telegram):
    assert await finished(*[telegram.send(BAND, Kind.STATUS) for _ in range(10)]) == [True] * 10
    with pytest.raises(Dropped):
        await telegram.send(BAND, Kind.STATUS)
    assert await telegram.send(BAND, Kind.ACK) is True


async def test_a_status_does_not_jump_a_queue(telegram, clock):
    albums = [telegram.album(BAND, 10), telegram.album(BAND, 10)]
    await clock.pass_by(59)
    (outcome,) = await finished(telegram.send(BAND, Kind.STATUS))
    assert isinstance(outcome, Dropped)
    await clock.pass_by(5)
    await finished(*albums)


async def test_a_refused_send_waits_as_long_as_told_and_goes_again(telegram, clock):
    telegram.answers = [RetryAfter(30)]
    task = telegram.send(ANN, Kind.RESULT)
    await clock.pass_by(29)
    assert telegram.seconds == [0]
    await clock.pass_by(1)
    assert telegram.seconds == [0, 30]
    assert await task is True


async def test_nothing_cuts_a_pause_short_and_no_other_chat_has_it(telegram, clock):
    telegram.answers = [RetryAfter(30)]
    tasks = [telegram.send(ANN, Kind.RESULT, "refused")]
    await clock.settle()
    for second in range(10):
        tasks += [telegram.send(BEN, Kind.RESULT, "ben")]
        tasks += [telegram.send(ANN, Kind.ACK, "ann")] if second == 5 else []
        await clock.pass_by(2)
    assert telegram.sent[1:] == [(second, "ben") for second in range(0, 20, 2)]
    await clock.pass_by(11)
    assert telegram.sent[11:] == [(30, "ann"), (30, "refused")]
    await finished(*tasks)


async def test_a_second_refusal_only_lengthens_the_pause(telegram, clock):
    telegram.answers = [RetryAfter(30), RetryAfter(5)]
    tasks = [telegram.send(ANN, Kind.RESULT), telegram.send(ANN, Kind.RESULT)]
    await clock.settle()
    tasks += [telegram.send(ANN, Kind.ACK)]
    await clock.pass_by(29)
    assert telegram.seconds == [0, 0]
    await clock.pass_by(10)
    assert await finished(*tasks) == [True, True, True]


async def test_a_refused_status_is_dropped(telegram):
    telegram.answers = [RetryAfter(3)]
    with pytest.raises(Dropped):
        await telegram.send(ANN, Kind.STATUS)
    assert len(telegram.sent) == 1


async def test_after_three_refusals_the_caller_hears_of_it(telegram, clock):
    telegram.answers = [RetryAfter(10), RetryAfter(10), RetryAfter(10), RetryAfter(10)]
    task = telegram.send(ANN, Kind.RESULT)
    await clock.pass_by(100)
    assert telegram.seconds == [0, 10, 20]
    with pytest.raises(RetryAfter):
        await task


async def test_a_pause_that_is_too_long_to_wait_for_is_told_at_once_and_kept(telegram, clock):
    telegram.answers = [RetryAfter(600)]
    with pytest.raises(RetryAfter):
        await telegram.send(ANN, Kind.RESULT)
    await clock.pass_by(500)
    with pytest.raises(RetryAfter) as raised:
        await telegram.send(ANN, Kind.ACK)
    assert limiter.seconds_of(raised.value.retry_after) == 100
    assert clock.now_s == 500
    assert len(telegram.sent) == 1


@pytest.mark.parametrize("error", [TimedOut(), BadRequest("chat not found")])
async def test_any_other_error_is_the_callers(telegram, error):
    telegram.answers = [error]
    with pytest.raises(type(error)):
        await telegram.send(ANN, Kind.RESULT)
    assert len(telegram.sent) == 1


@pytest.mark.parametrize("endpoint", ["answerCallbackQuery", "getMe", "getChatMember"])
async def test_answers_and_questions_do_not_wait_for_a_full_or_paused_chat(telegram, clock, endpoint):
    telegram.answers = [RetryAfter(30)]
    paused = telegram.send(ANN, Kind.RESULT)
    await clock.settle()
    assert await telegram.send(ANN, endpoint=endpoint) is True
    await clock.pass_by(30)
    await paused


async def test_a_refusal_outside_of_chats_delays_nobody_else(telegram, clock):
    telegram.answers = [RetryAfter(5)]
    refused = telegram.send(kind=Kind.ANSWER, endpoint="answerCallbackQuery")
    await clock.settle()
    assert await telegram.send(kind=Kind.ANSWER, endpoint="answerCallbackQuery") is True
    await clock.pass_by(5)
    assert await refused is True


async def test_a_cancelled_call_leaves_the_queue_to_the_others(telegram, clock):
    filling = [telegram.album(BAND, 10), telegram.album(BAND, 7)]
    await clock.settle()
    first, second = telegram.album(BAND, 5, "first"), telegram.album(BAND, 5, "second")
    await clock.pass_by(1)
    first.cancel()
    await clock.pass_by(60)
    assert telegram.sent[2:] == [(60, "second")]
    await finished(*filling, first, second)


async def test_uploads_go_half_a_second_apart_and_file_ids_at_once(telegram, clock):
    uploads = [telegram.send(chat, endpoint="sendAudio", audio=A_FILE) for chat in range(1, 4)]
    album = telegram.send(4, endpoint="sendMediaGroup", media=[InputMediaAudio(A_FILE.input_file_content)])
    known = telegram.send(5, endpoint="sendAudio", audio="file-id", what="known")
    await clock.pass_by(2)
    assert [second for second, what in telegram.sent if what != "known"] == [0, 0.5, 1.0, 1.5]
    assert (0, "known") in telegram.sent
    await finished(*uploads, album, known)


async def test_idle_chats_are_forgotten_and_chats_in_use_are_not(telegram, clock):
    release = asyncio.Event()

    async def long_upload() -> bool:
        await release.wait()
        raise RetryAfter(30)

    upload = asyncio.create_task(
        telegram.limiter.process_request(long_upload, (), {}, "sendAudio", {"chat_id": ANN}, Kind.RESULT)
    )
    for chat in range(2000, 2100):
        await telegram.send(chat, Kind.ACK)
        await clock.pass_by(1)
    assert len(telegram.limiter._chats) < 70
    release.set()
    await clock.settle()
    later = telegram.send(ANN, Kind.ACK)
    await clock.pass_by(29)
    assert not later.done()
    upload.cancel()
    await clock.pass_by(2)
    await finished(upload, later)


@pytest.mark.parametrize(
    ("endpoint", "data", "cost"),
    [
        ("sendMessage", {"text": "hi"}, 1),
        ("sendMediaGroup", {"media": [1, 2, 3]}, 3),
        ("copyMessages", {"message_ids": (1, 2)}, 2),
        ("editMessageMedia", {"media": InputMediaAudio("x")}, 1),
        ("sendChatAction", {}, 0),
    ],
)
def test_what_a_call_costs(endpoint, data, cost):
    assert limiter.cost_of(endpoint, data) == cost


def test_groups_have_negative_ids_or_names():
    assert [limiter.is_group(chat) for chat in (5, "5", -5, "-1005", "@band")] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_both_forms_of_retry_after_are_seconds():
    assert limiter.seconds_of(3) == limiter.seconds_of(timedelta(seconds=3)) == 3.0
