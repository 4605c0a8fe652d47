"""Ledgers that are broken, each in one way, and what the audit has to say of it."""

import pytest

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
