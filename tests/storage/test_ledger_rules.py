"""The database itself keeps the ledger right: statements that no code of ours would send are refused."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage import jobs, ledger
from storage.states import Entry, JobState

J = JobState


@pytest.fixture
def run(database):
    """Send raw SQL in a transaction of its own."""

    async def send(statement, **values):
        async with database.transaction() as db:
            return (await db.execute(text(statement), values)).rowcount

    return send


@pytest.fixture
def write(run, clock):
    """Write an entry past all of our code."""

    async def send(kind, amount, *, account_id=1, job_id=None, operation="forged"):
        row = {"account": account_id, "kind": kind, "amount": amount, "job": job_id, "operation": operation}
        await run(
            "INSERT INTO entries (account_id, kind, amount, job_id, operation, created_at)"
            " VALUES (:account, :kind, :amount, :job, :operation, :now)",
            **row,
            now=clock(),
        )

    return send


@pytest.fixture
def books(database):
    """The balance that the account shows, and the sum of its entries."""

    async def read():
        async with database.reading() as db:
            shown = await db.scalar(text("SELECT balance FROM accounts WHERE id = 1"))
            return shown, await db.scalar(text("SELECT SUM(amount) FROM entries WHERE account_id = 1"))

    return read


IN_ANY_STATE = [
    pytest.param("hold", -10, id="a second hold"),
    pytest.param("hold", 10, id="a hold that gives"),
    pytest.param("release", -10, id="a release that takes"),
    pytest.param("release", 9, id="a release of less"),
    pytest.param("release", 11, id="a release of more"),
    pytest.param("capture", -10, id="a capture that takes again"),
    pytest.param("capture", 10, id="a capture that gives"),
    pytest.param("refund", 0, id="a refund of nothing"),
    pytest.param("refund", -10, id="a refund that takes"),
    pytest.param("grant", 10, id="a grant for a job"),
    pytest.param("bribe", 10, id="a kind that nobody knows"),
]
IN_ONE_STATE = [
    pytest.param(J.WAITING, "refund", 10, id="a refund before the capture"),
    pytest.param(J.CANCELLED, "refund", 10, id="a refund of what was released"),
    pytest.param(J.CANCELLED, "release", 10, id="a second release"),
    pytest.param(J.CANCELLED, "capture", 0, id="a capture of what was released"),
    pytest.param(J.DELIVERED, "capture", 0, id="a second capture"),
    pytest.param(J.DELIVERED, "release", 10, id="a release of what was captured"),
]


@pytest.mark.parametrize("state", [J.WAITING, J.DELIVERED, J.CANCELLED])
@pytest.mark.parametrize(("kind", "amount"), IN_ANY_STATE)
async def test_never_for_a_job(given, write, books, state, kind, amount):
    job = await given.job(price=10, state=state)
    before = await books()
    with pytest.raises(IntegrityError):
        await write(kind, amount, job_id=job.id)
    assert await books() == before


@pytest.mark.parametrize(("state", "kind", "amount"), IN_ONE_STATE)
async def test_not_in_this_state(given, write, books, state, kind, amount):
    job = await given.job(price=10, state=state)
    before = await books()
    with pytest.raises(IntegrityError):
        await write(kind, amount, job_id=job.id)
    assert await books() == before


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        ("grant", 0),
        ("grant", -5),
        ("purchase", -5),
        ("hold", -5),
        ("capture", 0),
        ("release", 5),
        ("refund", 5),
    ],
)
async def test_never_without_a_job(given, write, books, kind, amount):
    await given.person()
    with pytest.raises(IntegrityError):
        await write(kind, amount)
    assert await books() == (100, 100)


@pytest.fixture
async def unheld(given, do, clock):
    """A job for which nobody set credits aside."""
    account, separation = await given.person(), await given.separation()
    wanted = {"separation_id": separation.id, "account_id": account.id, "chat_id": account.owner_id}
    return await do(jobs.create, request_key="unheld", origin="joined", price=0, created_at=clock(), **wanted)


@pytest.mark.parametrize(("kind", "amount"), [("capture", 0), ("release", 0), ("refund", 10)])
async def test_a_job_without_a_hold_is_not_settled(unheld, write, books, kind, amount):
    with pytest.raises(IntegrityError):
        await write(kind, amount, job_id=unheld.id)
    assert await books() == (100, 100)


@pytest.mark.parametrize(("kind", "amount"), [("capture", 0), ("release", 10)])
async def test_a_hold_is_settled_on_the_account_that_it_came_from(given, write, books, kind, amount):
    job = await given.job(price=10)
    other = await given.person(12)
    with pytest.raises(IntegrityError):
        await write(kind, amount, account_id=other.id, job_id=job.id)
    assert await books() == (90, 90)


async def test_a_captured_job_is_refunded_once(given, write, books):
    job = await given.job(price=10, state=J.DELIVERED)
    await write("refund", 10, job_id=job.id, operation="refund")
    with pytest.raises(IntegrityError):
        await write("refund", 10, job_id=job.id, operation="another refund")
    assert await books() == (100, 100)


async def test_a_hold_never_gives(unheld, write, books):
    with pytest.raises(IntegrityError):
        await write("hold", 1, job_id=unheld.id)
    assert await books() == (100, 100)


async def test_the_balance_never_falls_below_zero(unheld, write, books):
    with pytest.raises(IntegrityError):
        await write("hold", -101, job_id=unheld.id)
    assert await books() == (100, 100)
    await write("hold", -100, job_id=unheld.id)
    assert await books() == (0, 0)


async def test_an_operation_is_written_once(given, write, books):
    await given.person()
    await write("grant", 5, operation="payment:1")
    with pytest.raises(IntegrityError):
        await write("purchase", 7, operation="payment:1")
    assert await books() == (105, 105)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET amount = 1000",
        "UPDATE entries SET operation = 'other'",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE kind = 'hold'",
    ],
)
async def test_entries_are_neither_changed_nor_deleted(given, run, books, statement):
    await given.job(price=10)
    with pytest.raises(DBAPIError, match="append-only"):
        await run(statement)
    assert await books() == (90, 90)


@pytest.mark.parametrize("made_up", [1000, 89, 0])
async def test_a_balance_is_not_made_up(given, run, books, made_up):
    await given.job(price=10)
    with pytest.raises(DBAPIError, match="a balance is the sum of its entries"):
        await run(f"UPDATE accounts SET balance = {made_up} WHERE id = 1")
    assert await books() == (90, 90)


@pytest.mark.parametrize("table", ["accounts", "users", "chats", "separations", "songs"])
async def test_what_an_entry_speaks_of_is_not_deleted(given, run, table):
    await given.job(price=10)
    with pytest.raises(IntegrityError):
        await run(f"DELETE FROM {table}")


async def test_the_sum_stays_the_balance_through_every_kind_of_entry(given, do, clock, write, books):
    account = await given.person()
    await write("purchase", 40, operation="payment:1")
    await do(ledger.grant, account, 5, operation="grant:1", note="a gift", now=clock())
    spent = await given.job(price=30, state=J.DELIVERED)
    await given.job(price=20, state=J.FAILED)
    waiting = await given.job(price=7)
    await write("refund", 30, job_id=spent.id)
    assert await books() == (138, 138)
    await do(ledger.settle, Entry.CAPTURE, waiting, now=clock())
    assert await books() == (138, 138)
