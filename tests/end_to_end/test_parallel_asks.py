"""One person asks in many chats at the same moment, with credits for a few of them: on both engines."""

from itertools import accumulate

import pytest

from sandbox.songs import ODD, SONGS, Quirks, Song
from sandbox.telegram import Message, Person
from storage import audit
from tests.end_to_end.in_process import Bot, a_bot, command_for

ASKED, AFFORDED, PRICE = 20, 3, 10


def ends_well(song: Song) -> bool:
    odd = song.quirks
    return odd.links and not (odd.refusal or odd.submit_fault or odd.never) and odd.host == Quirks().host


ORDINARY = [song for song in (*SONGS, *ODD.values()) if ends_well(song)][:ASKED]


@pytest.fixture
async def bot(database_url, tmp_path):
    credits = {"signup_credits": str(AFFORDED * PRICE), "sunoapi_org_price_basic": str(PRICE)}
    async with a_bot(tmp_path, "sunoapi_org", database_url=database_url, **credits) as bot:
        yield bot


@pytest.fixture
def ann(bot):
    return bot.person()


async def test_of_twenty_parallel_asks_three_are_taken_and_charged_and_seventeen_told_why(bot, ann):
    bot.upstream("sunoapi_org").hold()
    asked = await ask_everywhere(bot, ann)
    answers = await last_words(bot, ann, asked, "credits", ASKED)
    accepted = [answer for answer in answers if f"{PRICE} credits, set aside" in answer]
    refused = [answer for answer in answers if f"This costs {PRICE} credits, you have 0 credits" in answer]
    assert (len(accepted), len(refused)) == (AFFORDED, ASKED - AFFORDED), answers
    assert all("Nothing was charged" in answer for answer in refused)
    bot.upstream("sunoapi_org").release()
    delivered = await last_words(bot, ann, asked, "Delivered", AFFORDED)
    assert all(f"{PRICE} credits paid · balance 0" in status for status in delivered)
    assert bot.charges() == {"sunoapi_org": AFFORDED}
    await the_balance_was_never_negative(bot, ann)


async def the_balance_was_never_negative(bot: Bot, ann: Person) -> None:
    amounts = [entry.amount for entry in await bot.entries(ann)]
    assert amounts == [AFFORDED * PRICE, *[-PRICE] * AFFORDED]
    assert min(accumulate(amounts)) == 0
    async with bot.app.services.database.reading() as db:
        assert await audit.broken_rules(db) == []


async def ask_everywhere(bot: Bot, ann: Person) -> list[Message]:
    """Ann asks for another song in each of her groups; Telegram hands all that over in one answer."""
    telegram = bot.sandbox.telegram
    groups = [telegram.group(f"Band {number}", members=[ann]) for number in range(ASKED)]
    return [await ann.say(command_for(song), group) for song, group in zip(ORDINARY, groups, strict=True)]


async def last_words(bot: Bot, ann: Person, asked: list[Message], word: str, count: int) -> list[str]:
    """Of the answers to what was asked, those with this word in them; once there are so many."""

    def said(_: list[Message]) -> list[str]:
        texts = [reply.text or "" for command in asked for reply in bot.replies(command)]
        found = [text for text in texts if word in text]
        return found if len(found) >= count else []

    return await ann.wait_for(said, within_s=20)
