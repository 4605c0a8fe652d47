"""What the audit of the ledger finds where the database's own defences are down: every broken rule."""

import asyncio
import os
import sys
from contextlib import suppress

import pytest
from sqlalchemy import text

from storage import audit
from storage.states import JobState

J = JobState

# All that keeps a wrong row out; taken away in a transaction that is undone at the end.
DEFENCES_OFF = {
    "sqlite": (
        "DROP TRIGGER entries_keep_balance",
        "DROP TRIGGER entries_are_not_changed",
        "DROP TRIGGER entries_are_not_deleted",
        "DROP TRIGGER entries_settle_a_hold",
        "DROP TRIGGER entries_refund_a_capture",
        "DROP TRIGGER accounts_balance_is_the_sum",
        "PRAGMA defer_foreign_keys = ON",
        "PRAGMA ignore_check_constraints = ON",
    ),
    "postgresql": (
        "SET LOCAL session_replication_role = replica",  # neither triggers nor foreign keys
        "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_balance_not_negative",
        "ALTER TABLE entries DROP CONSTRAINT ck_entries_amount_of_kind",
        "ALTER TABLE entries DROP CONSTRAINT ck_entries_job_of_kind",
    ),
}
INDEXES_OFF = tuple(f"DROP INDEX uq_entries_{name}" for name in ("hold", "settled", "refund"))
TRIGGERS_OFF = {name: statements[:1] for name, statements in DEFENCES_OFF.items()} | {
    "sqlite": ("DROP TRIGGER accounts_balance_is_the_sum",)
}


def entry(kind, amount, *, account=1, job=1):
    return (
        "INSERT INTO entries (account_id, kind, amount, job_id, operation, created_at)"
        f" VALUES ({account}, '{kind}', {amount}, {job}, 'forged:{kind}:{account}', 0)"
    )


def balance(amount, *, account=1):
    return f"UPDATE accounts SET balance = {amount} WHERE id = {account}"


