"""What the audit of the ledger finds where the database's own defences are down: every broken rule."""

import asyncio
import os
import sys
from contextlib import suppress

import pytest
from sqlalchemy import text

from storage import audit
from storage.states import JobState
from tests.storage.broken import BROKEN, DEFENCES_OFF, INDEXES_OFF, TRIGGERS_OFF, balance, entry

J = JobState


class Undone(Exception):
    """Ends a transaction of which nothing stays."""


async def found_after(database, *statements):
    """What the audit says after statements that the database would refuse; then all is as before."""
    with suppress(Undone):
        async with database.transaction() as db:
            for statement in (*DEFENCES_OFF[db.dialect.name], *INDEXES_OFF, *statements):
                await db.execute(text(statement))
            found = await audit.broken_rules(db)
            if database.embedded:  # of the connection, and so not undone
                await db.execute(text("PRAGMA ignore_check_constraints = OFF"))
            raise Undone
    return found


@pytest.mark.parametrize(("state", "statements", "sentences"), BROKEN)
async def test_the_audit_names_what_is_broken_and_nothing_else(given, database, state, statements, sentences):
    await given.job(price=10, state=state)
    bob = (await given.person(12)).id
    found = await found_after(database, *(statement.format(bob=bob) for statement in statements))
    assert found == [sentence.format(bob=bob) for sentence in sentences]


async def test_the_audit_finds_nothing_wrong_with_any_life_of_a_job(given, database):
    for number, state in enumerate(J):
        await given.job(user_id=20 + number, price=10, state=state)
        await given.job(user_id=20 + number, price=0, state=state)
    assert await found_after(database) == []
    assert await found_after(database, "DELETE FROM jobs WHERE finished_at IS NOT NULL") == []


async def test_the_audit_finds_nothing_wrong_with_an_empty_database(database):
    assert await found_after(database) == []


async def test_a_refund_after_a_capture_is_in_order(given, database, do):
    await given.job(price=10, state=J.DELIVERED)
    async with database.transaction() as db:
        await db.execute(text(entry("refund", 4)))
    assert await do(audit.broken_rules) == []


async def test_every_broken_row_gets_its_sentence(given, database):
    for user_id in (11, 12, 13):
        await given.job(user_id=user_id, price=10)
    found = await found_after(database, "UPDATE jobs SET state = 'delivered' WHERE id <> 2")
    assert found == [f"job {job_id}: is delivered, but has 0 capture entries" for job_id in (1, 3)]


async def test_stembot_ledger_verify_ends_with_0_or_names_what_is_broken_and_ends_with_1(
    given, database, database_url, tmp_path
):
    await given.job(price=10, state=J.DELIVERED)
    status, output = await verify(database_url, tmp_path)
    assert (status, output) == (
        0,
        "Every balance is the sum of its entries, and every job is settled as it ended.\n",
    )
    async with database.transaction() as db:
        for statement in (*TRIGGERS_OFF[db.dialect.name], balance(91), "UPDATE jobs SET state = 'failed'"):
            await db.execute(text(statement))
    status, output = await verify(database_url, tmp_path)
    assert status == 1
    assert output.splitlines() == [
        "account 1: balance 91, its entries sum up to 90",
        "job 1: is failed, but has 0 release entries",
    ]


async def test_stembot_ledger_verify_tells_of_a_database_that_was_never_migrated(databases, tmp_path):
    with databases.new(migrated=False) as url:
        status, output = await verify(url, tmp_path)
    assert status == 1
    assert "run `stembot migrate`" in output
    assert "Traceback" not in output


async def verify(database_url, folder):
    """Exit status and output of the command, without a token: it needs none."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "ledger", "verify"),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": database_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()
