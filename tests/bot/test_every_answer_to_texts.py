"""Every text that the bot sends of a job, times every answer to it: what the person sees, what is recorded.

"Seen" is how many messages of the bot the chat holds, files left out, and what the last one says; "recorded"
is the state of the job and whether it was paid.
"""

from collections.abc import Sequence
from contextlib import suppress

from telegram.error import TelegramError

from tests.bot.answers import (
    CHAT_GONE,
    MOVED,
    NO_TEXTS,
    OK,
    REFUSALS,
    TOPIC_GONE,
    UNKNOWN_DONE,
    UNKNOWN_NOT_DONE,
    UNSENT,
    Answers,
    Case,
    acknowledged,
    as_often,
    said_in,
    separated,
    unhurried,
)
from tests.bot.telegram_stand_in import NOT_THERE, TOO_OLD, refusal
from tests.bot.world import World

Table = Sequence[tuple[Answers, str, str]]
LOST_MESSAGE: Answers = {
    "400 message to edit not found": [NOT_THERE],
    "400 message can't be edited": [refusal(400, "Bad Request: message can't be edited")],
}
QUERY_TOO_OLD: Answers = {"400 query is too old": [TOO_OLD]}

ACKNOWLEDGEMENT: Table = [
    (OK | UNSENT, "1, Delivered", "delivered, paid"),
    # Nobody knows its id, so that the last form is a message of its own.
    (UNKNOWN_NOT_DONE | REFUSALS, "1, Delivered", "delivered, paid"),
    (UNKNOWN_DONE, "2, Delivered", "delivered, paid"),
    (NO_TEXTS, "nothing", "delivered, paid"),  # the stems themselves may well be sent
    (CHAT_GONE, "nothing", "cancelled, not paid"),
    (MOVED | TOPIC_GONE, "1 at the new place, Delivered", "delivered, paid"),
]
LAST_FORM: Table = [
    # An edit may be repeated: it shows only once.
    (OK | UNSENT | UNKNOWN_NOT_DONE | UNKNOWN_DONE, "1, Delivered", "delivered, paid"),
    (LOST_MESSAGE | REFUSALS, "2, Delivered", "delivered, paid"),
    (CHAT_GONE, "1, Ordering", "delivered, paid"),
    (MOVED, "1 at the new place, Delivered", "delivered, paid"),
]
ANSWER_TO_A_PRESS: Table = [
    # What was pressed happens, whether or not the person is told so at once.
    (OK | UNSENT | UNKNOWN_NOT_DONE | UNKNOWN_DONE | QUERY_TOO_OLD, "1, Cancelled", "cancelled, not paid"),
]


def cases_of(table: Table) -> list[Case]:
    answers = [found for row in table for found in row[0].items()]
    return [Case.of(*found, number) for number, found in enumerate(answers, start=1)]


async def same_as(table: Table, world: World, cases: Sequence[Case]) -> None:
    """Work until all is done, and compare with the table."""
    await world.run_until_idle()
    happened = [(case.name, *await outcome(world, case)) for case in cases]
    assert happened == [(name, *expected) for names, *expected in table for name in names]


async def outcome(world: World, case: Case) -> tuple[str, str]:
    job = await world.job(case.number)
    place = " at the new place" if case.is_elsewhere(job) else ""
    texts = world.telegram.texts_in(job.chat_id)
    seen = f"{len(texts)}{place}, {said_in(texts[-1])}" if texts else "nothing"
    paid = {90: "paid", 100: "not paid"}[await world.balance(case.person)]
    return seen, f"{job.state}, {paid}"


async def test_every_answer_to_the_acknowledgement(world):
    cases = cases_of(ACKNOWLEDGEMENT)
    unhurried(world)
    for case in cases:
        world.telegram.fail_in(case.chat_id, "sendMessage", *case.faults)
        await case.ask(world)
    await same_as(ACKNOWLEDGEMENT, world, cases)


async def test_every_answer_to_the_last_form_of_the_status_message(world):
    cases = cases_of(LAST_FORM)
    await separated(world, cases, "vocals.mp3")
    await as_often(world, cases, "deliver")
    for case in cases:
        world.telegram.fail_in(case.chat_id, "editMessageText", *case.faults)
    await same_as(LAST_FORM, world, cases)


async def test_every_answer_to_the_answer_to_a_press(world):
    cases = cases_of(ANSWER_TO_A_PRESS)
    await acknowledged(world, cases)
    for case in cases:
        world.telegram.fail("answerCallbackQuery", *case.faults)
        await press(world, world.pressing("Cancel", by=case.person))
        world.telegram.faults.clear()
    await same_as(ANSWER_TO_A_PRESS, world, cases)


async def press(world: World, update: dict) -> None:
    """As the intake does it: again, where the handler failed."""
    for _ in range(3):
        with suppress(TelegramError):
            await world.handle(update)
            return
    raise AssertionError("it fails again and again")
