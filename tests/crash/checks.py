"""What the tests of named points say and expect."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.telegram import Message, Person
from tests.crash.driver import WITHIN_S, Driver
from tests.crash.rules import Evidence, broken_rules
from tests.crash.snapshot import Snapshot

LEDGER_IN_ORDER = "Every balance is the sum of its entries, and every job is settled as it ended.\n"


def to(person: Person) -> Callable[[Mapping[str, Any]], bool]:
    """Of the calls to this person's chat."""
    return lambda parameters: str(parameters.get("chat_id")) == str(person.chat_id)


async def delivered(driver: Driver, person: Person, command: Message, *, balance: int) -> None:
    """The stems are in the chat, the status message says so, and no rule is broken."""
    await person.wait_for_text(f"balance {balance}", WITHIN_S, after=command)
    (job,) = (await all_rules_hold(driver)).jobs_of(command.chat_id, command.message_id)
    assert job.state == "delivered"


async def all_rules_hold(driver: Driver) -> Snapshot:
    """Once all is quiet; what the database holds then."""
    driver.release()
    now = await driver.quiet()
    broken = set(broken_rules(Evidence(driver.town, now, driver.doubts)))
    new, driver.complaints = broken - driver.complaints, broken
    assert not new
    return now