BOB = "{bob}"  # the id of his account: it depends on the engine
# Of a job that costs 10 of Ann's 100 credits: how it stands, what is done to it, what the audit says.
BROKEN = [
    pytest.param(
        J.WAITING, [balance(91)], ["account 1: balance 91, its entries sum up to 90"], id="a balance made up"
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE entries SET amount = 1 WHERE kind = 'grant' AND account_id = 1", balance(-9)],
        ["entry 2: takes account 1 below zero, to -9", "account 1: balance -9 is below zero"],
        id="more spent than there was",
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE entries SET amount = 200 WHERE kind = 'grant' AND account_id = 1"],
        ["account 1: balance 90, its entries sum up to 190"],
        id="an entry changed",
    ),
    pytest.param(
        J.WAITING,
        ["DELETE FROM entries WHERE kind = 'hold'", balance(100)],
        ["job 1: price 10, held []"],
        id="a job without a hold",
    ),
    pytest.param(
        J.WAITING,
        [entry("hold", -10), balance(80)],
        ["job 1: price 10, held [-10, -10]"],
        id="a job with two holds",
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE jobs SET price = 5"],
        ["job 1: price 5, held [-10]"],
        id="a price changed afterwards",
    ),
    pytest.param(
        J.WAITING,
        [
            f"UPDATE entries SET account_id = {BOB} WHERE kind = 'hold'",
            balance(100),
            balance(90, account=BOB),
        ],
        [f"entry 2: takes account {BOB} below zero, to -10", f"job 1: account 1 asked, others paid: [{BOB}]"],
        id="somebody else pays",
    ),
    pytest.param(
        J.WAITING,
        [entry("capture", 0)],
        ["job 1: is waiting, but settled already"],
        id="settled before its end",
    ),
    pytest.param(
        J.DELIVERED,
        ["UPDATE jobs SET state = 'delivering'"],
        ["job 1: is delivering, but settled already"],
        id="taken back after its end",
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE jobs SET state = 'delivered'"],
        ["job 1: is delivered, but has 0 capture entries"],
        id="delivered and not captured",
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE jobs SET state = 'failed'"],
        ["job 1: is failed, but has 0 release entries"],
        id="failed and not released",
    ),
    pytest.param(
        J.DELIVERED,
        ["UPDATE jobs SET state = 'cancelled'"],
        ["job 1: is cancelled, but has 0 release entries"],
        id="cancelled and captured",
    ),
    pytest.param(
        J.CANCELLED,
        ["UPDATE jobs SET state = 'left'"],
        ["job 1: is left, but has 0 capture entries"],
        id="left and released",
    ),
    pytest.param(
        J.DELIVERED,
        [entry("release", 10), balance(100)],
        ["job 1: settled 2 times"],
        id="captured and released",
    ),
    pytest.param(
        J.CANCELLED,
        [entry("release", 10), balance(110)],
        [
            "job 1: is cancelled, but has 2 release entries",
            "job 1: settled 2 times",
            "job 1: held 10, released 20",
        ],
        id="released twice",
    ),
    pytest.param(
        J.CANCELLED,
        ["UPDATE entries SET amount = 9 WHERE kind = 'release'", balance(99)],
        ["job 1: held 10, released 9"],
        id="released in part",
    ),
    pytest.param(
        J.DELIVERED,
        ["UPDATE entries SET amount = -10 WHERE kind = 'capture'", balance(80)],
        ["job 1: its capture took 10 once more"],
        id="captured on top of the hold",
    ),
    pytest.param(
        J.CANCELLED,
        [entry("refund", 10), balance(110)],
        ["job 1: refunded 10 of 10 captured"],
        id="refunded after a release",
    ),
    pytest.param(
        J.DELIVERED,
        [entry("refund", 11), balance(101)],
        ["job 1: refunded 11 of 10 captured"],
        id="refunded more than was paid",
    ),
    pytest.param(
        J.DELIVERED,
        [
            entry("refund", 6),
            entry("refund", 6, account=BOB),
            balance(96),
            balance(106, account=BOB),
        ],
        [
            f"job 1: account 1 asked, others paid: [1, {BOB}]",
            "job 1: refunded 2 times",
            "job 1: refunded 12 of 10 captured",
        ],
        id="refunded twice",
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE entries SET amount = -1 WHERE kind = 'grant' AND account_id = 1", balance(-11)],
        [
            "entry 1: takes account 1 below zero, to -1",
            "entry 1: a grant of -1",
            "entry 2: takes account 1 below zero, to -11",
            "account 1: balance -11 is below zero",
        ],
        id="a grant that takes",
    ),
    pytest.param(
        J.DELIVERED,
        ["UPDATE entries SET job_id = 1 WHERE kind = 'grant' AND account_id = 1"],
        ["entry 1: a grant for job 1"],
        id="a grant for a job",
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE entries SET job_id = NULL WHERE kind = 'hold'"],
        ["entry 2: a hold for job None", "job 1: price 10, held []"],
        id="a hold for no job",
    ),
    pytest.param(
        J.WAITING,
        [entry("transfer", 5, job="NULL"), balance(95)],
        ["forged:transfer: is out by 5"],
        id="a transfer from nobody",
    ),
    pytest.param(
        J.WAITING,
        [f"UPDATE accounts SET kind = 'merged', merged_into = 1 WHERE id = {BOB}"],
        [f"account {BOB}: was merged into 1, and has 100 left"],
        id="credits left in a merged account",
    ),
    pytest.param(
        J.WAITING,
        ["UPDATE separations SET state = 'failed'"],
        ["job 1: is waiting, but its separation failed"],
        id="left behind by its separation",
    ),
    pytest.param(
        J.LEAVING,
        ["UPDATE separations SET state = 'succeeded', upstream_task_id = 'task'"],
        ["job 1: is leaving, but its separation succeeded"],
        id="a payer forgotten by its separation",
    ),
    pytest.param(
        J.WAITING,
        ["DELETE FROM jobs"],
        ["job 1: is gone, with 1 holds and 0 settled"],
        id="forgotten before its end",
    ),
    pytest.param(
        J.DELIVERED,
        ["DELETE FROM jobs", "DELETE FROM entries WHERE kind = 'hold'", balance(100)],
        ["job 1: is gone, with 0 holds and 1 settled"],
        id="forgotten without a hold",
    ),
    pytest.param(
        J.DELIVERED,
        ["DELETE FROM jobs", entry("release", 10), balance(100)],
        ["job 1: is gone, with 1 holds and 2 settled", "job 1: settled 2 times"],
        id="forgotten and settled twice",
    ),
    pytest.param(
        J.DELIVERED,
        [f"DELETE FROM accounts WHERE id = {BOB}"],
        [f"account {BOB}: is gone, its entries sum up to 100"],
        id="an account forgotten",
    ),
]


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
